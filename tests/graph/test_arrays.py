"""Array formulas: their values, gradients and Hessians against hyper-dual arrays, and the errors of shapes."""

from dataclasses import replace

import arrays
import numpy as np
import pytest
from arrays import EPS, Case
from hypothesis import HealthCheck, Phase, assume, given, settings

from symgd import DataError, FormulaError, Objective, SymgdError, UsageError

# Random formulas make squares of columns, of which people are warned.
pytestmark = pytest.mark.filterwarnings("ignore::symgd.SymgdWarning")

QUICK = settings(max_examples=150, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
THOROUGH = settings(QUICK, max_examples=1_000)
# The bound of the running error analysis charges each operation one rounding. A generated derivative takes another
# route through the same terms, with functions of up to 8 units of error: 16 covers both.
FACTOR = 16
# The analysis is of first order (and second, in products): what vanishes to a higher one is left to this.
FLOOR = 1e-30

TUTORIALS = [
    ("mean((y - ((w*x)**3 + 50*(w*x)**2 + 10*w*x)/1000)**2)", "w() | x(10) y(10)"),
    ("mean((y - relu(X @ w))**2)", "w(2) | X(10,2) y(10)"),
    ("mean((y - relu(w @ X.T))**2)", "w(2) | X(10,2) y(10)"),
    ("mean((y - X @ theta)**2)", "theta(3) | X(8,3) y(8)"),
    ("sum((X @ theta - y)**2)/len(y)", "theta(3) | X(8,3) y(8)"),
    ("(X @ theta - y) @ (X @ theta - y)/X.shape[0]", "theta(3) | X(8,3) y(8)"),
    ("mean((y - sigmoid(X @ w + b))**2)", "w(3) b() | X(10,3) y(10)"),
    ("mean(softplus(X @ w + b) - t*(X @ w + b)) + 0.01*w @ w", "w(3) b() | X(10,3) t(10)"),
    ("-mean(t*log(sigmoid(X @ w)) + (1 - t)*log(1 - sigmoid(X @ w)))", "w(3) | X(10,3) t(10)"),
    ("-mean(sum(T*logsoftmax(X @ W + b), axis=1))", "W(3,4) b(4) | X(6,3) T(6,4)"),
    ("-mean(sum(T*logsoftmax(relu(X @ W1 + b1) @ W2 + b2), axis=1))", "W1(3,4) b1(4) W2(4,3) b2(3) | X(6,3) T(6,3)"),
    ("mean(logsumexp(X @ W, axis=1) - sum(T*(X @ W), axis=1))", "W(3,4) | X(6,3) T(6,4)"),
    ("mean((y - tanh(tanh(X @ A + a) @ B + b) @ c)**2)", "A(2,3) a(3) B(3,2) b(2) c(2) | X(5,2) y(5)"),
    ("mean((r - sum(U[u]*V[v], axis=1))**2)", "U(4,2) V(3,2) | r(9) u(9)<4 v(9)<3"),
    (
        "mean((r - mu - a[u] - b[v] - sum(U[u]*V[v], axis=1))**2) + 0.1*(sum(U**2) + sum(V**2))",
        "mu() a(4) b(3) U(4,2) V(3,2) | r(9) u(9)<4 v(9)<3",
    ),
    (
        "mean(softplus(-sum(C[c]*O[o], axis=1)) + sum(softplus(sum(C[c][:, None, :]*O[neg], axis=2)), axis=1))",
        "C(5,2) O(5,2) | c(7)<5 o(7)<5 neg(7,3)<5",
    ),
    ("mean(logsumexp(C[c] @ O.T, axis=1) - sum(C[c]*O[o], axis=1))", "C(4,2) O(4,2) | c(6)<4 o(6)<4"),
    ("sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)", "x(6)"),
    ("sum((x[1:] - x[:-1])**2) + sum((x - y)**2)", "x(7) | y(7)"),
    ("x @ A @ x/2 - b @ x", "x(3) | A(3,3) b(3)"),
    ("x @ A @ x", "x(3) A(3,3)"),
    ("trace(A @ A.T)", "A(3,2)"),
    ("norm(X @ w - y)", "w(3) | X(6,3) y(6)"),
    ("norm(X @ w - y)**2/2 + 0.1*sum(abs(w))", "w(3) | X(6,3) y(6)"),
    ("sum((R - U @ V.T)**2)", "U(4,2) V(3,2) | R(4,3)"),
    ("sum(where(M > 0, (R - U @ V.T)**2, 0))", "U(4,2) V(3,2) | R(4,3) M(4,3)"),
    ("sum(1/(0.1 + (x[:, None] - x[None, :])**2))", "x(5)"),
    ("sum(sin(x)*sin(y))", "x(4) y(4)"),
    ("mean(min(sum((X[:, None, :] - C[None, :, :])**2, axis=2), axis=1))", "C(3,2) | X(7,2)"),
    ("mean((y[1:-1] - (k[0]*x[:-2] + k[1]*x[1:-1] + k[2]*x[2:]))**2)", "k(3) | x(8) y(8)"),
    ("mean((y - sum(w*X, axis=1))**2)", "w(3) | X(6,3) y(6)"),
    ("mean((y - (a*exp(-b*x) + c))**2)", "a() b() c() | x(6) y(6)"),
    ("sum((A @ x - b)**2) + norm(x, keepdims=False)", "x(3) | A(4,3) b(4)"),
    ("mean((y - (X - mean(X, axis=0))/std(X, axis=0) @ w)**2)", "w(3) | X(6,3) y(6)"),
]
PRODUCTS = [
    ("x @ y", "x(4) | y(4)"),
    ("sum(A @ B)", "A(2,3) B(3,4)"),
    ("sum(x @ A)", "x(2) A(2,3)"),
    ("sum(tanh(A @ x))", "x(3) A(2,3)"),
    ("sum((A @ B) @ C * C)", "A(2,3) B(3,2) C(2,2)"),
    ("sum(A @ B * C)", "A(2,3) B(3,2) C(2,2)"),
    ("sum(sin(A @ B))", "A(2,3,2) B(2,2,3)"),
    ("sum(sin(A @ B))", "A(2,3,2) B(2,3)"),
    ("sum(sin(A @ B))", "A(3,2) B(2,2,3)"),
    ("sum(sin(A @ B))", "A(1,3,2) B(4,2,2)"),
    ("sum(sin(A @ b))", "A(2,3,2) b(2)"),
    ("sum(sin(a @ B))", "a(2) B(2,2,3)"),
    ("sum(X @ w)", "w(1) | X(3,1)"),
    ("dot(x, y)", "x(4) y(4)"),
    ("sum(dot(A, B)**2)", "A(2,3) B(3,2)"),
    ("sum(dot(A, x)**2)", "A(2,3) x(3)"),
    ("x.dot(x)", "x(3)"),
    ("sum(outer(x, y)*A)", "x(3) y(2) | A(3,2)"),
    ("sum(sin(outer(x, x)))", "x(3)"),
    ("trace(A)", "A(3,2)"),
    ("trace(A @ B)", "A(3,2) B(2,3)"),
    ("trace(outer(x, y))", "x(3) y(3)"),
    ("sum(A[:, :, None]*B[None, :, :])", "A(2,3) B(3,2)"),
    ("sum(tanh(sum(A[:, :, None]*B[None, :, :]*c[None, None, :], axis=1)))", "A(2,3) B(3,2) c(2)"),
    ("sum((A @ A.T @ A)**2)", "A(2,3)"),
    ("-x @ A @ -x", "x(2) A(2,2)"),
    ("2*x @ (3*x)", "x(3)"),
    ("x @ x**2", "x(3)"),
]
REDUCTIONS = [
    ("sum(A)", "A(2,3)"),
    ("sum(x)*mean(x)", "x(4)"),
    ("sum(sum(A, axis=0)**2)", "A(2,3)"),
    ("sum(sum(A, axis=1)**2)", "A(2,3)"),
    ("sum(sum(A, axis=-1)**2)", "A(2,3)"),
    ("sum(sum(A, axis=-2)**2)", "A(2,3,2)"),
    ("sum(sum(A, axis=(0, 2))**2)", "A(2,3,2)"),
    ("sum(sum(A, axis=(-1, 0))**2)", "A(2,3,2)"),
    ("sum(A, axis=(0, 1))", "A(2,3)"),
    ("sum(A, axis=None)", "A(2,3)"),
    ("sum((A - mean(A, axis=0))**2)", "A(3,2)"),
    ("sum((A/(1 + sum(A**2, axis=1, keepdims=True)))**2)", "A(3,2)"),
    ("sum(A/(1 + sum(A**2, keepdims=True)))", "A(3,2)"),
    ("A.sum(axis=0) @ A.mean(axis=0)", "A(3,2)"),
    ("(A*A).sum(axis=1).max()", "A(3,2)"),
    ("sum(max(A, axis=1)*min(A, axis=-1))", "A(3,4)"),
    ("max(A) - min(A)", "A(3,4)"),
    ("sum(max(A, axis=(0, 1)))", "A(2,3,2)"),
    ("sum((A - max(A, axis=1, keepdims=True))**2)", "A(3,4)"),
    ("sum(var(A, axis=0)) + std(A)", "A(4,2)"),
    ("sum(std(A, axis=1))", "A(2,4)"),
    ("sum(tanh(A.var(axis=1)) + A.std(axis=1))", "A(2,4)"),
    ("logsumexp(A)", "A(2,3)"),
    ("sum(logsumexp(A, axis=0)**2)", "A(2,3)"),
    ("sum(A - logsumexp(A, axis=1, keepdims=True)*B)", "A(2,3) | B(2,3)"),
    ("sum(softmax(x)**2)", "x(4)"),
    ("sum(softmax(A)*B)", "A(2,3) | B(2,3)"),
    ("sum(softmax(A, axis=0)*B)", "A(2,3) | B(2,3)"),
    ("sum(logsoftmax(A, axis=-2)*B)", "A(2,3) | B(2,3)"),
    ("sum(logsoftmax(A, axis=1)[:, 0])", "A(2,3,2)"),
    ("norm(x)", "x(3)"),
    ("norm(A)", "A(3,2)"),
    ("sum(norm(A, axis=1)**3)", "A(3,2)"),
    ("sum(A/norm(A, axis=0, keepdims=True))", "A(3,2)"),
    ("norm(mean(A, axis=0) - x)", "x(2) | A(3,2)"),
    ("sum(X*w)/X.size + len(w)*sum(w**2)/X.shape[1]", "w(3) | X(2,3)"),
    ("mean(A)", "A(1,1,1)"),
    ("sum(sum(A, axis=1)**2) + max(A)", "A(3,1)"),
    ("log(sum(exp(A)))", "A(2,3)"),
    ("sum(exp(A)/sum(exp(A), axis=1, keepdims=True)*B)", "A(2,3) | B(2,3)"),
]
SHAPES = [
    ("sum(x[:, None]*y[None, :])", "x(3) y(2)"),
    ("sum(tanh(x[:, None] + y))", "x(3) y(2)"),
    ("sum(tanh(A + x))", "A(2,3) x(3)"),
    ("sum(tanh(A + B))", "A(3,1) B(1,2)"),
    ("sum(tanh(A*B + c))", "A(2,1,3) B(4,1) c()"),
    ("sum((A.T @ x)**2)", "A(3,2) x(3)"),
    ("sum(A.T[0]*x)", "A(3,2) x(3)"),
    ("sum(A.T*B)", "A(2,3,2) | B(2,3,2)"),
    ("sum(x.T*x)", "x(3)"),
    ("x[0]*x[-1]", "x(4)"),
    ("x[0]**2*x[1] + x[2]", "x(3)"),
    ("A[0, 1]*A[-1, -1]", "A(2,3)"),
    ("A[0][1]*A[-1][0]", "A(2,3)"),
    ("A[-1] @ A[0]", "A(2,3)"),
    ("A[:, 0] @ A[:, -1]", "A(3,2)"),
    ("sum(A[..., 0]*A[0, ...])", "A(2,2,2)"),
    ("sum(A[...])", "A(2,2)"),
    ("sum(x[None]*A)", "x(3) A(2,3)"),
    ("sum(x[:, None, None]*A)", "x(2) A(2,2,3)"),
    ("sum(s[None]*x)", "s() x(3)"),
    ("sum(x[newaxis, :]*x[:, newaxis])", "x(3)"),
    ("sum(x[::2]**2*x[1::2])", "x(6)"),
    ("sum(x*x[::-1])", "x(5)"),
    ("sum(x[::-2]**2)", "x(5)"),
    ("sum(x[3:0:-1]*x[:3])", "x(5)"),
    ("sum(x[-2:]*x[:2])", "x(4)"),
    ("sum(x[1:100]**2)", "x(4)"),
    ("sum((A[1:, 1:] - A[:-1, :-1])**2)", "A(3,4)"),
    ("sum((A[1:] - A[:-1])**2) + sum((A[:, 1:] - A[:, :-1])**2)", "A(3,4)"),
    ("sum(A[::-1, ::2]**3)", "A(2,4)"),
    ("sum((A[:-1, :-1]*k[0, 0] + A[1:, 1:]*k[1, 1] + A[1:, :-1]*k[1, 0])**2)", "A(3,3) k(2,2)"),
    ("sum((x + y)[1:]**2)", "x(3) | y(3)"),
    ("sum((A @ B)[0]**2)", "A(2,3) B(3,2)"),
    ("sum(x[u]*y)", "x(3) | u(6)<3 y(6)"),
    ("sum(x[u]**2)", "x(3) | u(6)~3"),
    ("sum(U[u]**2*X)", "U(3,2) | u(5)<3 X(5,2)"),
    ("sum(U[u, 0]*U[u, 1])", "U(3,2) | u(5)<3"),
    ("sum(U[u, v]**2*y)", "U(3,2) | u(5)<3 v(5)<2 y(5)"),
    ("sum(U[:, v]**2)", "U(3,2) | v(5)<2"),
    ("sum(tanh(U[..., v]))", "U(2,3,2) | v(4)<2"),
    ("sum(tanh(U[0, v])) + sum(U[-1, v]**2)", "U(2,3) | v(4)<3"),
    ("sum(U[u][:, None]*V[neg])", "U(3,2) V(4,2) | u(4)<3 neg(4,2)<4"),
    ("sum(tanh(x[neg]) @ y)", "x(3) y(2) | neg(4,2)<3"),
    ("sum(x[u][1:]*x[u[:-1]])", "x(3) | u(5)<3"),
    ("sum(tanh(x)[u]*y)", "x(3) | u(5)<3 y(5)"),
    ("sum(x[u][v]**2)", "x(3) | u(5)<3 v(2)<5"),
    ("sum(A[0, :, u]**2)", "A(2,2,3) | u(4)<3"),
    ("sum(U[u] @ W @ U[u].T)", "U(3,2) W(2,2) | u(4)<3"),
    ("sum(X[u]*w)", "w(2) | X(4,2) u(6)<4"),
    ("sum(concatenate([x, y])**2*z)", "x(2) y(3) | z(5)"),
    ("sum(concatenate([A, B], axis=1) @ x)", "A(2,1) B(2,2) x(3)"),
    ("sum(concatenate((A, B, A), axis=0)**2)", "A(1,2) B(2,2)"),
    ("sum(concatenate([x[1:], x[:1]])*x)", "x(4)"),
    ("sum(stack([x, y, x*y])**2*z)", "x(2) y(2) | z(3,2)"),
    ("sum(stack([x, y], axis=1) @ A)", "x(3) y(3) A(2,2)"),
    ("sum(stack([x, y], axis=-1)**2)", "x(3) y(3)"),
    ("norm(stack([s, t, s*t]))", "s() t()"),
    ("sum(x*arange(4))", "x(4)"),
    ("sum(x*arange(len(x)))", "x(4)"),
    ("sum((x - arange(1, 4))**2)", "x(3)"),
    ("sum((A - arange(A.shape[1])/A.size)**2)", "A(2,3)"),
    ("sum(x[arange(2)]**2)", "x(4)"),
]
# All axes have one length, that of the rows as well.
SQUARES = [
    ("sum(X.T @ X*A)", "A(3,3) | X(3,3)"),
    ("trace(X @ A @ X.T)", "A(3,3) | X(3,3)"),
    ("sum((X @ A.T)[u]*A.T)", "A(3,3) | X(3,3) u(3)<3"),
    ("sum(A*A.T)", "A(3,3)"),
    ("sum(tanh(A @ A @ A.T))", "A(3,3)"),
    ("sum(tanh(A[:, None, :]*A[None, :, :] + A[:, :, None]))", "A(3,3)"),
    ("sum(A[u][:, u]*A)", "A(3,3) | u(3)<3"),
    ("sum(A[u, u]*x)", "A(3,3) x(3) | u(3)<3"),
    ("sum(A[u]*A[:, u].T)", "A(3,3) | u(3)<3"),
    ("sum(tanh(A + A.T[::-1])*X)", "A(3,3) | X(3,3)"),
    ("sum(softmax(A @ A.T, axis=0)*A)", "A(3,3)"),
    ("sum(tanh(outer(x, x) @ A) @ y)", "A(3,3) x(3) | y(3)"),
    ("sum(tanh(B @ B)*B)", "B(3,3,3)"),
    ("sum(B.T*B)", "B(3,3,3)"),
    ("sum(B[:, 0] @ B[:, :, 1])", "B(3,3,3)"),
    ("sum(B[u, v]*B[:, v, u])", "B(3,3,3) | u(3)<3 v(3)<3"),
    ("sum(tanh(concatenate([A, A.T], axis=1) @ concatenate([A, A])))", "A(3,3)"),
    ("sum(stack([A, A.T, A @ A], axis=1)**2)", "A(3,3)"),
    ("sum((x[:, None] + x)[u] @ x)", "x(3) | u(3)<3"),
    ("sum(max(A @ A.T, axis=0)) + max(A @ A)", "A(3,3)"),
    ("sum(logsumexp(A[:, :, None] + A.T[None], axis=1)*A)", "A(3,3)"),
    ("mean(sum(tanh(X @ A)*(X @ A.T), axis=0)*x)", "A(3,3) x(3) | X(3,3)"),
    ("trace(A) + trace(A[u])*trace(A.T[:, u])", "A(3,3) | u(3)<3"),
    ("sum(where(A > A.T, A, A.T**2))", "A(3,3)"),
    ("sum((A - mean(A, axis=0) - mean(A, axis=1, keepdims=True))**2)", "A(3,3)"),
]
PIECES = [
    ("sum(where(X > 0, w*X, 0.1*w))", "w(3) | X(4,3)"),
    ("sum(where(x > y, x**2, y**3))", "x(4) y(4)"),
    ("sum(where((X > 0) & (X < 1), w, w**2))", "w(3) | X(4,3)"),
    ("sum((X > 0.2)*w**2)", "w(3) | X(4,3)"),
    ("sum(where(x[:, None] > x[None, :], x[:, None]*x, 0))", "x(4)"),
    ("sum(maximum(A, x)*minimum(A, 0.3))", "A(3,2) x(2)"),
    ("sum(abs(x) + relu(x)*abs(y))", "x(4) | y(4)"),
    ("sum(clip(x, -0.5, 0.5)*x)", "x(5)"),
    ("sum(hypot(x, y) + logaddexp(x, y))", "x(3) y(3)"),
    ("sum(softplus(A) + erf(A)*sigmoid(A) + arctan(A))", "A(2,3)"),
    ("sum(exp(-A**2/2) + sqrt(1 + A**2) + log(1 + A**2))", "A(2,3)"),
    ("sum(2**x + abs(x)**1.5 + (1 + x**2)**y)", "x(3) y(3)"),
    ("sum(x**3) + sum(y)*s", "x(3) y(2) s()"),
    ("s**2", "s() | X(2,2)"),
    ("sum(X**2)*s", "s() | X(2,2)"),
    ("mean(x)", "x(1)"),
]
# Each was wrong once.
FOUND = [
    ("sum(w*X[u])", "w(3) | X(3) u(1)<3"),
    ("X[..., u, 1][1, 4]*w", "w() | X(5,3,3) u(5)<3"),
    ("sum((w*y)[u, 2])", "w(4,4) | y(4,4) u(1)<4"),
    ("sum((w*X)[v][u]**2)", "w(4) | X(4) u(1)<4 v(4)<4"),
    ("sum(w[u]*arange(4))", "w(1) | u(4)<1"),
    ("sum(w*y)*sum(arange(2)[u] - t[:2, None])", "w(2) | y(2) u(2,1)<2 t(4)"),
    ("where(X > 0, w, w).T.mean(axis=0)", "w(4) | X(4)"),
    ("0*w", "w()"),
    ("sum(w*0) + 2*b", "w(3) b()"),
    ("dot(w*x, w + X)", "w(1) x() | X(1)"),
    ("max(where(X > 0, w, x), axis=(-1, 0))", "w(1,2) x(2,2) | X(2)"),
    ("max(outer(a, b) @ c) + max(outer(b, c) @ a) + max(outer(c, a) @ b)", "a(4) b(4) c(4)"),
    ("sum(max(A @ B @ C, axis=0) - min(A @ B @ C, axis=0))", "A(4,1) B(1,4) C(4,5)"),
    ("sum(concatenate([w, X])[1]**2)", "w(1,3) | X(3,3)"),
    ("sum(concatenate([x, logsumexp(A, axis=0)])[1]**2)", "A(2,3) x(1)"),
    ("sum(w*D/len(D)) + w/X.shape[1]", "w() | D(5) X(2,3)"),
]
NAMES = [f"a{k}" for k in range(17)]
LONG = [  # sums of so many terms that those of one shape become a loop
    (" + ".join(f"100*(x[{k + 1}] - x[{k}]**2)**2 + (1 - x[{k}])**2" for k in range(17)), "x(18)"),
    (
        " + ".join(f"({n} - {k})**2*b" for k, n in enumerate(NAMES)) + " + sum(b*x)",
        " ".join(f"{n}()" for n in NAMES) + " b() x(3)",
    ),
    ("sum(" + " + ".join(f"sin({n})" for n in NAMES) + " + x)", " ".join(f"{n}()" for n in NAMES) + " x(3)"),
    (" + ".join(f"sum(tanh({n}*x))" for n in NAMES), " ".join(f"{n}()" for n in NAMES) + " x(3)"),
    (" + ".join(f"{n}*sum(arange({k + 1}))" for k, n in enumerate(NAMES)), " ".join(f"{n}()" for n in NAMES)),
    (" + ".join(f"({n} - {k})**2*sum(X)" for k, n in enumerate(NAMES)), " ".join(f"{n}()" for n in NAMES) + "| X(4)"),
]
FORMULAS = TUTORIALS + PRODUCTS + REDUCTIONS + SHAPES + SQUARES + PIECES + LONG + FOUND


# ---- the oracle ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "shapes"), FORMULAS)
def test_the_oracle_agrees_with_numpy(text, shapes):
    case = Case(text, shapes)
    found = arrays.exact(case, case.flat(case.direction())).value
    assert abs(found.v - arrays.numpy_value(case)) <= FACTOR * EPS * found.e


# NumPy's arrays of objects have no var() and no places; jets refuse to compare a number with itself.
BEYOND_JETS = (".var(", "x[arange(2)]", "x[:, None] > x[None, :]", "A > A.T", "w).T.mean(")


@pytest.mark.parametrize(
    ("text", "shapes"),
    [(text, shapes) for text, shapes in FORMULAS if not any(part in text for part in BEYOND_JETS)],
)
def test_the_oracle_agrees_with_jets_of_50_digits(text, shapes):
    case = Case(text, shapes)
    value, gradient, hessian = arrays.slow(case)
    found = arrays.exact(case, np.eye(case.size))
    # 80-bit numbers have 11 bits more than float64; where they do not, the bound is that of float64.
    digits = FACTOR * np.finfo(arrays.REAL).eps
    assert abs(found.value.v - value) <= digits * found.value.e
    assert np.all(abs(found.gradient.v - gradient) <= digits * (found.gradient.e + abs(gradient)))
    assert np.all(abs(found.products.v - hessian) <= digits * (found.products.e + abs(hessian)))


@settings(QUICK, max_examples=100)
@given(case=arrays.cases())
def test_random_formulas_are_numpy(case):
    value = arrays.numpy_value(case)
    assert np.shape(value) == ()
    assume_smooth(case)
    found = derivatives(case).value
    assert abs(found.v - value) <= FACTOR * EPS * (found.e + abs(value)) + FLOOR


# ---- values and derivatives ------------------------------------------------------------------------------------------


def derivatives(case, params=None):
    """What the oracle says, along a direction and then along each parameter."""
    return arrays.exact(case, np.vstack([case.flat(case.direction(), params), np.eye(case.size)]), params)


def assume_smooth(case):
    """Leave out the formulas that are at a kink, or of which float64 need not get 11 digits right: 1 in 1,000."""
    try:
        found = derivatives(case)
    except arrays.OutOfReachError:
        assume(False)
    assume(all(np.all(allowed(x) <= 1e-11 * (1 + x.s)) for x in (found.value, found.gradient, found.products)))


def allowed(wanted):
    """The error that float64 must be allowed."""
    return FACTOR * EPS * (wanted.e + abs(wanted.v)) + FLOOR


def near(found, wanted):
    return bool(np.all(np.abs(found - wanted.v) <= allowed(wanted)))


def part(rounded, *places):
    return rounded.map(lambda x: x[places])


def check(case, tier):
    f = Objective(case.text, data=case.data or None, tier=tier)
    assert sorted(f.params) == sorted(case.point)
    wanted = derivatives(case, f.params)
    point, v = plain(case.point), plain(case.direction())
    value = f.value(point)
    assert isinstance(value, float)
    assert near(value, wanted.value)
    gradient, product = f.gradient_at(point), f.hvp(point, v)
    for found in (gradient, product):
        assert list(found) == list(f.params)
        assert all(np.shape(found[name]) == case.point[name].shape for name in f.params)
        assert all(isinstance(found[name], float) for name in f.params if case.point[name].shape == ())
    assert near(case.flat(gradient, f.params), wanted.gradient)
    assert near(case.flat(product, f.params), part(wanted.products, slice(None), 0))
    hessian = f.hessian_at(point)
    assert hessian.shape == (case.size, case.size)
    assert near(hessian, part(wanted.products, slice(None), slice(1, None)))


def check_text(case):
    shapes = {name: a.shape for name, a in case.point.items()}
    f = Objective(case.text, data=case.data or None, params=shapes, tier="python")
    wanted = derivatives(case).value
    assert near(f.value(plain(case.point)), wanted)
    again = Objective(f.numpy(), data=case.data or None, params=shapes, tier="python")
    assert near(again.value(plain(case.point)), wanted)
    assert near(arrays.numpy_value(replace(case, text=f.numpy())), wanted)


def plain(values):
    """Arrays by name, and numbers as Python has them."""
    return {name: float(a) if a.shape == () else a for name, a in values.items()}


# Both tiers run the same generated source; to compile it takes seconds a formula.
TIERS = ["python", pytest.param("numba", marks=pytest.mark.slow)]
SHORT = [TUTORIALS[k] for k in (1, 13, 17)]


@pytest.mark.parametrize(("text", "shapes"), FORMULAS)
def test_derivatives(text, shapes):
    check(Case(text, shapes), "python")


@pytest.mark.parametrize(("text", "shapes"), FORMULAS)
def test_the_text_reads_back(text, shapes):
    check_text(Case(text, shapes))


@pytest.mark.parametrize(("text", "shapes"), SHORT)
def test_compiled_derivatives(text, shapes):
    check(Case(text, shapes), "numba")


@pytest.mark.slow
@pytest.mark.parametrize(("text", "shapes"), [f for f in FORMULAS if f not in SHORT])
def test_compiled_derivatives_of_every_construct(text, shapes):
    check(Case(text, shapes), "numba")


def property_of_derivatives(case):
    assume_smooth(case)
    check(case, "python")


test_derivatives_of_random_formulas = QUICK(given(case=arrays.cases())(property_of_derivatives))
test_derivatives_of_many = pytest.mark.slow(THOROUGH(given(case=arrays.cases())(property_of_derivatives)))


@settings(QUICK, max_examples=50)
@given(case=arrays.cases())
def test_the_text_of_random_formulas_reads_back(case):
    assume_smooth(case)
    check_text(case)


def property_of_compiled_derivatives(case):
    assume_smooth(case)
    check(case, "numba")


NO_SHRINK = (Phase.explicit, Phase.reuse, Phase.generate)  # each example is compiled
test_compiled_derivatives_of_random_formulas = settings(QUICK, max_examples=4, phases=NO_SHRINK)(
    given(case=arrays.cases())(property_of_compiled_derivatives)
)
test_compiled_derivatives_of_many = pytest.mark.slow(
    settings(QUICK, max_examples=50, phases=NO_SHRINK)(given(case=arrays.cases())(property_of_compiled_derivatives))
)


def test_the_flat_functions_take_the_parameters_in_order():
    case = Case("mean((y - tanh(X @ W) @ v - b)**2)", "W(3,2) v(2) b() | X(5,3) y(5)")
    f = Objective(case.text, data=case.data, tier="python")
    x, p = case.flat(case.point, f.params), case.flat(case.direction(), f.params)
    assert f.value(case.point) == f.fun(x)  # the first point tells the shapes
    assert np.array_equal(f.jac(x), case.flat(f.gradient_at(case.point), f.params))
    assert np.array_equal(f.hessp(x, p), case.flat(f.hvp(case.point, case.direction()), f.params))
    assert np.array_equal(f.hess(x), f.hessian_at(case.point))
    wanted = derivatives(case, f.params)
    assert near(f.hessp(x, p), part(wanted.products, slice(None), 0))


# ---- kinks, zeros and ties -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "x", "gradient"),
    [
        ("sum(abs(x))", [0.0, 2.0], [0, 1]),
        ("sum(relu(x))", [0.0, 2.0], [0, 1]),
        ("max(x)", [2.0, 1.0, 2.0], [0.5, 0, 0.5]),
        ("min(x)", [2.0, 1.0, 1.0], [0, 0.5, 0.5]),
        ("sum(maximum(x, 1))", [1.0, 2.0], [0.5, 1]),
        ("norm(x)", [0.0, 0.0], [0, 0]),
        ("std(x)", [3.0, 3.0], [0, 0]),
        ("sum(max(x, axis=1))", [[1.0, 1.0], [0.0, 3.0]], [[0.5, 0.5], [0, 1]]),
        ("sum(norm(x, axis=1))", [[0.0, 0.0], [3.0, 4.0]], [[0, 0], [0.6, 0.8]]),
        ("sum(x**2)", [0.0, 1.0], [0, 2]),
        ("sum(sqrt(x[1:]))", [-1.0, 4.0], [0, 0.25]),  # what no one reads does no harm
    ],
)
@pytest.mark.parametrize("tier", TIERS)
def test_kinks_have_the_slopes_that_were_agreed_on(text, x, gradient, tier):
    found = Objective(text, tier=tier).gradient_at({"x": np.array(x)})["x"]
    assert np.allclose(found, gradient, rtol=4 * EPS, atol=0)


@pytest.mark.parametrize("tier", TIERS)
def test_large_numbers_do_not_overflow(tier):
    x = np.array([800.0, -800.0, 799.0])
    f = Objective("logsumexp(x) + sum(softmax(x)*x) + sum(softplus(x))", tier=tier)
    assert np.isfinite(f.value({"x": x}))
    assert np.all(np.isfinite(f.gradient_at({"x": x})["x"]))


# ---- shapes are known when the point is ------------------------------------------------------------------------------


def test_one_objective_takes_points_of_several_shapes():
    f = Objective("sum(x[1:]**2)", tier="python")
    assert f.value({"x": [1.0, 2.0, 3.0]}) == 13.0
    assert f.value({"x": [1.0, 2.0]}) == 4.0
    assert f.value({"x": np.array([[1.0, 2.0], [3.0, 4.0]])}) == 25.0


def test_points_may_be_lists_integers_and_views():
    f = Objective("sum(A @ A.T) + s", tier="python")
    A = np.arange(6.0).reshape(2, 3)
    wanted = f.value({"A": A, "s": 1.0})
    assert f.value({"A": A.tolist(), "s": 1}) == wanted
    assert f.value({"A": A.astype(int), "s": np.float32(1)}) == wanted
    assert f.value({"A": np.asfortranarray(A), "s": np.array(1.0)}) == wanted
    assert f.value({"A": np.repeat(A, 2, axis=1)[:, ::2], "s": 1.0}) == wanted
    kept = A.copy()
    f.gradient_at({"A": A, "s": 1.0})
    assert np.array_equal(A, kept)


# ---- descents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(("text", "shapes"), SHORT)
def test_a_step_goes_down_the_gradient(text, shapes, tier):
    case = Case(text, shapes)
    f = Objective(text, data=case.data or None, tier=tier)
    run = f.minimize(start=case.point, lr=0.01, steps=1)
    gradient = f.gradient_at(case.point)
    assert list(run.point) == list(f.params)
    for name, start in case.point.items():
        assert np.shape(run.point[name]) == start.shape
        assert np.allclose(run.point[name], start - 0.01 * gradient[name], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_a_least_squares_descent_ends_where_linear_algebra_does(tier):
    case = Case("mean((y - X @ w)**2)", "w(3) | X(20,3) y(20)")
    X, y = case.data["X"], case.data["y"]
    f = Objective(case.text, data=case.data, tier=tier)
    run = f.minimize(start={"w": np.zeros(3)}, lr=0.5, steps=2000)
    assert run.point["w"].shape == (3,)
    # A gradient below gtol leaves a distance of gtol over the smallest curvature.
    assert np.allclose(run.point["w"], np.linalg.lstsq(X, y)[0], atol=1e-4)


# ---- errors ----------------------------------------------------------------------------------------------------------

ERRORS = [
    ("mean(X @ w)", "w(4) | X(10,3)", "@", ["X", "(10, 3)", "w", "(4,)"]),
    ("sum(A @ B)", "A(2,3) B(2,3)", "@", ["A", "(2, 3)", "B"]),
    ("sum(x @ A)", "x(3) A(2,3)", "@", ["x", "(3,)", "A", "(2, 3)"]),
    ("sum((X + 1) @ w)", "w(4) | X(10,3)", "@", ["X + 1", "(10, 3)", "w", "(4,)"]),
    ("sum(A @ B)", "A(2,3,2) B(3,2,2)", "@", ["A", "(2, 3, 2)", "B", "(3, 2, 2)"]),
    ("s @ x", "s() x(3)", "@", ["s", "@"]),
    ("mean(y - X @ w)", "w(3) | X(10,3) y(9)", None, ["(9,)", "(10,)"]),
    ("sum(x + y)", "x(3) y(4)", "+", ["x", "(3,)", "y", "(4,)"]),
    ("sum(x - y)", "x(3) y(4)", "-", ["x", "(3,)", "y", "(4,)"]),
    ("sum(x*y)", "x(3) y(4)", "*", ["x", "(3,)", "y", "(4,)"]),
    ("sum(x/y)", "x(3) y(4)", "/", ["x", "(3,)", "y", "(4,)"]),
    ("sum(x**y)", "x(3) y(4)", "**", ["x", "(3,)", "y", "(4,)"]),
    ("sum(where(x > y, x, y))", "x(3) y(4)", ">", ["x", "(3,)", "y", "(4,)"]),
    ("sum(maximum(x, y))", "x(3) y(4)", "maximum(x, y)", ["(3,)", "(4,)"]),
    ("sum(where(X > 0, x, y))", "x(3) y(4) | X(4)", "where(X > 0, x, y)", ["(3,)", "(4,)"]),
    ("sum(A + B)", "A(2,3) B(3,2)", "+", ["A", "(2, 3)", "B", "(3, 2)"]),
    ("sum(a + b + c)", "a(3) b(3) c(2)", "+", ["c", "(2,)", "(3,)"]),
    ("sum(dot(x, y))", "x(3) y(4)", "dot(x, y)", ["(3,)", "(4,)"]),
    ("sum(A, axis=2)", "A(2,3)", "2", ["axis 2", "0 to 1"]),
    ("sum(A, axis=-3)", "A(2,3)", "-3", ["axis -3", "0 to 1"]),
    ("sum(A.sum(axis=5))", "A(2,3)", "5", ["axis 5"]),
    ("sum(softmax(x, axis=1))", "x(3)", "1", ["axis 1", "only axis 0"]),
    ("sum(A, axis=(0, 0))", "A(2,3)", None, ["axis", "twice"]),
    ("sum(sum(A, axis=0), axis=1)", "A(2,3)", "1", ["axis 1", "only axis 0"]),
    ("x[3]", "x(3)", "3", ["3", "(3,)"]),
    ("x[-4]", "x(3)", "-4", ["-4", "(3,)"]),
    ("A[0, 3]", "A(2,3)", "3", ["3", "(2, 3)"]),
    ("sum(A[2])", "A(2,3)", "2", ["2", "(2, 3)"]),
    ("x[0, 0]", "x(3)", None, ["x", "(3,)", "2", "1"]),
    ("sum(A[:, :, 0])", "A(2,3)", None, ["(2, 3)", "3", "2"]),
    ("s[0]", "s()", None, ["s"]),
    ("sum(U[u])", "U(3,2) | u(4)", "u", ["u", "whole"]),
    ("sum(x[y])", "x(3) y(3)", "y", ["y"]),
    ("x[0.5]", "x(3)", "0.5", ["0.5"]),
    ("sum(U[u])", "U(3,2) | u(4)<9", "u", ["out of bounds", "length 3"]),
    ("sum(U[u, v])", "U(3,2) | u(4)<3 v(5)<2", None, ["(4,)", "(5,)"]),
    ("sum(x[..., ...])", "x(3)", None, ["..."]),
    ("x**2", "x(3)", None, ["(3,)", "one number"]),
    ("X @ w", "w(3) | X(10,3)", None, ["one value a row", "one number"]),
    ("A @ w", "w(3) A(10,3)", None, ["(10,)", "one number"]),
    ("sum(A, axis=0)", "A(2,3)", None, ["(3,)", "one number"]),
    ("A.T", "A(2,3)", None, ["(3, 2)", "one number"]),
    ("x[None]", "x()", None, ["(1,)", "one number"]),
    ("trace(x)", "x(3)", None, ["trace", "(3,)"]),
    ("sum(concatenate([A, B]))", "A(2,3) B(2,2)", None, ["(2, 3)", "(2, 2)"]),
    ("sum(concatenate([x, A]))", "x(3) A(2,3)", None, ["(3,)", "(2, 3)"]),
    ("sum(stack([x, y]))", "x(3) y(4)", None, ["(3,)", "(4,)"]),
    ("sum(x[::0])", "x(3)", None, ["step"]),
]


def evaluated(text, shapes):
    case = Case(text, shapes)
    return Objective(text, data=case.data or None, tier="python").vector(plain(case.point))


@pytest.mark.parametrize(("text", "shapes", "marked", "parts"), ERRORS)
def test_a_misfit_is_named_with_its_shapes_and_place(text, shapes, marked, parts):
    with pytest.raises(FormulaError) as caught:
        evaluated(text, shapes)
    message = str(caught.value)
    assert all(part in message for part in parts), message
    if marked:
        error = caught.value
        assert marked in text[error.start : error.end] or text[error.start : error.end] in marked, message


@pytest.mark.parametrize(("text", "shapes", "operator"), [(t, s, m) for t, s, m, _ in ERRORS if m in set("@+-*/>")])
def test_the_caret_stands_under_the_operator(text, shapes, operator):
    with pytest.raises(FormulaError) as caught:
        evaluated(text, shapes)
    assert text[caught.value.start : caught.value.end] == operator


@pytest.mark.parametrize(
    ("text", "shapes", "point", "parts"),
    [
        ("sum(x**2)", "x(2)", {"x": [[1.0], [1.0, 2.0]]}, ["x"]),
        ("sum(x**2)", "x(2)", {"x": []}, ["x"]),
        ("sum(x**2)", "x(2)", {"x": ["a", "b"]}, ["x"]),
        ("sum(x**2)", "x(2)", {"x": np.array([1j, 2])}, ["x"]),
        ("sum(x**2)", "x(2)", {}, ["x"]),
        ("sum(x**2)", "x(2)", {"x": [1.0], "y": [2.0]}, ["y"]),
        ("sum(x**2)", "x(2)", {"x": np.zeros((2, 2, 2, 2))}, ["x", "(2, 2, 2, 2)"]),
    ],
)
def test_points_that_are_no_arrays_are_refused(text, shapes, point, parts):
    with pytest.raises(UsageError) as caught:
        Objective(text, tier="python").value(point)
    assert all(part in str(caught.value) for part in parts)


def test_hvp_takes_a_vector_of_the_shape_of_the_point():
    f = Objective("sum(x**3)", tier="python")
    with pytest.raises(SymgdError, match=r"x.*\(2,\).*\(3,\)|x.*\(3,\).*\(2,\)"):
        f.hvp({"x": np.ones(3)}, {"x": np.ones(2)})


@pytest.mark.parametrize("X", [np.zeros((0, 2)), np.zeros((2, 0)), np.zeros((2, 2), complex), [[1.0], [1.0, 2.0]]])
def test_data_that_are_no_arrays_are_refused(X):
    with pytest.raises(DataError, match="X"):
        Objective("sum(X @ w)", data={"X": X})


@pytest.mark.parametrize("tier", ["python", "numba"])
@pytest.mark.parametrize("function", ["logsumexp({}, axis=1)", "log(sum(exp({}), axis=1))"])
def test_an_infinite_maximum_along_an_inner_axis_is_no_nan(function, tier):
    data = {"X": np.array([[1e300, 1e300, 1e300], [0.5, -1.0, 2.0]])}
    f = Objective(f"sum({function.format('X*w')})", data=data, params={"w": (3,)}, tier=tier)
    for w in ([1e300, 0.0, 0.0], [1e300, 1e300, 1e300], [-1e300, -1e300, -1e300], [-1e300, 0.0, 1e-300]):
        with np.errstate(over="ignore"):
            rows = np.logaddexp.reduce(data["X"] * w, axis=1)
        np.testing.assert_allclose(f.value({"w": w}), rows.sum(), rtol=1e-14)  # infinities, too: -inf of a row of them


@pytest.mark.parametrize("tier", ["python", "numba"])
def test_branches_that_are_the_same_number_have_the_shape_of_the_condition(tier):
    data = {"x": np.array([1.0, -1.0, 2.0])}
    for same in ("w", "2.0", "w**2 + 1"):
        f = Objective(f"sum(where(x > 0, {same}, {same}))", data=data, params=["w"], tier=tier)
        once = Objective(f"({same}) + 0*w", params=["w"], tier=tier)
        assert f.value({"w": 0.7}) == pytest.approx(3 * once.value({"w": 0.7}), rel=1e-15)
        np.testing.assert_allclose(f.jac([0.7]), 3 * once.jac([0.7]), rtol=1e-15)
        np.testing.assert_allclose(f.hess([0.7]), 3 * once.hess([0.7]), rtol=1e-15)
        assert "where(x > 0, " in f.numpy()  # and is a column still, where it is shown

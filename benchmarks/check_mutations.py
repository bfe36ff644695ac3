"""Random objectives, their exact gradients rewritten into equal forms, and the same with one planted error.

``python -m benchmarks.check_mutations --n 10000`` prints how many right ones were proved, how many wrong ones found,
and how many causes named; ``tests/checking/test_mutations.py`` runs a few.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from dataclasses import dataclass

from symgd.checking import check_gradient
from symgd.errors import SymgdError


@dataclass(frozen=True)
class Case:
    """An objective, and spellings of its gradient that are equal."""

    formula: str
    name: str
    equal: tuple[str, ...]
    data: dict[str, str]
    params: dict[str, str]
    terms: tuple[str, ...] = ()  # of the gradient, where it is a sum
    own: tuple[tuple[str, str, str], ...] = ()  # mistakes that are made with it: kind, text, words of the cause


# Inner functions with their derivatives, each in several spellings; u stands for the argument.
SCALAR = {
    "{u}**2": ("2*{u}", "{u} + {u}", "2*{u}**2/{u}"),
    "{u}**3": ("3*{u}**2", "3*{u}*{u}", "6*{u}**2/2"),
    "exp({u})": ("exp({u})", "1/exp(-{u})", "exp({u}/2)**2"),
    "sin({u})": ("cos({u})", "1 - 2*sin({u}/2)**2", "cos({u}/2)**2 - sin({u}/2)**2"),
    "cos({u})": ("-sin({u})", "-2*sin({u}/2)*cos({u}/2)", "-sin({u})**1"),
    "log(1 + exp({u}))": ("sigmoid({u})", "1/(1 + exp(-{u}))", "exp({u})/(1 + exp({u}))", "1 - sigmoid(-{u})",
                          "(1 + tanh({u}/2))/2"),
    "tanh({u})": ("1 - tanh({u})**2", "1/cosh({u})**2", "4/(exp({u}) + exp(-{u}))**2"),
    "sqrt(1 + {u}**2)": ("{u}/sqrt(1 + {u}**2)", "{u}*(1 + {u}**2)**(-1/2)", "{u}*sqrt(1 + {u}**2)/(1 + {u}**2)"),
    "log(1 + {u}**2)": ("2*{u}/(1 + {u}**2)", "2/({u} + 1/{u})", "2*{u}*exp(-log(1 + {u}**2))"),
    "arctan({u})": ("1/(1 + {u}**2)", "({u}**2 + 1)**-1"),
    "1/(1 + {u}**2)": ("-2*{u}/(1 + {u}**2)**2", "-2*{u}*(1 + {u}**2)**-2"),
    "abs({u})": ("sign({u})", "where({u} > 0, 1, -1)", "{u}/abs({u})"),
    "maximum({u}, 0)": ("where({u} > 0, 1, 0)", "({u} > 0)", "(1 + sign({u}))/2"),
    "log(cosh({u}))": ("tanh({u})", "sinh({u})/cosh({u})", "2*sigmoid(2*{u}) - 1"),
}  # fmt: skip


def scalar(rng: random.Random) -> Case:
    """f(a*x + b) + c*x**2, by x."""
    a, b, c = rng.randint(2, 5), rng.randint(1, 4), rng.randint(2, 6)
    outer = rng.choice(list(SCALAR))
    u = f"({a}*x + {b})" if rng.random() < 0.6 else f"({a}*x*y)"
    inner = str(a) if "y" not in u else f"{a}*y"
    terms = [(f"{inner}*({s.format(u=u)})", f"{2 * c}*x") for s in SCALAR[outer]]
    equal = [f"{p} + {q}" for p, q in terms] + [f"{q} + {p}" for p, q in terms]
    formula = f"{outer.format(u=u)} + {c}*x**2"
    return Case(formula, "x", tuple(equal), {}, {"x": "", "y": ""} if "y" in u else {"x": ""}, terms[0])


def summed(rng: random.Random) -> Case:
    """A loss over the rows of data, by one weight."""
    outer = rng.choice(list(SCALAR))
    mean = rng.random() < 0.5
    u = rng.choice(["(w*x - y)", "(y - w*x)", "(w*x + y)"])
    inner = "-x" if u.startswith("(y -") else "x"
    reduce = "mean" if mean else "sum"
    formula = f"{reduce}({outer.format(u=u)}) + 3*w**2"
    equal = []
    for s in SCALAR[outer]:
        d = s.format(u=u)
        one = f"{inner}*({d})"
        ways = [f"{reduce}({one})", f"{reduce}(({d})*{inner})"]
        sign = "-1" if inner[0] == "-" else "1"
        ways += [f"sum({one})/len(x)", f"(({d}) @ x)*({sign})/len(y)"] if mean else [f"({d}) @ ({inner})"]
        if s in ("{u} > 0", "({u} > 0)"):
            ways = ways[:1]
        equal += [f"{way} + 6*w" for way in ways]
    return Case(
        formula,
        "w",
        tuple(equal),
        {"x": "n", "y": "n"},
        {"w": ""},
        (f"{reduce}({inner}*({SCALAR[outer][0].format(u=u)}))", "6*w"),
    )


def matrix(rng: random.Random) -> Case:
    """A loss of a linear model, by its weights."""
    outer = rng.choice(list(SCALAR))
    mean = rng.random() < 0.5
    reduce, over = ("mean", "/len(y)") if mean else ("sum", "")
    u = "(X @ w - y)"
    formula = f"{reduce}({outer.format(u=u)}) + lam*sum(w**2)"
    equal = []
    for s in SCALAR[outer]:
        d = s.format(u=u)
        d = f"where({d}, 1, 0)" if d.startswith("((") and d.endswith("> 0)") else d
        equal += [f"X.T @ ({d}){over} + 2*lam*w", f"sum(({d})[:, None]*X, axis=0){over} + 2*lam*w",
                  f"({d}) @ X{over} + lam*(w + w)"]  # fmt: skip
    first = SCALAR[outer][0].format(u=u)
    return Case(formula, "w", tuple(equal), {"X": "n x k", "y": "n", "lam": ""}, {"w": "k"},
                (f"X.T @ ({first}){over}", "2*lam*w"))  # fmt: skip


def quadratic(rng: random.Random) -> Case:
    """x'Ax + b'x, and the like."""
    formula, equal, terms = rng.choice([
        ("x @ A @ x + b @ x", ("(A + A.T) @ x + b", "A @ x + x @ A + b", "sum((A + A.T)*x, axis=1) + b"),
         ("(A + A.T) @ x", "b")),
        ("trace(A @ outer(x, x)) + b @ x", ("A @ x + A.T @ x + b", "x @ (A + A.T) + b"), ("A @ x + A.T @ x", "b")),
        ("sum((A @ x - b)**2)", ("2*A.T @ (A @ x - b)", "2*A.T @ A @ x - 2*A.T @ b", "2*(A @ x - b) @ A"),
         ("2*A.T @ A @ x", "-2*A.T @ b")),
    ])  # fmt: skip
    return Case(formula, "x", equal, {"A": "k x k", "b": "k"}, {"x": "k"}, terms)


def logistic(rng: random.Random) -> Case:
    """The logistic loss with a regulariser, by its weights."""
    mean = rng.random() < 0.5
    reduce, over = ("mean", "/len(y)") if mean else ("sum", "")
    z = "(X @ w)"
    naive = f"{reduce}(-y*log(sigmoid({z})) - (1 - y)*log(1 - sigmoid({z})))"
    loss = rng.choice([f"{reduce}(softplus({z}) - y*{z})", f"{reduce}(log(1 + exp({z})) - y*{z})", naive])
    equal = []
    for p in (f"sigmoid({z})", f"1/(1 + exp(-{z}))", f"exp({z})/(1 + exp({z}))", f"(1 - sigmoid(-{z}))"):
        equal += [
            f"X.T @ ({p} - y){over} + 2*lam*w",
            f"({p} - y) @ X{over} + 2*lam*w",
            f"sum(X*({p} - y)[:, None], axis=0){over} + lam*w*2",
            f"X.T @ ({p}){over} - X.T @ y{over} + 2*lam*w",
        ]
    right = f"X.T @ (sigmoid({z}) - y){over}"
    own = (("link", f"X.T @ ({z} - y){over} + 2*lam*w", "link|sigmoid"),)
    return Case(f"{loss} + lam*sum(w**2)", "w", tuple(equal), {"X": "n x k", "y": "n", "lam": ""}, {"w": "k"},
                (right, "2*lam*w"), own)  # fmt: skip


def factored(rng: random.Random) -> Case:
    """A product of two matrices against a third, by the first."""
    c = rng.randint(2, 5)
    formula = f"sum((P - A @ B.T)**2) + {c}*sum(A**2)"
    r = "(P - A @ B.T)"
    equal = (
        f"-2*{r} @ B + {2 * c}*A",
        f"2*(A @ B.T - P) @ B + {2 * c}*A",
        f"2*A @ B.T @ B - 2*P @ B + {2 * c}*A",
        f"-2*(B.T @ {r}.T).T + {2 * c}*A",
        f"{2 * c}*A - 2*sum({r}[:, :, None]*B, axis=1)",
    )
    own = (
        ("transposed", f"(-2*{r} @ B + {2 * c}*A).T", "transposed"),
        ("transposed part", f"-2*(B.T @ {r}.T) + {2 * c}*A", "transposed|shape"),
    )
    return Case(formula, "A", equal, {"P": "n x m"}, {"A": "n x k", "B": "m x k"}, (f"-2*{r} @ B", f"{2 * c}*A"), own)


def masked(rng: random.Random) -> Case:
    """A loss over those rows that a mask lets through."""
    c = rng.randint(2, 4)
    loss = rng.choice([f"sum((m > 0)*(w*x - y)**2) + {c}*w**2", f"sum(where(m > 0, (w*x - y)**2, 0)) + {c}*w**2"])
    d = "x*(w*x - y)"
    equal = (
        f"2*sum((m > 0)*{d}) + {2 * c}*w",
        f"2*sum(where(m > 0, {d}, 0)) + {2 * c}*w",
        f"2*((m > 0)*x) @ (w*x - y) + {2 * c}*w",
        f"{2 * c}*w + sum((m > 0)*2*{d})",
    )
    own = (("mask", f"2*sum({d}) + {2 * c}*w", "mask"),)
    return Case(loss, "w", equal, {"x": "n", "y": "n", "m": "n"}, {"w": ""}, (f"2*sum((m > 0)*{d})", f"{2 * c}*w"), own)


def bilinear(rng: random.Random) -> Case:
    """u'Av and its square, by the matrix."""
    if rng.random() < 0.5:
        first, equal = "outer(u, v)", ("outer(u, v)", "u[:, None]*v", "outer(v, u).T", "u[:, None] @ v[None, :]")
        formula, wrong = "u @ A @ v", "outer(v, u)"
    else:
        first = "2*(u @ A @ v)*outer(u, v)"
        equal = (first, "2*sum(A*outer(u, v))*outer(u, v)", "outer(2*u, v)*(A @ v @ u)")
        formula, wrong = "(u @ A @ v)**2", "2*(u @ A @ v)*outer(v, u)"
    own = (("transposed", f"{wrong} + 2*A", "transposed|shape"), ("chain rule", "outer(u, v) + 2*A", "factor|chain")
           ) if "**2" in formula else (("transposed", f"{wrong} + 2*A", "transposed|shape"),)  # fmt: skip
    return Case(f"{formula} + sum(A**2)", "A", tuple(f"{e} + 2*A" for e in equal), {"u": "k", "v": "m"},
                {"A": "k x m"}, (first, "2*A"), own)  # fmt: skip


def products(rng: random.Random) -> Case:
    """A product of two functions of x, of another parameter besides."""
    a, n = rng.randint(2, 4), rng.randint(2, 5)
    formula = f"x**{n}*exp(-{a}*x)*y**2"
    first, second = f"{n}*x**{n - 1}*exp(-{a}*x)*y**2", f"-{a}*x**{n}*exp(-{a}*x)*y**2"
    equal = (
        f"{first} {second.replace('-', '- ', 1)}",
        f"x**{n - 1}*({n} - {a}*x)*exp(-{a}*x)*y**2",
        f"(x**{n}*y**2/exp({a}*x))*({n}/x - {a})",
        f"y**2*(({n}*x**{n - 1}) - {a}*x**{n})/exp({a}*x)",
    )
    own = (("product rule", first, "product rule|missing"), ("another parameter", f"2*y*x**{n}*exp(-{a}*x)", "another"),
           ("exponent", f"x**{n}*({n} - {a}*x)*exp(-{a}*x)*y**2", "exponent|factor"))  # fmt: skip
    return Case(formula, "x", equal, {}, {"x": "", "y": ""}, (first, second), own)


MAKERS = (scalar, summed, matrix, quadratic, logistic, factored, masked, bilinear, products)

WRAPPED = (
    "{t}", "{t}", "{t}", "-(-({t}))", "2*({t})/2", "({t})*(sin(3)**2 + cos(3)**2)", "exp(log({t2}))*1 - ({t2}) + {t}",
    "({t})*exp(2)/exp(1)**2", "(({t}) + 3*({t}))/4", "({t}) + 1 - 1", "({t})*sqrt(4)/2",
)  # fmt: skip


def rewritten(text: str, rng: random.Random) -> str:
    """Wrap a derivative into something that changes nothing."""
    return rng.choice(WRAPPED).format(t=text, t2="7")


def planted(case: Case, rng: random.Random) -> tuple[str, str, str]:
    """Give a wrong gradient: its kind, its text, and words of which its cause must have one."""
    right = case.equal[0]
    first, second = case.terms
    kinds = {
        "sign": (f"-({right})", "sign"),
        "sign of a term": (f"{first} - ({second})", "sign"),
        "factor": (f"2*({right})", "factor"),
        "half": (f"({right})/2", "factor"),
        "pi": (f"pi*({right})", "factor"),
        "missing term": (first, "missing|forgotten|product rule"),
        "extra term": (f"{right} + {second}", "too much|doubled|factor"),
        "factor of a term": (f"{first} + 3*({second})", "factor"),
        "without its 2": (f"{first} + ({second})/2", "factor"),
        "two at once": (f"-({first}) + 2*({second})", "sign&factor|doubled"),
        "a small error": (f"1.000000001*({right})", "factor"),
    }
    if "mean(" in case.formula:
        kinds["mean"] = (f"len(y)*({right})", "1/n|1/len")
    if "sum(" in case.formula and "y" in case.data:
        kinds["sum"] = (f"({right})/len(y)", "len")
    kinds |= {name: (text, word) for name, text, word in case.own}
    name = rng.choice([*kinds, *(n for n, _, _ in case.own)])
    return name, *kinds[name]


def run(n: int, seed: int = 0) -> dict[str, float]:
    """Check n gradients rewritten and n with a planted error."""
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for _ in range(n):
        case = rng.choice(MAKERS)(rng)
        text = rewritten(rng.choice(case.equal), rng)
        found = check_gradient(case.formula, {case.name: text}, case.data or None, params=case.params, explain=False)
        kind = found[case.name].kind
        counts[kind] += 1
        if kind != "proved":
            failures.append(f"{kind}: {case.formula} | {text}")
        planted_kind, wrong, word = planted(case, rng)
        try:
            found = check_gradient(case.formula, {case.name: wrong}, case.data or None, params=case.params)
        except SymgdError as problem:
            failures.append(f"raised: {case.formula} | {wrong} | {problem}")
            continue
        verdict = found[case.name]
        counts["found"] += verdict.kind == "wrong"
        cause = verdict.cause.message + verdict.cause.kind if verdict.cause else ""
        named = all(any(w in cause for w in words.split("|")) for words in word.split("&"))
        counts["named"] += named
        if verdict.kind != "wrong" or not named:
            failures.append(f"planted {planted_kind}: {verdict.kind}: {case.formula} | {wrong} | {cause}")
    return {"called wrong": counts["wrong"], "proved": counts["proved"] / n, "found": counts["found"] / n,
            "named": counts["named"] / n, "failures": failures}  # type: ignore[dict-item]  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=20)
    given = parser.parse_args()
    start = time.perf_counter()
    found = run(given.n, given.seed)
    failures = found.pop("failures")
    for name, value in found.items():
        print(f"{name:13} {value:.4f}" if isinstance(value, float) else f"{name:13} {value}")
    print(f"{time.perf_counter() - start:.1f} s")
    for line in failures[: given.show]:  # type: ignore[index]
        print(" ", line)


if __name__ == "__main__":
    main()

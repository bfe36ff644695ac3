"""Optimizers with one mistake each, in the styles in which people write them, and right ones.

``BUGS`` are ``name: (optimizer, options)`` of `check_optimizer`; so are ``RIGHT``. Those of libraries are functions, so
that nothing is imported before it is asked for.
"""

import functools

import numpy as np

import symgd as sg

# ---- plain steps ---------------------------------------------------------------------------------------------------


def momentum_sign(x, g, v):
    v = -0.9 * v - 0.1 * g
    return x + v, v


def momentum_subtracts(x, g, state, lr=0.05, beta=0.8):
    state["v"] = beta * state.get("v", 0.0) - lr * g
    return x - state["v"], state


def momentum_lr_twice(x, g, state, lr=0.05, beta=0.9):
    v = beta * state.get("v", 0.0) - lr * g
    return x + lr * v, {"v": v}


def momentum_lost(x, g, state, lr=0.05, beta=0.9):
    v = beta * state.get("v", 0.0) - lr * g
    return x + v, state  # the velocity is never kept


def momentum_stale(x, g, state, lr=0.05, beta=0.9):
    before = state.get("g", np.zeros_like(g))
    v = beta * state.get("v", 0.0) - lr * before
    return x + v, {"v": v, "g": g.copy()}


def momentum_moves_first(x, g, state, lr=0.05, beta=0.9):
    v = state.get("v", np.zeros_like(x))
    x = x + v
    return x, {"v": beta * v - lr * g}


def momentum_aliased(x, g, state, lr=0.05, beta=0.9):
    before = state.get("before", x)
    after = x + beta * (x - before) - lr * g
    state["before"] = x
    x[:] = after
    return x, state


def momentum_single(x, g, state, lr=0.05, beta=0.9):
    v = beta * state.get("v", np.zeros(len(x), np.float32)) - lr * g
    return x + v, {"v": v.astype(np.float32)}


def momentum_shared(x, g, lr=0.05, beta=0.9, state={}):  # noqa: B006 - this is the mistake
    state["v"] = beta * state.get("v", 0.0) - lr * g
    return x + state["v"]


def nesterov_no_look(x, g, state, lr=0.05, beta=0.9):
    v = beta * state.get("v", 0.0) + g
    return x - lr * (g - beta * v), {"v": v}


def ascent(x, g, state, lr=0.05):
    return x + lr * g, state


def gd_lr_twice(x, g, state, lr=0.05):
    step = lr * g
    return x - lr * step, state


def gd_changes_gradient(x, g, state, lr=0.05):
    g *= lr
    return x - g, state


def adam(bias=(True, True), t0=1, power=2, root=np.sqrt, inside=False, first=1.0, second=1.0, swap=False):
    """Make Adam with a mistake."""

    def step(x, g, state, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
        b1, b2 = (beta2, beta1) if swap else (beta1, beta2)
        n = state.get("n", 0)
        m = b1 * state.get("m", 0.0) + (1 - b1 if first == 1 else first) * g
        v = b2 * state.get("v", 0.0) + (1 - b2 if second == 1 else second) * np.abs(g) ** power
        t = n + t0
        mhat = m / (1 - b1**t) if bias[0] else m
        vhat = v / (1 - b2**t) if bias[1] else v
        divisor = root(vhat + eps) if inside else root(vhat) + eps
        return x - lr * mhat / divisor, {"n": n + 1, "m": m, "v": v}

    return step


def adam_hidden_off_by_one():
    alpha, b1, b2 = 0.02, 0.85, 0.97
    memory = {"t": 0, "m": 0.0, "v": 0.0}

    def step(x, g):
        memory["m"] = b1 * memory["m"] + (1 - b1) * g
        memory["v"] = b2 * memory["v"] + (1 - b2) * g * g
        memory["t"] += 1
        t = memory["t"] + 1
        return x - alpha * (memory["m"] / (1 - b1**t)) / (np.sqrt(memory["v"] / (1 - b2**t)) + 1e-8)

    return step


def adam_eps_forgotten(x, g, state, lr=0.01):
    t = state.get("t", 0) + 1
    m = 0.9 * state.get("m", 0.0) + 0.1 * g
    v = 0.999 * state.get("v", 0.0) + 0.001 * g**2
    return x - lr * (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.999**t)), {"t": t, "m": m, "v": v}


def adagrad_no_root(x, g, state, lr=0.05):
    s = state.get("s", 0.0) + g**2
    return x - lr * g / (s + 1e-8), {"s": s}


def adagrad_forgets(x, g, state, lr=0.05):
    s = g**2
    return x - lr * g / (np.sqrt(s) + 1e-3), {"s": s}


def rmsprop_weights(x, g, state, lr=0.01, beta=0.9):
    s = (1 - beta) * state.get("s", 0.0) + beta * g**2
    return x - lr * g / (np.sqrt(s) + 1e-8), {"s": s}


def rmsprop_late(x, g, state, lr=0.01, beta=0.9):
    s = state.get("s", np.ones_like(x))
    return x - lr * g / (np.sqrt(s) + 1e-8), {"s": beta * s + (1 - beta) * g**2}


def adamw_coupled(x, g, state, lr=0.01, beta1=0.9, beta2=0.999, weight_decay=0.1):
    g = g + weight_decay * x
    t = state.get("t", 0) + 1
    m = beta1 * state.get("m", 0.0) + (1 - beta1) * g
    v = beta2 * state.get("v", 0.0) + (1 - beta2) * g**2
    return x - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + 1e-8), {"t": t, "m": m, "v": v}


def decayed_the_wrong_way(x, g, state, lr=0.01, beta=0.9, weight_decay=0.1):
    v = beta * state.get("v", 0.0) + g - weight_decay * x
    return x - lr * v, {"v": v}


def schedule_shifted(x, g, state):
    t = state.get("t", 0)
    return x - 0.2 / (1 + 0.5 * (t + 2)) * g, {"t": t + 1}


def schedule_early(x, g, state):
    t = state.get("t", 0)
    v = 0.9 * state.get("v", 0.0) - 0.1 * 0.9**t * g
    return x + v, {"t": t + 1, "v": v}


def lion_unsigned(x, g, state, lr=0.001):
    m = state.get("m", 0.0)
    return x - lr * (0.9 * m + 0.1 * g), {"m": 0.99 * m + 0.01 * g}


class AdamaxClass:
    """The maximum of the wrong things."""

    def __init__(self, lr=0.002, beta1=0.9, beta2=0.999):
        self.lr, self.beta1, self.beta2 = lr, beta1, beta2
        self.t, self.m, self.u = 0, 0.0, 0.0

    def step(self, x, g):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.u = np.maximum(self.beta2 * self.u, g)
        return x - self.lr / (1 - self.beta1**self.t) * self.m / (self.u + 1e-8)


class SharedState:
    """A state that belongs to the class."""

    memory = {}  # noqa: RUF012 - this is the mistake

    def __init__(self, lr=0.05):
        self.lr = lr

    def update(self, params, grads):
        self.memory["v"] = 0.9 * self.memory.get("v", 0.0) + grads
        return params - self.lr * self.memory["v"]


# ---- rules ---------------------------------------------------------------------------------------------------------

_ADAM = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
_MV = "m = beta1*m + (1 - beta1)*g; v = beta2*v + (1 - beta2)*g**2; "


def rules():
    return {
        "rule momentum": (sg.Rule("v = beta*v + lr*g; x = x + v", beta=0.9), {}),
        "rule nesterov": (sg.Rule("v = beta*v + g; x = x - lr*(v + beta*g)", beta=0.9), {"like": "nesterov"}),
        "rule adam late": (
            sg.Rule(_MV + "x = x - lr*(m/(1 - beta1**(t + 1)))/(sqrt(v/(1 - beta2**(t + 1))) + eps)", **_ADAM),
            {},
        ),
        "rule adam names": (
            sg.Rule(
                "m = beta1*m + (1 - beta1)*g; v = beta1*v + (1 - beta1)*g**2; "
                "x = x - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps)",
                **_ADAM,
            ),
            {},
        ),
        "rule adamw unscaled sign": (
            sg.Rule(
                _MV + "x = x - lr*((m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps) - decay*x)", **_ADAM, decay=0.01
            ),
            {},
        ),
        "rule rprop flipped": (
            sg.Rule(
                "s = minimum(maximum(s*where(g*p > 0, down, where(g*p < 0, up, 1)), smallest), largest); "
                "p = where(g*p < 0, 0, g); x = x - s*sign(p)",
                {"s": "lr"},
                up=1.2, down=0.5, largest=50.0, smallest=1e-6,
            ),
            {},
        ),
        "rule amsgrad min": (
            sg.Rule(
                _MV + "u = minimum(u, v); x = x - lr*(m/(1 - beta1**t))/(sqrt(u/(1 - beta2**t)) + eps)", **_ADAM
            ),
            {},
        ),
    }  # fmt: skip


# ---- PyTorch -------------------------------------------------------------------------------------------------------


def torch_bugs():
    import torch

    class Base(torch.optim.Optimizer):
        def __init__(self, params, lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1, momentum=0.9):
            super().__init__(
                params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum": momentum}
            )

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self.one(p, p.grad, group, self.state[p])

    class MomentumAddsGradient(Base):
        def one(self, p, g, group, state):
            if "buffer" not in state:
                state["buffer"] = torch.zeros_like(p)
            state["buffer"].mul_(group["momentum"]).sub_(g)
            p.sub_(group["lr"] * state["buffer"])

    class MomentumAliases(Base):
        def one(self, p, g, group, state):
            if "buffer" not in state:
                state["buffer"] = g  # no clone
            else:
                state["buffer"].mul_(group["momentum"]).add_(g)
            p.sub_(group["lr"] * state["buffer"])

    class PreviousAliases(Base):
        def one(self, p, g, group, state):
            before = state.get("before", p)
            move = group["momentum"] * (p - before) - group["lr"] * g
            state["before"] = p.data  # no clone
            p.add_(move)

    class AdamWithoutSecond(Base):
        def one(self, p, g, group, state):
            beta1, beta2 = group["betas"]
            if not state:
                state.update(step=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
            state["step"] += 1
            state["m"].mul_(beta1).add_(g, alpha=1 - beta1)
            state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
            mhat = state["m"] / (1 - beta1 ** state["step"])
            p.sub_(group["lr"] * mhat / (state["v"].sqrt() + group["eps"]))

    class AdamCountsLate(Base):
        def one(self, p, g, group, state):
            beta1, beta2 = group["betas"]
            if not state:
                state.update(step=1, m=torch.zeros_like(p), v=torch.zeros_like(p))
            state["step"] += 1
            state["m"].mul_(beta1).add_(g, alpha=1 - beta1)
            state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
            mhat, vhat = (state[k] / (1 - b ** state["step"]) for k, b in (("m", beta1), ("v", beta2)))
            p.sub_(group["lr"] * mhat / (vhat.sqrt() + group["eps"]))

    class AdamSingle(Base):
        def one(self, p, g, group, state):
            beta1, beta2 = group["betas"]
            if not state:
                state.update(step=0, m=torch.zeros(p.shape, dtype=torch.float32), v=torch.zeros_like(p))
            state["step"] += 1
            state["m"].mul_(beta1).add_(g.float(), alpha=1 - beta1)
            state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
            mhat, vhat = (state[k] / (1 - b ** state["step"]) for k, b in (("m", beta1), ("v", beta2)))
            p.sub_(group["lr"] * mhat / (vhat.sqrt() + group["eps"]))

    class ScalesTheGradient(Base):
        def one(self, p, g, group, state):
            g.mul_(group["lr"])
            p.sub_(g)

    return {
        "torch momentum": (MomentumAddsGradient, {}),
        "torch momentum aliases": (MomentumAliases, {}),
        "torch previous aliases": (PreviousAliases, {"like": "momentum"}),
        "torch adam second": (AdamWithoutSecond, {}),
        "torch adam late": (AdamCountsLate, {}),
        "torch adam single": (AdamSingle, {}),
        "torch sgd stale ascent": (lambda params: torch.optim.SGD(params, lr=0.05, maximize=True), {}),
        "torch changes gradient": (ScalesTheGradient, {}),
        "torch adam as adamw": (lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1), {"like": "adamw"}),
    }


# ---- Optax ---------------------------------------------------------------------------------------------------------


def optax_bugs():
    import jax
    import jax.numpy as jnp
    import optax

    def no_minus(learning_rate=0.05):
        return optax.chain(optax.trace(0.9), optax.scale(learning_rate))

    def twice(learning_rate=0.05):
        return optax.chain(optax.trace(0.9), optax.scale(learning_rate), optax.scale(-learning_rate))

    def decay_before(learning_rate=0.01):
        adam = optax.scale_by_adam()
        return optax.chain(optax.add_decayed_weights(0.1), adam, optax.scale(-learning_rate))

    def uncorrected(learning_rate=0.01):
        def init(params):
            return jnp.zeros_like(params), jnp.zeros_like(params)

        def update(g, state, params=None):
            m, v = state
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            return -learning_rate * m / (jnp.sqrt(v) + 1e-8), (m, v)

        return optax.GradientTransformation(init, update)

    def stale():
        def update(g, state, params=None):
            return -0.05 * state, g

        return optax.GradientTransformation(jax.tree_util.Partial(jnp.zeros_like), update)

    def sign_of_moment(learning_rate=0.01):
        return optax.chain(optax.scale_by_rms(0.9), optax.trace(-0.9), optax.scale(-learning_rate))

    return {
        "optax no minus": (no_minus, {}),
        "optax lr twice": (twice, {}),
        "optax decay before": (decay_before, {"like": "adamw"}),
        "optax uncorrected": (uncorrected, {}),
        "optax stale": (stale(), {}),
        "optax negative trace": (sign_of_moment, {}),
        "optax schedule late": (
            optax.sgd(lambda count: 0.2 / (1 + 0.5 * (count + 2))),
            {"like": "gd", "lr": "0.2/(1 + 0.5*t)"},
        ),
    }


# ---- minimizers ----------------------------------------------------------------------------------------------------


def minimize_by(direction, *, shorten=0.5, ascent_check=True, result=None, keep=False):
    """Make a quasi-Newton minimizer from what gives its direction."""

    def minimize(fun, x0, jac=None, callback=None, maxiter=300, tol=1e-8):
        x = np.asarray(x0, dtype=float) if keep else np.array(x0, dtype=float)
        g = jac(x)
        memory = {"H": np.eye(len(x))}
        nfev = njev = 1
        f = fun(x)
        for _ in range(maxiter):
            if np.linalg.norm(g) < tol:
                break
            p = direction(memory, g)
            a = 1.0
            while True:
                new = x + a * p
                value = fun(new)
                nfev += 1
                if not ascent_check or value <= f + 1e-4 * a * (g @ p) or a < 1e-14:
                    break
                a *= shorten
            slope = jac(new)
            njev += 1
            memory["s"], memory["y"] = new - x, slope - g
            memory["g_before"] = g
            if keep:
                x[:] = new
            else:
                x = new
            g, f = slope, value
            if callback is not None:
                callback(x)
        found = {"x": x, "fun": f, "jac": g, "nfev": nfev, "njev": njev, "success": bool(np.linalg.norm(g) < tol)}
        return {**found, **(result(found, x0, fun) if result else {})}

    return minimize


def bfgs_direction(sign=1.0, swap=False):
    def direction(memory, g):
        H = memory["H"]
        if "s" in memory:
            s, y = (memory["y"], memory["s"]) if swap else (memory["s"], memory["y"])
            if s @ y > 1e-14:
                r = 1 / (y @ s)
                left = np.eye(len(g)) - r * np.outer(s, y)
                memory["H"] = H = left @ H @ left.T + sign * r * np.outer(s, s)
        return -H @ g

    return direction


def uphill(memory, g):
    return g


def minimizer_momentum(fun, x0, jac, lr=0.05, beta=0.9, maxiter=100):
    x, v = np.array(x0, dtype=float), 0.0
    for _ in range(maxiter):
        v = beta * v + lr * jac(x)
        x = x + v
    return x


def minimizer_adam(fun, x0, jac, lr=0.1, maxiter=300):
    x, m, v = np.array(x0, dtype=float), 0.0, 0.0
    for t in range(maxiter):
        g = jac(x)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        x = x - lr * (m / (1 - 0.9 ** (t + 2))) / (np.sqrt(v / (1 - 0.999 ** (t + 2))) + 1e-8)
    return x


MINIMIZERS = {
    "minimize no check": (minimize_by(uphill, ascent_check=False), {}),
    "minimize bfgs sign": (minimize_by(bfgs_direction(sign=-1.0)), {"like": "bfgs"}),
    "minimize bfgs swapped": (minimize_by(bfgs_direction(swap=True)), {"like": "bfgs"}),
    "minimize changes start": (minimize_by(bfgs_direction(), keep=True), {"like": "bfgs"}),
    "minimize stale value": (minimize_by(bfgs_direction(), result=lambda r, x0, fun: {"fun": fun(x0)}), {}),
    "minimize always success": (
        minimize_by(lambda memory, g: -1e-4 * g, result=lambda r, x0, fun: {"success": True}),
        {},
    ),
    "minimize counts": (minimize_by(bfgs_direction(), result=lambda r, x0, fun: {"nfev": 3}), {}),
    "minimize momentum": (minimizer_momentum, {}),
    "minimize adam late": (minimizer_adam, {}),
}

PLAIN = {
    "momentum sign": (momentum_sign, {}),
    "momentum subtracts": (momentum_subtracts, {}),
    "momentum lr twice": (momentum_lr_twice, {}),
    "momentum lost": (momentum_lost, {"like": "momentum"}),
    "momentum stale": (momentum_stale, {}),
    "momentum moves first": (momentum_moves_first, {}),
    "momentum aliased": (momentum_aliased, {}),
    "momentum single": (momentum_single, {}),
    "momentum shared": (momentum_shared, {}),
    "nesterov sign": (nesterov_no_look, {}),
    "ascent": (ascent, {}),
    "gd lr twice": (gd_lr_twice, {}),
    "gd changes gradient": (gd_changes_gradient, {}),
    "adam no bias": (adam(bias=(False, False)), {}),
    "adam no first bias": (adam(bias=(False, True)), {}),
    "adam no second bias": (adam(bias=(True, False)), {}),
    "adam t from 2": (adam(t0=2), {}),
    "adam no square": (adam(power=1), {}),
    "adam no root": (adam(root=lambda v: v), {}),
    "adam eps inside": (adam(inside=True), {}),
    "adam first weight": (adam(first=0.9), {}),
    "adam second weight": (adam(second=0.999), {}),
    "adam betas swapped": (adam(swap=True), {}),
    "adam hidden": (adam_hidden_off_by_one(), {}),
    "adam eps forgotten": (adam_eps_forgotten, {}),
    "adagrad no root": (adagrad_no_root, {}),
    "adagrad forgets": (adagrad_forgets, {"like": "adagrad"}),
    "rmsprop weights": (rmsprop_weights, {}),
    "rmsprop late": (rmsprop_late, {}),
    "adamw coupled": (adamw_coupled, {"like": "adamw"}),
    "decay sign": (decayed_the_wrong_way, {}),
    "schedule shifted": (schedule_shifted, {"like": "gd", "lr": "0.2/(1 + 0.5*t)"}),
    "schedule early": (schedule_early, {"like": "momentum", "lr": "0.1*0.9**t"}),
    "lion unsigned": (lion_unsigned, {"like": "lion"}),
    "adamax minimum": (AdamaxClass, {}),
    "class shares state": (SharedState, {}),
}


# ---- right ones ------------------------------------------------------------------------------------------------------


def right_adam(theta, gradient, memory, alpha=0.003, rho1=0.85, rho2=0.98, delta=1e-7):
    count, first, second = memory or (0, np.zeros_like(theta), np.zeros_like(theta))
    count += 1
    first = first + (1 - rho1) * (gradient - first)
    second = second + (1 - rho2) * (gradient * gradient - second)
    scale = alpha * np.sqrt(1 - rho2**count) / (1 - rho1**count)
    return theta - scale * first / (np.sqrt(second) + delta), (count, first, second)


def right_momentum(w, dw, state):
    velocity = state.setdefault("velocity", np.zeros_like(w))
    velocity *= 0.7
    velocity += 0.3 * dw
    w -= 0.02 * velocity
    return w, state


def right_barzilai(x, g, state):
    if not state:
        return x - 0.01 * g, {"x": x, "g": g}
    s, y = x - state["x"], g - state["g"]
    step = s @ s / (s @ y) if abs(s @ y) > 1e-300 else 0.01
    return x - abs(step) * g, {"x": x, "g": g}


def right_clipped(x, g, state, lr=0.05, largest=0.5):
    norm = np.linalg.norm(g)
    return x - lr * g * (largest / norm if norm > largest else 1.0), state


def right_decreasing(x, g, state):
    t = state.get("t", 0) + 1
    return x - 0.1 / np.sqrt(t) * g, {"t": t}


class RightAmsgrad:
    def __init__(self, lr=0.01, betas=(0.9, 0.99), eps=1e-8):
        self.lr, (self.b1, self.b2), self.eps = lr, betas, eps
        self.m = self.v = self.top = 0.0
        self.t = 0

    def step(self, params, grads):
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * grads
        self.v = self.b2 * self.v + (1 - self.b2) * grads**2
        self.top = np.maximum(self.top, self.v)
        mhat = self.m / (1 - self.b1**self.t)
        return params - self.lr * mhat / (np.sqrt(self.top / (1 - self.b2**self.t)) + self.eps)


def right_lookahead():
    slow, count = {}, [0]

    def step(x, g):
        if not slow:
            slow["x"] = x.copy()
        count[0] += 1
        x = x - 0.05 * g
        if count[0] % 5 == 0:
            slow["x"] = slow["x"] + 0.5 * (x - slow["x"])
            x = slow["x"].copy()
        return x

    return step


RIGHT = {
    "adam of others": (right_adam, {}),
    "momentum in place": (right_momentum, {}),
    "Barzilai and Borwein": (right_barzilai, {}),
    "clipped": (right_clipped, {}),
    "decreasing": (right_decreasing, {}),
    "amsgrad class": (RightAmsgrad, {"like": "amsgrad"}),
    "lookahead": (right_lookahead(), {}),
    "adam claimed": (right_adam, {"like": "adam"}),
    "minimize bfgs": (minimize_by(bfgs_direction()), {"like": "bfgs"}),
    "minimize steepest": (minimize_by(lambda memory, g: -g), {}),
    "rule text": ("v = 0.8*v + g; x = x - lr*v", {}),
    **{f"symgd {m}": (m, {}) for m in ("gd", "momentum", "nesterov", "adam", "adamw", "adagrad", "rmsprop", "adadelta",
                                        "nadam", "amsgrad", "lion", "rprop", "noisy", "bfgs", "lbfgs", "newton")},
    **{f"scipy {m}": (m, {}) for m in ("BFGS", "CG", "L-BFGS-B", "Nelder-Mead", "Powell", "TNC", "SLSQP", "Newton-CG",
                                        "trust-exact", "COBYLA", "trust-constr")},
}  # fmt: skip


def torch_right():
    import torch

    t = torch.optim
    return {
        **{f"torch {c.__name__}": (c, {}) for c in (t.SGD, t.Adam, t.AdamW, t.Adagrad, t.Adadelta, t.RMSprop, t.Rprop,
                                                    t.NAdam, t.RAdam, t.Adamax, t.ASGD, t.LBFGS)},
        "torch nesterov": (lambda p: t.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.01), {}),
        "torch lbfgs": (lambda p: t.LBFGS(p, lr=1, line_search_fn="strong_wolfe"), {}),
        "torch object": (t.RMSprop([torch.zeros(2, requires_grad=True)], lr=0.003, centered=True, momentum=0.5), {}),
        **({"torch Adafactor": (t.Adafactor, {})} if hasattr(t, "Adafactor") else {}),
        "torch Muon like": (functools.partial(t.Adam, amsgrad=True), {"like": "amsgrad"}),
    }  # fmt: skip


def optax_right():
    import optax

    made = ("sgd", "adam", "adamw", "adagrad", "rmsprop", "nadam", "radam", "adamax", "amsgrad", "yogi", "adabelief",
            "lion", "novograd", "lamb", "lars", "fromage", "adafactor", "sm3", "noisy_sgd", "sign_sgd",
            "adan")  # fmt: skip
    return {
        **{f"optax {m}": (getattr(optax, m), {}) for m in made if hasattr(optax, m)},
        "optax clipped": (optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-2)), {}),
        "optax scheduled": (optax.sgd(optax.exponential_decay(0.1, 10, 0.9), momentum=0.5), {}),
        "optax nesterov": (optax.sgd(0.05, momentum=0.9, nesterov=True), {"like": "nesterov"}),
    }


def bugs():
    return {**PLAIN, **rules(), **MINIMIZERS}

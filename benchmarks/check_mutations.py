"""Random objectives, their exact gradients rewritten into equal forms, and the same with one planted error.

``python -m benchmarks.check_mutations --n 10000`` prints how many right ones were proved, how many wrong ones found,
and how many causes named; ``tests/test_checking_mutations.py`` runs a few hundred.
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


MAKERS = (scalar, summed, matrix, quadratic)


def planted(case: Case, rng: random.Random) -> tuple[str, str]:
    """Give a wrong gradient, and a word that its cause must have."""
    right = case.equal[0]
    first, second = case.terms
    kinds = {
        "sign": (f"-({right})", "sign"),
        "sign of a term": (f"{first} - ({second})", "sign"),
        "factor": (f"2*({right})", "factor"),
        "half": (f"({right})/2", "factor"),
        "missing term": (first, "missing"),
        "extra term": (f"{right} + {second}", "too much|doubled|factor"),
        "factor of a term": (f"{first} + 3*({second})", "factor"),
    }
    if "mean(" in case.formula and "len(y)" in right:
        kinds["mean"] = (f"len(y)*({right})", "1/n")
    return kinds[rng.choice(list(kinds))]


def run(n: int, seed: int = 0) -> dict[str, float]:
    """Check n gradients rewritten and n with a planted error."""
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for _ in range(n):
        case = rng.choice(MAKERS)(rng)
        text = rng.choice(case.equal)
        found = check_gradient(case.formula, {case.name: text}, case.data or None, params=case.params, explain=False)
        kind = found[case.name].kind
        counts[kind] += 1
        if kind != "proved":
            failures.append(f"{kind}: {case.formula} | {text}")
        wrong, word = planted(case, rng)
        try:
            found = check_gradient(case.formula, {case.name: wrong}, case.data or None, params=case.params)
        except SymgdError as problem:
            failures.append(f"raised: {case.formula} | {wrong} | {problem}")
            continue
        verdict = found[case.name]
        counts["found"] += verdict.kind == "wrong"
        cause = verdict.cause.message + verdict.cause.kind if verdict.cause else ""
        named = any(w in cause for w in word.split("|"))
        counts["named"] += named
        if verdict.kind != "wrong" or not named:
            failures.append(f"planted {word}: {verdict.kind}: {case.formula} | {wrong} | {cause}")
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

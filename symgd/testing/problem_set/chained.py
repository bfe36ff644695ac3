"""Problems of any number of variables, in small dimensions: chains, bands, arrowheads and penalties, as in CUTE."""

from __future__ import annotations

from symgd.testing.problem_set.classics import CUTE, JAMIL, SURJANOVIC
from symgd.testing.problem_set.more import repeated
from symgd.testing.problem_set.record import Problem, Value

LUKSAN = "Lukšan and Vlček 1999, Sparse and partially separable test problems"
CONN = "Conn, Gould and Toint 1988, Testing a class of methods with simple bounds"


def chained(
    name: str, formula: str, start: dict[str, Value], source: str, *tags: str, proof: str = "hessian", **data: object
) -> Problem:
    """Give a problem of ten variables or so."""
    return Problem(name, formula, start, source, tags, data, proof)


def constant(value: float, n: int = 10) -> dict[str, Value]:
    """Give a start with the same value everywhere."""
    return {"x": (value,) * n}


PROBLEMS = (
    chained(
        "chained_rosenbrock", "sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)", repeated((-1.2, 1.0), 5),
        f"{LUKSAN}, 1", "squares", "zero", "valley", "several",
    ),
    chained(
        "chained_wood",
        "sum(100*(x[1:-2:2] - x[:-3:2]**2)**2 + (1 - x[:-3:2])**2 + 90*(x[3::2] - x[2:-1:2]**2)**2"
        " + (1 - x[2:-1:2])**2 + 10*(x[1:-2:2] + x[3::2] - 2)**2 + (x[1:-2:2] - x[3::2])**2/10)",
        {"x": (-3.0, -1.0, -3.0, -1.0, -2.0, 0.0, -2.0, 0.0)},
        f"{LUKSAN}, 2", "squares", "zero", "valley", "several",
    ),
    chained(
        "chained_powell_singular",
        "sum((x[:-3:2] + 10*x[1:-2:2])**2 + 5*(x[2:-1:2] - x[3::2])**2 + (x[1:-2:2] - 2*x[2:-1:2])**4"
        " + 10*(x[:-3:2] - x[3::2])**4)",
        {"x": (3.0, -1.0, 0.0, 1.0, 3.0, -1.0, 0.0, 1.0)}, f"{LUKSAN}, 3",
        "squares", "zero", "singular", "convex", proof="zero",
    ),
    chained(
        "chained_cragg_levy",
        "sum((exp(x[:-3:2]) - x[1:-2:2])**4 + 100*(x[1:-2:2] - x[2:-1:2])**6 + tan(x[2:-1:2] - x[3::2])**4"
        " + x[:-3:2]**8 + (x[3::2] - 1)**2)",
        {"x": (1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0)}, f"{LUKSAN}, 4", "several",
    ),
    chained(
        "generalized_broyden_banded", "sum((x*(2 + 5*x**2) + 1 + B @ (x*(1 + x)))**2)", constant(-1.0),
        f"{LUKSAN}, 5, with its sum squared", "squares", "zero",
        B=[[1.0 if i != j and -5 <= j - i <= 1 else 0.0 for j in range(10)] for i in range(10)],
    ),
    chained(
        "seven_diagonal",
        "sum(((3 - 2*x)*x + 1 - T @ x)**2) + sum((x[:5] + x[5:])**2)", constant(-1.0),
        f"{LUKSAN}, 7, squared", "squares", "several",
        T=[[1.0 if abs(i - j) == 1 else 0.0 for j in range(10)] for i in range(10)],
    ),
    chained(
        "arrowhead", "sum((x[:-1]**2 + x[-1]**2)**2 - 4*x[:-1] + 3)", constant(1.0), f"{CUTE}, ARWHEAD",
        "convex", "zero",
    ),
    chained(
        "nondia", "(x[0] - 1)**2 + 100*sum((x[0] - x[1:]**2)**2)", constant(-1.0), f"{CUTE}, NONDIA",
        "squares", "zero", "valley", "several",
    ),
    chained(
        "nondquar", "(x[0] - x[1])**2 + (x[-2] + x[-1])**2 + sum((x[:-2] + x[1:-1] + x[-1])**4)",
        repeated((1.0, -1.0), 5), f"{CUTE}, NONDQUAR", "squares", "zero", "singular", "convex", proof="zero",
    ),
    chained(
        "engval_1", "sum((x[:-1]**2 + x[1:]**2)**2 - 4*x[:-1] + 3)", constant(2.0), f"{CUTE}, ENGVAL1", "convex",
    ),
    chained(
        "bdqrtic",
        "sum((3 - 4*x[:-4])**2 + (x[:-4]**2 + 2*x[1:-3]**2 + 3*x[2:-2]**2 + 4*x[3:-1]**2 + 5*x[-1]**2)**2)",
        constant(1.0), f"{CUTE}, BDQRTIC", "squares", "convex",
    ),
    chained(
        "dqdrtic", "sum(x[:-2]**2 + 100*x[1:-1]**2 + 100*x[2:]**2)", constant(3.0), f"{CUTE}, DQDRTIC",
        "squares", "zero", "convex",
    ),
    chained(
        "dqrtic", "sum((x - arange(1, 11))**4)", constant(2.0), f"{CUTE}, DQRTIC", "zero", "convex", "singular",
        proof="zero",
    ),
    chained(
        "edensch",
        "16 + sum((x[:-1] - 2)**4 + (x[:-1]*x[1:] - 2*x[1:])**2 + (x[1:] + 1)**2)", constant(8.0),
        f"{CUTE}, EDENSCH",
    ),
    chained(
        "liarwhd", "sum(4*(x**2 - x[0])**2 + (x - 1)**2)", constant(4.0), f"{CUTE}, LIARWHD",
        "squares", "zero", "several",
    ),
    chained(
        "tridia", "(x[0] - 1)**2 + sum(arange(2, 11)*(2*x[1:] - x[:-1])**2)", constant(1.0), f"{CUTE}, TRIDIA",
        "squares", "zero", "convex",
    ),
    chained(
        "power", "sum((arange(1, 11)*x)**2)", constant(1.0), f"{CUTE}, POWER", "squares", "zero", "convex",
    ),
    chained(
        "power_4", "sum((arange(1, 11)*x)**2)**2", constant(1.0), f"{CUTE}, POWER, squared", "zero", "singular",
        "convex", "scaled", proof="zero",
    ),
    chained(
        "fletchcr", "sum(100*(x[1:] - x[:-1] + 1 - x[:-1]**2)**2)", constant(0.0), f"{CUTE}, FLETCHCR",
        "squares", "zero", "valley", "curve", "singular", proof="zero",
    ),
    chained(
        "biggsb_1", "(x[0] - 1)**2 + sum((x[1:] - x[:-1])**2) + (1 - x[-1])**2", constant(0.0), f"{CUTE}, BIGGSB1",
        "squares", "zero", "convex",
    ),
    chained(
        "genhumps_calm", "sum(sin(2*x[:-1])**2*sin(2*x[1:])**2 + (x[:-1]**2 + x[1:]**2)/20)", constant(1.5),
        f"{CUTE}, GENHUMPS, in its inner part", "zero",
    ),
    chained(
        "hilberta", "x @ (1/(1 + arange(5)[:, None] + arange(5))) @ x", {"x": (-4.0, -2.0, -1.3333, -1.0, -0.8)},
        f"{CUTE}, HILBERTA", "convex", "zero", "scaled",
    ),
    chained(
        "hilbertb", "x @ (1/(1 + arange(10)[:, None] + arange(10)) + 5*eye(10)) @ x", constant(-3.0),
        f"{CUTE}, HILBERTB", "convex", "zero",
    ),
    chained(
        "indefinite", "sum(x**2)/100 + sum(cos(2*x[1:-1] - x[-1] - x[0]))", {"x": tuple(j / 11 for j in range(1, 11))},
        f"{CUTE}, INDEF, with a bowl that is under it everywhere", "several",
    ),
    chained(
        "dixon", "(1 - x[0])**2 + (1 - x[9])**2 + sum((x[:-1]**2 - x[1:])**2)", constant(-2.0),
        "Dixon 1973: in Himmelblau's and Schwefel's collections", "squares", "zero",
    ),
    chained(
        "dixon_price", "(x[0] - 1)**2 + sum(arange(2, 6)*(2*x[1:]**2 - x[:-1])**2)", {"x": (5.0, -3.0, 2.0, 4.0, -2.0)},
        f"{SURJANOVIC}, Dixon-Price", "squares", "zero", "several",
    ),
    chained(
        "zakharov", "sum(x**2) + sum(arange(1, 6)*x/2)**2 + sum(arange(1, 6)*x/2)**4",
        {"x": (5.0, -3.0, 2.0, 4.0, 1.0)}, JAMIL, "zero", "convex",
    ),
    *(
        chained(
            f"trid_{n}", "sum((x - 1)**2) - sum(x[1:]*x[:-1])", constant(-5.0, n), f"{SURJANOVIC}, Trid", "convex",
        )
        for n in (6, 10)
    ),
    chained(
        "ellipsoid", "sum(10**(6*arange(8)/7)*x**2)", constant(3.0, 8),
        "Hansen and others 2009, Real-parameter black-box optimization benchmarking, f2", "zero", "convex", "scaled",
    ),
    chained(
        "bent_cigar", "x[0]**2 + 1e6*sum(x[1:]**2)", {"x": (3.0, -2.0, 1.0, 4.0, -1.0)},
        "Hansen and others 2009, Real-parameter black-box optimization benchmarking, f12", "squares", "zero", "convex",
        "scaled",
    ),
    chained(
        "schwefel_double_sum", "sum(cumsum(x)**2)", {"x": (10.0, -20.0, 30.0, 5.0, -8.0)}, JAMIL,
        "squares", "zero", "convex",
    ),
    chained(
        "schumer_steiglitz", "sum(x**4)", {"x": (10.0, -20.0, 30.0)}, JAMIL, "zero", "convex", "singular",
        proof="zero",
    ),
    chained(
        "perm_3",
        " + ".join(f"((arange(1, 4) + 10) @ (x**{i} - 1/arange(1, 4)**{i}))**2" for i in (1, 2, 3)),
        {"x": (2.0, 1.0, -1.0)}, f"{SURJANOVIC}, Perm 0", "squares", "zero", "several", "scaled",
    ),
    chained(
        "toint_gauss", "sum((10/12 + x[2:]**2)*(2 - exp(-(x[:-2] - x[1:-1])**2/(0.1 + x[2:]**2))))", constant(3.0),
        f"{CUTE}, TOINTGSS",
    ),
    chained(
        "sinquad", "(x[0] - 1)**4 + sum((sin(x[1:-1] - x[-1]) - x[0]**2 + x[1:-1]**2)**2) + (x[-1]**2 - x[0]**2)**2",
        {"x": (0.1,) * 5}, f"{CUTE}, SINQUAD", "squares", "zero", "singular", proof="zero",
    ),
    chained(
        "obstacle_string", "sum((x[1:] - x[:-1])**2)*11/2 + x[0]**2*11/2 + x[-1]**2*11/2 - sum(x)/11 + sum(x**4)/44",
        constant(2.0), "a clamped string under a load, discretised", "convex",
    ),
    chained(
        "minimal_surface_string", "sum(sqrt(1 + (11*(x[1:] - x[:-1]))**2))/11 + sqrt(1 + (11*(x[0] - 1))**2)/11"
        " + sqrt(1 + (11*x[-1])**2)/11", constant(-1.0), "the straight line as the shortest, discretised", "convex",
    ),
)  # fmt: skip

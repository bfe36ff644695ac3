"""Functions with several minima, from global optimization; a descent may end at any of them."""

from __future__ import annotations

from symgd.testing.problem_set.classics import JAMIL, SURJANOVIC
from symgd.testing.problem_set.record import Problem, Value

DIXON = "Dixon and Szegő 1978, Towards global optimisation 2"
SHEKEL = [
    [4.0, 4.0, 4.0, 4.0], [1.0, 1.0, 1.0, 1.0], [8.0, 8.0, 8.0, 8.0], [6.0, 6.0, 6.0, 6.0], [3.0, 7.0, 3.0, 7.0],
    [2.0, 9.0, 2.0, 9.0], [5.0, 5.0, 3.0, 3.0], [8.0, 1.0, 8.0, 1.0], [6.0, 2.0, 6.0, 2.0], [7.0, 3.6, 7.0, 3.6],
]  # fmt: skip
DEPTHS = [0.1, 0.2, 0.2, 0.4, 0.4, 0.6, 0.3, 0.7, 0.5, 0.5]
WEIGHTS = [1.0, 1.2, 3.0, 3.2]


def several(
    name: str, formula: str, start: dict[str, Value], source: str, *tags: str, proof: str = "hessian",
    **data: list[float] | list[list[float]],
) -> Problem:  # fmt: skip
    """Give a problem with several minima."""
    return Problem(name, formula, start, source, ("several", *tags), data, proof)


def shekel(m: int) -> Problem:
    """Give Shekel's function with its first m wells."""
    formula = "-sum(1/(sum((x - A)**2, axis=1) + c))"
    start: dict[str, Value] = {"x": (3.0, 5.0, 3.0, 5.0)}
    return several(f"shekel_{m}", formula, start, f"{DIXON}: Shekel", "tail", A=SHEKEL[:m], c=DEPTHS[:m])


PROBLEMS = (
    several("three_hump_camel", "2*x**2 - 1.05*x**4 + x**6/6 + x*y + y**2", {"x": 3.0, "y": 1.0}, JAMIL, "zero"),
    several(
        "six_hump_camel", "(4 - 2.1*x**2 + x**4/3)*x**2 + x*y + (4*y**2 - 4)*y**2", {"x": 1.5, "y": 1.0},
        f"{DIXON}: Branin's camel",
    ),
    several(
        "goldstein_price",
        "(1 + (x + y + 1)**2*(19 - 14*x + 3*x**2 - 14*y + 6*x*y + 3*y**2))"
        "*(30 + (2*x - 3*y)**2*(18 - 32*x + 12*x**2 + 48*y - 36*x*y + 27*y**2))",
        {"x": 1.0, "y": -1.5}, "Goldstein and Price 1971, On descent from local minima", "scaled",
    ),
    several(
        "branin", "(y - 5.1/(4*pi**2)*x**2 + 5/pi*x - 6)**2 + 10*(1 - 1/(8*pi))*cos(x) + 10", {"x": 6.0, "y": 8.0},
        f"{DIXON}: Branin",
    ),
    several(
        "easom", "-cos(x)*cos(y)*exp(-((x - pi)**2 + (y - pi)**2))", {"x": 2.5, "y": 3.5}, JAMIL, "tail",
    ),
    several(
        "ackley_2", "20 + e - 20*exp(-0.2*norm(x)/sqrt(2)) - exp(mean(cos(2*pi*x)))", {"x": (0.8, -0.6)},
        f"{JAMIL}; Ackley 1987", "kink", "zero", proof="bound",
    ),
    several(
        "ackley_5", "20 + e - 20*exp(-0.2*norm(x)/sqrt(5)) - exp(mean(cos(2*pi*x)))",
        {"x": (1.2, -0.7, 0.3, 0.9, -1.6)}, f"{JAMIL}; Ackley 1987", "kink", "zero", proof="bound",
    ),
    several(
        "rastrigin_2", "20 + sum(x**2 - 10*cos(2*pi*x))", {"x": (1.3, -0.4)}, f"{SURJANOVIC}, Rastrigin", "zero",
    ),
    several(
        "rastrigin_5", "50 + sum(x**2 - 10*cos(2*pi*x))", {"x": (0.3, -0.2, 1.1, 0.4, -0.1)},
        f"{SURJANOVIC}, Rastrigin", "zero",
    ),
    several(
        "griewank_2", "1 + sum(x**2)/4000 - cos(x[0])*cos(x[1]/sqrt(2))", {"x": (2.0, -1.0)},
        "Griewank 1981, Generalized descent for global optimization", "zero",
    ),
    several(
        "levy_3",
        "sin(pi*(3 + x[0])/4)**2 + sum((x[:-1] - 1)**2/16*(1 + 10*sin(pi*(3 + x[:-1])/4 + 1)**2))"
        " + (x[2] - 1)**2/16*(1 + sin(2*pi*(3 + x[2])/4)**2)",
        {"x": (-2.0, 3.0, 2.0)}, f"{SURJANOVIC}, Levy", "zero",
    ),
    several(
        "levy_13",
        "sin(3*pi*x)**2 + (x - 1)**2*(1 + sin(3*pi*y)**2) + (y - 1)**2*(1 + sin(2*pi*y)**2)", {"x": 1.4, "y": 0.6},
        f"{SURJANOVIC}, Levy 13", "zero",
    ),
    shekel(5), shekel(7), shekel(10),
    several(
        "hartmann_3", "-sum(c*exp(-sum(A*(x - P)**2, axis=1)))", {"x": (0.5, 0.5, 0.5)}, f"{DIXON}: Hartman", "tail",
        A=[[3.0, 10.0, 30.0], [0.1, 10.0, 35.0], [3.0, 10.0, 30.0], [0.1, 10.0, 35.0]], c=WEIGHTS,
        P=[[0.3689, 0.1170, 0.2673], [0.4699, 0.4387, 0.7470], [0.1091, 0.8732, 0.5547], [0.03815, 0.5743, 0.8828]],
    ),
    several(
        "hartmann_6", "-sum(c*exp(-sum(A*(x - P)**2, axis=1)))", {"x": (0.5, 0.5, 0.5, 0.5, 0.5, 0.5)},
        f"{DIXON}: Hartman", "tail", c=WEIGHTS,
        A=[[10.0, 3.0, 17.0, 3.5, 1.7, 8.0], [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
           [3.0, 3.5, 1.7, 10.0, 17.0, 8.0], [17.0, 8.0, 0.05, 10.0, 0.1, 14.0]],
        P=[[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
           [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]],
    ),
    several(
        "styblinski_tang", "sum(x**4 - 16*x**2 + 5*x)/2", {"x": (1.0, -1.0, 2.0)}, JAMIL,
    ),
    *(
        several(
            f"bohachevsky_{k}", formula, {"x": 0.6, "y": -0.4}, f"{JAMIL}; Bohachevsky and others 1986",
            "zero",
        )
        for k, formula in (
            (1, "x**2 + 2*y**2 - 0.3*cos(3*pi*x) - 0.4*cos(4*pi*y) + 0.7"),
            (2, "x**2 + 2*y**2 - 0.3*cos(3*pi*x)*cos(4*pi*y) + 0.3"),
            (3, "x**2 + 2*y**2 - 0.3*cos(3*pi*x + 4*pi*y) + 0.3"),
        )
    ),
    several("egg_crate", "x**2 + y**2 + 25*(sin(x)**2 + sin(y)**2)", {"x": 2.0, "y": -2.5}, JAMIL, "zero"),
    several(
        "shubert",
        "sum(arange(1, 6)*cos(arange(2, 7)*x + arange(1, 6)))*sum(arange(1, 6)*cos(arange(2, 7)*y + arange(1, 6)))",
        {"x": -1.0, "y": 1.0}, JAMIL,
    ),
    several(
        "bird", "sin(x)*exp((1 - cos(y))**2) + cos(y)*exp((1 - sin(x))**2) + (x - y)**2", {"x": 4.0, "y": 4.0},
        JAMIL, "scaled",
    ),
    several(
        "trefethen",
        "exp(sin(50*x)) + sin(60*exp(y)) + sin(70*sin(x)) + sin(sin(80*y)) - sin(10*(x + y)) + (x**2 + y**2)/4",
        {"x": -0.1, "y": 0.3}, "Trefethen 2002, A hundred-dollar, hundred-digit challenge, problem 4",
    ),
    several("trecanni", "x**4 + 4*x**3 + 4*x**2 + y**2", {"x": 1.0, "y": 1.0}, JAMIL, "zero"),
    several(
        "aluffi_pentini", "x**4/4 - x**2/2 + x/10 + y**2/2", {"x": 2.0, "y": 1.0}, f"{JAMIL}; Zirilli",
    ),
    several(
        "chichinadze",
        "x**2 - 12*x + 11 + 10*cos(pi*x/2) + 8*sin(5*pi*x/2) - exp(-(y - 0.5)**2/2)/sqrt(5)", {"x": 5.0, "y": 1.0},
        JAMIL, "tail",
    ),
    several(
        "cosine_mixture", "sum(x**2) - sum(cos(5*pi*x))/10", {"x": (0.3, -0.2, 0.5, 0.1)}, JAMIL,
    ),
    several(
        "deckkers_aarts", "1e5*x**2 + y**2 - (x**2 + y**2)**2 + 1e-5*(x**2 + y**2)**4", {"x": 2.0, "y": 10.0},
        JAMIL, "scaled",
    ),
    several(
        "giunta", "0.6 + sum(sin(16/15*x - 1) + sin(16/15*x - 1)**2 + sin(4*(16/15*x - 1))/50)", {"x": (0.8, 0.2)},
        JAMIL,
    ),
    several("parsopoulos", "cos(x)**2 + sin(y)**2", {"x": 1.0, "y": 1.0}, JAMIL, "squares", "zero"),
    several(
        "double_well_chain", "sum((x**2 - 1)**2) + sum((x[1:] - x[:-1])**2)/20 + sum(x)/100",
        {"x": (2.0, -0.5, 0.5, 1.5)}, "a chain of atoms in two wells: Allen and Cahn 1979",
    ),
)  # fmt: skip

"""Small problems that the literature on optimizers keeps coming back to, with one minimum or few."""

from __future__ import annotations

from symgd.testing.problem_set.record import Problem

# Where they were taken from.
HIMMELBLAU = "Himmelblau 1972, Applied nonlinear programming"
SURJANOVIC = "Surjanovic and Bingham 2013, Virtual library of simulation experiments"
JAMIL = "Jamil and Yang 2013, A literature survey of benchmark functions for global optimisation problems"
DENNIS = "Dennis and Schnabel 1983, Numerical methods for unconstrained optimization, appendix B, as CUTE's"
SCHITTKOWSKI = "Schittkowski 1987, More test examples for nonlinear programming codes, problem"
CUTE = "Bongartz, Conn, Gould and Toint 1995, CUTE"

PROBLEMS = (
    Problem(
        "booth", "(x + 2*y - 7)**2 + (2*x + y - 5)**2", {"x": -5.0, "y": 5.0}, JAMIL,
        ("squares", "zero", "convex"),
    ),
    Problem(
        "matyas", "0.26*(x**2 + y**2) - 0.48*x*y", {"x": 8.0, "y": -3.0}, JAMIL, ("convex", "zero"),
    ),
    Problem(
        "himmelblau", "(x**2 + y - 11)**2 + (x + y**2 - 7)**2", {"x": 1.0, "y": 1.0}, f"{HIMMELBLAU}, problem 25",
        ("squares", "zero", "several"),
    ),
    Problem(
        "cube", "100*(y - x**3)**2 + (1 - x)**2", {"x": -1.2, "y": -1.0},
        "Leon 1966, A comparison among eight known optimizing procedures", ("squares", "zero", "valley"),
    ),
    Problem(
        "zettl", "(x**2 + y**2 - 2*x)**2 + x/4", {"x": -1.0, "y": 2.0}, f"{JAMIL}; Schwefel 1981",
    ),
    Problem(
        "quadratic_in_two", "-3803.84 - 138.08*x - 232.92*y + 128.08*x**2 + 203.64*y**2 + 182.25*x*y",
        {"x": 10.0, "y": 10.0}, JAMIL, ("convex",),
    ),
    Problem(
        "engvall", "x**4 + y**4 + 2*x**2*y**2 - 4*x + 3", {"x": 2.0, "y": 2.0}, f"{CUTE}, ENGVAL1 for two",
        ("convex", "zero"),
    ),
    Problem(
        "engval_2",
        "(x**2 + y**2 + z**2 - 1)**2 + (x**2 + y**2 + (z - 2)**2 - 1)**2 + (x + y + z - 1)**2 + (x + y - z + 1)**2"
        " + (3*y**2 + x**3 + (5*z - x + 1)**2 - 36)**2",
        {"x": 1.0, "y": 2.0, "z": 0.0}, f"{CUTE}, ENGVAL2", ("squares", "zero", "several"),
    ),
    Problem(
        "cliff", "((x - 3)/100)**2 - (x - y) + exp(20*(x - y))", {"x": 0.0, "y": -1.0},
        f"{CUTE}, CLIFF", ("scaled", "convex"),
    ),
    Problem(
        "denschna", "x**4 + (x + y)**2 + (exp(y) - 1)**2", {"x": 1.0, "y": 1.0}, f"{DENNIS} DENSCHNA",
        ("squares", "zero"),
    ),
    Problem(
        "denschnb", "(x - 2)**2 + ((x - 2)*y)**2 + (y + 1)**2", {"x": 1.0, "y": 1.0}, f"{DENNIS} DENSCHNB",
        ("squares", "zero"),
    ),
    Problem(
        "denschnc", "(x**2 + y**2 - 2)**2 + (exp(x - 1) + y**3 - 2)**2", {"x": 2.0, "y": 3.0},
        f"{DENNIS} DENSCHNC", ("squares", "zero", "several"),
    ),
    Problem(
        "denschnd", "(x**2 + y**3 - z**4)**2 + (2*x*y*z)**2 + (2*x*y - 3*y*z + x*z)**2",
        {"x": 10.0, "y": 10.0, "z": 10.0}, f"{DENNIS} DENSCHND", ("squares", "zero", "singular"), proof="zero",
    ),
    Problem(
        "denschne", "x**2 + (y + y**2)**2 + (exp(z) - 1)**2", {"x": 2.0, "y": 3.0, "z": -8.0}, f"{DENNIS} DENSCHNE",
        ("squares", "zero", "several", "tail"),
    ),
    Problem(
        "denschnf", "(2*(x + y)**2 + (x - y)**2 - 8)**2 + (5*x**2 + (y - 3)**2 - 9)**2", {"x": 2.0, "y": 0.0},
        f"{DENNIS} DENSCHNF", ("squares", "zero", "several"),
    ),
    Problem(
        "sisser", "2*x**4 + 2*y**4 + (x**2 - y**2)**2", {"x": 1.0, "y": 0.1},
        f"{CUTE}, SISSER: 3 x^4 - 2 x^2 y^2 + 3 y^4", ("zero", "singular"), proof="zero",
    ),
    Problem(
        "hairy", "30*sin(7*x)**2*cos(7*y)**2 + 100*sqrt(0.01 + (x - y)**2) + 100*sqrt(0.01 + x**2)",
        {"x": -5.0, "y": -7.0}, f"{CUTE}, HAIRY",
    ),
    Problem(
        "hs_308", "(x**2 + x*y + y**2)**2 + sin(x)**2 + cos(y)**2", {"x": 3.0, "y": 0.1}, f"{SCHITTKOWSKI} 308",
        ("squares", "several"),
    ),
    Problem(
        "hs_201", "4*(x - 5)**2 + (y - 6)**2", {"x": 8.0, "y": 9.0}, f"{SCHITTKOWSKI} 201",
        ("squares", "zero", "convex"),
    ),
    Problem(
        "hs_206", "(y - x**2)**2 + 100*(1 - x)**2", {"x": -1.2, "y": 1.0}, f"{SCHITTKOWSKI} 206", ("squares", "zero"),
    ),
    *(
        Problem(
            f"hs_{number}", f"{weight}*(y - x**2)**2 + (1 - x)**2", {"x": -1.2, "y": 1.0}, f"{SCHITTKOWSKI} {number}",
            ("squares", "zero", "valley", "scaled"),
        )
        for number, weight in ((209, "1e4"), (210, "1e6"))
    ),
    Problem(
        "hs_240", "(x - y + z)**2 + (-x + y + z)**2 + (x + y - z)**2", {"x": 100.0, "y": -1.0, "z": 2.5},
        f"{SCHITTKOWSKI} 240", ("squares", "zero", "convex"),
    ),
    Problem(
        "wayburn_seader_1", "(x**6 + y**4 - 17)**2 + (2*x + y - 4)**2", {"x": 3.0, "y": 3.0}, JAMIL,
        ("squares", "zero", "several"),
    ),
    Problem(
        "wayburn_seader_2", "(1.613 - 4*(x - 0.3125)**2 - 4*(y - 1.625)**2)**2 + (y - 1)**2", {"x": 2.0, "y": 3.0},
        JAMIL, ("squares", "zero", "several"),
    ),
    Problem(
        "price_4", "(2*x**3*y - y**3)**2 + (6*x - y**2 + y)**2", {"x": 3.0, "y": 3.0}, JAMIL,
        ("squares", "zero", "several"),
    ),
    Problem(
        "el_attar_vidyasagar_dutta", "(x**2 + y - 10)**2 + (x + y**2 - 7)**2 + (x**2 + y**3 - 1)**2",
        {"x": 5.0, "y": -5.0}, JAMIL, ("squares", "several"),
    ),
    Problem(
        "miele_cantrell", "(exp(-a) - b)**4 + 100*(b - c)**6 + tan(c - d)**4 + a**8",
        {"a": 1.0, "b": 2.0, "c": 2.0, "d": 2.0}, f"{JAMIL}; Miele and Cantrell 1969",
        ("zero", "singular"), proof="zero",
    ),
    Problem(
        "cragg_levy", "(exp(a) - b)**4 + 100*(b - c)**6 + tan(c - d)**4 + a**8 + (d - 1)**2",
        {"a": 1.0, "b": 2.0, "c": 2.0, "d": 2.0}, "Cragg and Levy 1969, Study on a supermemory gradient method",
        ("zero", "singular", "several"), proof="zero",
    ),
    Problem(
        "logistic_loss", "mean(softplus(-s*(a + b*t))) + 0.01*(a**2 + b**2)", {"a": 5.0, "b": -5.0},
        "logistic regression with a penalty", ("convex",), {
            "t": [-2.5, -1.75, -1.0, -0.5, 0.25, 0.75, 1.5, 2.0, 2.5, 3.0],
            "s": [-1.0, -1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0],
        },
    ),
    Problem(
        "geometric_program", "exp(x + 3*y - 0.1) + exp(x - 3*y - 0.1) + exp(-x - 0.1)", {"x": -1.0, "y": 1.0},
        "Boyd and Vandenberghe 2004, Convex optimization, (9.20)", ("convex",),
    ),
    Problem(
        "analytic_centre", "-sum(log(1 - A @ x)) - sum(log(1 - x**2))", {"x": (0.5, -0.5, 0.25)},
        "Boyd and Vandenberghe 2004, Convex optimization, exercise 9.30", ("convex", "domain"),
        {"A": [[0.5, -0.25, 0.75], [-0.5, 0.25, 0.25], [0.25, 0.5, -0.5], [0.75, 0.5, 0.25]]},
    ),
    Problem(
        "entropy", "sum(x*log(x)) + (sum(x) - 1)**2 + (x[0] - 2*x[3])**2", {"x": (0.9, 0.2, 0.4, 0.6)},
        "relative entropy with penalties", ("convex", "domain"),
    ),
    Problem(
        "log_cosh", "sum(log(cosh(A @ x - b)))", {"x": (3.0, -2.0, 4.0)}, "Huber-like losses: Green 1990", ("convex",),
        {
            "A": [[1.0, 2.0, -1.0], [0.5, -1.0, 1.0], [2.0, 0.0, 1.0], [-1.0, 1.0, 1.0], [0.0, 1.0, -2.0]],
            "b": [1.0, -1.0, 2.0, 0.5, 0.0],
        },
    ),
    Problem(
        "pseudo_huber", "sum(sqrt(1 + (y - (a + b*t))**2)) - 8", {"a": -3.0, "b": 4.0},
        "Charbonnier and others 1997: a line through points of which one is wild", ("data", "convex"), {
            "t": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
            "y": [1.1, 2.9, 5.2, 6.8, 9.1, 30.0, 13.2, 14.8],
        },
    ),
    Problem(
        "exponential", "-exp(-sum(x**2)/2)", {"x": (0.4, -0.3, 0.2, 0.1)}, JAMIL, ("tail",),
    ),
    Problem(
        "paviani", "sum(log(x - 2)**2 + log(10 - x)**2) - prod(x)**0.2",
        {"x": (9.0, 8.5, 9.2, 8.0, 9.5, 9.0, 8.8, 9.1, 8.2, 9.4)}, JAMIL, ("domain",),
    ),
    Problem(
        "tilted_ring", "1000*(x**2 + y**2 - 1)**2 + x/10", {"x": 0.9, "y": 1.5},
        "a circular valley that is hardly tilted, and a saddle across", ("valley", "scaled"),
    ),
)  # fmt: skip

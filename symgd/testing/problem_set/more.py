"""The problems of Moré, Garbow and Hillstrom, with the dimensions and starts of their paper.

Moré, Garbow and Hillstrom 1981, Testing unconstrained optimization software, ACM Transactions on Mathematical Software
7, 17-41. The number in each source is that of its section 3.
"""

from __future__ import annotations

from symgd.testing.problem_set.record import Problem, Value


def more(
    number: int, name: str, formula: str, start: dict[str, Value], *tags: str, proof: str = "hessian",
    **data: list[float] | list[list[float]],
) -> Problem:  # fmt: skip
    """Give a problem of the paper; all of them are sums of squares."""
    source = f"Moré, Garbow and Hillstrom 1981, ({number})"
    return Problem(name, formula, start, source, ("squares", *tags), data, proof)


def chebyshev(i: int, z: str) -> str:
    """Write the Chebyshev polynomial T_i of an argument: T_2k = 2 T_k^2 - 1 and T_(2k + 1) = 2 T_k T_(k + 1) - z."""
    if i == 1:
        return f"({z})"
    half = chebyshev(i // 2, z)
    return f"(2*{half}**2 - 1)" if i % 2 == 0 else f"(2*{half}*{chebyshev(i // 2 + 1, z)} - ({z}))"


def chebyquad(n: int, *tags: str) -> Problem:
    """Give problem 35: the means of T_i over the points are their integrals, 0 or -1/(i^2 - 1)."""
    integrals = [f" + 1/{i * i - 1}" if i % 2 == 0 else "" for i in range(1, n + 1)]
    terms = [f"(mean({chebyshev(i, '2*x - 1')}){integrals[i - 1]})**2" for i in range(1, n + 1)]
    start: dict[str, Value] = {"x": tuple(j / (n + 1) for j in range(1, n + 1))}
    return more(35, f"chebyquad_{n}", " + ".join(terms), start, "several", *tags)


def watson(n: int, *tags: str) -> Problem:
    """Give problem 20, a polynomial that is to satisfy a differential equation at 29 points."""
    t = "(arange(1, 30)/29)[:, None]"
    slope, value = f"{t}**arange({n - 1}) @ (arange(1, {n})*x[1:])", f"({t}**arange({n}) @ x)"
    formula = f"sum(({slope} - {value}**2 - 1)**2) + x[0]**2 + (x[1] - x[0]**2 - 1)**2"
    return more(20, f"watson_{n}", formula, {"x": (0.0,) * n}, *tags)


def repeated(value: tuple[float, ...], times: int) -> dict[str, Value]:
    """Give a start that repeats itself."""
    return {"x": value * times}


T10 = "(arange(1, 11)/10)"
POINTS = [j / 11 for j in range(1, 11)]
GREEN = "minimum(t[:, None], t)*(1 - maximum(t[:, None], t))"

PROBLEMS = (
    more(1, "rosenbrock", "100*(y - x**2)**2 + (1 - x)**2", {"x": -1.2, "y": 1.0}, "zero", "valley"),
    more(
        2, "freudenstein_roth", "(x - 13 + ((5 - y)*y - 2)*y)**2 + (x - 29 + ((y + 1)*y - 14)*y)**2",
        {"x": 0.5, "y": -2.0}, "zero", "several",
    ),
    more(
        3, "powell_badly_scaled", "(1e4*x*y - 1)**2 + (exp(-x) + exp(-y) - 1.0001)**2", {"x": 0.0, "y": 1.0},
        "zero", "scaled", "valley", "several",
    ),
    more(
        4, "brown_badly_scaled", "(x - 1e6)**2 + (y - 2e-6)**2 + (x*y - 2)**2", {"x": 1.0, "y": 1.0}, "zero", "scaled",
    ),
    more(
        5, "beale", "(1.5 - x*(1 - y))**2 + (2.25 - x*(1 - y**2))**2 + (2.625 - x*(1 - y**3))**2",
        {"x": 1.0, "y": 1.0}, "zero", "tail",
    ),
    more(
        6, "jennrich_sampson", "sum((2 + 2*i - (exp(i*x) + exp(i*y)))**2)", {"x": 0.3, "y": 0.4}, "scaled",
        i=[float(i) for i in range(1, 11)],
    ),
    more(
        7, "helical_valley",
        "100*((z - 10*(where(x > 0, arctan(y/x), arctan(y/x) + pi)/(2*pi)))**2 + (sqrt(x**2 + y**2) - 1)**2) + z**2",
        {"x": -1.0, "y": 0.0, "z": 0.0}, "zero", "valley",
    ),
    more(
        8, "bard", "sum((y - (a + u/(v*b + minimum(u, v)*c)))**2)", {"a": 1.0, "b": 1.0, "c": 1.0}, "data", "tail",
        u=[float(i) for i in range(1, 16)], v=[16.0 - i for i in range(1, 16)],
        y=[0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39],
    ),
    more(
        9, "gaussian", "sum((a*exp(-b*(t - c)**2/2) - y)**2)", {"a": 0.4, "b": 1.0, "c": 0.0}, "data", "tail",
        t=[(8.0 - i) / 2 for i in range(1, 16)],
        y=[0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989,
           0.3521, 0.2420, 0.1295, 0.0540, 0.0175, 0.0044, 0.0009],
    ),
    more(
        10, "meyer", "sum((a*exp(b/(t + c)) - y)**2)", {"a": 0.02, "b": 4000.0, "c": 250.0}, "data", "scaled", "valley",
        t=[45.0 + 5 * i for i in range(1, 17)],
        y=[34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0,
           8261.0, 7030.0, 6005.0, 5147.0, 4427.0, 3820.0, 3307.0, 2872.0],
    ),
    more(
        11, "gulf",
        "sum((exp(-abs(25 + (-50*log(t))**(2/3) - b)**c/a) - t)**2)", {"a": 5.0, "b": 2.5, "c": 0.15},
        "zero", "valley", "tail", t=[i / 100 for i in range(1, 100)],
    ),
    more(
        12, "box_three_dimensional", "sum((exp(-t*x) - exp(-t*y) - z*(exp(-t) - exp(-10*t)))**2)",
        {"x": 0.0, "y": 10.0, "z": 20.0}, "zero", "several", "curve", "tail", t=[i / 10 for i in range(1, 11)],
    ),
    more(
        13, "powell_singular", "(a + 10*b)**2 + 5*(c - d)**2 + (b - 2*c)**4 + 10*(a - d)**4",
        {"a": 3.0, "b": -1.0, "c": 0.0, "d": 1.0}, "zero", "singular", "convex", proof="zero",
    ),
    more(
        14, "wood",
        "100*(b - a**2)**2 + (1 - a)**2 + 90*(d - c**2)**2 + (1 - c)**2 + 10*(b + d - 2)**2 + (b - d)**2/10",
        {"a": -3.0, "b": -1.0, "c": -3.0, "d": -1.0}, "zero", "valley",
    ),
    more(
        15, "kowalik_osborne", "sum((y - a*(u**2 + u*b)/(u**2 + u*c + d))**2)",
        {"a": 0.25, "b": 0.39, "c": 0.415, "d": 0.39}, "data", "tail", "valley",
        u=[4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625],
        y=[0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246],
    ),
    more(
        16, "brown_dennis", "sum(((a + t*b - exp(t))**2 + (c + d*sin(t) - cos(t))**2)**2)",
        {"a": 25.0, "b": 5.0, "c": -5.0, "d": -1.0}, "scaled", t=[i / 5 for i in range(1, 21)],
    ),
    more(
        17, "osborne_1", "sum((y - (a + b*exp(-t*d) + c*exp(-t*e1)))**2)",
        {"a": 0.5, "b": 1.5, "c": -1.0, "d": 0.01, "e1": 0.02}, "data", "scaled", "valley", "several",
        t=[10.0 * i for i in range(33)],
        y=[0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628,
           0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420,
           0.414, 0.411, 0.406],
    ),
    more(
        18, "biggs_exp6", "sum((c*exp(-t*a) - d*exp(-t*b) + f*exp(-t*g) - (exp(-t) - 5*exp(-10*t) + 3*exp(-4*t)))**2)",
        {"a": 1.0, "b": 2.0, "c": 1.0, "d": 1.0, "g": 1.0, "f": 1.0}, "zero", "several", "tail",
        t=[i / 10 for i in range(1, 14)],
    ),
    more(
        19, "osborne_2",
        "sum((y - (x[0]*exp(-t*x[4]) + x[1]*exp(-(t - x[8])**2*x[5]) + x[2]*exp(-(t - x[9])**2*x[6])"
        " + x[3]*exp(-(t - x[10])**2*x[7])))**2)",
        {"x": (1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5)}, "data", "several", "large",
        t=[i / 10 for i in range(65)],
        y=[1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616,
           0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495,
           0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672,
           0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581,
           0.428, 0.292, 0.162, 0.098, 0.054],
    ),
    watson(6), watson(9, "scaled"), watson(12, "scaled", "large"),
    more(
        21, "extended_rosenbrock", "sum(100*(x[1::2] - x[::2]**2)**2 + (1 - x[::2])**2)", repeated((-1.2, 1.0), 5),
        "zero", "valley",
    ),
    more(
        22, "extended_powell_singular",
        "sum((x[::4] + 10*x[1::4])**2 + 5*(x[2::4] - x[3::4])**2 + (x[1::4] - 2*x[2::4])**4"
        " + 10*(x[::4] - x[3::4])**4)",
        repeated((3.0, -1.0, 0.0, 1.0), 3), "zero", "singular", "convex", "large", proof="zero",
    ),
    *(
        more(
            23, f"penalty_1_{n}", "1e-5*sum((x - 1)**2) + (sum(x**2) - 1/4)**2",
            {"x": tuple(float(j) for j in range(1, n + 1))}, "scaled",
        )
        for n in (4, 10)
    ),
    *(
        more(
            24, f"penalty_2_{n}",
            "(x[0] - 0.2)**2 + 1e-5*sum((exp(x[1:]/10) + exp(x[:-1]/10)"
            f" - exp(arange(2, {n + 1})/10) - exp(arange(1, {n})/10))**2)"
            f" + 1e-5*sum((exp(x[1:]/10) - exp(-1/10))**2) + (sum(arange({n}, 0, -1)*x**2) - 1)**2",
            {"x": (0.5,) * n}, "scaled",
        )
        for n in (4, 10)
    ),
    more(
        25, "variably_dimensioned",
        "sum((x - 1)**2) + sum(arange(1, 11)*(x - 1))**2 + sum(arange(1, 11)*(x - 1))**4",
        {"x": tuple(1 - j / 10 for j in range(1, 11))}, "zero", "scaled", "convex",
    ),
    more(
        26, "trigonometric", "sum((10 - sum(cos(x)) + arange(1, 11)*(1 - cos(x)) - sin(x))**2)", {"x": (0.1,) * 10},
        "zero", "several",
    ),
    *(
        more(
            27, f"brown_almost_linear_{n}", f"sum((x[:-1] + sum(x) - {n + 1})**2) + (prod(x) - 1)**2",
            {"x": (0.5,) * n}, "zero", "large" if n > 10 else "several",
        )
        for n in (10, 30)
    ),
    more(
        28, "discrete_boundary_value",
        "(2*x[0] - x[1] + (x[0] + 1/11 + 1)**3/242)**2 + (2*x[9] - x[8] + (x[9] + 10/11 + 1)**3/242)**2"
        " + sum((2*x[1:-1] - x[:-2] - x[2:] + (x[1:-1] + arange(2, 10)/11 + 1)**3/242)**2)",
        {"x": tuple(t * (t - 1) for t in POINTS)}, "zero",
    ),
    more(
        29, "discrete_integral_equation", f"sum((x + ({GREEN}) @ (x + t + 1)**3/22)**2)",
        {"x": tuple(t * (t - 1) for t in POINTS)}, "zero", t=POINTS,
    ),
    more(
        30, "broyden_tridiagonal",
        "((3 - 2*x[0])*x[0] - 2*x[1] + 1)**2 + ((3 - 2*x[9])*x[9] - x[8] + 1)**2"
        " + sum(((3 - 2*x[1:-1])*x[1:-1] - x[:-2] - 2*x[2:] + 1)**2)",
        {"x": (-1.0,) * 10}, "zero", "several",
    ),
    more(
        31, "broyden_banded", "sum((x*(2 + 5*x**2) + 1 - B @ (x*(1 + x)))**2)", {"x": (-1.0,) * 10}, "zero",
        B=[[1.0 if i != j and -5 <= j - i <= 1 else 0.0 for j in range(10)] for i in range(10)],
    ),
    more(
        32, "linear_full_rank", "sum((x - sum(x)/10 - 1)**2) + 10*(sum(x)/10 + 1)**2", {"x": (1.0,) * 10}, "convex",
    ),
    more(
        33, "linear_rank_1", "sum((arange(1, 21)*sum(arange(1, 11)*x) - 1)**2)", {"x": (1.0,) * 10},
        "convex", "singular", "curve", proof="convex",
    ),
    more(
        34, "linear_rank_1_zero", "2 + sum((arange(1, 19)*sum(arange(2, 10)*x[1:-1]) - 1)**2)", {"x": (1.0,) * 10},
        "convex", "singular", "curve", proof="convex",
    ),
    chebyquad(7, "zero"), chebyquad(8), chebyquad(9, "zero"), chebyquad(10),
)  # fmt: skip

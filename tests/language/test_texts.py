"""What NumPy and Python make of a text is what symgd makes of it, or the text is refused with a place and a remedy."""

import random
import re
import warnings

import numpy as np
import pytest
from scipy.special import logsumexp

from symgd import DataError, FormulaError, Objective, SymgdWarning, fit
from symgd.language import foreign, functions, others, parse

DATA = {
    "X": np.array([[0.5, 1.5], [2.5, -3.5], [4.0, 0.0]]), "v": np.array([1.0, 2.0, -3.0]), "u": np.array([2.0, 0.5]),
    "S": np.array([[2.0, 1.0], [1.0, 3.0]]), "m": np.array([True, False, True]), "k": np.array([True, True, False]),
    "x": 3.0, "y": -1.5,
}  # fmt: skip


def larger(*values, **named):
    """Python's max of several, NumPy's of one."""
    return np.max(*values, **named) if len(values) == 1 or named else max(values)


def smaller(*values, **named):
    return np.min(*values, **named) if len(values) == 1 or named else min(values)


ORACLE = {
    **vars(np), "np": np, "norm": np.linalg.norm, "logsumexp": logsumexp, "max": larger, "min": smaller,
    **{name: np.float64(value) if isinstance(value, float) else value for name, value in DATA.items()},
}  # fmt: skip


def ours(text):
    return Objective(text, DATA, tier="python").value({})


def numpys(text):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(eval(text, dict(ORACLE)))


SAME = """
max(x, 1)
max(1, x, 2)
min(x, y)
min(x, y, 0) + max(x, y, 0)
max(y, 0)**2
max([x, y])
max((x, y, 5))
sum([x, y, v[0]])
norm([x, y])
mean([[x, 1], [y, 2]])
np.array([1, x])[1]
sum(np.max(X, 1))
sum(np.sum(X, 1)**2)
sum(sum(X, 1)**2)
sum(X.sum(1)**2)
sum(np.mean(X, 0)**2)
X.mean(axis=1).max()
sum(X.max(1))
sum(X.min(0))
sum(np.amax(X, -1))
np.std(X, ddof=1)
sum(np.std(X, 0, ddof=1))
np.var(v, ddof=1)
sum(X.var(1))
sum(np.std(X, axis=0, keepdims=True))
v.clip(0, 2).sum()
v.clip(0).sum()
np.clip(v, None, 1).sum()
sum(clip(v, a_min=0, a_max=1))
np.round(x/7, 2)
sum(round(X/7, decimals=1))
round(x*1000, -2)
norm(v, 1)
norm(v, inf)
norm(v, -inf)
norm(v, np.inf)
norm(v, 3)
norm(v, 0)
norm(X, 1)
norm(X, -1)
norm(X, inf)
norm(X, -inf)
sum(np.linalg.norm(X, ord=2, axis=1))
sum(norm(X, 1, 1))
sum(norm(X, None, 0))
sum(norm(X, axis=1, keepdims=True))
np.inner(v, v)
sum(np.inner(X, X))
sum(np.inner(v, X.T))
np.vdot(X, X)
v.dot(v)
sum(np.diag(v) @ v)
sum(np.diag(v) @ X)
sum(np.diag(S))
sum(diff(v, 2))
sum(np.diff(X, 1, 0))
size(X, 1)*np.size(X)
sum(m & (v > 1))
sum(m | k)
sum(~m)
sum(~(v > 0))
sum((v > 0) & ~(v > 1))
(x > 1) and (y > 0)
(x > 1) or (y > 0)
not (x > 1)
(0 < x < 5)*2
(x > y) + 1
where(v > 0, v, 0).sum()
where(x, 1, 2)
sum(m*v)
m @ v
sum(m*k)
np.sum(m)
mean(v > 0)
abs(v).sum()
sum(np.stack([v, v], 1), 1)[0]
np.concatenate([X, X], 1).sum()
sum(logsumexp(X, 1))
(x > 0) == (y > 0)
sum((v > 0) == m)
""".strip().splitlines()


@pytest.mark.parametrize("text", SAME)
def test_what_is_read_is_numpys(text):
    assert ours(text) == pytest.approx(numpys(text), rel=1e-12)


NUMBERS = (
    """
2 or x; x or 2; x and y; x and x > 0; not x; ~x; ~2; v & 1; v | m; m & 2; ~v; (x > 0) & y; not 0; x or y > 0
sum(v > 0) and x > 0; not sum(v); x & y; 1 | 2; ~(x + 1); m & v
""".strip()
    .replace("\n", ";")
    .split(";")
)


@pytest.mark.parametrize("text", [text.strip() for text in NUMBERS])
def test_numbers_are_no_conditions(text):
    """In Python ``2 or x`` is 2, and ``~x`` is -x - 1."""
    with pytest.raises(FormulaError, match=r"wants conditions, and '.*' is a number(.|\n)*write \(.* != 0\)") as caught:
        ours(f"sum({text})")
    remedy = re.search(r"write (\(.* != 0\));", caught.value.hint)[1]
    wrong = caught.value.text[caught.value.start : caught.value.end]
    assert remedy in (f"({wrong} != 0)", f"(({wrong}) != 0)")
    assert np.isfinite(ours(f"sum({remedy})"))


REFUSED = [
    ("max(v, 1)", r"max\(v, 1\) has two meanings(.|\n)*write maximum\(v, 1\) .* or max\(v, axis=1\)"),
    ("sum(min(X, 0))", r"min\(X, 0\) has two meanings(.|\n)*minimum\(X, 0\) .*min\(X, axis=0\)"),
    ("max(X, -1)", "has two meanings"),
    ("sum(x, 1)", r"axis 1 is out of bounds(.|\n)*leave the axis out"),
    ("sum(v, y)", r"an axis must be a whole number(.|\n)*write a list: \[v, y\]"),
    ("~(1 > 0)", r"'~' of numbers compared is -1 or -2 in Python(.|\n)*write not"),
    ("m @ k", r"'@' of truth values is no arithmetic(.|\n)*write where\(condition, 1, 0\)"),
    ("dot(m, v > 0)", r"'dot' of truth values"),
    ("sum(diff(m))", r"'diff' of truth values"),
    ("sum(m + k)", r"truth values are not added up"),
    ("sum(m - (v > 0))", r"truth values are not added up"),
    ("sum(-m)", r"a truth value has no sign"),
    ("sum(v % m)", r"a truth value is no divisor for '%'"),
    ("sum(v // (v > 0))", r"a truth value is no divisor for '//'"),
    ("sum(mod(v, m))", r"a truth value is no divisor for 'mod'"),
    ("sum((x > 1) or (v > 1))", r"'or' joins an array and a number(.|\n)*write & or \|"),
    ("sum(x < y < v)", r"'<' joins an array and a number"),
    ("sum(x > 0 & y > 0)", r"binds more tightly(.|\n)*parentheses around the comparisons"),
    ("norm(X, 2)", r"needs its singular values(.|\n)*orders 1, -1, inf and -inf"),
    ("norm(x, 1)", r"the order of a norm is for arrays(.|\n)*write abs\(x\)"),
    ("std(v, ddof=3)", r"'ddof' leaves nothing to divide by"),
    ("torch.std(v)", r"PyTorch's 'std' divides by n - 1(.|\n)*ddof=1"),
    ("sum(X, axis=1, dtype=float)", r"leave it out: every number is a float64"),
    ("sum(X, dim=1)", r"write axis="), ("sum(X, keepdim=True)", r"write keepdims="),
    ("mean(v, where=m)", r"write where\(condition, x, 0\)"),
    ("average(v, weights=u)", r"write sum\(w\*x\)/sum\(w\)"),
    ("v.reshape(3, 1)", r"arrays keep their axes here"), ("v.flatten()", r"arrays keep their axes here"),
    ("(v - 1).abs()", r"write abs\(\(v - 1\)\)"), ("v.exp()", r"write exp\(v\)"), ("F.relu(x)", r"write relu\(x\)"),
    ("len(x)", r"a number has no length"), ("sum(diff(v, 30))", r"'n' is from 0 to 20"),
    ("round(x, 400)", r"'decimals' is from -300 to 300"),
    ("np.vdot(X, S)", r"'vdot' is of arrays of one shape"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_python_means_otherwise_is_refused(text, message):
    with pytest.raises(FormulaError, match=message) as caught:
        ours(text)
    assert "^" in str(caught.value)
    assert caught.value.hint


def words(text):
    return text.split()


ATOMS = words("X v u m k S x y 2 0 1 0.5 -1 (x>1) (v>1) (X>0) (y<x) X[0] v[1] m[0] v[m] (0<x<5) S.T [x,y] (v!=v)")
SIGNS = words("and or & | + - * / % // @ ** < >= == !=")
OF_ONE = words("sum mean max min std var norm abs diff len size trace diag sign round square any array np.max amax")
OF_TWO = words("max min sum mean std norm maximum dot inner vdot outer diff clip round mod where np.max size stack")
METHODS = words("sum mean max std dot clip round T trace")
NAMED = ["", "", ", axis=0", ", axis=-1", ", keepdims=True", ", ddof=1", ", ord=1", ", decimals=1"]


def random_text(draw, depth):
    """Make a text of operators and calls, sensible or not."""
    if not depth or draw.random() < 0.15:
        return draw.choice(ATOMS)
    part = [random_text(draw, depth - 1) for _ in range(3)]
    choice = draw.random()
    if choice < 0.4:
        text = f"{part[0]} {draw.choice(SIGNS)} {part[1]}"
        return f"({text})" if draw.random() < 0.6 else text
    if choice < 0.5:
        return draw.choice(["not ", "~", "-", "+"]) + part[0]
    if choice < 0.65:
        return f"{draw.choice(OF_ONE)}({part[0]}{draw.choice(NAMED)})"
    if choice < 0.82:
        return f"{draw.choice(OF_TWO)}({part[0]}, {part[1]}{draw.choice(NAMED)})"
    if choice < 0.9:
        return f"{draw.choice(['max', 'min', 'where', 'clip'])}({', '.join(part)})"
    return f"{draw.choice(words('v X u S x m'))}.{draw.choice(METHODS)}({draw.choice(['', '0', '1', part[0]])})"


def disagreements(count, seed):
    """Look for texts that are read as something else than NumPy's, or refused without a place and a remedy."""
    draw = random.Random(seed)
    found, same = [], 0
    for _ in range(count):
        text = f"sum({random_text(draw, draw.choice([1, 1, 2, 2, 3]))})"
        try:
            value = ours(text)
        except FormulaError as problem:
            if "^" not in str(problem) or not problem.hint:
                found.append((text, str(problem)))
            continue
        try:
            wanted = numpys(text)
        except (TypeError, ValueError, NameError, AttributeError, IndexError, np.exceptions.AxisError):
            continue  # elementwise max() and chains over arrays are more than Python has
        same += 1
        if value != pytest.approx(
            wanted, rel=1e-2, nan_ok=True
        ):  # float16, where NumPy takes the sine of a truth value
            found.append((text, value, wanted))
    return found, same


def test_random_texts_mean_what_numpy_means():
    found, same = disagreements(400, 1)
    assert not found
    assert same > 80


@pytest.mark.slow
def test_many_random_texts_mean_what_numpy_means():
    assert disagreements(20_000, 2)[0] == []


# ---- names of other libraries ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({*others.NUMPY, *others.SCIPY, *others.TORCH, *foreign.REPLACEMENTS}))
def test_a_name_of_another_library_is_never_taken_for_one_that_looks_alike(name):
    if functions.find(name):
        return
    with pytest.raises(FormulaError) as caught:
        parse(f"{name}(x)")
    assert "did you mean" not in caught.value.hint or name == "sqr"
    assert "to multiply" not in caught.value.hint


@pytest.mark.parametrize("name", sorted({*foreign.REPLACEMENTS} - {*functions.names()}))
def test_what_a_replacement_says_can_be_written(name):
    said = foreign.REPLACEMENTS[name].replace("{0}", "x")
    written = re.match(r"write (.*)", said)
    if written is None:
        return
    lead = r" for a matrix$|^it (piece by piece |out: |with slices, as )(with )?"
    lead += "|^(differences|the polynomial out), as "
    for said_text in re.split(r", or (?!the)| or (?=log2)", written[1]):
        text = re.sub(lead, "", said_text)
        if not re.match(r"^[a-z]+ [a-z]|a sum|.*\.\.\.|.* for its value", text) and " and compare" not in text:
            parse(text)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("sigmod", "sigmoid"), ("maen", "mean"), ("SUM", "sum"), ("sinn", "sin"), ("maximun", "maximum"), ("lgo", "log"),
     ("logsumexpt", "logsumexp"), ("sofplus", "softplus"), ("tran", "tan"), ("concatnate", "concatenate")],
)  # fmt: skip
def test_a_slip_of_the_keys_is_seen(typed, meant):
    with pytest.raises(FormulaError, match=rf"did you mean '{meant}'\?"):
        parse(f"{typed}(x)")


@pytest.mark.parametrize("typed", ["ab", "foo", "loss", "predict", "model", "tin", "f1", "cost", "weight"])
def test_a_name_that_is_like_no_function_is_a_factor(typed):
    with pytest.raises(FormulaError, match="to multiply, write"):
        parse(f"{typed}(x)")


# ---- what is probably not meant -------------------------------------------------------------------------------------


def test_a_column_beside_a_vector_is_warned_of():
    data = {"X": np.ones((5, 2)), "y": np.ones((5, 1))}
    said = r"'y' with shape \(5, 1\) and 'X @ w' with shape \(5,\) broadcast to \(5, 5\).*write y\[:, 0\] to match"
    with pytest.warns(SymgdWarning, match=said):
        Objective("mean((y - X @ w)**2)", data)
    Objective("mean((y[:, 0] - X @ w)**2)", data)
    Objective("mean((y - (X @ w)[None, :])**2)", data)
    Objective("mean((y - (X @ w)[:, None])**2)", data)
    Objective("sum((v[:, None] - v)**2)", {"v": np.ones(4)})
    Objective("mean((X - mean(X, axis=1, keepdims=True))**2*s)", {"X": np.ones((3, 3))})


def test_a_misspelt_column_is_warned_of():
    data = {"x": np.ones(4), "y_train": np.ones(4)}
    with pytest.warns(SymgdWarning, match="'ytrain' is taken for a parameter.*did you mean the column 'y_train'"):
        f = Objective("mean((ytrain - a*x)**2)", data)
    with pytest.raises(ValueError, match="'ytrain' is no column of the data: did you mean 'y_train'"):
        f.minimize({"a": 1})
    with pytest.warns(SymgdWarning, match="'Y' is taken for a parameter"):
        Objective("mean((Y - a*x)**2)", {"x": np.ones(4), "y": np.ones(4)})
    with pytest.raises(FormulaError, match="unknown name 'Y'"):
        Objective("mean((Y - a*x)**2)", {"x": np.ones(4), "y": np.ones(4)}, params=["a"])
    Objective("mean((y - a*x)**2) + A", {"x": np.ones(4), "y": np.ones(4), "z": np.ones(4)})


def test_forgotten_data_are_spoken_of():
    f = Objective("mean((y_i - a*x_i)**2)")
    with pytest.raises(
        ValueError, match=r"no value for y_i, x_i; .*no data were given: if some of y_i, x_i are columns"
    ):
        f.minimize({"a": 1})
    asks = r"'y_i' may be a number or an array, and mean\(\(y_i - a\*x_i\)\*\*2\) depends on it; declare its shape"
    with pytest.raises(ValueError, match=asks + ".*; if it is a column of data, give it by data="):
        f.gradient
    with pytest.raises(
        ValueError, match=r"'x' may be .*f\.with_shapes\({'x': \(3,\)}\), or .*{'x': \(\)}\) for a number"
    ):
        Objective("var(x)").gradient
    with pytest.raises(ValueError, match=r"or f\.with_shapes\({'w': \(\)}\) for a number$"):
        Objective("sum(w**2) + sum(x)", {"x": np.ones(3)}).gradient
    Objective("var(x)", params={"x": ()}).gradient
    Objective("mean((y - a*x)**2)", ("x", "y")).gradient


def test_other_libraries_names_of_options_lead_to_ours():
    f = Objective("x**2", tier="python")
    for name, ours_ in {"learning_rate": "lr", "max_iter": "steps", "maxiter": "steps", "tol": "gtol", "x0": "start",
                        "batch_size": "batch", "random_state": "seed", "optimizer": "method"}.items():  # fmt: skip
        with pytest.raises(ValueError, match=f"there is no option '{name}'; here it is called '{ours_}'"):
            f.minimize({"x": 1.0}, **{name: 1})
    with pytest.raises(ValueError, match=r"there is no option 'bounds'; .*sigmoid\(s\)"):
        f.minimize({"x": 1.0}, bounds=(0, 1))
    with pytest.raises(ValueError, match="no value for x"):
        f.minimize()


# ---- long texts -----------------------------------------------------------------------------------------------------


def length(text):
    """Give the length of the code of an objective, its gradient and the product of its Hessian with a vector."""
    model = Objective(text, {"X": np.ones(3)} if "X" in text else None, tier="python").model
    program = model.program
    return sum(len(function.body) for function in program.functions)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "*".join(f"x{i}" for i in range(n)),
        lambda n: "*".join(["x"] * n),
        lambda n: "/".join(f"x{i}" for i in range(n)),
        lambda n: "*".join(f"exp(x{i})" for i in range(n)),
        lambda n: "*".join(f"(x{i} + 1)" for i in range(n)),
        lambda n: f"mean(X*{'*'.join(f'w{i}' for i in range(n))})",
        lambda n: f"where({' and '.join(f'x > {i}' for i in range(n))}, x, y)",
    ],
)
def test_code_of_long_texts_grows_with_their_length(make):
    assert length(make(400)) < 8 * length(make(100))  # 16 times were it their square


def test_products_that_no_float_could_hold_are_refused():
    with pytest.raises(FormulaError, match=r"a product of 10,000 factors; at most 5,000 are read(.|\n)*logarithms"):
        Objective("*".join(f"x{i}" for i in range(10_000)))
    with pytest.raises(FormulaError, match=r"a product of more than 50 matrices"):
        Objective("sum(" + "@".join(["S"] * 52) + ")", {"S": np.eye(3)})


def test_a_long_product_descends():
    f = Objective("*".join(["x"] * 1999) + " + x**2", tier="python")
    assert f.minimize({"x": 0.5}, steps=3).value < 0.25
    assert f.gradient_at(x=0.0) == {"x": 0.0}


def test_columns_that_are_no_numbers_are_told_of(tmp_path):
    file = tmp_path / "days.csv"
    file.write_text("x,y,day\n1,2,2024-01-01\n2,,2024-01-02\n")
    with pytest.raises(DataError, match=r"the column 'day' of '.*' has '2024-01-01' in line 2, where a number"):
        Objective("mean((day - a*x)**2)", file)
    with pytest.raises(DataError, match=r"the column 'y' of '.*' is empty in line 3"):
        Objective("mean((y - a*x)**2)", str(file))
    assert Objective("mean((y - a*x)**2)", file, params=["a", "y"]).params == ("a", "y")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"x": [1.0, 2.0], "day": pandas.to_datetime(["2024-01-01", "2024-01-02"]), "g": ["a", "b"]}
    )
    for name in ("day", "g"):
        with pytest.raises(DataError, match=f"'{name}'"):
            Objective(f"mean(({name} - a*x)**2)", frame)
    with pytest.raises(DataError, match=r"the column 'y' of '.*' is empty in line 3.*leave such rows out$"):
        fit("a*x", file)


def test_the_number_of_rows_has_a_name():
    with pytest.warns(SymgdWarning, match=r"'n' is taken for a parameter.*the number of rows is len\(x\)"):
        Objective("sum((a*x)**2)/n", {"x": np.ones(4)})


def test_a_vector_that_fits_nowhere_is_told_of():
    f = Objective("mean((y - X @ w)**2)", {"X": np.ones((20, 3)), "y": np.ones(5)})
    with pytest.raises(ValueError, match=r"as a plain vector it does not fit: 'y' with shape \(5,\) and 'X @ w'"):
        f.gradient


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("sum_i(y_i - a)", r"write sum\(y_i - a\), with whole columns for y_i"),
        ("nn.MSELoss(y, p)", r"write mean\(\(y - p\)\*\*2\)"),
        (r"\frac{1}{n}", r"symgd\.language\.latex\.read_latex translates it"),
    ],
)
def test_hints_for_what_others_write(text, hint):
    with pytest.raises(FormulaError, match=hint):
        Objective(text)


def test_modules_and_rules_speak_of_names_that_others_use():
    import symgd

    with pytest.raises(
        AttributeError, match=r"no attribute 'minimize'; write symgd\.Objective\(text, data\)\.minimize"
    ):
        symgd.minimize
    with pytest.raises(FormulaError, match="did you mean 'g'"):
        symgd.Rule("x = x - lr*grad")
    data = {"x": np.arange(3.0), "y": np.arange(3.0)}
    with pytest.raises(ValueError, match="here it is called 'target'"):
        symgd.fit("a*x", data, y="y")
    with pytest.raises(ValueError, match="the model must be a formula"):
        symgd.fit(lambda x, a: a * x, data["x"], data["y"])
    with pytest.raises(ValueError, match=r"numbers are given as data=\{'x': \.\.\., 'y': \.\.\.\}"):
        symgd.fit("a*x", data["x"], data["y"])


def test_gaps_in_the_data_are_no_matter_of_the_start():
    data = {"x": np.ones(3), "y": [1, np.nan, 3]}
    found = Objective("mean((y - a*x)**2)", data, tier="python").minimize({"a": 0}).diagnosis[0]
    assert "Leave such rows out of the data" in found.remedy
    assert Objective("sum(where(y == y, (y - a*x)**2, 0))", data, tier="python").minimize({"a": 0}).ok


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("det(v)", r"outer\(x, x\) and \[\[a, b\], \[c, d\]\] have"), ("diag(x)", r"write a list: \[a, b\]"),
        ("cumsum(x)", r"write a list: \[a, b\]"), ("sum(solve(S, x))", r"write inv\(A\)\*b for a number b"),
    ],
)  # fmt: skip
def test_functions_of_matrices_say_what_they_take(text, hint):
    with pytest.raises(FormulaError, match=hint):
        ours(text)


@pytest.mark.parametrize("text", ["v[0.0]", "v[1e0]", "sum(X, axis=0.0)", "X.sum(1.)[0]", "v[0.0:].sum()"])
def test_positions_are_written_as_whole_numbers(text):
    with pytest.raises(FormulaError, match=r"must be written as a whole number(.|\n)*write [01]$"):
        ours(text)

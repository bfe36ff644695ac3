"""Files of derivatives as people publish them: text, JSON and TOML, ``exp[...]``, nested brackets, nine parameters."""

import json

import pytest
import sympy as sp

import symgd as sg

WAVES = "b1 + b2*cos(2*pi*x/12) + b3*sin(2*pi*x/12)"
MODELS = {
    "two peaks": ("b1*exp[-b2*x] + b3*exp[-((x - b4)^2)/b5^2] + b6*exp[-((x - b7)^2)/b8^2]", "x", 8),
    "cycles": (f"{WAVES} + b5*cos(2*pi*x/b4) + b6*sin(2*pi*x/b4) + b8*cos(2*pi*x/b7) + b9*sin(2*pi*x/b7)", "x", 9),
    "sigmoid": ("b1/((1 + exp[b2 - b3*x])^(1/b4))", "x", 4),
    "ratio": ("(b1 + b2*x + b3*x^2 + b4*x^3)/(1 + b5*x + b6*x^2 + b7*x^3)", "x", 7),
    "two variables": ("b1 - b2*x1*exp[-b3*x2]", "x1, x2", 3),
}


def _paper(e):
    """Write an expression of SymPy as it stands in such files."""
    text, out, closing = sp.sstr(e).replace("**", "^").replace("exp(", "exp["), [], []
    for letter in text:
        if letter in "([":
            closing.append(")" if letter == "(" else "]")
        out.append(closing.pop() if letter == ")" else letter)
    return "".join(out)


def _derivatives(name):
    formula, data, count = MODELS[name]
    names = [f"b{i + 1}" for i in range(count)]
    plain = formula.replace("^", "**").replace("[", "(").replace("]", ")")
    e = sp.sympify(plain, locals={n: sp.Symbol(n) for n in [*names, *data.split(", ")]})
    first = {n: _paper(sp.diff(e, n)) for n in names}
    second = {(a, b): _paper(sp.diff(e, a, b)) for i, a in enumerate(names) for b in names[i:]}
    return formula, data, first, second


@pytest.mark.parametrize("name", MODELS)
def test_published_derivatives_are_proved(name, tmp_path):
    formula, data, first, second = _derivatives(name)
    lines = [f"f = {formula}", f"data {data}", *(f"df/d{n} = {t}" for n, t in first.items()),
             *(f"d2f/d{a}d{b} = {t}" for (a, b), t in second.items())]  # fmt: skip
    file = tmp_path / "model.txt"
    file.write_text("\n".join(lines))
    found = sg.check_file(file)
    assert {v.kind for check in found for v in check.values()} == {"proved"}, "\n".join(map(str, found))
    assert sum(map(len, found)) == len(first) + len(second)


def test_one_wrong_entry_is_refuted_with_its_cause(tmp_path):
    formula, data, first, second = _derivatives("sigmoid")
    first["b2"] = f"-({first['b2']})"
    given = {"formula": formula, "data": data.split(", "), "gradient": first,
             "hessian": {f"{a},{b}": t for (a, b), t in second.items()}}  # fmt: skip
    given["hessian"]["b1,b3"] = f"2*({given['hessian']['b1,b3']})"
    as_json, as_toml = tmp_path / "model.json", tmp_path / "model.toml"
    as_json.write_text(json.dumps(given))
    lines = [f'formula = "{formula}"', 'data = ["x"]', "[gradient]", *(f'{n} = "{t}"' for n, t in first.items()),
             "[hessian]", *(f'"{k}" = "{t}"' for k, t in given["hessian"].items())]  # fmt: skip
    as_toml.write_text("\n".join(lines))
    for file in (as_json, as_toml):
        jacobian, hessian = sg.check_file(file)
        assert [n for n, v in jacobian.items() if v.kind != "proved"] == ["b2"]
        assert jacobian["b2"].cause.kind == "sign"
        assert [n for n, v in hessian.items() if v.kind != "proved"] == ["b1,b3"]
        assert hessian["b1,b3"].cause.kind == "factor"


def test_both_sides_of_kinks_are_visited():
    claim = "sign(x)/(1 + x**2) + abs(arctan(x) + arctan(1/x)) - pi/2"
    found = sg.check_gradient("arctan(abs(x))", {"x": claim})["x"]
    assert found.kind == "verified"
    assert "on both sides of every kink" in found.reason
    assert sg.check_gradient("maximum(x, 5)", {"x": "0*x"})["x"].kind == "wrong"


def test_helpers_of_derivatives_have_many_digits():
    claim = "(exp(x)*(x - 1) + 1)/x**2 + abs(arctan(x) + arctan(1/x)) - pi/2"
    found = sg.check_gradient("exprel(x)", {"x": claim})["x"]
    assert found.kind == "verified"
    assert "40 digits" in found.reason


def test_a_point_that_the_text_lacks_is_told():
    found = sg.check_gradient("sum(abs(w))", {"w": "w/abs(w)"})["w"]
    assert found.kind == "proved"
    assert "no value (0/0" in found.notes[0]

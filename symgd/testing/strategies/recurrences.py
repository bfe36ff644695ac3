"""Update rules: those of the table with other numbers, and linear recurrences."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from symgd.rules import RULES, Rule, find_rule

_FADE = st.sampled_from([0.5, 0.9, 0.0, 0.99]) | st.floats(0, 0.99).map(lambda v: round(v, 3))
_WEIGHT = st.sampled_from([1.0, 0.5, 2.0]) | st.floats(0.1, 2).map(lambda v: round(v, 3))
_SMALL = st.sampled_from([1e-8, 1e-4, 1e-2])
# What a hyperparameter may be, by its name; others keep the number of the table.
_HYPER = {
    **dict.fromkeys(("beta", "beta1", "beta2", "rho"), _FADE),
    "eps": _SMALL,
    "decay": st.sampled_from([0.0, 0.01, 0.1]),
    "noise": st.sampled_from([0.0, 0.1, 1.0]),
    "q": st.sampled_from([0.01, 0.25, 0.5]) | st.floats(1e-4, 0.9),
}
# Recurrences whose only resting points are those where the gradient is 0.
_LINEAR = (
    ("x = x - {b}*lr*g", 0),
    ("v = {a}*v - {b}*lr*g; x = x + v", 1),
    ("v = {a}*v + {b}*g; x = x - lr*(g + {c}*v)", 1),
    ("z = x - {b}*lr*g; x = z + {a}*(z - y); y = z", 1),
    ("v = {a}*v + {b}*g; w = {d}*w + v; x = x - lr*(w + {c}*g)", 2),
)


def rules(*, linear: bool | None = None) -> SearchStrategy[Rule]:
    """Draw update rules.

    Parameters
    ----------
    linear : bool, optional
        Only rules that are linear and the same in every step, so that `Rule.theory` has rates, or only the others; by
        default both.

    Returns
    -------
    SearchStrategy of Rule

    Examples
    --------
    >>> from hypothesis import find
    >>> bool(find(rules(), lambda rule: rule.states).states)
    True
    """

    @st.composite
    def recurrences(draw: DrawFn) -> Rule:
        text, _ = draw(st.sampled_from(_LINEAR))
        numbers = {"a": draw(_FADE), "b": draw(_WEIGHT), "c": draw(_WEIGHT), "d": draw(_FADE)}
        written = text.format(**{k: f"{v:g}" for k, v in numbers.items()})
        return Rule(written, {"y": "x"} if "y = z" in text else None)

    of_table = [name for name in RULES if linear is None or (_is_linear(name) == linear)]

    @st.composite
    def named(draw: DrawFn) -> Rule:
        rule = find_rule(draw(st.sampled_from(of_table)))
        return rule.with_hyper({name: draw(_HYPER[name]) for name in rule.hyper if name in _HYPER})

    return named() if linear is False else recurrences() | named()


def _is_linear(name: str) -> bool:
    from symgd.insight.theory import obstacle

    return not obstacle(find_rule(name))

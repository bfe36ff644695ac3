"""Slips as sentences: made last, from data."""

from __future__ import annotations

from symgd.testing.causes.edits import Slip
from symgd.testing.causes.identify import Identity
from symgd.testing.causes.neighbours import Neighbour
from symgd.testing.causes.write import statements
from symgd.testing.report import Cause

_NO_EPS = 1e-25  # smaller than anybody chooses: there is none
_MOMENTUM = ("momentum", "nesterov", "qhm", "signum")


def cause(found: Identity) -> Cause | None:
    """Say what is wrong with an optimizer.

    Parameters
    ----------
    found : Identity
        What it was found to be.

    Returns
    -------
    Cause or None
        ``None`` where nothing is known to be.
    """
    if found.form is None:
        return None
    method = found.form.method
    if found.slip is not None:
        n = found.slip
        said = _said(n, method)
        right = n.statement or statements(found.form.recurrence().steps)
        yours = n.yours or statements(n.rule.steps)
        return Cause(str(n.slip), method, said, right, yours)
    if found.fitted is not None and "eps" in found.fitted.free and float(found.fitted.hyper["eps"]) < _NO_EPS:
        said = f"eps is missing: where all gradients have been 0, {method} divides 0 by 0"
        return Cause(str(Slip.TERM), method, said, found.form.text)
    if found.digits:
        said = (
            f"single precision: it agrees with {method} to seven digits and no further; keep states in double precision"
        )
        return Cause(str(Slip.SINGLE_STATES), method, said)
    if not found.proportional:
        said = "its steps are not proportional to its learning rate: lr is applied twice, or not at all"
        return Cause(str(Slip.TWICE), method, said, found.form.text)
    if found.odd:
        pairs = "; ".join(f"it says {k}={v:g}, and does what {k}={w:.6g} does" for k, (v, w) in found.odd.items())
        swapped = set(found.odd) == {"beta1", "beta2"} and abs(found.odd["beta1"][0] - found.odd["beta2"][1]) < 1e-6
        said = f"{'beta1 and beta2 are swapped: ' if swapped else ''}{pairs}"
        return Cause(str(Slip.SWAPPED if swapped else Slip.NAME), method, said, found.form.text)
    return None


def odd_numbers(found: Identity) -> Cause | None:
    """Say which numbers are outside of what convergence is shown for.

    Parameters
    ----------
    found : Identity
        What an optimizer was found to be.

    Returns
    -------
    Cause or None
    """
    if found.fitted is None or found.form is None:
        return None
    hyper = found.fitted.hyper
    if found.form.method in ("adam", "adamw", "amsgrad", "nadam", "nadamw") and "beta1" in found.fitted.free:
        b1, b2 = float(hyper["beta1"]), float(hyper["beta2"])
        if b1**2 >= b2**0.5:
            said = f"beta1={b1:.6g} and beta2={b2:.6g} look swapped: Adam assumes beta1**2 < sqrt(beta2)"
            return Cause("swapped", found.form.method, said, found.form.text)
    return None


def _with(n: Neighbour, fallback: str = "") -> str:
    return f": with {n.statement} it holds" if n.statement else fallback


# A sentence for each slip; `{with_}` says with which statement it holds.
_SENTENCES = {
    Slip.SIGN: "the sign of {part} is wrong{with_}",
    Slip.TERM: "the term {part} is missing{with_}",
    Slip.FACTOR: "the factor {part} is missing{with_}",
    Slip.TWICE: "{part} is applied twice{with_}",
    Slip.SQUARE: "{part} is {instead}{with_}",
    Slip.FUNCTION: "{part} is {instead}{with_}",
    Slip.OTHER_FUNCTION: "{part} is {instead}{with_}",
    Slip.EPS: "eps is inside of the root{with_}",
    Slip.NAME: "{instead} stands for {part}{with_}",
    Slip.SHARE: "{instead} stands for {part}{with_}",
    Slip.SWAPPED: "{part} and {instead} are swapped",
    Slip.ORDER: "the order of statements is wrong: {part} comes first, {instead} after it",
    Slip.STALE: "the gradient is stale, that of the step before{with_}",
    Slip.FRESH: "the bare gradient stands for {part}{with_}",
    Slip.LOST: "{part} is not kept from one step to the next",
    Slip.START: "{part} starts at {instead}",
    Slip.COUPLED: "weight decay is in the gradient, an L2 penalty; it should be apart from it, x - lr*decay*x",
    Slip.DECOUPLED: "weight decay is apart from the gradient; an L2 penalty adds decay*x to it",
    Slip.UNSCALED: "weight decay is not multiplied by the learning rate",
    Slip.FLIPPED: "{instead} stands for {part}{with_}",
    Slip.WHOLE: "{instead}, one number for all parameters, stands for {part}{with_}",
    Slip.SCALED: "{instead} stands for {part}{with_}",
    Slip.KEPT: "{instead} is kept in the place of {part}, and goes into the next step",
    Slip.LATE: "{instead} stands for {part}: the correction does not fade{with_}",
}


def _said(n: Neighbour, method: str) -> str:
    match n.slip:
        case Slip.BIAS:
            which = f" of the average with {n.part}" if n.part else ""
            return f"bias correction{which} is missing: averages that start at 0 are to be divided by 1 - beta**t"
        case Slip.FACTOR if "**t" in n.part and "1 - " in n.part:
            return f"bias correction is missing, the division by {n.part}{_with(n)}"
        case Slip.SIGN if "beta*" in n.part and method in _MOMENTUM:
            return f"your momentum has the wrong sign{_with(n)}"
        case Slip.COUNT:
            where = "the schedule" if n.statement.startswith("lr =") else "t"
            return f"{where} is off by one: {n.instead} stands for t{_with(n, ', the number of the step from 1')}"
        case Slip.EPS if "sqrt(" not in n.instead or "maximum" in n.instead:
            return f"eps is a lower bound{_with(n)}"
        case Slip.ORDER if n.part == "decay*x":
            return "weight decay is taken of the new point; it should be of the one before the step"
    return _SENTENCES[n.slip].format(part=n.part, instead=n.instead, with_=_with(n))

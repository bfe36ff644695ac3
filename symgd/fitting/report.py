"""The table of a fit, as text and as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symgd import display
from symgd.parameters import flat_of

if TYPE_CHECKING:
    from symgd.fitting.result import Fit

_SHOWN = 40  # parameters that a table has lines for
_CLOSE = 0.95  # correlation that is worth a line


def summary(fit: Fit) -> str:
    """Give a fit as text.

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    str
    """
    lines = [
        f"fitted {display.one_line(fit.target, 30)} = {display.one_line(fit.model)}",
        f"  outcome    {fit.outcome} ({'ok' if fit.ok else 'not ok'}): {fit.message}",
        f"  rows       {fit.n:,}, degrees of freedom {fit.dof:,}",
        f"  residuals  rss {fit.rss:.10g}, standard deviation {fit.rsd:.6g}, R2 {fit.r2:.6g}",
        f"  likelihood {fit.loglik:.6g}, AIC {fit.aic:.6g}, BIC {fit.bic:.6g}",
        f"  errors     {_kind(fit)}",
    ]
    if fit.fixed:
        lines.append("  fixed      " + ", ".join(f"{name} = {value:.10g}" for name, value in fit.fixed.items()))
    lines += ["", *(f"  {line}" for line in display.lines([_header(fit), *_rows(fit)], left=1))]
    if len(fit.x) > _SHOWN:
        lines.append(f"  ... and {len(fit.x) - _SHOWN:,} more")
    lines += _correlated(fit)
    lines += ["", *(f"  finding    {finding}" for finding in fit.diagnosis)] if fit.diagnosis else []
    return "\n".join(lines)


def _header(fit: Fit) -> list[str]:
    low, high = (1 - fit.level) / 2, (1 + fit.level) / 2
    return ["parameter", "estimate", "std. error", "t", "p", f"{100 * low:.4g} %", f"{100 * high:.4g} %"]


def _rows(fit: Fit) -> list[list[str]]:
    t, p, e = (flat_of(found.values()) for found in (fit.tstat, fit.pvalues, fit.stderr))
    low, high = (flat_of(ends) for ends in zip(*fit.intervals.values(), strict=True))
    rows = []
    for i, name in enumerate(fit.names[:_SHOWN]):
        rows.append([name, f"{fit.x[i]:.10g}", f"{e[i]:.6g}", f"{t[i]:.4g}", f"{p[i]:.3g}",
                     f"{low[i]:.6g}", f"{high[i]:.6g}"])  # fmt: skip
    return rows


def _kind(fit: Fit) -> str:
    source = {"jacobian": "from the exact Jacobian", "hessian": "from the exact Hessian",
              "robust": "robust to unequal variances (White)"}[fit.covariance_kind]  # fmt: skip
    return source + (", standard deviations taken as absolute" if fit.absolute_sigma else "")


def _correlated(fit: Fit) -> list[str]:
    """Name the pairs of parameters that can hardly be told apart."""
    import numpy as np

    found = np.abs(np.nan_to_num(np.triu(fit.correlation, 1)))
    pairs = [(found[i, j], i, j) for i, j in zip(*np.nonzero(found > _CLOSE), strict=True)]
    if not pairs:
        return []
    strongest = sorted(pairs, reverse=True)[:4]
    listed = ", ".join(f"{fit.names[i]} and {fit.names[j]} {fit.correlation[i, j]:.5f}" for _, i, j in strongest)
    return ["", f"  correlated {listed}" + (f", and {len(pairs) - 4} more pairs" if len(pairs) > 4 else "")]


def html(fit: Fit) -> str:
    """Give a fit as HTML.

    Parameters
    ----------
    fit : Fit
        The fit.

    Returns
    -------
    str
    """
    about = f"{fit.outcome} ({'ok' if fit.ok else 'not ok'}): {fit.message}; rss {fit.rss:.8g}, rsd {fit.rsd:.6g}, "
    about += f"R2 {fit.r2:.6g}, {fit.dof:,} degrees of freedom"
    title = display.code(f"{display.one_line(fit.target, 30)} = {display.one_line(fit.model)}")
    caption = display.Markup(f"{title}<br>{display.escaped(about)}")
    return display.html(caption, _rows(fit), _header(fit))

"""Is somebody's optimizer what it should be? All properties that apply, one after the other, and a report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symgd import checks
from symgd.checks import is_number
from symgd.errors import UsageError, shown, suggest
from symgd.progress import progress as bar
from symgd.rules import RULES, Rule
from symgd.testing.adapters import Minimizer, Steps, adapt
from symgd.testing.causes import words
from symgd.testing.causes.catalogue import Form, forms, methods
from symgd.testing.causes.identify import Identity, identify
from symgd.testing.causes.recurrence import Observed
from symgd.testing.contract import DUTIES, Duty
from symgd.testing.ends import ENDS
from symgd.testing.laws import LAWS, check, laws_of
from symgd.testing.laws.case import Answer
from symgd.testing.protocol import Setting
from symgd.testing.published import of_verdict
from symgd.testing.report import Cause, Counterexample, Finding, Report
from symgd.testing.smallest import where_they_part
from symgd.testing.symmetries import SYMMETRIES

UPDATE = "update"  # the name of the property that steps are those of a published optimizer
_OTHER = {"sgd": "gd", "heavy ball": "momentum", "heavyball": "momentum", "polyak": "momentum", "nag": "nesterov"}
_STILL = ("repeatable", "rests", "aliasing", "converges")  # what an optimizer that draws need not do
_TICKS = 20


def check_optimizer(
    optimizer: Any, like: str | Rule | None = None, *, laws: Collection[str] | None = None,
    claims: Collection[str] = (), lr: Setting | None = None, hyper: Mapping[str, Any] | None = None, state: Any = None,
    name: str = "", examples: int = 20, seed: int = 0, progress: bool | None = None,
) -> Report:  # fmt: skip
    """Check an optimizer against all that it must do, and all that is published about what it is.

    Its steps are compared with those of the published optimizers, whose numbers are fitted where it keeps them to
    itself; where none agrees, with each of them after one slip of the pen, which is then the cause. What holds for the
    published optimizer is checked on problems that Hypothesis draws. What any optimizer owes its caller is checked in
    any case; an optimizer that is like none of the published ones, and claims nothing, is held to that alone.

    Parameters
    ----------
    optimizer : object
        A function ``step(x, g, state)`` that gives the new point, or point and state; a class or object with such a
        method; a name of the table of rules, a rule's text, or a `Rule`; a class, object or factory of ``torch.optim``;
        a transformation of Optax, or what makes one; an optimizer of Keras; the name of a method of symgd or SciPy; or
        a function that is called as ``scipy.optimize.minimize`` is.
    like : str or Rule, optional
        What it should be: the name of an optimizer, such as ``"adam"``, or a rule. By default this is found out.
    laws : collection of str, optional
        Which properties to check, by name; by default all that apply.
    claims : collection of str
        What else it should have of ``permutation``, ``mirror`` and ``translation``; ``"stochastic"`` for one that
        draws.
    lr : float or str, optional
        The learning rate that it has, a number or a formula of t; where it can be set, it is set to this.
    hyper : mapping, optional
        Its other numbers, by its own names or those of the table of rules.
    state : object, optional
        What a step keeps before the first one, or a function of the start that gives it. By default what is usual is
        tried: an empty dictionary, ``None``, zeros.
    name : str
        What to call it.
    examples : int
        How many problems to draw for each published property, at least 1.
    seed : int
        Which ones, at least 0.
    progress : bool, optional
        Whether to show progress; by default after two seconds, on a terminal.

    Returns
    -------
    Report

    Raises
    ------
    UsageError
        If it is no optimizer, or there is no such property or method.

    Examples
    --------
    >>> def step(x, g, v):
    ...     v = -0.9 * v - 0.1 * g
    ...     return x + v, v
    >>> report = check_optimizer(step)
    >>> report.ok
    False
    >>> report.causes[0].said
    'your momentum has the wrong sign: with v = beta*v - lr*g it holds'
    """
    checks.whole("examples", examples, 1)
    checks.whole("seed", seed)
    given = dict(hyper or {})
    if lr is not None:
        given["lr"] = lr
    adapted = adapt(optimizer, {k: v for k, v in given.items() if not isinstance(v, str)}, name=name, state=state)
    wanted = _wanted(laws)
    meant, method = _meant(like, adapted, {k: v for k, v in given.items() if is_number(v) and k != "lr"})
    with bar(_TICKS, "laws", wanted=progress) as tick:
        done = _Check(adapted, given, wanted, frozenset(claims), examples, seed, tick)
        if isinstance(adapted, Minimizer):
            done.ends(meant, method)
        else:
            done.steps(meant, method)
    order = {Answer.FAILS: 0, Answer.UNDECIDED: 2, Answer.HOLDS: 1}
    found = sorted(done.findings, key=lambda f: order[f.answer])
    findings = tuple(_ready(f, optimizer, hyper, state) for f in found)
    return Report(adapted.name, adapted.style, done.recognised, findings, done.method)


def assert_optimizer(optimizer: Any, like: str | Rule | None = None, **options: Any) -> None:
    """Fail where an optimizer does not do what it must, with the whole report.

    Parameters
    ----------
    optimizer : object
        As for `check_optimizer`.
    like : str or Rule, optional
        Likewise.
    **options : object
        Likewise.

    Raises
    ------
    AssertionError
        If a property fails; its message is the report, with causes and counterexamples.

    Examples
    --------
    >>> assert_optimizer(lambda x, g: x - 0.1 * g, like="gd")
    """
    __tracebackhide__ = True  # pytest shows the caller
    report = check_optimizer(optimizer, like, **options)
    if not report.ok:
        raise AssertionError("\n" + repr(report))


def names_of_laws() -> list[str]:
    """Give the names of all properties.

    Returns
    -------
    list of str
    """
    return [UPDATE, *(d.name for d in (*DUTIES, *SYMMETRIES)), *(e.name for e in ENDS), *LAWS]


def _ready(finding: Finding, optimizer: Any, hyper: Mapping[str, Any] | None, state: Any) -> Finding:
    """Make the program of a counterexample complete: with the optimizer, and what was said of it."""
    if finding.example is None:
        return finding
    made = f"optimizer = {optimizer!r}" if isinstance(optimizer, str) else ""
    if isinstance(optimizer, Rule):
        init = f", {dict(optimizer.init)!r}" if optimizer.init else ""
        numbers = "".join(f", {k}={v!r}" for k, v in optimizer.hyper.items())
        made = f"optimizer = sg.Rule({optimizer.text!r}{init}{numbers})"
    more = [f"hyper={dict(hyper)!r}"] if hyper else []
    more += ["state=state"] if state is not None else []
    return replace(finding, example=replace(finding.example, optimizer=made, more=", ".join(more)))


def _wanted(laws: Collection[str] | None) -> frozenset[str] | None:
    if laws is None:
        return None
    chosen = [laws] if isinstance(laws, str) else list(laws)
    known = names_of_laws()
    for law in chosen:
        if law not in known:
            near = suggest(str(law), known)
            hint = f"did you mean '{near}'?" if near else f"take some of {', '.join(known)}"
            raise UsageError(f"laws: {shown(law)} is not known; {hint}")
    return frozenset(chosen)


def _meant(like: str | Rule | None, adapted: Steps, numbers: dict[str, Any]) -> tuple[list[Form] | None, str]:
    """Give the forms that an optimizer is meant to be one of, and the method whose laws are to hold."""
    if isinstance(like, Rule):
        return [_of_rule(like)], like.name
    if like is None:
        table = adapted.method
        return (None if table is None or table not in RULES else [f for f in forms() if f.method == table]), table or ""
    if "=" in like:
        return [_of_rule(Rule(like, **numbers))], ""
    name = _OTHER.get(like.lower(), like)
    known = [*methods(), *RULES]
    if isinstance(adapted, Minimizer) and name not in known:
        return None, name
    if name not in known:
        near = suggest(like, known)
        hint = f"did you mean '{near}'?" if near else f"take one of {', '.join(dict.fromkeys(known))}, or a rule"
        raise UsageError(f"like={shown(like)} is not known; {hint}")
    found = [f for f in forms() if f.method == name]
    decays = any(v for k, v in adapted.known.items() if k in ("decay", "weight_decay", "wd", "l2", "lambd"))
    own = found[0].hyper
    return [f for f in found if "decay" in own or "decay" not in f.hyper or decays], name


def _of_rule(rule: Rule) -> Form:
    hyper = {k: float(v) for k, v in rule.hyper.items() if is_number(v)}
    return Form(rule.name or "the rule", rule.text, "the rule that was given", hyper, rule.init)


class _Check:
    """One check on its way."""

    def __init__(
        self, adapted: Steps, given: Mapping[str, Any], wanted: frozenset[str] | None, claims: frozenset[str],
        examples: int, seed: int, tick: Any,
    ) -> None:  # fmt: skip
        self.adapted, self.given, self.wanted, self.claims = adapted, given, wanted, claims
        self.examples, self.seed, self.tick = examples, seed, tick
        self.findings: list[Finding] = []
        self.recognised, self.method = "", ""
        self.settings: dict[str, Setting] = {}
        if "lr" in adapted.settable:
            own: Setting = given.get("lr", adapted.known.get("lr", 0.05))
            self.settings["lr"] = own if adapted.scheduled or not isinstance(own, str) else 0.05

    def wants(self, name: str) -> bool:
        """Say whether a property is asked for."""
        return self.wanted is None or name in self.wanted

    # ---- optimizers that take steps ----------------------------------------------------------------------------------

    def steps(self, meant: Sequence[Form] | None, method: str) -> None:
        """Check an optimizer that takes steps."""
        draws = "stochastic" in self.claims or getattr(self.adapted, "draws", False)
        found = None if draws else self.update(meant, method)
        for duty in DUTIES:
            if self.wants(duty.name) and not (draws and duty.name in _STILL):
                self.duty(duty)
        if found is not None and found.agrees:
            self._excuse(found)
        if draws:
            self.method = method
            return
        if found is None or not found.agrees:
            for duty in SYMMETRIES:
                if self.wants(duty.name):
                    self.duty(duty, claimed=duty.name in self.claims)
        self.method = method or (found.form.method if found is not None and found.form is not None else "")
        if self.method:
            self.published(found)

    def duty(self, duty: Duty, *, claimed: bool = True) -> None:
        """Check what every optimizer owes its caller."""
        self.tick(1, duty.name)
        came = duty.check(self.adapted, self.settings)
        if came is None:
            return
        answer, why = came.answer, came.why
        if claimed and duty in SYMMETRIES and answer is Answer.UNDECIDED:
            answer, why = Answer.FAILS, "it does not, and it is claimed"
        self.findings.append(Finding(duty.name, duty.claim, "", answer, why, example=came.example))

    def _excuse(self, found: Identity) -> None:
        """Let an optimizer move at rest where what is published does so, being the same."""
        assert found.form is not None
        assert found.fitted is not None
        zeros = np.zeros((8, 2))
        seen = Observed(np.vstack([np.zeros((1, 2))] * 9), zeros, np.zeros(8))
        moves = found.form.recurrence()(seen, {"lr": 1.0, **found.fitted.hyper}).any()
        for k, finding in enumerate(self.findings):
            if moves and finding.law == "rests" and finding.answer is Answer.FAILS:
                why = f"it moves, as {found.form.method} itself does in this form"
                self.findings[k] = replace(finding, answer=Answer.UNDECIDED, why=why, example=None)

    def update(self, meant: Sequence[Form] | None, method: str) -> Identity | None:
        """Compare its steps with those of the published optimizers."""
        if not self.wants(UPDATE) and self.wanted is not None and not self.wanted & set(LAWS):
            return None
        found = identify(self.adapted, meant, {k: v for k, v in self.given.items() if is_number(v) or k == "lr"},
                         lambda done, note="": self.tick(min(done + 5, _TICKS), note))  # fmt: skip
        self.recognised = _recognised(found)
        if self.wants(UPDATE):
            finding = self._of_identity(found, claimed=meant is not None, method=method)
            self.findings.append(finding)
        return found

    def _of_identity(self, found: Identity, *, claimed: bool, method: str) -> Finding:
        form = found.form or found.nearest
        claim = "its steps are those of a published optimizer"
        if claimed and form is not None:
            claim = f"its steps are those of {form.method}: {form.text}"
        elif found.form is not None:
            claim = f"its steps are those of {found.form.method}: {found.form.text}"
        source = "" if form is None else form.source
        if found.unseen:
            return Finding(UPDATE, claim, source, Answer.UNDECIDED, found.unseen)
        wrong = words.cause(found)
        if found.agrees and wrong is not None and not claimed and not found.digits and found.proportional:
            named = set(found.odd) <= {"beta1", "beta2"} or all(abs(v + w - 1) < 1e-6 for v, w in found.odd.values())
            wrong = wrong if named else None
        if found.digits and self.adapted.style in ("torch", "optax", "keras"):
            # Libraries keep counters and learning rates in single precision; states are looked at in `precision`.
            wrong = None
        if found.agrees and wrong is None and claimed and abs(found.scale - 1) > 1e-6:
            said = f"its learning rate acts as {found.scale:.6g} times what it says"
            wrong = Cause("scale", method, said)
        if found.agrees and wrong is None:
            wrong = words.odd_numbers(found)
        if found.agrees and wrong is None:
            return Finding(UPDATE, claim, source, Answer.HOLDS)
        if found.form is None and not claimed:
            why = "it is none of the published optimizers, nor one of them after a slip: nothing is claimed"
            return Finding(UPDATE, claim, "", Answer.UNDECIDED, why)
        example = self._parting(found)
        why = "" if example is None else example.shown
        if wrong is None:
            why = f"it is not {method or 'the rule'}; no single slip explains it{'. ' if why else ''}{why}"
        elif not claimed and found.slip is not None and found.form is not None:
            why = f"it is {found.form.method}, but for one slip{'. ' if why else ''}{why}"
        return Finding(UPDATE, claim, source, Answer.FAILS, why, wrong, example)

    def _parting(self, found: Identity) -> Counterexample | None:
        form = found.form or found.nearest
        if form is None:
            return None
        hyper: dict[str, Setting] = {**form.hyper, **(found.fitted.hyper if found.fitted is not None else {})}
        hyper |= {k: v[0] for k, v in found.odd.items()}
        if "lr" not in hyper or (found.agrees and not found.digits):
            lr = self.given.get("lr", self.adapted.known.get("lr"))
            if lr is None and "lr" not in hyper:
                return None
            hyper["lr"] = hyper["lr"] if lr is None else lr
        return where_they_part(self.adapted, form.recurrence(), hyper, form.method)

    def published(self, found: Identity | None) -> None:
        """Check what is published about the method that it is, or should be."""
        if found is not None and found.agrees and found.form is not None and not found.form.table:
            row = RULES.get(self.method)
            if row is None or set(found.form.hyper) - set(row.hyper):  # decay, dampening: the laws are not about those
                return
        laws = [law for law in laws_of(self.method) if law.methods]
        for k, law in enumerate(laws):
            if self.wants(law.name):
                self.tick(_TICKS // 2 + k % (_TICKS // 2), law.name)
                verdict = check(law, self.adapted, examples=self.examples, seed=self.seed)
                wrong = words.cause(found) if found is not None and verdict.answer is Answer.FAILS else None
                self.findings.append(of_verdict(law, verdict, wrong))

    # ---- minimizers -------------------------------------------------------------------------------------------------

    def ends(self, meant: Sequence[Form] | None, method: str) -> None:
        """Check a minimizer that runs to its end."""
        assert isinstance(self.adapted, Minimizer)
        for end in ENDS:
            if self.wants(end.name):
                self.tick(1, end.name)
                came = end.check(self.adapted, method)
                if came is not None:
                    self.findings.append(Finding(end.name, end.claim, "", came.answer, came.why, example=came.example))
        if self.adapted.gradients and self.adapted.name.split()[0] != "scipy" and self.adapted.method is None:
            self.update(meant, method)
        self.method = method


def _recognised(found: Identity) -> str:
    if found.form is None:
        return ""
    numbers = ""
    if found.fitted is not None:
        free = {k: v for k, v in found.fitted.hyper.items() if k in found.fitted.free}
        numbers = ", ".join(f"{k}={v:.6g}" for k, v in free.items() if isinstance(v, float))
    but = " but for one slip" if found.slip is not None else ""
    form = "" if found.form.table else f", {found.form.source}"
    return f"Recognised as {found.form.method}{but}{form}{f' (found: {numbers})' if numbers else ''}."

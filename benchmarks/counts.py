"""How often formulas are parsed, read, lowered, differentiated and compiled by each call that a user makes.

Run from the checkout::

    python benchmarks/counts.py

Each task runs in a process of its own, with an empty cache, so that nothing is known beforehand.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import wraps

TASKS = {
    "Objective": "f = make()",
    "first value": "f = make(); reset(); f.value(w=1, b=2)",
    "gradient": "f = make(); reset(); f.gradient",
    "gradient_at": "f = make(); reset(); f.gradient_at(w=1, b=2)",
    "hessian_at": "f = make(); reset(); f.hessian_at(w=1, b=2)",
    "minimize": "f = make(); f.value(w=1, b=2); reset(); f.minimize({'w': 0, 'b': 0})",
    "minimize, lr=0.1": "f = make(); f.value(w=1, b=2); reset(); f.minimize({'w': 0, 'b': 0}, lr=0.1, steps=10)",
    "minimize, lr='0.1/t'": "f = make(); f.value(w=1, b=2); f.minimize({'w': 0, 'b': 0}, lr=0.1, steps=10); reset()\n"
    "f.minimize({'w': 0, 'b': 0}, lr='0.1/t', steps=10)",
    "minimize, a rule": "f = make(); f.value(w=1, b=2); reset()\n"
    "f.minimize({'w': 0, 'b': 0}, method=RULE, lr=0.1, steps=10)",
    "maximize": "f = make('-'); f.value(w=1, b=2); reset(); f.maximize({'w': 0, 'b': 0})",
    "curvature": "f = make(); f.value(w=1, b=2); reset(); f.curvature(w=1, b=2)",
    "Rule": "sg.Rule('v = beta*v - lr*g; x = x + v', beta=.9)",
    "Rule.theory": "RULE.theory(smallest=1, largest=9)",
    "fit": "sg.fit('w*x + b', DATA, start={'w': 0, 'b': 0})",
    "fit, weights, a formula": "sg.fit('w*x + b', DATA, 'log(y)', start={'w': 0, 'b': 0}, weights='x + 1')",
    "fit, arrays": "sg.fit('X @ w', {'X': np.eye(5)[:, :3], 'y': DATA['y']}, start={'w': np.zeros(3)})",
    "predict": "fit = sg.fit('w*x + b', DATA, start={'w': 0, 'b': 0}); reset(); fit.predict({'x': [1.0, 2.0]})",
}
COLUMNS = ("parses", "readings", "lowerings", "gradients", "Hessians", "programs", "compilations")
SETUP = """
import numpy as np, symgd as sg
DATA = {'x': np.arange(5.0), 'y': np.array([1.0, 2.9, 5.1, 7.0, 9.2])}
RULE = sg.Rule('v = beta*v - lr*g; x = x + v', beta=.9)
reset()
def make(sign=''):
    return sg.Objective(sign + 'mean((y - (w*x + b))**2)', data=DATA)
"""


def count() -> tuple[dict[str, int], object]:
    """Count the calls of what does the work, wherever a module has its name."""
    import symgd.cli
    import symgd.fitting
    import symgd.insight.theory  # noqa: F401
    from symgd.graph import calculus, reading
    from symgd.kernel.code import module
    from symgd.kernel.machine import compile as machine
    from symgd.language import Parser
    from symgd.language.functions import FUNCTIONS
    from symgd.rules import lowering

    found = dict.fromkeys(COLUMNS, 0)

    def counted(function, column):
        @wraps(function)
        def call(*args, **kwargs):
            found[column] += 1
            return function(*args, **kwargs)

        for module_ in [m for name, m in sys.modules.items() if name.startswith("symgd")]:
            for name, value in list(vars(module_).items()):
                if value is function:
                    setattr(module_, name, call)

    counted(reading.read, "readings")
    counted(lowering.lower, "lowerings")
    counted(calculus.gradient, "gradients")
    counted(calculus.hessian, "Hessians")
    counted(module.generate, "programs")
    counted(machine.compile_written, "compilations")
    made = Parser.__init__

    def parser(self, *args, **kwargs):
        found["parses"] += 1
        made(self, *args, **kwargs)

    Parser.__init__ = parser
    for row in FUNCTIONS.values():  # the table's own definitions are not the user's formulas
        for text in filter(None, (row.definition, *row.partials)):
            reading.template(text)
    return found, lambda: found.update(dict.fromkeys(COLUMNS, 0))


def main() -> None:
    """Print a row a task."""
    if len(sys.argv) > 1:
        found, reset = count()
        space = {"reset": reset}
        exec(SETUP, space)
        exec(TASKS[sys.argv[1]], space)
        print(*(found[c] for c in COLUMNS))
        return
    print(f"{'':24s}", *(f"{c:>12s}" for c in COLUMNS))
    for task in TASKS:
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "SYMGD_CACHE": folder}
            done = subprocess.run([sys.executable, __file__, task], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        print(f"{task:24s}", *(f"{n:>12s}" for n in done.stdout.split()))


if __name__ == "__main__":
    main()

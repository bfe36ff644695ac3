"""Modules that symgd writes for other languages, run: all of one target in one process, so that hundreds are cheap."""

import ctypes
import importlib.util
import inspect
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np

from symgd.kernel.code.identifiers import identifier
from symgd.language.quoted import quoted

NODE = shutil.which("node")

_DRIVER = """
import {{ readFileSync }} from "node:fs";
const jobs = JSON.parse(readFileSync("{folder}/jobs.json", "utf8"), (key, v) => v?.float ?? (v === null ? NaN : v));
const number = (s) => typeof s === "string" ? Number(s) : Array.isArray(s) ? s.map(number) : s;
const spelt = (v) => Array.from(v, (x) => String(Object.is(x, -0) ? "-0" : x));
const answers = [];
for (const job of jobs) {{
    const {{ objective }} = await import(job.file);
    const data = Object.fromEntries(Object.entries(job.data).map(([k, v]) => [k, number(v)]));
    const f = job.embedded ? objective() : objective(data);
    const answer = [];
    for (const [point, direction] of job.points) {{
        const [x, v] = [number(point), number(direction)];
        const {{ value, gradient }} = f.valueAndGradient(x);
        const second = [f.hessian(x), f.hessianTimes(x, v)];
        answer.push([[f.value(x)], [value], gradient, ...second].map(spelt));
    }}
    const runs = [];
    for (const [start, steps, options] of job.runs) {{
        const run = f.minimize(number(start), steps, options);
        runs.push([spelt(run.point), spelt([run.value]), run.steps]);
    }}
    answers.push([answer, runs]);
}}
console.log(JSON.stringify(answers));
"""


def _spelt(values):
    """Numbers as text, which JSON has for infinite ones too."""
    return (
        np.vectorize(lambda x: repr(float(x)).replace("inf", "Infinity").replace("nan", "NaN"), otypes=[object])(
            np.asarray(values, float)
        ).tolist()
        if np.size(values)
        else []
    )


def _numbers(texts):
    return np.array([float(t.replace("Infinity", "inf").replace("NaN", "nan")) for t in texts])


def node(file):
    """Run a module of JavaScript that prints JSON."""
    done = subprocess.run([NODE, str(file)], capture_output=True, text=True)
    assert not done.returncode, done.stderr[-3000:]
    return json.loads(done.stdout)


def javascript(jobs, folder):
    """Run modules of JavaScript.

    Each job is (code, data, [(point, direction)], [(start, steps, options)]); data are by name, points flat. The
    answers are lists of (value, value, gradient, Hessian, product) and of (point, value, steps).
    """
    folder, listed, codes = Path(folder), [], {}
    for place, (code, data, points, runs) in enumerate(jobs):
        file = folder / f"m{codes.setdefault(code, place)}.mjs"
        file.write_text(code)
        listed.append(
            {
                "file": str(file),
                "data": {k: _spelt(v) for k, v in (data or {}).items()},
                "embedded": data is None,
                "points": [[_spelt(x), _spelt(v)] for x, v in points],
                "runs": [[_spelt(x), steps, options] for x, steps, options in runs],
            }
        )
    (folder / "jobs.json").write_text(json.dumps(listed))
    (folder / "driver.mjs").write_text(_DRIVER.format(folder=folder))
    return [
        (
            [[_numbers(part) for part in answer] for answer in answers],
            [(_numbers(x), _numbers(f)[0], t) for x, f, t in runs],
        )
        for answers, runs in node(folder / "driver.mjs")
    ]


GCC = shutil.which("gcc")
HAS = {name: importlib.util.find_spec(name) is not None for name in ("jax", "torch")}
WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Werror"]


_TYPES = {"double": np.float64, "float": np.float32} | {f"{t}_t": np.dtype(t) for t in
          ("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32")}  # fmt: skip


def c(jobs, folder, flags=("-O1",)):
    """Compile modules of C, and call their functions; the arguments are those of `javascript`."""
    answers, codes = [], {}
    for place, (code, data, points, runs) in enumerate(jobs):
        library = Path(folder) / f"m{codes.setdefault(code, place)}.so"
        if not library.exists():
            file = library.with_suffix(".c")
            file.write_text(code)
            compiled([*flags, "-shared", "-fPIC", str(file), "-o", str(library), "-lm"])
        module = _Library(ctypes.CDLL(str(library)), code, data)
        found = []
        for x, v in points:
            out, full, product = module.room(x), module.room(x, 2), module.room(x)
            value = module.call("value_and_gradient", point=x, out=out)
            module.call("hessian", point=x, full=full, unit=module.room(x), column=module.room(x))
            module.call("hessian_times", point=x, direction=v, out=product)
            found.append([np.array([module.call("value", point=x)]), np.array([value]), out, full, product])
        ends = []
        for x, steps, _ in runs:
            point, value = np.array(x, float), np.zeros(1)
            taken = module.call("minimize", point=point, steps=steps, value=value, work=np.zeros(9 * len(point)))
            ends.append((point, value[0], taken))
        answers.append((found, ends))
    return answers


def compiled(arguments):
    """Compile without a warning."""
    done = subprocess.run([GCC, *WARNINGS, *arguments], capture_output=True, text=True)
    assert not done.returncode, done.stderr[-3000:]


class _Library:
    """Calls functions by the prototypes in a module's head."""

    def __init__(self, library, code, data):
        self.library = library
        self.heads = {name: (kind, [a.rsplit(" ", 1) for a in arguments.split(", ")]) for kind, name, arguments in
                      re.findall(r"^   (\w+) (\w+)\((.*)\);$", code, re.MULTILINE)}  # fmt: skip
        known = {
            identifier(quoted(name)) if not name.isidentifier() else identifier(name): v for name, v in data.items()
        }
        by_rows = [known[n.rstrip("_")] for n in re.findall(r"data (\w+), rows", code)]
        self.given = {name: np.zeros(int(n)) for name, n in re.findall(r"(\w+) is working memory of (\d+) num", code)}
        self.rows, self.data = min(map(len, by_rows), default=known.get("rows")), known

    def room(self, x, axes=1):
        return np.full(len(x) ** axes, np.nan)

    def call(self, name, **more):
        kind, arguments = self.heads[name]
        values = []
        for of, argument in arguments:
            plain = argument.strip("*_")
            value = (more | self.given).get(argument.strip("*"), self.data.get(plain))
            if plain == "rows" and not argument.startswith("*"):
                value = self.rows
            if argument.startswith("*"):
                array = np.ascontiguousarray(value, _TYPES[of.split()[-1]])
                values.append(array if array is value else array.copy())
            else:
                values.append(float(value) if of == "double" else int(value))
        passed = [v.ctypes.data_as(ctypes.c_void_p) if isinstance(v, np.ndarray) else
                  ctypes.c_double(v) if isinstance(v, float) else ctypes.c_int64(v) for v in values]  # fmt: skip
        function = getattr(self.library, name)
        function.restype = {"double": ctypes.c_double, "int64_t": ctypes.c_int64}.get(kind)
        return function(*passed)


def tensors(jobs, folder, library):
    """Run modules of JAX or PyTorch; the arguments are those of `javascript`."""
    answers = []
    for code, data, points, _ in jobs:
        space = {}
        exec(compile(code, "<module>", "exec"), space)
        shapes = [[int(n) for n in re.findall(r"\d+", shape)] for shape in
                  re.findall(r"\w+ \(([^)]*)\)", re.search(r"Parameters: (.*)\.", code)[1])]  # fmt: skip
        names = list(inspect.signature(space["value"]).parameters)[len(shapes) :]
        known = {identifier(quoted(n)) if not n.isidentifier() else identifier(n): v for n, v in data.items()}
        given = [known[name] if name in known else known[name.rstrip("_")] for name in names]
        found = []
        for x, v in points:
            at, along = _split(x, shapes), _split(v, shapes)
            value, gradient = library(space["value_and_gradient"])(*at, *given)
            full = space["hessian"](*at, *given)
            product = library(space["hessian_times"])(*at, *along, *given)
            parts = [[library(space["value"])(*at, *given)], [value], gradient, [full], product]
            found.append([np.concatenate([np.ravel(np.asarray(p, float)) for p in part]) for part in parts])
        answers.append((found, []))
    return answers


def _split(values, shapes):
    parts, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape, dtype=int))
        part = np.array(values[start : start + size], float)
        parts.append(part.reshape(shape) if shape else float(part[0]))
        start += size
    return parts


def jax(jobs, folder):
    """Run modules of JAX, compiled where they hold no whole numbers that are needed at once."""
    import jax

    return tensors(jobs, folder, jax.jit)


def pytorch(jobs, folder):
    """Run modules of PyTorch."""
    return tensors(jobs, folder, lambda function: function)

"""Modules that symgd writes for other languages, run: all of one target in one process, so that hundreds are cheap."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np

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
    folder = Path(folder)
    listed = []
    for place, (code, data, points, runs) in enumerate(jobs):
        file = folder / f"m{place}.mjs"
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

// The controls, the keys, and what is told of the first descent.

let running = false, drawn = 0;
const SLOW = 140; // milliseconds between two drawings of what is beside the map, while it runs

function control(name, value) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    label.append(name + " ", input);
    input.dataset.number = name;
    const inside = value >= 0 && value < 1 && name !== "lr" && value > 1e-3;
    if (name !== "lr" && !inside) {
        Object.assign(input, { type: "number", step: "any", value });
        input.addEventListener("change", () => { choose(name, Number(input.value)); });
        return label;
    }
    const output = document.createElement("output");
    label.append(output);
    const [low, high] = settings.lr.map(Math.log10);
    Object.assign(input, name === "lr" ? { type: "range", min: low, max: high, step: (high - low) / 400 } : { type: "range", min: 0, max: 0.999, step: 0.001 });
    input.value = name === "lr" ? Math.log10(value) : value;
    output.textContent = short(value);
    input.addEventListener("input", () => {
        choose(name, name === "lr" ? Number((10 ** Number(input.value)).toPrecision(3)) : Number(input.value));
        output.textContent = short(state.numbers[name]);
    });
    return label;
}

function choose(name, value) {
    if (!Number.isFinite(value)) return;
    state.numbers[name] = value;
    beside();
    tell();
    remember();
}

function showControls() {
    place("method").value = state.method;
    place("rule").textContent = settings.rules[state.method];
    place("numbers").replaceChildren(...Object.entries(state.numbers).map(([name, value]) => control(name, value)));
}

function readings() {
    const { run, steps, ended } = state.descents[0];
    const values = eigenvalues(run.point);
    const rows = [["step", String(steps)], ...settings.names.map((name, i) => [name, short(run.point[i])]), ["value", short(run.value)],
        ["gradient", Array.from(run.gradient, short).join(", ")], ["its length", short(Math.hypot(...run.gradient))],
        [n > 1 ? "eigenvalues" : "curvature", values.map(short).join(", ")]];
    if (isLinear(state.method)) {
        const stable = stableRate(run.point);
        rows.push(["largest stable lr", stable === null ? "none: no curvature is above 0" : stable === Infinity ? "any" : short(stable)]);
        if (!ended) warn(values, stable);
    } else {
        rows.push(["largest stable lr", "not known: the rule is not linear"]);
        warn(values, null);
    }
    if (ended) show(`the descent left the numbers at step ${steps}: the steps grew without end. A smaller lr helps; Reset begins again.`);
    if (state.descents.length > 1) rows.unshift(["descents", `${state.descents.length}; the first one is told`]);
    return rows;
}

function show(text) {
    place("warning").hidden = !text;
    if (place("warning").textContent !== text) place("warning").textContent = text;
}

function warn(values, stable) {
    const over = stable !== null && state.numbers.lr > stable;
    const falling = values.some((value) => value < 0);
    if (over) show(`lr = ${short(state.numbers.lr)} is above ${short(stable)}, the largest that is stable here: steps along the largest curvature grow.`);
    else show(falling ? "a curvature is below 0 here: the way down leads away from this point, at any lr." : "");
}

function tell() {
    place("readings").replaceChildren(...readings().map(([name, value]) => {
        const row = document.createElement("tr");
        const head = document.createElement("th"), cell = document.createElement("td");
        [head.textContent, cell.textContent] = [name, value];
        row.append(head, cell);
        return row;
    }));
}

function beside() {
    drawLoss();
    drawModes();
    drawData();
}

function remember() {
    try { history.replaceState(null, "", address()); } catch { /* a page without an address */ }
}

function everything() {
    movePaths();
    beside();
    tell();
    remember();
}

function take(steps) {
    advance(steps);
    movePaths();
    tell();
    if (!running || performance.now() - drawn > SLOW) {
        drawn = performance.now();
        beside();
    }
    if (!running) remember();
}

function pace() { return [1, 2, 5, 10, 25, 50, 100, 250][Number(place("pace").value)]; }

function frame() {
    if (!running) return;
    take(pace());
    if (state.descents.every((descent) => descent.ended)) run(false);
    else requestAnimationFrame(frame);
}

function run(on) {
    running = on;
    place("run").textContent = on ? "Pause" : "Run";
    if (on) requestAnimationFrame(frame);
    else everything();
}

function start(starts) {
    run(false);
    begin(starts);
    drawMap();
    everything();
}

function scattered() {
    const side = n === 1 ? 9 : 4;
    const inside = ([low, high]) => spread([low + 0.06 * (high - low), high - 0.06 * (high - low)], side);
    return n === 1 ? inside(view.x).map((x) => [x]) : inside(view.y).flatMap((y) => inside(view.x).map((x) => [x, y]));
}

// ---- clicks and keys ------------------------------------------------------------------------------------------------

function clicked(event) {
    const { xaxis, yaxis } = place("map")._fullLayout, box = place("map").getBoundingClientRect();
    const x = event.clientX - box.left - xaxis._offset, y = event.clientY - box.top - yaxis._offset;
    if (x < 0 || y < 0 || x > xaxis._length || y > yaxis._length) return;
    const at = n === 1 ? [xaxis.p2d(x)] : [xaxis.p2d(x), yaxis.p2d(y)];
    start(event.shiftKey ? [...state.starts, at] : [at]);
}

function moveCross(key) {
    const at = view.cross ?? Array.from(state.descents[0].run.point);
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[key];
    const ends = [view.x, view.y];
    view.cross = at.map((v, i) => Math.min(ends[i][1], Math.max(ends[i][0], v + way[i] * (ends[i][1] - ends[i][0]) / 50)));
    movePaths();
}

function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "SELECT"].includes(event.target.tagName)) return;
    const onMap = event.target.id === "map", button = event.target.tagName === "BUTTON";
    if (onMap && event.key.startsWith("Arrow")) moveCross(event.key);
    else if (onMap && event.key === "Enter") start(event.shiftKey ? [...state.starts, view.cross ?? state.starts[0]] : [view.cross ?? state.starts[0]]);
    else if (event.key === " " && !button) run(!running);
    else if (event.key === "s" || event.key === "ArrowRight") take(1);
    else if (event.key === "r") start(state.starts);
    else if (event.key === "m") start(scattered());
    else return;
    event.preventDefault();
}

function ready() {
    place("formula").textContent = settings.formula;
    place("hint").textContent = "Space runs and pauses, S takes a step, R resets, M starts many; on the map, arrows and Enter choose a start.";
    document.querySelector("main").classList.toggle("one", n === 1);
    document.querySelector("main").classList.toggle("data", Boolean(settings.data));
    for (const method of Object.keys(f.methods)) place("method").append(new Option(method, method));
    restore(location.hash);
    showControls();
    drawMap();
    everything();
    place("run").addEventListener("click", () => run(!running));
    place("step").addEventListener("click", () => take(1));
    place("reset").addEventListener("click", () => start(state.starts));
    place("many").addEventListener("click", () => start(scattered()));
    place("method").addEventListener("change", () => {
        state.method = place("method").value;
        state.numbers = defaults(state.method);
        showControls();
        everything();
    });
    place("smooth").addEventListener("change", drawMap);
    const paced = () => { place("pace").nextElementSibling.textContent = String(pace()); };
    place("pace").addEventListener("input", paced);
    paced();
    place("map").addEventListener("click", clicked);
    // Space is for running, whichever button the pointer was last on.
    for (const button of document.querySelectorAll("button")) button.addEventListener("click", (event) => event.detail && button.blur());
    document.addEventListener("keydown", pressed);
    window.addEventListener("hashchange", () => { run(false); restore(location.hash); showControls(); drawMap(); everything(); });
}

ready();

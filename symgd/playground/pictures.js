// The plots. Each is drawn once, and afterwards only what has changed.

const INK = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999933"];
const LAYOUT = { margin: { l: 62, r: 15, t: 34, b: 54 }, showlegend: false, paper_bgcolor: "#fff", plot_bgcolor: "#fff",
    font: { family: "system-ui, sans-serif", size: 12, color: "#222" } };
const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };
const THINNED = 1500;
const place = (id) => document.getElementById(id);
const view = { x: [...settings.ranges[0]], y: settings.ranges[1] ? [...settings.ranges[1]] : null, low: 0, cross: null, later: null };

function spread([low, high], count) {
    return Array.from({ length: count }, (_, i) => low + (high - low) * i / (count - 1));
}

function thin(list) {
    if (list.length <= THINNED) return list;
    const every = (list.length - 1) / (THINNED - 1);
    return Array.from({ length: THINNED }, (_, i) => list[Math.round(i * every)]);
}

function short(value) {
    if (value === null || value === undefined) return "";
    if (!Number.isFinite(value)) return String(value);
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(3) : String(Number(value.toPrecision(5)));
}

function heights(values) {
    const finite = values.flat().filter(Number.isFinite);
    view.low = finite.reduce((least, v) => Math.min(least, v), Infinity);
    const high = finite.reduce((most, v) => Math.max(most, v), -Infinity);
    const logarithmic = place("smooth").checked;
    const unit = (high - view.low) * 1e-3 || 1;
    view.lift = 0.015 * (logarithmic ? 3 : high - view.low);
    view.height = (v) => !Number.isFinite(v) ? null : logarithmic ? Math.log10(1 + Math.max(0, v - view.low) / unit) : v;
    return values.map((row) => Array.isArray(row) ? row.map(view.height) : view.height(row));
}

function grid() {
    const count = settings.cells;
    const xs = spread(view.x, count), ys = spread(view.y, count);
    const values = ys.map((y) => xs.map((x) => f.value([x, y])));
    return { xs, ys, values, zs: heights(values) };
}

function axis(title, range) {
    return { title: { text: title, standoff: 6 }, range: [...range], zeroline: false, linecolor: "#99a", ticks: "outside", mirror: true };
}

// ---- the map --------------------------------------------------------------------------------------------------------

function drawMap() {
    if (n === 1) drawCurve(); else drawContours();
}

function drawContours() {
    const { xs, ys, values, zs } = grid();
    const shown = values.map((row) => row.map(short));
    const contours = { type: "contour", x: xs, y: ys, z: zs, text: shown, colorscale: "Cividis", ncontours: 24, showscale: false,
        line: { width: 0.5, color: "rgba(255,255,255,0.55)" }, hovertemplate: "%{x:.4g}, %{y:.4g}: %{text}<extra></extra>" };
    const layout = { ...LAYOUT, xaxis: axis(settings.names[0], view.x), yaxis: axis(settings.names[1], view.y),
        title: { text: "click to choose a start, shift and click to add one", font: { size: 12 } }, dragmode: false };
    Plotly.react("map", [contours, ...paths("scatter"), cross()], layout, CONFIG);
    // The map can be played on before the surface is there, which takes a browser without a graphics card a second.
    view.grid = [xs, ys, zs];
    view.later ??= setTimeout(() => { view.later = null; drawSurface(...view.grid); }, 30);
}

function drawSurface(xs, ys, zs) {
    const surface = { type: "surface", x: xs, y: ys, z: zs, colorscale: "Cividis", showscale: false, opacity: 0.92,
        hoverinfo: "skip", contours: { z: { show: true, color: "rgba(255,255,255,0.5)", width: 1 } } };
    const scene = { xaxis: { title: { text: settings.names[0] }, range: view.x }, yaxis: { title: { text: settings.names[1] }, range: view.y },
        zaxis: { title: { text: place("smooth").checked ? "height (log)" : "height" }, showticklabels: !place("smooth").checked },
        camera: place("solid").layout?.scene?.camera ?? { eye: { x: 1.5, y: -1.6, z: 1.15 }, center: { x: 0, y: 0, z: -0.12 } }, dragmode: "orbit" };
    Plotly.react("solid", [surface, ...paths("scatter3d")], { ...LAYOUT, margin: { l: 0, r: 0, t: 0, b: 0 }, scene }, CONFIG);
}

function drawCurve() {
    const xs = spread(view.x, 600), ys = xs.map((x) => f.value([x]));
    heights(ys);
    const finite = ys.filter(Number.isFinite);
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    view.tall = [low - 0.08 * (high - low || 1), high + 0.05 * (high - low || 1)];
    const curve = { type: "scatter", mode: "lines", x: xs, y: ys, line: { color: "#556", width: 2 }, hovertemplate: "%{x:.4g}: %{y:.5g}<extra></extra>" };
    const layout = { ...LAYOUT, xaxis: axis(settings.names[0], view.x), yaxis: axis("value", view.tall), dragmode: false,
        title: { text: "click to choose a start, shift and click to add one", font: { size: 12 } } };
    Plotly.react("map", [curve, ...paths("scatter"), cross()], layout, CONFIG);
}

function paths(type) {
    return state.descents.flatMap((descent, i) => trace(descent, i, type));
}

// What is far outside is left out: drawings know no such numbers.
function near(values, [low, high]) {
    const room = 30 * (high - low);
    return values.map((v) => v > low - room && v < high + room ? v : null);
}

function trace(descent, i, type) {
    const points = thin(descent.points), color = INK[i % INK.length], last = points.length - 1;
    const xs = near(points.map((p) => p[0]), view.x);
    const line = { type, mode: points.length > 400 ? "lines" : "lines+markers", x: xs, line: { color, width: type === "scatter3d" ? 5 : 2 },
        marker: { color, size: type === "scatter3d" ? 3 : 4 }, hoverinfo: "skip" };
    const ends = { type, mode: "markers", x: [xs[0], xs[last]], hoverinfo: "skip",
        marker: { color: ["#fff", color], size: type === "scatter3d" ? 6 : 11, line: { color: type === "scatter3d" || n === 1 ? color : "#fff", width: 2 }, symbol: ["circle", "diamond"] } };
    if (n === 1) {
        const values = near(thin(descent.values), view.tall);
        line.y = values;
        ends.y = [values[0], values[last]];
        return [line, ends, tangent(descent, color)];
    }
    line.y = near(points.map((p) => p[1]), view.y);
    ends.y = [line.y[0], line.y[last]];
    if (type === "scatter3d") {
        // A little above the surface, which is drawn between cells and would hide it.
        line.z = thin(descent.values).map((v) => { const z = view.height(v); return z === null ? null : z + view.lift; });
        ends.z = [line.z[0], line.z[last]];
    }
    return [line, ends];
}

function tangent(descent, color) {
    const { point, value, gradient } = descent.run;
    if (near([point[0]], view.x)[0] === null || near([value], view.tall)[0] === null) return { type: "scatter", x: [], y: [] };
    const half = 0.12 * (view.x[1] - view.x[0]);
    const xs = [point[0] - half, point[0] + half];
    return { type: "scatter", mode: "lines", x: xs, y: xs.map((x) => value + gradient[0] * (x - point[0])),
        line: { color, width: 2, dash: "dash" }, hoverinfo: "skip" };
}

function cross() {
    const at = view.cross;
    return { type: "scatter", mode: "markers", x: at ? [at[0]] : [], y: at ? [n === 1 ? f.value([at[0]]) : at[1]] : [], hoverinfo: "skip",
        marker: { symbol: "cross-thin", size: 16, line: { width: 2.5, color: "#000" } } };
}

function movePaths() {
    move("map", [...paths("scatter"), cross()]);
    if (n === 2 && !view.later && place("solid").data) move("solid", paths("scatter3d"));
}

// The first trace is the landscape, and stays.
function move(id, traces) {
    const shown = place(id);
    if (shown.data.length !== traces.length + 1) return drawMap();
    const pick = (key) => traces.map((trace) => trace[key]);
    const keys = id === "solid" ? ["x", "y", "z", "mode"] : ["x", "y", "mode"];
    Plotly.restyle(id, Object.fromEntries(keys.map((key) => [key, pick(key)])), traces.map((_, i) => i + 1));
}

// ---- beside it ------------------------------------------------------------------------------------------------------

function drawLoss() {
    const traces = state.descents.slice(0, 12).map((descent, i) => {
        const lowest = floor(descent), places = thin(descent.values.map((_, t) => t));
        return { type: "scatter", mode: "lines", x: places, y: places.map((t) => descent.values[t] - lowest || null),
            line: { color: INK[i % INK.length], width: 2 }, hovertemplate: "step %{x}: %{y:.4g}<extra></extra>" };
    });
    const first = state.descents[0], gap = first.run.value - floor(first);
    let told = "value above the minimum it heads for";
    if (isLinear(state.method) && first.steps > 0 && gap > 1e-290) {
        const rate = Math.max(...rates(first.run.point).map((mode) => mode.rate));
        const steps = [Math.max(0, first.steps - 60), first.steps + 20];
        if (Number.isFinite(rate) && rate > 0) {
            traces.push({ type: "scatter", mode: "lines", x: steps, y: steps.map((t) => gap * rate ** (2 * (t - first.steps))),
                line: { color: "#333", width: 1.5, dash: "dot" }, hoverinfo: "skip" });
            told += `<br>dotted: theory here, times ${short(rate * rate)} a step`;
        }
    }
    Plotly.react("loss", traces, { ...LAYOUT, margin: { ...LAYOUT.margin, t: 44 }, title: { text: told, font: { size: 12 } },
        xaxis: { title: { text: "step", standoff: 6 }, rangemode: "tozero" }, yaxis: { type: "log", exponentformat: "power" } }, CONFIG);
}

function drawModes() {
    const { point } = state.descents[0].run;
    const layout = { ...LAYOUT, title: { text: "what a step leaves of the way to go, by curvature", font: { size: 12 } },
        yaxis: { rangemode: "tozero", title: { text: "factor a step" } }, xaxis: { type: "category", title: { text: "eigenvalue", standoff: 6 } },
        shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: 1, y1: 1, line: { color: "#8a2b06", width: 1.5, dash: "dash" } }] };
    let bars = [];
    if (!isLinear(state.method)) {
        layout.annotations = [{ text: `${state.method} is not linear: no factors`, showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5 }];
    } else if (point.every(Number.isFinite)) {
        const modes = rates(point);
        const gd = state.method === "gd" ? "|1 - lr λ|" : "factor";
        bars = [{ type: "bar", x: modes.map((m, i) => `λ${n > 1 ? "₁₂"[i] : ""} = ${short(m.value)}`), y: modes.map((m) => m.rate),
            text: modes.map((m) => short(m.rate)), marker: { color: modes.map((m) => m.rate > 1 ? "#d55e00" : "#0072b2") },
            hovertemplate: `${gd} = %{y:.5g}<extra></extra>`, width: 0.5 }];
    }
    Plotly.react("modes", bars, layout, CONFIG);
}

function drawData() {
    if (!settings.data) return;
    const { x, y, column, target } = settings.data;
    const seen = { type: "scatter", mode: "markers", x, y, marker: { color: "#667", size: 5, opacity: 0.7 }, hoverinfo: "skip" };
    const across = spread([Math.min(...x), Math.max(...x)], 200);
    const curves = state.descents.slice(0, 12).map((descent, i) => ({ type: "scatter", mode: "lines", x: across, hoverinfo: "skip",
        y: across.map((at) => model.value([...settings.data.order.map((k) => k < 0 ? at : descent.run.point[k])])),
        line: { color: INK[i % INK.length], width: 2.5 } }));
    const pad = 0.08 * (Math.max(...y) - Math.min(...y) || 1);
    const layout = { ...LAYOUT, title: { text: settings.data.model, font: { size: 12 } }, xaxis: axis(column, [across[0], across.at(-1)]),
        yaxis: axis(target, [Math.min(...y) - pad, Math.max(...y) + pad]) };
    Plotly.react("data", [seen, ...curves], layout, CONFIG);
}

// What is being played: where the descents start, the legs of the way that all of them have gone, and the address.

const settings = JSON.parse(document.getElementById("settings").textContent);
const f = objective();
const n = settings.names.length;

// A leg is a stretch with one method and one choice of numbers: what has been done can be done again from the address.
const state = { starts: [], descents: [], legs: [], method: settings.method, numbers: {} };

function defaults(method) {
    return { ...f.methods[method].numbers, ...(settings.numbers[method] ?? {}) };
}

class Descent {
    constructor(start) {
        const { value, gradient } = f.valueAndGradient(start);
        this.run = { point: Float64Array.from(start), value, gradient, steps: 0 };
        this.points = [this.run.point];
        this.values = [value];
        this.ended = !Number.isFinite(value);
        this.begun = false;
    }

    step(method, numbers) {
        if (this.ended) return;
        const same = this.begun && this.run.method === method;
        // Another method begins with states of its own.
        const next = f.minimize(same ? this.run : { point: this.run.point }, 1, { method, ...numbers });
        this.begun = true;
        this.run = next;
        this.points.push(next.point);
        this.values.push(next.value);
        this.ended = !(Number.isFinite(next.value) && next.gradient.every(Number.isFinite));
    }

    get steps() { return this.points.length - 1; }
}

function begin(starts) {
    state.starts = starts.map((start) => Array.from(start));
    state.descents = state.starts.map((start) => new Descent(start));
    state.legs = [];
}

function sameNumbers(a, b) {
    return Object.keys(b).every((name) => a[name] === b[name]);
}

function advance(steps) {
    if (steps <= 0) return;
    const last = state.legs.at(-1);
    if (last && last.method === state.method && sameNumbers(last.numbers, state.numbers)) last.steps += steps;
    else state.legs.push({ method: state.method, numbers: { ...state.numbers }, steps });
    for (const descent of state.descents) {
        for (let i = 0; i < steps && !descent.ended; i += 1) descent.step(state.method, state.numbers);
    }
}

// ---- the address ----------------------------------------------------------------------------------------------------

function address() {
    const query = new URLSearchParams();
    query.set("starts", state.starts.map((start) => start.join(",")).join(";"));
    const spelt = (leg) => [leg.method, ...Object.entries(leg.numbers).map(([name, v]) => `${name}:${v}`)].join(",");
    query.set("now", spelt(state));
    if (state.legs.length) query.set("legs", state.legs.map((leg) => `${spelt(leg)},${leg.steps}`).join(";"));
    return "#" + query.toString();
}

function readLeg(text, counted) {
    const parts = text.split(",");
    const steps = counted ? Number(parts.pop()) : 0;
    const method = parts.shift();
    if (!Object.hasOwn(f.methods, method) || !(steps >= 0 && steps <= 1e6)) return null;
    const numbers = defaults(method);
    for (const part of parts) {
        const [name, value] = part.split(":");
        if (Object.hasOwn(numbers, name) && Number.isFinite(Number(value))) numbers[name] = Number(value);
    }
    return { method, numbers, steps };
}

function restore(hash) {
    const query = new URLSearchParams(hash.replace(/^#/, ""));
    const starts = (query.get("starts") || "none").split(";").map((text) => text.split(",").map(Number));
    const good = starts.filter((start) => start.length === n && start.every(Number.isFinite)).slice(0, 200);
    begin(good.length ? good : [settings.start]);
    const now = readLeg(query.get("now") ?? "", false);
    for (const text of (query.get("legs") ?? "").split(";")) {
        const leg = readLeg(text, true);
        if (leg) {
            Object.assign(state, { method: leg.method, numbers: leg.numbers });
            advance(Math.round(leg.steps));
        }
    }
    state.method = now?.method ?? settings.method;
    state.numbers = now?.numbers ?? defaults(state.method);
}

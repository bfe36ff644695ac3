// What is known of a step near a point: the Hessian's eigenvalues, and the rule's own code on a parabola of each.

function eigenvalues(point) {
    const h = f.hessian(point);
    if (n === 1) return [h[0]];
    const middle = (h[0] + h[3]) / 2, apart = Math.hypot((h[0] - h[3]) / 2, (h[1] + h[2]) / 2);
    // The one that is far from 0 first: the other one is the determinant over it, without cancelling.
    const far = middle >= 0 ? middle + apart : middle - apart;
    const near = far === 0 ? 0 : (h[0] * h[3] - h[1] * h[2]) / far;
    return [Math.min(far, near), Math.max(far, near)];
}

// The rule is linear: one step from each unit vector of (position, states) gives the columns of its matrix.
function matrix(method, numbers, curvature) {
    const parabola = quadratic({ k: [curvature] });
    const count = 1 + parabola.methods[method].states;
    const columns = [];
    for (let j = 0; j < count; j += 1) {
        const memory = Array.from({ length: count - 1 }, (_, i) => [j === i + 1 ? 1 : 0]);
        const next = parabola.minimize({ point: [j === 0 ? 1 : 0], memory, steps: 1, method }, 1, { method, ...numbers });
        columns.push([next.point[0], ...next.memory.map((state) => state[0])]);
    }
    return columns;
}

function radius(columns) {
    if (columns.length === 1) return Math.abs(columns[0][0]);
    if (columns.length === 2) {
        const [[a, c], [b, d]] = columns;
        const half = (a + d) / 2, rest = ((a - d) / 2) ** 2 + b * c;
        return rest >= 0 ? Math.abs(half) + Math.sqrt(rest) : Math.sqrt(a * d - b * c);
    }
    // Gelfand's formula: norms of powers, squared again and again.
    let power = columns, logarithm = 0;
    for (let k = 1; k <= 40; k += 1) {
        power = power.map((column) => column.map((_, i) => column.reduce((sum, v, m) => sum + v * power[m][i], 0)));
        const size = Math.max(...power.flat().map(Math.abs));
        if (!(size > 0 && size < Infinity)) return size;
        logarithm += Math.log(size) / 2 ** k;
        power = power.map((column) => column.map((v) => v / size));
    }
    return Math.exp(logarithm);
}

// The least value of the parabola that fits at the end of a descent, where it has one: what the descent heads for.
function floor(descent) {
    const { point, value, gradient: g } = descent.run;
    const seen = descent.values.reduce((least, v) => Math.min(least, v), Infinity);
    if (!Number.isFinite(value) || !(eigenvalues(point)[0] > 0)) return seen;
    const h = f.hessian(point);
    const fall = n === 1 ? g[0] * g[0] / h[0] : (h[3] * g[0] * g[0] - (h[1] + h[2]) * g[0] * g[1] + h[0] * g[1] * g[1]) / (h[0] * h[3] - h[1] * h[2]);
    return Math.min(seen, value - fall / 2);
}

function isLinear(method) { return settings.linear.includes(method); }

function rates(point) {
    return eigenvalues(point).map((value) => ({ value, rate: radius(matrix(state.method, state.numbers, value)) }));
}

// The largest learning rate at which a step along the largest curvature does not grow.
function stableRate(point) {
    const steepest = Math.max(...eigenvalues(point));
    if (!(steepest > 0 && steepest < Infinity)) return null;
    const grows = (lr) => radius(matrix(state.method, { ...state.numbers, lr }, steepest)) > 1 + 1e-12;
    let low = 1e-9 / steepest, high = 2 * low;
    if (grows(low)) return 0;
    while (!grows(high)) {
        [low, high] = [high, 1.25 * high];
        if (high > 1e6 / steepest) return Infinity;
    }
    for (let k = 0; k < 80; k += 1) {
        const middle = (low + high) / 2;
        if (grows(middle)) high = middle; else low = middle;
    }
    return low;
}

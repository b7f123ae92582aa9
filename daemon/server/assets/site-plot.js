// Two columns of the table against each other: one canvas, one point a row, no element for each.
import { grouped, written } from "./site-objects.js";

const CELL = 8; // device pixels of a cell of the grid in which points are looked for
const REACH = 10; // CSS pixels around the pointer
const MARGIN = { top: 10, right: 14, bottom: 38, left: 62 };

/** Round numbers between two others. */
const ticks = (low, high, most) => {
  const raw = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= raw);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-12) && found.length < 20; i += 1) found.push(i * step);
  return found;
};

/** From the smallest to the largest finite value, a little wider. */
const extent = (values) => {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  const more = (high - low) * 0.03 || Math.abs(low) * 0.1 || 0.5;
  return [low - more, high + more];
};

export class Plot {
  #canvas;
  #base = null;
  #objects = null;
  #palette;
  #xs;
  #ys;
  #grid;
  #frame = 0;
  #isOld = true;
  x = null;
  y = null;
  marked = -1;
  over = -1;
  /** Called with the row under the pointer, or -1. */
  hovered = () => {};
  /** Called with a row that was chosen. */
  chosen = () => {};
  /** ms that the points took. */
  took = 0;

  constructor(canvas, palette) {
    this.#canvas = canvas;
    this.#palette = palette;
    new ResizeObserver(() => this.refresh()).observe(canvas);
    const row = (event) => this.#find(event.offsetX, event.offsetY);
    canvas.addEventListener("pointermove", (event) => this.hovered(row(event)));
    canvas.addEventListener("pointerleave", () => this.hovered(-1));
    canvas.addEventListener("click", (event) => this.chosen(row(event)));
  }

  show(objects, x, y) {
    this.#objects = objects;
    [this.x, this.y] = [x, y];
    this.refresh();
  }

  /** Draws all points again: the columns, colours or size changed. */
  refresh() {
    this.#isOld = true;
    this.invalidate();
  }

  invalidate() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** What the plot shows, in words. */
  summary() {
    const both = this.x.values.reduce((n, x, i) => n + (Number.isFinite(x) && Number.isFinite(this.y.values[i])), 0);
    const of = ({ name, values }) => {
      const [low, high] = values.reduce(([l, h], v) => (Number.isFinite(v) ? [Math.min(l, v), Math.max(h, v)] : [l, h]), [Infinity, -Infinity]);
      return low <= high ? `${name} from ${written(low)} to ${written(high)}` : `${name} without values`;
    };
    const r = this.#correlation();
    const text = `${grouped(both)} points: ${of(this.x)} to the right, ${of(this.y)} upwards`;
    return Number.isFinite(r) ? `${text}; correlation ${r.toFixed(2)}.` : `${text}.`;
  }

  #correlation() {
    let [n, mx, my, xx, yy, xy] = [0, 0, 0, 0, 0, 0];
    this.x.values.forEach((x, i) => {
      const y = this.y.values[i];
      if (!Number.isFinite(x + y)) return;
      n += 1;
      const [dx, dy] = [x - mx, y - my];
      mx += dx / n;
      my += dy / n;
      xx += dx * (x - mx);
      yy += dy * (y - my);
      xy += dx * (y - my);
    });
    return xy / Math.sqrt(xx * yy);
  }

  #draw() {
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const [width, height] = [Math.round(this.#canvas.clientWidth * ratio), Math.round(this.#canvas.clientHeight * ratio)];
    if (!this.x || !width || !height) return;
    if (this.#isOld) {
      const start = performance.now();
      [this.#canvas.width, this.#canvas.height] = [width, height];
      this.#points(width, height, ratio);
      this.#isOld = false;
      this.took = performance.now() - start;
    }
    const context = this.#canvas.getContext("2d", { alpha: false });
    context.drawImage(this.#base, 0, 0);
    for (const [row, radius] of [[this.over, 5], [this.marked, 7]]) {
      if (row < 0 || !(this.#xs[row] >= 0)) continue;
      for (const [color, line] of [["#000", 5], ["#fff", 2.5]]) {
        context.strokeStyle = color;
        context.lineWidth = line * ratio;
        context.beginPath();
        context.arc(this.#xs[row], this.#ys[row], radius * ratio, 0, 7);
        context.stroke();
      }
    }
  }

  /** Draws the points into a picture of their own, and remembers where they are. */
  #points(width, height, ratio) {
    const [top, left] = [MARGIN.top * ratio, MARGIN.left * ratio];
    const [h, w] = [height - top - MARGIN.bottom * ratio, width - left - MARGIN.right * ratio];
    const base = new OffscreenCanvas(width, height);
    const context = base.getContext("2d", { alpha: false });
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    const [x0, x1] = extent(this.x.values);
    const [y0, y1] = extent(this.y.values);
    const toX = (value) => left + ((value - x0) / (x1 - x0)) * w;
    const toY = (value) => top + h - ((value - y0) / (y1 - y0)) * h;
    this.#axes(context, { top, left, h, w, ratio, toX, toY, x: [x0, x1], y: [y0, y1] });

    const n = this.#objects.length;
    const xs = new Float32Array(n).fill(-1);
    const ys = new Float32Array(n).fill(-1);
    const image = context.getImageData(0, 0, width, height);
    const out = image.data;
    const radius = (n < 500 ? 3.5 : n < 5000 ? 2.5 : n < 30000 ? 1.6 : 1) * ratio;
    const reach = Math.ceil(radius);
    const spots = [];
    for (let dy = -reach; dy <= reach; dy += 1) {
      for (let dx = -reach; dx <= reach; dx += 1) {
        const share = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(dy, dx)));
        if (share > 0) spots.push([dy, dx, share * (n < 5000 ? 0.9 : 0.6)]);
      }
    }
    for (let row = 0; row < n; row += 1) {
      const [x, y] = [toX(this.x.values[row]), toY(this.y.values[row])];
      if (!Number.isFinite(x + y)) continue;
      xs[row] = x;
      ys[row] = y;
      const [r, g, b] = this.#palette.row(row);
      const [cx, cy] = [Math.round(x), Math.round(y)];
      for (const [dy, dx, share] of spots) {
        const [py, px] = [cy + dy, cx + dx];
        if (py < 0 || px < 0 || py >= height || px >= width) continue;
        const at = (py * width + px) * 4;
        out[at] += (r - out[at]) * share;
        out[at + 1] += (g - out[at + 1]) * share;
        out[at + 2] += (b - out[at + 2]) * share;
      }
    }
    context.putImageData(image, 0, 0);
    [this.#base, this.#xs, this.#ys] = [base, xs, ys];
    this.#index(width, height);
  }

  #axes(context, { top, left, h, w, ratio, toX, toY, x, y }) {
    const line = Math.max(1, Math.round(ratio));
    context.font = `${12 * ratio}px system-ui, sans-serif`;
    context.fillStyle = "#c9cfda";
    const grid = (px, py, lw, lh) => {
      context.fillStyle = "#262b35";
      context.fillRect(Math.round(px), Math.round(py), lw, lh);
      context.fillStyle = "#c9cfda";
    };
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const value of ticks(...x, Math.max(2, w / ratio / 60))) {
      grid(toX(value), top, line, h);
      context.fillText(written(value), toX(value), top + h + 5 * ratio);
    }
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of ticks(...y, Math.max(2, h / ratio / 50))) {
      grid(left, toY(value), w, line);
      context.fillText(written(value), left - 6 * ratio, toY(value));
    }
    context.textAlign = "center";
    context.textBaseline = "bottom";
    context.fillText(this.x.name, left + w / 2, top + h + MARGIN.bottom * ratio - 3 * ratio, w);
    context.save();
    context.translate(3 * ratio, top + h / 2);
    context.rotate(-Math.PI / 2);
    context.textBaseline = "top";
    context.fillText(this.y.name, 0, 0, h);
    context.restore();
  }

  /** Rows by cells, so that a pointer looks at a few of them only. */
  #index(width, height) {
    const columns = Math.ceil(width / CELL) + 1;
    const rows = Math.ceil(height / CELL) + 1;
    const cell = (row) => Math.floor(this.#ys[row] / CELL) * columns + Math.floor(this.#xs[row] / CELL);
    const starts = new Uint32Array(columns * rows + 1);
    const n = this.#xs.length;
    for (let row = 0; row < n; row += 1) if (this.#xs[row] >= 0) starts[cell(row) + 1] += 1;
    for (let i = 1; i < starts.length; i += 1) starts[i] += starts[i - 1];
    const next = starts.slice();
    const sorted = new Uint32Array(starts[starts.length - 1]);
    for (let row = 0; row < n; row += 1) {
      if (this.#xs[row] < 0) continue;
      const at = cell(row);
      sorted[next[at]] = row;
      next[at] += 1;
    }
    this.#grid = { columns, rows, starts, sorted };
  }

  #find(left, top) {
    if (!this.#grid) return -1;
    const ratio = this.#canvas.width / this.#canvas.clientWidth;
    const [x, y, reach] = [left * ratio, top * ratio, REACH * ratio];
    const { columns, rows, starts, sorted } = this.#grid;
    let [best, nearest] = [-1, reach];
    const clamp = (at, end) => Math.max(0, Math.min(end - 1, Math.floor(at / CELL)));
    for (let row = clamp(y - reach, rows); row <= clamp(y + reach, rows); row += 1) {
      for (let column = clamp(x - reach, columns); column <= clamp(x + reach, columns); column += 1) {
        const at = row * columns + column;
        for (let i = starts[at]; i < starts[at + 1]; i += 1) {
          const far = Math.hypot(this.#xs[sorted[i]] - x, this.#ys[sorted[i]] - y);
          if (far < nearest) [best, nearest] = [sorted[i], far];
        }
      }
    }
    return best;
  }
}

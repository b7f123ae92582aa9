// Colours of labels and of values. Whatever is drawn on black keeps a contrast of 3:1 to it.

// The darkest that a channel of a label's colour may be; the same as `DARKEST` of the daemon's `render/src/label.rs`.
const DARKEST = 49;

/** The colour of a label, as the daemon computes it: [red, green, blue]. */
export const ofLabel = (label) => {
  const hue = ((label * 0.618033988749895) % 1) * 6;
  const saturation = [0.85, 0.6, 1][Math.floor(label / 7) % 3];
  return [5, 3, 1].map((offset) => {
    const k = (offset + hue) % 6;
    const value = 1 - saturation * Math.min(1, Math.max(0, Math.min(k, 4 - k)));
    return Math.max(DARKEST, Math.round(value * 255));
  });
};

const VIRIDIS = [
  [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141],
  [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37],
];

const linear = (value) => (value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);

/** Viridis at 0 to 1, its dark end lifted so that it is seen on black. */
const STEPS = 256;
const LIFTED = Array.from({ length: STEPS }, (_, i) => {
  const at = (i / (STEPS - 1)) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const color = VIRIDIS[low].map((v, c) => v + (at - low) * (VIRIDIS[low + 1][c] - v));
  for (let share = 0; ; share += 0.02) {
    const lifted = color.map((v) => Math.round(v + share * (255 - v)));
    if (luminance(lifted) >= 0.1) return lifted;
  }
});

/** What has no value. */
const NOTHING = [128, 128, 128];

/** Where a value stands between two others, as a colour. */
export const ofValue = (value, [low, high]) => {
  if (!Number.isFinite(value)) return NOTHING;
  const share = high > low ? (value - low) / (high - low) : 0.5;
  return LIFTED[Math.round(Math.min(1, Math.max(0, share)) * (STEPS - 1))];
};

/** As the pixels of an ImageData hold it on a little-endian machine, which all browsers run on. */
export const pack = ([r, g, b], alpha = 255) => ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** Colours of labels, remembered. By a column of the table where one is chosen. */
export class Palette {
  #known = new Map();
  /** Grows when the colours change. */
  revision = 0;
  column = null;
  range = [0, 1];
  #objects = null;

  /** `column`: a column of `objects` with numbers, or null for a colour of its own for each label. */
  choose(objects, column) {
    this.#known.clear();
    this.revision += 1;
    this.#objects = objects;
    this.column = column;
    if (column) this.range = robust(column.values);
  }

  /** Of a label. */
  label(label) {
    let color = this.#known.get(label);
    if (color === undefined) {
      const row = this.column ? this.#objects.rowOf(label) : -1;
      color = this.column ? ofValue(row < 0 ? NaN : this.column.values[row], this.range) : ofLabel(label);
      this.#known.set(label, color);
    }
    return color;
  }

  /** Of a row of the table. */
  row(row) {
    if (this.column) return ofValue(this.column.values[row], this.range);
    const label = this.#objects?.label(row) ?? 0;
    return label > 0 ? ofLabel(label) : [125, 184, 245];
  }
}

/** From the first to the last percent, so that one odd value does not take all the colours. */
export const robust = (values) => {
  const finite = Float64Array.from(values).filter(Number.isFinite).sort();
  if (finite.length === 0) return [0, 1];
  const at = (share) => finite[Math.round(share * (finite.length - 1))];
  const [low, high] = [at(0.01), at(0.99)];
  return low < high ? [low, high] : [finite[0], finite[finite.length - 1]];
};

// A table in memory, column by column.

const AT_ONCE = 100000; // rows of an answer, the most that the API gives
const MOST = 1000000; // rows that are loaded

/** A value as people read it: six digits are enough to compare. The daemon writes them the same way. */
export const written = (value) => {
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e9) return value.toExponential(3).replace("e+", "e");
  const text = value.toFixed(Math.max(0, 5 - (size < 1 ? 0 : Math.floor(Math.log10(size)))));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
};

export const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u2009");

export class Objects {
  columns = [];
  length = 0;
  total = 0;
  #rows = new Map();
  #labels = null;

  /** All rows of a table; `progress` is told how many there are already. */
  static async load(base, table, signal, progress) {
    const objects = new Objects();
    const parts = [];
    let after = 0;
    do {
      const response = await fetch(`${base}/tables/${encodeURIComponent(table)}?limit=${AT_ONCE}&after=${after}`, { signal });
      const part = await response.json();
      if (!response.ok) throw new Error(part.detail);
      parts.push(part);
      objects.length += part.rows.length;
      objects.total = part.total;
      after = part.next;
      progress(objects.length, part.total);
    } while (after !== null && objects.length < MOST);
    objects.#fill(parts);
    return objects;
  }

  #fill(parts) {
    this.columns = parts[0].columns.map(({ name, type }, i) => {
      const isNumber = type !== "text";
      const values = isNumber ? new Float64Array(this.length) : new Array(this.length);
      let at = 0;
      for (const { rows } of parts) {
        for (const row of rows) {
          values[at] = isNumber ? row[i] ?? NaN : row[i];
          at += 1;
        }
      }
      return { name, isNumber, values };
    });
    const labels = this.numbers("label_id", "label", "object_id");
    this.#labels = labels;
    labels?.forEach((label, row) => this.#rows.set(label, row));
  }

  column(name) {
    return this.columns.find((column) => column.name === name);
  }

  /** The values of the first of these columns that there is with numbers. */
  numbers(...names) {
    for (const name of names) {
      const column = this.column(name);
      if (column?.isNumber) return column.values;
    }
    return null;
  }

  /** The label of a row; 0 if rows have none. */
  label(row) {
    return this.#labels?.[row] || 0;
  }

  /** The row of a label; -1 if it has none. */
  rowOf(label) {
    return this.#rows.get(label) ?? -1;
  }

  /** Where the object of a row lies, in pixels of the image; null if no column says it. */
  place(row) {
    for (const [y, x] of [["centroid_y", "centroid_x"], ["anchor_y", "anchor_x"]]) {
      const [ys, xs] = [this.numbers(y), this.numbers(x)];
      // The middle of pixel 0 is at 0.5.
      if (ys && xs && Number.isFinite(ys[row] + xs[row])) return { y: ys[row] + 0.5, x: xs[row] + 0.5 };
    }
    const box = this.box(row);
    return box && { y: (box.top + box.bottom) / 2, x: (box.left + box.right) / 2 };
  }

  /** Its bounding box; null if no column says it. */
  box(row) {
    for (const start of ["bbox", "bb"]) {
      const of = ["min_y", "min_x", "max_y", "max_x"].map((end) => this.numbers(`${start}_${end}`)?.[row]);
      if (of.every(Number.isFinite)) return { top: of[0], left: of[1], bottom: of[2], right: of[3] };
    }
    return null;
  }

  /** Numbers of the rows in the order of a column; what is not a number is last. */
  order(name, descending) {
    const rows = Uint32Array.from({ length: this.length }, (_, i) => i);
    const column = this.column(name);
    if (!column) return rows;
    const { values, isNumber } = column;
    const turn = descending ? -1 : 1;
    if (isNumber) {
      return rows.sort((a, b) => {
        const [one, other] = [values[a], values[b]];
        if (one !== one || other !== other) return (one !== one) - (other !== other) || a - b;
        return turn * (one - other) || a - b;
      });
    }
    return rows.sort((a, b) => (values[a] === values[b] ? a - b : turn * (values[a] < values[b] ? -1 : 1)));
  }
}

// Label images: the daemon sends their numbers, and outlines and fillings are made of them here.
import { pack } from "./site-colors.js";
import { Layer, TILE } from "./site-layers.js";

const PAINTING = 6; // ms of a frame for colouring labels

/** A label image: its numbers, and what is drawn of them. */
export class Labels extends Layer {
  #base;
  #version;
  #palette;
  #padded = new Uint32Array((TILE + 2) ** 2);
  #probe = null;
  style = "none";
  marked = 0;

  constructor(name, levels, size, base, version, palette) {
    super(levels, size, () => {});
    this.name = name;
    this.source = `labels ${name}`;
    this.#base = base;
    this.#version = version;
    this.#palette = palette;
  }

  /** Whether anything of it is to be seen. */
  get isShown() {
    return this.style !== "none" || this.marked > 0;
  }

  /** Returns what it lacks. `again` is called if not all could be coloured in time. */
  draw(context, view, again) {
    const probed = this.#probe && !this.tiles.has(this.key(this.#probe, this.source)) ? [this.#item(this.#probe)] : [];
    if (!this.isShown) return probed;
    context.imageSmoothingEnabled = false;
    const end = performance.now() + PAINTING;
    const picture = (tile, source) => {
      const numbers = this.tiles.get(this.key(tile, source));
      if (!numbers) return null;
      const look = `${this.style} ${this.#palette.revision} ${numbers.ids.has(this.marked) ? this.marked : 0}`;
      if (numbers.look !== look) {
        if (performance.now() > end && numbers.canvas) again();
        else this.#paint(tile, numbers, look);
      }
      return numbers.canvas;
    };
    return [...this.drawLevels(context, view, picture).map((tile) => this.#item(tile)), ...probed];
  }

  /** The label at a place: a number, or undefined if it is not known yet; then it is asked for. */
  at(view, y, x) {
    this.#probe = null;
    if (!(y >= 0 && x >= 0 && y < this.size.height && x < this.size.width)) return 0;
    const best = this.level(view);
    const order = [best, ...Array.from(this.levels.keys()).filter((level) => level !== best)];
    for (const level of order) {
      const [height, width] = this.levels[level];
      const [py, px] = [Math.floor((y * height) / this.size.height), Math.floor((x * width) / this.size.width)];
      const tile = { level, row: Math.floor(py / TILE), column: Math.floor(px / TILE) };
      const numbers = this.tiles.peek(this.key(tile, this.source));
      if (level === best && !numbers) this.#probe = tile;
      if (numbers) return numbers.labels[(py % TILE) * numbers.width + (px % TILE)];
    }
    return undefined;
  }

  /** The middle of what is known of a label, in image pixels; null if it is in no tile that is here. */
  find(label) {
    for (const numbers of this.tiles.values()) {
      if (!numbers.ids.has(label)) continue;
      let [sumY, sumX, n] = [0, 0, 0];
      numbers.labels.forEach((one, i) => {
        if (one !== label) return;
        sumY += Math.floor(i / numbers.width);
        sumX += i % numbers.width;
        n += 1;
      });
      const { level, row, column } = numbers.tile;
      const [height, width] = this.levels[level];
      return {
        y: ((sumY / n + 0.5 + row * TILE) * this.size.height) / height,
        x: ((sumX / n + 0.5 + column * TILE) * this.size.width) / width,
      };
    }
    return null;
  }

  /** Asks for the coarsest level, where `find` can look. */
  async overview() {
    const level = this.levels.length - 1;
    const [height, width] = this.levels[level];
    for (let row = 0; row * TILE < height; row += 1) {
      for (let column = 0; column * TILE < width; column += 1) {
        const item = this.#item({ level, row, column });
        if (this.tiles.has(item.key)) continue;
        const response = await fetch(item.url);
        if (response.ok) await item.take(response);
      }
    }
  }

  #item(tile) {
    const { level, row, column } = tile;
    const key = this.key(tile, this.source);
    const query = new URLSearchParams({ image: this.name, v: this.#version });
    return {
      key,
      url: `${this.#base}/labels/${level}/${row}/${column}?${query}`,
      take: async (response) => {
        const labels = new Uint32Array(await response.arrayBuffer());
        const width = Math.min(TILE, this.levels[level][1] - column * TILE);
        const height = labels.length / width;
        this.tiles.put(key, { tile, labels, width, height, ids: new Set(labels), canvas: null, look: "" });
        // The outlines of the neighbours go on here.
        for (const [dy, dx] of [[-1, 0], [1, 0], [0, -1], [0, 1]]) {
          const near = this.#near(tile, dy, dx);
          if (near) near.look = "";
        }
      },
    };
  }

  #near({ level, row, column }, dy, dx) {
    return this.tiles.peek(this.key({ level, row: row + dy, column: column + dx }, this.source));
  }

  /** The numbers with a margin of the neighbours' ones; where none is known, there is no edge. */
  #pad(tile, { labels, width, height }) {
    const side = width + 2;
    const padded = this.#padded;
    const above = this.#near(tile, -1, 0);
    const below = this.#near(tile, 1, 0);
    const before = this.#near(tile, 0, -1);
    const after = this.#near(tile, 0, 1);
    const row = (y) => labels.subarray(y * width, (y + 1) * width);
    for (let y = 0; y < height; y += 1) {
      const start = (y + 1) * side;
      padded.set(row(y), start + 1);
      padded[start] = before ? before.labels[y * before.width + before.width - 1] : labels[y * width];
      padded[start + width + 1] = after ? after.labels[y * after.width] : labels[(y + 1) * width - 1];
    }
    padded.set(above ? above.labels.subarray((above.height - 1) * width, above.height * width) : row(0), 1);
    padded.set(below ? below.labels.subarray(0, width) : row(height - 1), (height + 1) * side + 1);
    return side;
  }

  #paint(tile, numbers, look) {
    const { width, height } = numbers;
    const side = this.#pad(tile, numbers);
    const padded = this.#padded;
    const image = new ImageData(width, height);
    const out = new Uint32Array(image.data.buffer);
    const isFill = this.style === "fill";
    const isDrawn = this.style !== "none";
    const marked = numbers.ids.has(this.marked) ? this.marked : 0;
    const white = pack([255, 255, 255]);
    let last = 0;
    let color = 0;
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const at = (y + 1) * side + x + 1;
        const label = padded[at];
        const up = padded[at - side];
        const down = padded[at + side];
        const left = padded[at - 1];
        const right = padded[at + 1];
        const isEdge = up !== label || down !== label || left !== label || right !== label;
        if (!isEdge && (!isFill || label === 0)) continue;
        // The marked one has a line inside and one outside.
        if (marked && isEdge && (label === marked || up === marked || down === marked || left === marked || right === marked)) {
          out[y * width + x] = white;
        } else if (label !== 0 && isDrawn) {
          if (label !== last) {
            last = label;
            color = pack(this.#palette.label(label), isFill ? 128 : 255);
          }
          out[y * width + x] = color;
        }
      }
    }
    numbers.canvas ??= new OffscreenCanvas(width, height);
    numbers.canvas.getContext("2d").putImageData(image, 0, 0);
    numbers.look = look;
  }
}

// What lies over each other in the image: pyramids of tiles, and of them the channels, which the daemon draws.
import { Recent } from "./site-loader.js";

export const TILE = 512;
const KEPT = 96; // tiles of a layer, about 1 MiB each
const SEEN = 256; // tiles that are drawn at most: only an image without levels has more in sight
const WHOLE = 1024; // longest side of the picture of the whole, which is drawn under such an image
const SHARP = 1.5; // a tile's pixel may be so many device pixels large before a finer level is taken

/** A pyramid of tiles. */
export class Layer {
  constructor(levels, size, drop) {
    this.levels = levels;
    this.size = size;
    this.tiles = new Recent(KEPT, drop);
  }

  /** The level whose pixels are seen best. */
  level(view) {
    for (let level = this.levels.length - 1; level > 0; level -= 1) {
      if ((this.size.width / this.levels[level][1]) * view.scale <= SHARP) return level;
    }
    return 0;
  }

  /** Tiles of a level that are seen, those at the middle first. */
  seen(view, level) {
    const [height, width] = this.levels[level];
    const [fy, fx] = [this.size.height / height, this.size.width / width];
    const { top, bottom, left, right } = view.seen;
    const found = [];
    if (top >= bottom || left >= right) return found;
    const last = (at, side) => Math.min(Math.ceil(side / TILE), Math.ceil(at / TILE)) - 1;
    for (let row = Math.floor(top / fy / TILE); row <= last(bottom / fy, height); row += 1) {
      for (let column = Math.floor(left / fx / TILE); column <= last(right / fx, width); column += 1) {
        const far = Math.hypot((row + 0.5) * TILE * fy - view.y, (column + 0.5) * TILE * fx - view.x);
        found.push({ level, row, column, far });
      }
    }
    return found.sort((a, b) => a.far - b.far).slice(0, SEEN);
  }

  /** Draws a tile. */
  put(context, view, { level, row, column }, picture) {
    const [height, width] = this.levels[level];
    const [fy, fx] = [this.size.height / height, this.size.width / width];
    // Whole device pixels, so that there is no seam.
    const y = (at) => Math.round(view.deviceY(Math.min(at * TILE, height) * fy));
    const x = (at) => Math.round(view.deviceX(Math.min(at * TILE, width) * fx));
    context.drawImage(picture, x(column), y(row), x(column + 1) - x(column), y(row + 1) - y(row));
  }

  /** Draws the level that fits; under what is missing, the coarser ones, and two finer ones that are there already. */
  drawLevels(context, view, picture, source = this.source) {
    const level = this.level(view);
    const tiles = this.seen(view, level);
    const missing = tiles.filter((tile) => !this.tiles.has(this.key(tile, source)));
    const drawAll = (at) => {
      for (const tile of this.seen(view, at)) {
        const drawn = picture(tile, source);
        if (drawn) this.put(context, view, tile, drawn);
      }
    };
    if (missing.length > 0) {
      for (let coarser = this.levels.length - 1; coarser > level; coarser -= 1) drawAll(coarser);
    }
    drawAll(level);
    if (missing.length > 0) {
      for (let finer = level - 1; finer >= Math.max(0, level - 2); finer -= 1) {
        if (this.seen(view, finer).length <= KEPT / 2) drawAll(finer);
      }
    }
    this.tiles.limit = Math.max(KEPT, 2 * tiles.length);
    return missing;
  }

  key({ level, row, column }, source) {
    return `${source}/${level}/${row}/${column}`;
  }
}

/** The channels laid over each other. */
export class Channels extends Layer {
  #base;
  #version;
  #before = null;
  source = null;

  constructor(levels, size, base, version) {
    super(levels, size, (bitmap) => bitmap.close());
    this.#base = base;
    this.#version = version;
  }

  /** `channels` as the API takes them; null: none. What was drawn before stays until the new tiles are there. */
  show(channels) {
    if (channels === this.source) return;
    if (this.source !== null) this.#before = this.source;
    this.source = channels;
  }

  /** Returns what it lacks. */
  draw(context, view) {
    if (this.source === null) return [];
    this.under(context, view);
    // Pixels are seen as squares once they are large.
    const level = this.level(view);
    context.imageSmoothingEnabled = view.scale * (this.size.width / this.levels[level][1]) < 2;
    const picture = (tile, source) => this.tiles.get(this.key(tile, source));
    const isThere = (tile) => this.tiles.has(this.key(tile, this.source));
    if (this.#before !== null) {
      if (this.seen(view, level).every(isThere)) this.#before = null;
      else this.drawLevels(context, view, picture, this.#before);
    }
    const missing = this.drawLevels(context, view, picture);
    const wanted = missing.map((tile) => this.#item(tile));
    // First what shows all at once: the smallest level, if that is one tile.
    const top = { level: this.levels.length - 1, row: 0, column: 0 };
    if (Math.max(...this.levels[top.level]) > TILE) {
      if (!this.tiles.has(this.#wholeKey())) wanted.unshift(this.#whole());
    } else if (missing.length > 1 && level !== top.level && !isThere(top)) {
      wanted.unshift(this.#item(top));
    }
    return wanted;
  }

  /** Draws the picture of the whole under all tiles. */
  under(context, view) {
    const whole = this.source !== null && this.tiles.get(this.#wholeKey());
    if (!whole) return;
    const [top, left] = [view.deviceY(0), view.deviceX(0)];
    context.drawImage(whole, left, top, view.deviceX(this.size.width) - left, view.deviceY(this.size.height) - top);
  }

  #wholeKey() {
    return `${this.source}/whole`;
  }

  #whole() {
    const key = this.#wholeKey();
    const query = new URLSearchParams({ channels: this.source, format: "jpeg", size: WHOLE, v: this.#version });
    return {
      key,
      url: `${this.#base}/preview?${query}`,
      take: async (response) => this.tiles.put(key, await createImageBitmap(await response.blob())),
    };
  }

  #item(tile) {
    const { level, row, column } = tile;
    const key = this.key(tile, this.source);
    const query = new URLSearchParams({ channels: this.source, format: "jpeg", v: this.#version });
    return {
      key,
      url: `${this.#base}/tiles/${level}/${row}/${column}?${query}`,
      take: async (response) => this.tiles.put(key, await createImageBitmap(await response.blob())),
    };
  }
}

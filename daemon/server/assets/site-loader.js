// Fetches what is seen, the most important first, and lets go of what is not seen any more.

// A browser has six connections to a host, and one of them listens for events.
const AT_ONCE = 5;
const FIRST_PAUSE = 2000; // ms until what failed is tried again; twice as long each time
const LONGEST_PAUSE = 60000;

export class Loader {
  #wanted = new Map();
  #flying = new Map();
  #failed = new Map();
  #changed;
  #told;
  /** For measurements: how many were asked for, came, and were let go. */
  counts = { asked: 0, came: 0, aborted: 0 };

  /** `changed` is called when something came or may be tried again; `told` with the text of a problem, or an empty one. */
  constructor(changed, told) {
    this.#changed = changed;
    this.#told = told;
  }

  /** `list`: `{key, url, take}`, the most important first; `take(response)` gets what came. Replaces what was wanted before. */
  want(list) {
    this.#wanted = new Map(list.map((item) => [item.key, item]));
    for (const [key, flight] of this.#flying) {
      if (this.#wanted.has(key)) continue;
      flight.abort();
      this.#flying.delete(key);
      this.counts.aborted += 1;
    }
    this.#fill();
  }

  get idle() {
    return this.#flying.size === 0;
  }

  #fill() {
    const now = performance.now();
    for (const [key, item] of this.#wanted) {
      if (this.#flying.size >= AT_ONCE) return;
      if (this.#flying.has(key) || (this.#failed.get(key)?.again ?? 0) > now) continue;
      this.#fetch(key, item);
    }
  }

  async #fetch(key, item) {
    const flight = new AbortController();
    this.#flying.set(key, flight);
    this.counts.asked += 1;
    let problem = "";
    try {
      const response = await fetch(item.url, { signal: flight.signal });
      if (response.ok) await item.take(response);
      else problem = (await response.json().catch(() => null))?.detail ?? `the daemon answers ${response.status}`;
    } catch (error) {
      if (flight.signal.aborted) return;
      problem = navigator.onLine === false ? "the network is gone" : `the daemon does not answer (${error.message})`;
    }
    if (this.#flying.get(key) !== flight) return;
    this.#flying.delete(key);
    this.#wanted.delete(key);
    if (problem) {
      const pause = Math.min(LONGEST_PAUSE, (this.#failed.get(key)?.pause ?? FIRST_PAUSE / 2) * 2);
      this.#failed.set(key, { pause, again: performance.now() + pause });
      setTimeout(this.#changed, pause + 50);
      this.#told(`A part of the image is missing: ${problem}`);
    } else {
      this.counts.came += 1;
      if (this.#failed.delete(key) && this.#failed.size === 0) this.#told("");
    }
    this.#changed();
    this.#fill();
  }
}

/** The newest things up to a number; `drop` is called with those that must go. */
export class Recent {
  #items = new Map();
  #drop;
  limit;

  constructor(limit, drop) {
    this.limit = limit;
    this.#drop = drop;
  }

  get size() {
    return this.#items.size;
  }

  has(key) {
    return this.#items.has(key);
  }

  /** The thing, which is the newest from now on. */
  get(key) {
    const item = this.#items.get(key);
    if (item !== undefined) {
      this.#items.delete(key);
      this.#items.set(key, item);
    }
    return item;
  }

  /** The thing, as old as it is. */
  peek(key) {
    return this.#items.get(key);
  }

  put(key, item) {
    const before = this.#items.get(key);
    if (before !== undefined) this.#drop(before);
    this.#items.delete(key);
    this.#items.set(key, item);
    for (const [oldest, old] of this.#items) {
      if (this.#items.size <= this.limit) break;
      this.#items.delete(oldest);
      this.#drop(old);
    }
  }

  values() {
    return this.#items.values();
  }
}

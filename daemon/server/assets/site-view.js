// Which part of the image is seen: moved and zoomed with pointers, wheel and keys. Nothing is animated.

const MOST = 40; // screen pixels that an image pixel may have
const STEP = 1.5; // one press of + or -
const SLOP = 4; // pixels that a click may move

export class View {
  #canvas;
  #box;
  #frame = 0;
  #pointers = new Map();
  #moved = false;
  #fitted = true;
  /** Called with the context of each frame. */
  draw = () => {};
  /** Called when the part changed by what a person did. */
  changed = () => {};
  /** Called with the place of the pointer, or null. */
  hovered = () => {};
  /** Called with the place of a click. */
  clicked = () => {};
  /** For measurements: ms that the last frames took. */
  times = [];

  /** `box` takes the keys, `canvas` fills it; `size` is that of the image. */
  constructor(box, canvas, size) {
    this.#box = box;
    this.#canvas = canvas;
    this.size = size;
    this.y = size.height / 2;
    this.x = size.width / 2;
    this.zoom = 1; // CSS pixels of an image pixel
    this.width = 1;
    this.height = 1;
    this.ratio = 1;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#listen();
    this.#resize();
  }

  get fitZoom() {
    return Math.min(this.width / this.size.width, this.height / this.size.height);
  }

  /** Whether the canvas shows what it was told last. */
  get isDrawn() {
    return this.times.length > 0 && !this.#frame;
  }

  get isFitted() {
    return this.#fitted;
  }

  /** Device pixels of an image pixel. */
  get scale() {
    return this.zoom * this.ratio;
  }

  /** The rectangle of the image that is seen. */
  get seen() {
    const [h, w] = [this.height / this.zoom / 2, this.width / this.zoom / 2];
    return {
      top: Math.max(0, this.y - h), bottom: Math.min(this.size.height, this.y + h),
      left: Math.max(0, this.x - w), right: Math.min(this.size.width, this.x + w),
    };
  }

  /** Device pixels of a place of the image. */
  deviceY(y) {
    return (y - this.y) * this.scale + this.#canvas.height / 2;
  }

  deviceX(x) {
    return (x - this.x) * this.scale + this.#canvas.width / 2;
  }

  /** Draws a frame soon. */
  invalidate() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const start = performance.now();
      this.draw(this.#canvas.getContext("2d", { alpha: false }));
      this.times.push(performance.now() - start);
      if (this.times.length > 600) this.times.shift();
    });
  }

  fit() {
    this.#fitted = true;
    this.zoom = this.fitZoom;
    this.y = this.size.height / 2;
    this.x = this.size.width / 2;
    this.#apply();
  }

  /** Looks at a place; `zoom` unless it is told. */
  look(y, x, zoom = this.zoom) {
    this.#fitted = false;
    [this.y, this.x, this.zoom] = [y, x, zoom];
    this.#apply();
  }

  /** Moves by CSS pixels. */
  pan(dy, dx) {
    this.look(this.y + dy / this.zoom, this.x + dx / this.zoom);
  }

  /** Zooms; what is at the CSS pixel stays there. */
  zoomBy(factor, top = this.height / 2, left = this.width / 2) {
    const zoom = Math.min(MOST, Math.max(this.fitZoom / 2, this.zoom * factor));
    const [dy, dx] = [top - this.height / 2, left - this.width / 2];
    this.look(this.y + dy / this.zoom - dy / zoom, this.x + dx / this.zoom - dx / zoom, zoom);
  }

  command(name) {
    const [h, w] = [this.height / 5, this.width / 5];
    const does = {
      in: () => this.zoomBy(STEP), out: () => this.zoomBy(1 / STEP), fit: () => this.fit(),
      full: () => this.look(this.y, this.x, 1 / this.ratio),
      up: () => this.pan(-h, 0), down: () => this.pan(h, 0), left: () => this.pan(0, -w), right: () => this.pan(0, w),
    }[name];
    does?.();
    return Boolean(does);
  }

  #apply() {
    this.y = Math.min(this.size.height, Math.max(0, this.y));
    this.x = Math.min(this.size.width, Math.max(0, this.x));
    this.changed();
    this.invalidate();
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#canvas;
    if (!clientWidth || !clientHeight) return;
    this.ratio = Math.min(3, window.devicePixelRatio || 1);
    [this.width, this.height] = [clientWidth, clientHeight];
    this.#canvas.width = Math.round(clientWidth * this.ratio);
    this.#canvas.height = Math.round(clientHeight * this.ratio);
    if (this.#fitted) this.fit();
    else this.invalidate();
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    const [top, left] = [event.clientY - box.top, event.clientX - box.left];
    return {
      top, left,
      y: this.y + (top - this.height / 2) / this.zoom,
      x: this.x + (left - this.width / 2) / this.zoom,
    };
  }

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button > 0) return;
      canvas.setPointerCapture(event.pointerId);
      if (this.#pointers.size === 0) this.#moved = false;
      this.#pointers.set(event.pointerId, { ...this.#place(event), start: this.#place(event) });
    });
    canvas.addEventListener("pointermove", (event) => {
      const place = this.#place(event);
      const before = this.#pointers.get(event.pointerId);
      if (!before) {
        if (event.pointerType !== "touch") this.hovered(place);
        return;
      }
      const { start } = before;
      if (Math.hypot(place.top - start.top, place.left - start.left) > SLOP) this.#moved = true;
      const others = [...this.#pointers].filter(([id]) => id !== event.pointerId);
      if (others.length > 0) {
        const [, other] = others[0];
        const spread = (one) => Math.max(10, Math.hypot(one.top - other.top, one.left - other.left));
        this.#moved = true;
        this.pan((before.top - place.top) / 2, (before.left - place.left) / 2);
        this.zoomBy(spread(place) / spread(before), (place.top + other.top) / 2, (place.left + other.left) / 2);
      } else if (this.#moved) {
        this.pan(before.top - place.top, before.left - place.left);
      }
      this.#pointers.set(event.pointerId, { ...place, start });
    });
    const lifted = (event) => {
      if (!this.#pointers.delete(event.pointerId)) return;
      if (event.type === "pointerup" && !this.#moved) this.clicked(this.#place(event));
    };
    canvas.addEventListener("pointerup", lifted);
    canvas.addEventListener("pointercancel", lifted);
    canvas.addEventListener("pointerleave", () => this.hovered(null));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const unit = [1, 16, 400][event.deltaMode] ?? 1;
      // Two fingers on a touchpad are told as a wheel with Ctrl, in small steps.
      const speed = event.ctrlKey ? 0.01 : 0.002;
      const { top, left } = this.#place(event);
      this.zoomBy(Math.exp(-Math.max(-300, Math.min(300, event.deltaY * unit)) * speed), top, left);
    }, { passive: false });
    const keys = {
      ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right",
      "+": "in", "=": "in", "-": "out", _: "out", 0: "fit", 1: "full",
    };
    this.#box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.command(keys[event.key])) event.preventDefault();
    });
  }
}

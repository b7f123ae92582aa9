// The form of channels and labels: with the script it redraws while it is changed.

const PAUSE = 150; // ms after the last change

/** A name in the list of channels of a picture's address. */
const escape = (name) => name.replace(/[%,:+]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

export class Drawing {
  #form;
  #images;
  #timer = 0;
  /** Called when something changed. */
  changed = () => {};

  constructor(form, images) {
    this.#form = form;
    this.#images = new Map(images.map((image) => [image.name, image]));
    form.querySelector("#drawing-actions button").hidden = true;
    for (const channel of form.querySelectorAll(".channel")) this.#addSliders(channel);
    const soon = () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.changed(), PAUSE);
    };
    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.changed();
    });
  }

  /** The chosen channels as the API takes them; null if none is. */
  get channels() {
    const list = this.#each().filter(({ on }) => on.checked).map(({ name, low, high, color }) => {
      const [from, to] = this.#limits(name, low, high);
      return `${escape(name)}:${from}:${to}:${color.value.slice(1)}`;
    });
    return list.length > 0 ? list.join(",") : null;
  }

  /** The style of each label image. */
  get styles() {
    return [...this.#form.querySelectorAll("[data-labels]")].map((select) => [select.dataset.labels, select.value]);
  }

  /** Writes into an address what is not as the container says. */
  write(params) {
    const set = (name, value, plain) => (value === plain ? params.delete(name) : params.set(name, value));
    const each = this.#each();
    const isChosen = each.some(({ name, on }) => on.checked !== this.#images.get(name).shown);
    set("drawn", isChosen ? "1" : "", "");
    for (const { name, on, low, high, color } of each) {
      const image = this.#images.get(name);
      const [from, to] = this.#limits(name, low, high);
      set(`on.${name}`, isChosen && on.checked ? "1" : "", "");
      set(`low.${name}`, String(from), String(image.limits[0]));
      set(`high.${name}`, String(to), String(image.limits[1]));
      set(`color.${name}`, color.value.slice(1), image.color);
    }
    for (const [name, style] of this.styles) set(`labels.${name}`, style, "none");
  }

  #each() {
    return [...this.#form.querySelectorAll(".channel")].map((channel) => ({
      name: channel.dataset.channel,
      on: channel.querySelector("[type=checkbox]"),
      low: channel.querySelectorAll("[type=number]")[0],
      high: channel.querySelectorAll("[type=number]")[1],
      color: channel.querySelector("[type=color]"),
    }));
  }

  /** What cannot be read as a number is as the container says. */
  #limits(name, low, high) {
    const { limits } = this.#images.get(name);
    return [low, high].map(({ valueAsNumber }, i) => (Number.isFinite(valueAsNumber) ? valueAsNumber : limits[i]));
  }

  #addSliders(channel) {
    const name = channel.dataset.channel;
    const { limits: [first, last], pixel_type: type } = this.#images.get(name);
    const inputs = channel.querySelectorAll("[type=number]");
    const isWhole = type.includes("int");
    const span = Math.max(last - first, isWhole ? 10 : 1e-6);
    const least = isWhole && !type.startsWith("int") ? Math.max(0, first - span) : first - span;
    const most = { uint8: 255, int8: 127 }[type] ?? last + 2 * span;
    const box = document.createElement("div");
    box.className = "sliders";
    [...inputs].forEach((input, i) => {
      const slider = document.createElement("input");
      slider.type = "range";
      slider.min = least;
      slider.max = most;
      slider.step = isWhole ? 1 : span / 200;
      slider.setAttribute("aria-label", `${i === 0 ? "Black" : "Full colour"} of ${name}`);
      const follow = () => {
        const value = input.valueAsNumber;
        if (!Number.isFinite(value)) return;
        if (value < Number(slider.min)) slider.min = value;
        if (value > Number(slider.max)) slider.max = value;
        slider.value = value;
      };
      slider.addEventListener("input", () => {
        const other = inputs[1 - i];
        const value = isWhole ? slider.valueAsNumber : Number(slider.valueAsNumber.toPrecision(6));
        input.value = value;
        // One pushes the other.
        if (i === 0 ? value >= other.valueAsNumber : value <= other.valueAsNumber) {
          other.value = value + (i === 0 ? 1 : -1) * Number(slider.step);
          other.dispatchEvent(new Event("follow"));
        }
      });
      input.addEventListener("input", follow);
      input.addEventListener("follow", follow);
      follow();
      box.append(slider);
    });
    channel.querySelector(".limits").after(box);
  }
}

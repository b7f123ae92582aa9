// Which column of the table colours the objects, in the image and among the points; with its scale.
import { ofValue } from "./site-colors.js";
import { element } from "./site-element.js";
import { written } from "./site-objects.js";

const STEPS = 256;

export class ColorBy {
  #select;
  #scale;
  #ramp;
  #ends;
  /** Called with the name of a column, or `label`. */
  chosen = () => {};

  /** Stands before `place`; `names` are those of the columns with numbers. */
  constructor(place, names) {
    const options = names.map((name) => element("option", { value: name, textContent: name }));
    this.#select = element("select", { id: "colors" }, element("option", { value: "label", textContent: "its number" }), ...options);
    this.#ramp = element("canvas", { className: "ramp", width: STEPS, height: 1, role: "img", "aria-label": "Scale" });
    this.#ends = element("p", { className: "ramp-ends under" });
    this.#scale = element("div", { hidden: true }, this.#ramp, this.#ends);
    const context = this.#ramp.getContext("2d");
    for (let i = 0; i < STEPS; i += 1) {
      context.fillStyle = `rgb(${ofValue(i, [0, STEPS - 1]).join(" ")})`;
      context.fillRect(i, 0, 1, 1);
    }
    place.before(element("div", { className: "color-by" },
      element("label", { htmlFor: "colors", textContent: "Colour objects by" }), " ", this.#select, this.#scale));
    this.#select.addEventListener("change", (event) => {
      // The form around it draws channels.
      event.stopPropagation();
      this.chosen(this.#select.value);
    });
    this.#select.addEventListener("input", (event) => event.stopPropagation());
  }

  /** Tells what the colours mean now. */
  tell({ column, range }) {
    this.#select.value = column?.name ?? "label";
    this.#scale.hidden = !column;
    if (!column) return;
    const [low, high] = range.map(written);
    this.#ends.replaceChildren(element("span", { textContent: low }), element("span", { textContent: high }));
    this.#ramp.setAttribute("aria-label", `Viridis from ${low} to ${high}, the middle 98 % of ${column.name}`);
  }
}

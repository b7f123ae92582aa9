// The table of objects: sorted in the browser, a hundred rows at a time, each leading to its object in the image.
import { grouped, written } from "./site-objects.js";

const ROWS = 100;

export class Rows {
  #objects;
  #order;
  #place = null;
  #head;
  #body;
  #count;
  #box;
  #pages;
  #buttons;
  sort = "";
  first = 0;
  marked = -1;
  /** Called with a row that was chosen. */
  chosen = () => {};
  /** Called when the order or the part changed. */
  changed = () => {};

  /** Takes over the table that the daemon made. */
  constructor(section) {
    this.#box = section.querySelector("#rows-box");
    this.#head = section.querySelector("#rows thead tr");
    this.#body = section.querySelector("#rows tbody");
    this.#count = section.querySelector("#rows-count");
    section.querySelector("#rows-pages")?.remove();
    this.#pages = document.createElement("div");
    this.#pages.className = "pages buttons";
    this.#pages.setAttribute("role", "group");
    this.#pages.setAttribute("aria-label", "Parts of the table");
    const of = { "First rows": () => 0, "Previous rows": () => this.first - ROWS, "More rows": () => this.first + ROWS, "Last rows": () => this.#objects.length - 1 };
    this.#buttons = Object.entries(of).map(([text, to]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", () => this.turn(to()));
      this.#pages.append(button);
      return button;
    });
    this.#box.after(this.#pages);
    this.#body.addEventListener("click", (event) => {
      const row = event.target.closest("tr")?.dataset.row;
      if (row !== undefined && getSelection().isCollapsed) this.chosen(Number(row));
    });
  }

  show(objects, sort, first) {
    this.#objects = objects;
    this.marked = -1;
    // The heads are links that sort by themselves; here they need not lead to another page.
    const cells = [...this.#head.cells];
    objects.columns.forEach(({ name }, i) => {
      cells[i].dataset.column = name;
      cells[i].querySelector("a").addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.order(this.sort === name ? `-${name}` : name);
      });
    });
    this.first = first;
    this.order(sort, first);
  }

  /** Sorts by a column; with `-` before it the largest first. */
  order(sort, first = 0) {
    const descending = sort.startsWith("-");
    const name = descending ? sort.slice(1) : sort;
    this.sort = this.#objects.column(name) ? sort : "";
    this.#order = this.#objects.order(name, descending);
    this.#place = null;
    for (const cell of this.#head.cells) {
      const link = cell.querySelector("a");
      const query = new URLSearchParams(location.search);
      query.delete("after");
      query.set("sort", this.sort === cell.dataset.column ? `-${this.sort}` : cell.dataset.column);
      link.href = `${location.pathname}?${query}#objects`;
      if (this.sort && cell.dataset.column === name) cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    this.turn(first);
  }

  /** Shows the part that begins at or before a row of the order. */
  turn(first) {
    const n = this.#objects.length;
    this.first = Math.floor(Math.max(0, Math.min(first, n - 1)) / ROWS) * ROWS;
    const rows = this.#order.subarray(this.first, this.first + ROWS);
    this.#body.replaceChildren(...Array.from(rows, (row) => this.#row(row)));
    this.#count.textContent = n === 0 ? "no rows" : `rows ${grouped(this.first + 1)} to ${grouped(this.first + rows.length)} of ${grouped(n)}`;
    if (n < this.#objects.total) this.#count.textContent += `; the table has ${grouped(this.#objects.total)}: download it for the rest`;
    const [start, back, on, end] = this.#buttons;
    start.disabled = back.disabled = this.first === 0;
    on.disabled = end.disabled = this.first + ROWS >= n;
    this.#pages.hidden = n <= ROWS;
    this.#box.scrollTop = 0;
    this.changed();
  }

  /** Marks a row, and shows it unless it was chosen here. */
  mark(row, show) {
    this.#body.querySelector("[aria-current]")?.removeAttribute("aria-current");
    this.marked = row;
    if (row < 0) return;
    if (show) {
      if (!this.#place) {
        this.#place = new Uint32Array(this.#order.length);
        this.#order.forEach((one, at) => { this.#place[one] = at; });
      }
      const at = this.#place[row];
      if (at < this.first || at >= this.first + ROWS) this.turn(at);
    }
    const line = this.#body.querySelector(`[data-row="${row}"]`);
    if (!line) return;
    line.setAttribute("aria-current", "true");
    // Only the table scrolls: the image stays in sight.
    const head = this.#head.offsetHeight;
    const top = line.offsetTop - this.#box.scrollTop - head;
    const space = this.#box.clientHeight - head - line.offsetHeight;
    if (top < 0 || top > space) this.#box.scrollTop = line.offsetTop - head - space / 2;
  }

  #row(row) {
    const line = document.createElement("tr");
    line.dataset.row = row;
    if (row === this.marked) line.setAttribute("aria-current", "true");
    this.#objects.columns.forEach(({ isNumber, values }, i) => {
      const cell = document.createElement(i === 0 ? "th" : "td");
      const text = written(values[row]);
      if (isNumber) cell.className = "num";
      if (i === 0) {
        cell.scope = "row";
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = text;
        cell.append(button);
      } else {
        cell.textContent = text;
      }
      line.append(cell);
    });
    return line;
  }
}

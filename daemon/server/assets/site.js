// The page of an image set: an image to pan and zoom, a table and a scatter plot, linked with each other.
// Without this script the page shows the same image, redrawn by its form, and the same table in parts.
import { ColorBy } from "./site-color-by.js";
import { Palette } from "./site-colors.js";
import { Drawing } from "./site-drawing.js";
import { element } from "./site-element.js";
import { Labels } from "./site-labels.js";
import { Channels } from "./site-layers.js";
import { Loader } from "./site-loader.js";
import { watchForNews } from "./site-news.js";
import { Objects, grouped, written } from "./site-objects.js";
import { Plot } from "./site-plot.js";
import { Rows } from "./site-rows.js";
import { View } from "./site-view.js";

const PAUSE = 300; // ms after the last change until the address follows
const SHOWN = 24; // columns of the object under the pointer

watchForNews();

const root = document.getElementById("site");
if (root) start(root);

function start(site) {
  const { id, version } = site.dataset;
  const base = `/api/v1/image-sets/${id}`;
  const contents = JSON.parse(site.dataset.contents);
  const form = document.getElementById("drawing");
  const drawn = new Set([...form.querySelectorAll("[data-channel], [data-labels]")].map((one) => one.dataset.channel ?? one.dataset.labels));
  const images = contents.images.filter((image) => drawn.has(image.name));
  // As the form has them.
  for (const image of images) {
    image.limits = image.limits?.includes(null) ? [0, 1] : image.limits?.map((limit) => Number(limit.toPrecision(6)));
  }
  if (images.length === 0) return;
  const size = { height: images[0].height, width: images[0].width };
  const params = () => new URLSearchParams(location.search);

  // The image
  const box = document.getElementById("viewer");
  const canvas = element("canvas", { role: "img", "aria-label": box.querySelector("img")?.alt ?? "Image" });
  const problem = element("p", { className: "viewer-problem", role: "status", hidden: true });
  box.replaceChildren(canvas, problem);
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Image viewer: arrow keys move, plus and minus zoom, 0 shows all");
  box.setAttribute("aria-describedby", "viewer-help");
  document.getElementById("viewer-help").hidden = false;

  const view = new View(box, canvas, size);
  const palette = new Palette();
  const loader = new Loader(() => view.invalidate(), (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  });
  const first = images.find((image) => image.kind === "intensity") ?? images[0];
  const channels = new Channels(first.levels, size, base, version);
  const labels = images.filter((image) => image.kind === "labels")
    .map((image) => new Labels(image.name, image.levels, size, base, version, palette));
  const drawing = new Drawing(form, images);

  // What is chosen: a label of the table's label image, a row of the table, or both.
  let objects = null;
  let active = labels.find((layer) => layer.name === site.dataset.labels) ?? null;
  let chosen = { label: 0, row: -1, place: null };
  let clicked = null; // the place of a click that has marked nothing yet
  let choices = 0;
  let pointer = null;
  let over = { label: 0, row: -1 };

  view.draw = (context) => {
    if (clicked) markClicked();
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    let wanted = channels.draw(context, view);
    for (const layer of labels) wanted = wanted.concat(layer.draw(context, view, () => setTimeout(() => view.invalidate())));
    ring(context);
    scale.textContent = `${written(Number((100 * view.scale).toPrecision(3)))} %`;
    loader.want(wanted);
    if (pointer) point();
  };

  // A small object is a few pixels of the whole: a ring says where it is.
  function ring(context) {
    const { place } = chosen;
    if (!place) return;
    const radius = Math.max(14, (place.reach ?? 0) * view.zoom + 6) * view.ratio;
    if (radius > canvas.height) return;
    for (const [color, line] of [["#000", 4], ["#fff", 2]]) {
      context.strokeStyle = color;
      context.lineWidth = line * view.ratio;
      context.beginPath();
      context.arc(view.deviceX(place.x), view.deviceY(place.y), radius, 0, 7);
      context.stroke();
    }
  }

  const tools = document.getElementById("viewer-tools");
  for (const [name, text, label] of [
    ["in", "+", "Zoom in"], ["out", "−", "Zoom out"], ["fit", "Fit", "Fit: show all of the image"],
    ["full", "1:1", "1:1, one image pixel on one screen pixel"],
    ["left", "←", "Move left"], ["up", "↑", "Move up"], ["down", "↓", "Move down"], ["right", "→", "Move right"],
  ]) {
    const button = element("button", { type: "button", textContent: text, title: label, "aria-label": label });
    button.addEventListener("click", () => view.command(name));
    tools.append(button);
  }
  const scale = element("span", { className: "dim scale" });
  tools.append(scale);
  tools.hidden = false;

  // The address
  let timer = 0;
  const follow = () => {
    clearTimeout(timer);
    timer = setTimeout(write, PAUSE);
  };
  function write() {
    const now = params();
    const set = (name, value) => (value ? now.set(name, value) : now.delete(name));
    drawing.write(now);
    set("y", view.isFitted ? "" : view.y.toFixed(1));
    set("x", view.isFitted ? "" : view.x.toFixed(1));
    set("zoom", view.isFitted ? "" : view.zoom.toPrecision(4));
    set("object", chosen.label || "");
    if (objects) {
      set("sort", rows.sort);
      set("after", rows.first || "");
      const by = palette.column?.name ?? "label";
      set("colors", by === (hasScore() ? "score" : "label") ? "" : by);
    }
    // An empty table has no plot.
    if (axes) {
      set("plot.x", axes.x.value === axes.plain[0] ? "" : axes.x.value);
      set("plot.y", axes.y.value === axes.plain[1] ? "" : axes.y.value);
    }
    const query = String(now);
    history.replaceState(null, "", `${location.pathname}${query ? `?${query}` : ""}${location.hash}`);
  }
  view.changed = follow;

  // The next image set is looked at in the same way.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-keep]");
    if (!link) return;
    write();
    const kept = params();
    for (const name of ["y", "x", "zoom", "object", "after"]) kept.delete(name);
    link.search = String(kept);
  });

  const redraw = () => {
    channels.show(drawing.channels);
    for (const [name, style] of drawing.styles) labels.find((layer) => layer.name === name).style = style;
    view.invalidate();
  };
  drawing.changed = () => {
    redraw();
    follow();
  };

  // The object under the pointer
  const readout = document.getElementById("readout");
  readout.hidden = labels.length === 0;
  function tell() {
    const { label, row } = over.label || over.row >= 0 ? over : chosen;
    if (!label && row < 0) {
      readout.replaceChildren(element("p", { className: "dim", textContent: "Point at an object to see its row of the table." }));
      return;
    }
    const name = label ? `Object ${label}` : `Row ${row + 1}`;
    const facts = row < 0 ? [] : objects.columns.slice(0, SHOWN).map(({ name: column, values }) =>
      element("div", {}, element("dt", { textContent: column }), element("dd", { textContent: written(values[row]) })));
    const title = element("p", {}, element("strong", { textContent: name }));
    if (row < 0 && objects) title.append(" is not in the table.");
    readout.replaceChildren(title, element("dl", {}, ...facts));
  }

  function point() {
    const label = pointer && active ? active.at(view, pointer.y, pointer.x) : 0;
    if (label === undefined) return;
    hover(label, label && objects ? objects.rowOf(label) : -1);
  }
  function hover(label, row) {
    if (over.label === label && over.row === row) return;
    over = { label, row };
    canvas.classList.toggle("on-object", label > 0);
    if (plot) {
      plot.over = row;
      plot.invalidate();
    }
    tell();
  }
  view.hovered = (place) => {
    pointer = place;
    point();
    // The numbers may have to be fetched.
    if (place && active) view.invalidate();
  };

  // Choosing
  async function choose(label, row, { from = "", move = false } = {}) {
    clicked = null;
    const mine = ++choices;
    let place = row >= 0 && active ? objects.place(row) : null;
    if (!place && label && active) {
      place = active.find(label);
      if (!place && move) {
        await active.overview();
        if (mine !== choices) return; // something else was chosen meanwhile
        place = active.find(label);
      }
    }
    const extent = row >= 0 ? objects.box(row) : null;
    if (place && extent) place.reach = Math.hypot(extent.bottom - extent.top, extent.right - extent.left) / 2;
    chosen = { label, row, place };
    for (const layer of labels) layer.marked = layer === active ? label : 0;
    if (rows) rows.mark(row, from !== "table");
    if (plot) {
      plot.marked = row;
      plot.invalidate();
    }
    if (place && move) {
      // Near enough to see it, but no nearer than somebody looks already.
      const wanted = Math.min(4, Math.min(view.height, view.width) / 6 / Math.max(10, place.reach ?? 10));
      view.look(place.y, place.x, Math.max(view.zoom, wanted));
      // On a small screen the table is far below.
      const { top, bottom, height } = box.getBoundingClientRect();
      if (Math.min(bottom, innerHeight) - Math.max(top, 0) < height / 3) box.scrollIntoView({ block: "nearest" });
    }
    document.getElementById("announce").textContent = label ? `Object ${label} is marked.` : row >= 0 ? `Row ${row + 1} is marked.` : "";
    tell();
    view.invalidate();
    follow();
  }
  // The numbers of what was clicked may have to be fetched, which takes as long as it takes: each frame looks again.
  function markClicked() {
    const label = active.at(view, clicked.y, clicked.x);
    if (label !== undefined) choose(label, label && objects ? objects.rowOf(label) : -1);
  }
  view.clicked = (place) => {
    if (!active) return;
    clicked = place;
    markClicked();
    view.invalidate();
  };
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") choose(0, -1);
  });

  // Table and plot
  const section = document.getElementById("objects");
  const rows = section.querySelector("#rows") ? new Rows(section) : null;
  let plot = null;
  let axes = null;
  let colors = null;
  const hasScore = () => Boolean(objects?.column("score")?.isNumber);

  function paint(name) {
    const column = objects.column(name);
    palette.choose(objects, column?.isNumber ? column : null);
    colors.tell(palette);
    plot?.refresh();
    view.invalidate();
  }

  function addPlot() {
    const part = document.getElementById("plot");
    const numbers = objects.columns.filter((column) => column.isNumber);
    if (numbers.length === 0 || objects.length === 0) return;
    const names = numbers.map((column) => column.name);
    const has = (...of) => of.flatMap((test) => names.filter((name) => (typeof test === "string" ? name === test : test.test(name))))[0];
    const x = has("area", "n_cells", /area/) ?? names[Math.min(1, names.length - 1)];
    const y = has("score", /mean(_intensity)?$/, /_mean/, /mean/) ?? names[names.length - 1];
    const options = () => names.map((name) => element("option", { value: name, textContent: name }));
    const said = params();
    const chooseAxis = (word, name, plain) => {
      const select = element("select", { id: `plot-${name}` }, ...options());
      select.value = names.includes(said.get(`plot.${name}`)) ? said.get(`plot.${name}`) : plain;
      select.addEventListener("change", () => {
        show();
        follow();
      });
      return [select, element("div", {}, element("label", { htmlFor: `plot-${name}`, textContent: word }), " ", select)];
    };
    const [selectX, boxX] = chooseAxis("To the right", "x", x);
    const [selectY, boxY] = chooseAxis("Upwards", "y", y);
    axes = { x: selectX, y: selectY, plain: [x, y] };
    const points = element("canvas", { className: "points", role: "img", "aria-describedby": "plot-summary" });
    const summary = element("p", { id: "plot-summary", className: "under" });
    part.append(element("div", { className: "axes" }, boxX, boxY), points, summary);
    part.hidden = false;
    plot = new Plot(points, palette);
    const show = () => {
      plot.show(objects, objects.column(selectX.value), objects.column(selectY.value));
      points.setAttribute("aria-label", `Scatter plot of ${selectY.value} against ${selectX.value}`);
      summary.textContent = plot.summary();
    };
    show();
    plot.hovered = (row) => hover(row < 0 ? 0 : objects.label(row), row);
    plot.chosen = (row) => {
      if (row >= 0) choose(objects.label(row), row, { from: "plot", move: true });
    };
  }

  async function load() {
    const count = document.getElementById("rows-count");
    try {
      objects = await Objects.load(base, site.dataset.table, undefined, (n, total) => {
        if (n < total) count.textContent = `${grouped(n)} of ${grouped(total)} rows are loaded`;
      });
    } catch (error) {
      count.textContent += `; not all rows could be loaded: ${error.message}`;
      return;
    }
    const said = params();
    const names = objects.columns.filter((column) => column.isNumber).map(({ name }) => name);
    colors = new ColorBy(form.querySelector("#drawing-actions"), names);
    colors.chosen = (name) => {
      paint(name);
      follow();
    };
    rows.show(objects, said.get("sort") ?? "", Number(said.get("after")) || 0);
    rows.changed = follow;
    rows.chosen = (row) => choose(objects.label(row), row, { from: "table", move: true });
    addPlot();
    paint(said.get("colors") ?? (hasScore() ? "score" : "label"));
    const label = Number(said.get("object")) || chosen.label;
    if (label) choose(label, objects.rowOf(label), { from: "address" });
    tell();
  }

  const said = params();
  const [y, x, zoom] = ["y", "x", "zoom"].map((name) => Number.parseFloat(said.get(name)));
  if ([y, x, zoom].every(Number.isFinite)) view.look(y, x, Math.min(40, Math.max(view.fitZoom / 2, zoom)));
  const choice = document.getElementById("tables");
  if (choice) choice.querySelector("button").hidden = true;
  choice?.addEventListener("change", (event) => {
    write();
    const now = params();
    for (const name of ["sort", "after", "object", "colors", "plot.x", "plot.y"]) now.delete(name);
    now.set("table", event.target.value);
    location.search = String(now);
  });
  tell();
  redraw();
  if (rows) load();
  // For measurements and tests.
  site.viewer = { view, loader, channels, labels, get plot() { return plot; }, get objects() { return objects; } };
}

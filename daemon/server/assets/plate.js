// Choosing wells without leaving the page: a click chooses one, Ctrl (or the space bar) adds, Shift makes a rectangle.
// Without this script each well is a link to the page with that well chosen.
"use strict";
(() => {
  const cellOf = (node) => node?.closest?.(".grid tbody td");
  const wellOf = (cell) => {
    const link = cell?.querySelector("a");
    return link && new URL(link.href).searchParams.get("well");
  };
  const chosen = () => [...document.querySelectorAll(".grid a[aria-current]")].map((link) => wellOf(link.closest("td")));

  let anchor = null; // where a rectangle begins

  const choose = (wells) => {
    const url = new URL(location.href);
    url.hash = "";
    if (wells.length) url.searchParams.set("well", wells.join(","));
    else url.searchParams.delete("well");
    return window.wellspring.show(url);
  };

  // What is chosen is read from the page: who adds waits until the choice before is shown.
  let shown = Promise.resolve();
  const toggle = (well) => {
    shown = shown.then(() => {
      const wells = chosen();
      return choose(wells.includes(well) ? wells.filter((other) => other !== well) : [...wells, well]);
    });
  };

  const act = (event, cell, add) => {
    const well = wellOf(cell);
    if (!well) return;
    event.preventDefault();
    if (event.shiftKey && anchor) {
      shown = choose([`${anchor}:${well}`]);
      return;
    }
    anchor = well;
    if (add) return toggle(well);
    // What belongs to the well is brought into sight, with as little movement as that takes.
    shown = choose([well]);
    shown.then(() => document.getElementById("well-title")?.scrollIntoView({ block: "nearest" }));
  };

  document.addEventListener("click", (event) => {
    const cell = cellOf(event.target);
    // A middle click opens a tab, as everywhere.
    if (!cell || event.button !== 0 || !event.target.closest("a")) return;
    act(event, cell, event.ctrlKey || event.metaKey);
  });

  document.addEventListener("keydown", (event) => {
    const cell = event.key === " " && cellOf(event.target);
    if (cell) act(event, cell, true);
  });

  // The grid is one stop of the Tab key, at the well that had the focus last; the arrow keys walk from there. Without this
  // script each well is a stop of its own.
  let stop = null; // the name of its well
  const links = () => [...document.querySelectorAll(".grid tbody td a")];
  const makeStop = (link) => {
    for (const other of links()) other.tabIndex = other === link ? 0 : -1;
    stop = link && wellOf(link.closest("td"));
  };
  const keepStop = () => {
    const all = links();
    makeStop(all.find((link) => wellOf(link.closest("td")) === stop) ?? all.find((link) => link.ariaCurrent) ?? all[0]);
  };

  // The next well from a cell in some direction; empty ones are leapt over.
  const next = (cell, rowStep, columnStep) => {
    const rows = [...cell.closest("tbody").rows];
    let row = rows.indexOf(cell.parentElement);
    let column = cell.cellIndex;
    for (;;) {
      row += rowStep;
      column += columnStep;
      const other = rows[row]?.cells[column];
      if (!other || column < 1) return null;
      const link = other.querySelector("a");
      if (link) return link;
    }
  };
  const ends = (part) => {
    const all = [...part.querySelectorAll("td a")];
    return { Home: all[0], End: all[all.length - 1] };
  };
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  document.addEventListener("keydown", (event) => {
    const cell = cellOf(event.target);
    if (!cell || event.altKey || event.metaKey) return;
    const step = steps[event.key];
    const link = step && !event.ctrlKey
      ? next(cell, ...step)
      : ends(event.ctrlKey ? cell.closest("tbody") : cell.parentElement)[event.key];
    if (step || link) event.preventDefault();
    link?.focus();
  });
  document.addEventListener("focusin", (event) => {
    const link = cellOf(event.target) && event.target.closest("a");
    if (link) makeStop(link);
  });
  document.addEventListener("replaced", keepStop);
  keepStop();

  // The row and column under the pointer or the focus stand out, so that a well is found in a plate of 1536.
  const cross = (cell) => {
    for (const marked of document.querySelectorAll(".grid .cross")) marked.classList.remove("cross");
    if (!cell) return;
    cell.parentElement.cells[0]?.classList.add("cross");
    cell.closest("table").tHead?.rows[0].cells[cell.cellIndex]?.classList.add("cross");
  };
  document.addEventListener("pointerover", (event) => {
    if (event.target.closest?.(".grid")) cross(cellOf(event.target));
  });
  document.addEventListener("focusin", (event) => cross(cellOf(event.target)));

  // Another column is shown as soon as it is chosen.
  document.addEventListener("change", (event) => {
    if (event.target.id !== "show") return;
    const { form } = event.target;
    for (const end of form.querySelectorAll("#low, #high")) end.value = "";
    form.requestSubmit();
  });
})();

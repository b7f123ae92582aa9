// Keeps the page up to date: when something happened, the page is fetched again and its live parts are replaced.
// Without this script the page is complete, and as old as its footer says.
"use strict";
(() => {
  const PAUSE = 2000; // ms between two refreshes, however much happens
  const { events, kinds } = document.body.dataset;

  // What was just done is told once.
  const here = new URL(location.href);
  if (here.searchParams.has("notice")) {
    here.searchParams.delete("notice");
    here.searchParams.delete("n");
    history.replaceState(null, "", here);
  }

  for (const command of document.querySelectorAll(".command")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy: ${command.textContent}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    command.after(button);
  }

  // Arrow keys walk over the wells.
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const cell = event.target.closest?.(".grid td");
    if (!step || !cell) return;
    event.preventDefault();
    const rows = [...cell.closest("tbody").rows];
    let row = rows.indexOf(cell.parentElement);
    let column = cell.cellIndex;
    for (;;) {
      row += step[0];
      column += step[1];
      const next = rows[row]?.cells[column];
      if (!next || column < 1) return;
      const link = next.querySelector("a");
      if (link) return link.focus();
    }
  });

  if (!events || !window.EventSource) return;

  const badge = document.getElementById("live");
  const say = (text, good) => {
    badge.hidden = false;
    badge.textContent = text;
    badge.classList.toggle("off", !good);
  };

  const replace = (fresh) => {
    for (const old of document.querySelectorAll("[data-live]")) {
      const young = fresh.getElementById(old.id);
      if (!young || young.outerHTML === old.outerHTML) continue;
      const focused = old.contains(document.activeElement) ? document.activeElement : null;
      // A person is at it: do not pull it away.
      if (focused && focused.matches("input, select, textarea, summary")) continue;
      for (const details of young.querySelectorAll("details[id]")) {
        const before = document.getElementById(details.id);
        if (before) details.open = before.open;
      }
      const scroll = [...old.querySelectorAll(".scroll, .log")].map((part) => [part.scrollLeft, part.scrollTop]);
      const label = focused && (focused.getAttribute("aria-label") || focused.textContent);
      old.replaceWith(document.adoptNode(young));
      [...young.querySelectorAll(".scroll, .log")].forEach((part, i) => {
        if (scroll[i]) [part.scrollLeft, part.scrollTop] = scroll[i];
      });
      if (label) {
        const name = label.split(":")[0];
        const again = [...young.querySelectorAll("a, button")]
          .find((part) => (part.getAttribute("aria-label") || part.textContent).split(":")[0] === name);
        again?.focus({ preventScroll: true });
      }
    }
  };

  let wanted = false;
  let busy = false;
  const refresh = async () => {
    if (busy || document.hidden) return;
    busy = true;
    while (wanted && !document.hidden) {
      wanted = false;
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch {
        say("offline", false);
      }
      await new Promise((done) => setTimeout(done, PAUSE));
    }
    busy = false;
  };
  const want = () => {
    wanted = true;
    refresh();
  };

  // A browser allows a host only a few connections for all of its tabs: hidden ones let go of theirs.
  let source = null;
  let opened = false;
  const listen = () => {
    source = new EventSource(events);
    source.addEventListener("open", () => {
      say("live", true);
      if (opened) want();
      opened = true;
    });
    source.addEventListener("error", () => say("reconnecting", false));
    for (const kind of `${kinds} gap`.split(" ")) source.addEventListener(kind, want);
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (!source) {
      listen();
    }
  });
  if (!document.hidden) listen();
})();

// Keeps the page up to date: when something happened, the page is fetched again and its live parts are replaced.
// Without this script the page is complete, and as old as its footer says.
"use strict";
(() => {
  const PAUSE = 2000; // ms between two refreshes, however much happens
  const LOG_PAUSE = 1500; // ms between two looks at the log of what is running
  const MINUTE = 60_000; // ms; how old times and estimates may become where nothing happens
  const RETRY = 5000; // ms until a stream of events that was refused is asked for again
  const { events, kinds } = document.body.dataset;
  document.documentElement.classList.add("js");

  // What was just done is told once.
  const here = new URL(location.href);
  if (here.searchParams.has("notice")) {
    here.searchParams.delete("notice");
    here.searchParams.delete("n");
    history.replaceState(null, "", here);
  }

  // Each command can be copied; parts that are replaced get their buttons again.
  const addCopyButtons = (part) => {
    if (!navigator.clipboard) return;
    for (const command of part.querySelectorAll(".command")) {
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
  };

  // The log of what is running grows: whoever looks at its end goes on looking at its end.
  const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 4;
  const toEnd = (box) => { box.scrollTop = box.scrollHeight; };
  const followLogs = async () => {
    for (const box of document.querySelectorAll("[data-log]")) {
      try {
        const answer = await fetch(box.dataset.log);
        const text = await answer.text();
        if (!answer.ok || !box.isConnected) continue;
        const end = isAtEnd(box);
        // Only what is new is added, so that a selection stays.
        if (text.startsWith(box.textContent)) box.append(text.slice(box.textContent.length));
        else box.textContent = text;
        if (end) toEnd(box);
        if (answer.headers.get("x-wellspring-outcome") !== "running") {
          box.removeAttribute("data-log");
          want();
        }
      } catch { /* the badge says that the daemon does not answer */ }
    }
  };

  let source = null; // of events, while the page listens
  const badge = document.getElementById("live");
  const say = (text, good) => {
    badge.hidden = false;
    badge.textContent = text;
    badge.classList.toggle("off", !good);
  };

  // The parts as the daemon sent them, before buttons were added or details opened.
  const sent = new WeakMap();
  for (const part of document.querySelectorAll("[data-live]")) sent.set(part, part.outerHTML);

  // Nothing is pulled away from who types, opens or marks something.
  const isInUse = (part) => {
    if (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea, summary")) return true;
    const selection = getSelection();
    return Boolean(selection && !selection.isCollapsed && selection.containsNode(part, true));
  };

  let spared = null; // a part that was left as it is
  const replace = (fresh) => {
    spared = null;
    for (const old of document.querySelectorAll("[data-live]")) {
      const young = fresh.getElementById(old.id);
      if (!young || sent.get(old) === young.outerHTML) continue;
      if (isInUse(old)) {
        spared = old;
        continue;
      }
      // A click is lost if what was pressed is another element when it is let go: the next look replaces it.
      if (old.matches(":active") || old.querySelector(":active")) {
        want();
        continue;
      }
      for (const details of young.querySelectorAll("details[id]")) {
        const before = document.getElementById(details.id);
        if (before) details.open = before.open;
      }
      const scroll = [...old.querySelectorAll(".scroll, .log")]
        .map((part) => [part.scrollLeft, part.dataset.log && isAtEnd(part) ? Infinity : part.scrollTop]);
      const focused = old.contains(document.activeElement) ? document.activeElement : null;
      const label = focused && (focused.getAttribute("aria-label") || focused.textContent);
      const action = focused?.form?.action;
      sent.set(young, young.outerHTML);
      old.replaceWith(document.adoptNode(young));
      addCopyButtons(young);
      young.dispatchEvent(new Event("replaced", { bubbles: true }));
      [...young.querySelectorAll(".scroll, .log")].forEach((part, i) => {
        if (!scroll[i]) return;
        part.scrollLeft = scroll[i][0];
        if (scroll[i][1] === Infinity) toEnd(part);
        else part.scrollTop = scroll[i][1];
      });
      if (label) {
        const name = label.split(":")[0];
        const parts = [...young.querySelectorAll("a, button")];
        // A button that now does more or less than before has another name.
        const again = parts.find((part) => (part.getAttribute("aria-label") || part.textContent).split(":")[0] === name)
          ?? parts.find((part) => action && part.form?.action === action);
        again?.focus({ preventScroll: true });
      }
    }
  };

  // Of several answers on their way only the last one that was asked for counts; who waits for another one waits for that.
  let last = null;
  let view = location.search;
  const load = () => {
    view = location.search;
    const mine = (async () => {
      try {
        const answer = await fetch(location.href, { headers: { accept: "text/html" } });
        const text = await answer.text();
        if (mine !== last) return last;
        if (answer.ok) replace(new DOMParser().parseFromString(text, "text/html"));
        // Not before: until now the page was as old as when it was drawn, or when the daemon went.
        if (source && source.readyState === EventSource.OPEN) say("live", true);
      } catch {
        say("offline", false);
      }
      return null;
    })();
    last = mine;
    return mine;
  };

  // Shows another view of the same page, which its address tells.
  window.wellspring = {
    show(url) {
      history.pushState(null, "", url);
      return load();
    },
  };
  // Going to another place of the page shows nothing else.
  addEventListener("popstate", () => { if (location.search !== view) load(); });

  let wanted = false;
  let busy = false;
  const refresh = async () => {
    if (busy || document.hidden) return;
    busy = true;
    while (wanted && !document.hidden) {
      wanted = false;
      await load();
      await new Promise((done) => setTimeout(done, PAUSE));
    }
    busy = false;
  };
  const want = () => {
    wanted = true;
    refresh();
  };

  // What was spared is shown once nobody uses it.
  for (const kind of ["focusout", "selectionchange"]) {
    document.addEventListener(kind, () => { if (spared && !isInUse(spared)) want(); });
  }

  addCopyButtons(document);
  for (const box of document.querySelectorAll("[data-log]")) toEnd(box);
  setInterval(() => { if (!document.hidden) followLogs(); }, LOG_PAUSE);

  if (!events || !window.EventSource) return;

  // A browser allows a host only a few connections for all of its tabs: hidden ones let go of theirs.
  const listen = () => {
    source = new EventSource(events);
    // Also the first time: something may have happened since the page was drawn.
    source.addEventListener("open", want);
    source.addEventListener("error", () => {
      say("reconnecting", false);
      // After an answer that is none, as from a proxy whose daemon restarts, the browser does not ask again by itself.
      if (source?.readyState !== EventSource.CLOSED) return;
      source = null;
      setTimeout(() => { if (!source && !document.hidden) listen(); }, RETRY);
    });
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
  setInterval(() => { if (source) want(); }, MINUTE);
})();

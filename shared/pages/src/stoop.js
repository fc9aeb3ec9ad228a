// Pages are complete without this script. It adds four things: new content while a page is open, times as "3 min ago" or "in 3 min", charts
// that the arrow keys walk through, and maps that can be zoomed.
"use strict";
(() => {
  let connection = "waiting";
  const status = () => document.querySelector("[data-connection]");

  // Times. The server sends absolute ones, so that equal states give equal bytes.
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const ago = (seconds) => {
    const [name, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ["s", 1];
    return `${Math.floor(Math.abs(seconds) / size)} ${name}`;
  };
  // What was observed did not happen later than now: clocks differ. What is to come may be late.
  const words = { past: (s) => (s < 1 ? "just now" : `${ago(s)} ago`), next: (s) => (s > 0 ? `${ago(s)} late` : `in ${ago(s)}`) };
  const relative = (root) => {
    const now = Date.parse(document.querySelector("main")?.dataset.now ?? "") || Date.now();
    for (const time of root.querySelectorAll("time[data-ago], time[data-next]")) {
      time.title ||= time.textContent;
      time.textContent = words["next" in time.dataset ? "next" : "past"]((now - Date.parse(time.dateTime)) / 1000);
    }
  };

  // Charts. The table behind a chart has the values; the mark shows where the reader is.
  const walk = (chart, step, to) => {
    const rows = [...chart.querySelectorAll("table[data-points] tbody tr")];
    if (!rows.length) return;
    const last = rows.length - 1;
    const before = chart.dataset.at === undefined ? (step > 0 ? -1 : rows.length) : Number(chart.dataset.at);
    const at = Math.max(0, Math.min(last, to ?? before + step));
    chart.dataset.at = at;
    const heads = [...chart.querySelectorAll("table[data-points] thead th")].map((cell) => cell.textContent);
    const cells = [...rows[at].children].map((cell) => cell.textContent);
    const said = cells.map((cell, n) => (n ? `${heads[n]} ${cell}` : cell)).filter((_, n) => !n || cells[n] !== "–");
    const tip = chart.querySelector(".tip");
    tip.hidden = false;
    tip.textContent = said.join(", ");
    const x = rows[at].dataset.x ?? String((at / Math.max(1, last)) * 1000);
    const mark = chart.querySelector("svg .mark");
    mark?.setAttribute("x1", x);
    mark?.setAttribute("x2", x);
    mark?.removeAttribute("hidden");
  };
  const nearest = (chart, share) => {
    const rows = [...chart.querySelectorAll("table[data-points] tbody tr")];
    const x = (row, n) => Number(row.dataset.x ?? (n / Math.max(1, rows.length - 1)) * 1000);
    let best = 0;
    rows.forEach((row, n) => {
      if (Math.abs(x(row, n) - share * 1000) < Math.abs(x(rows[best], best) - share * 1000)) best = n;
    });
    return best;
  };
  document.addEventListener("keydown", (event) => {
    const chart = event.target.closest?.("[data-chart]");
    if (!chart || event.target !== chart) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7 };
    if (event.key in steps) walk(chart, steps[event.key]);
    else if (event.key === "Home") walk(chart, 0, 0);
    else if (event.key === "End") walk(chart, 0, Infinity);
    else return;
    event.preventDefault();
  });
  document.addEventListener("pointermove", (event) => {
    const plot = event.target.closest?.("[data-chart] svg");
    if (!plot) return;
    const box = plot.getBoundingClientRect();
    const chart = plot.closest("[data-chart]");
    const at = nearest(chart, (event.clientX - box.left) / box.width);
    if (chart.dataset.at !== String(at)) walk(chart, 0, at);
  });

  // Maps. A view is the part of the map that is seen: its corner and its size in the map's own coordinates. It is kept by the
  // map's ID, since new content brings the whole map back.
  const views = new Map();
  const CLOSEST = 40;
  const wholeOf = (map) => map.querySelector(".plan").dataset.whole.split(" ").map(Number);
  const viewOf = (map) => views.get(map.id) ?? wholeOf(map);
  const look = (map, x, y, width) => {
    const [, , most, tall] = wholeOf(map);
    const w = Math.min(most, Math.max(most / CLOSEST, width));
    const h = (w * tall) / most;
    const inside = (at, part, all) => Math.min(all - part, Math.max(0, at));
    views.set(map.id, [inside(x, w, most), inside(y, h, tall), w, h]);
    apply(map);
  };
  const apply = (map) => {
    const [x, y, w, h] = viewOf(map);
    map.querySelector(".plan").setAttribute("viewBox", [x, y, w, h].map((n) => n.toFixed(2)).join(" "));
    for (const name of map.querySelectorAll(".names text")) {
      name.setAttribute("x", `${(((name.dataset.x - x) / w) * 100).toFixed(2)}%`);
      name.setAttribute("y", `${(((name.dataset.y - y) / h) * 100).toFixed(2)}%`);
    }
  };
  // `by` is how many times closer; what lies at the share (`across`, `down`) of the view stays there.
  const zoom = (map, by, across = 0.5, down = 0.5) => {
    const [x, y, w, h] = viewOf(map);
    const most = wholeOf(map)[2];
    const width = Math.min(most, Math.max(most / CLOSEST, w / by));
    look(map, x + (w - width) * across, y + (h - (h * width) / w) * down, width);
  };
  const all = (map) => {
    views.delete(map.id);
    apply(map);
  };
  const shift = (map, across, down) => {
    const [x, y, w, h] = viewOf(map);
    look(map, x + across * w, y + down * h, w);
  };
  const marks = (map) => [...map.querySelectorAll(".homes title")].map((title) => title.parentNode);
  const placeOf = (node) => {
    if (node.localName === "rect") return ["x", "y"].map((side) => Number(node.getAttribute(side)) + 10);
    return node.querySelector("path").getAttribute("d").slice(1).split(/[ h]/).slice(0, 2).map(Number);
  };
  // Says what a home is, and marks it.
  const point = (map, node) => {
    const tip = map.querySelector(".tip");
    const here = map.querySelector(".here");
    tip.hidden = !node;
    tip.textContent = node?.querySelector("title").textContent ?? "";
    here.setAttribute("visibility", node ? "visible" : "hidden");
    if (node) here.setAttribute("d", `M${placeOf(node).join(" ")}h0.01`);
  };
  const nameOf = (node) => node.getAttribute("href") ?? placeOf(node).join(" ");
  const current = (map) => marks(map).find((node) => nameOf(node) === map.dataset.at) ?? null;
  // To the nearest home in a direction: what lies to the side counts double. Of homes in one place, each in its turn.
  const step = (map, right, down) => {
    const nodes = marks(map);
    if (!nodes.length) return;
    const from = current(map);
    const [vx, vy, vw, vh] = viewOf(map);
    const [fx, fy] = from ? placeOf(from) : [vx + vw / 2, vy + vh / 2];
    let [best, least] = [null, Infinity];
    nodes.forEach((node, n) => {
      if (node === from) return;
      const [dx, dy] = placeOf(node).map((at, side) => at - [fx, fy][side]);
      const ahead = dx * right + dy * down;
      const aside = Math.abs(dx * down) + Math.abs(dy * right);
      const isSame = from && dx === 0 && dy === 0 && (right + down > 0) === n > nodes.indexOf(from);
      const far = from ? ahead + 2 * aside : Math.hypot(dx, dy);
      if ((isSame || !from || ahead > 0) && far < least) [best, least] = [node, far];
    });
    if (!best) return;
    map.dataset.at = nameOf(best);
    const [x, y] = placeOf(best);
    if (x < vx || y < vy || x > vx + vw || y > vy + vh) look(map, x - vw / 2, y - vh / 2, vw);
    point(map, best);
  };
  const dress = (root) => {
    for (const map of root.querySelectorAll("[data-map]")) {
      const plan = map.querySelector(".plan");
      plan.dataset.whole = plan.getAttribute("viewBox");
      map.querySelector(".zoom").hidden = false;
      map.querySelector(".sea").classList.add("grab");
      apply(map);
      if (map.dataset.at) point(map, current(map));
    }
  };
  const mapOf = (event) => event.target.closest?.("[data-map]");
  document.addEventListener("click", (event) => {
    const to = event.target.closest?.("[data-zoom]")?.dataset.zoom;
    if (!to) return;
    if (to === "all") all(mapOf(event));
    else zoom(mapOf(event), to === "in" ? 2 : 0.5);
  });
  document.addEventListener("keydown", (event) => {
    const map = mapOf(event);
    if (!map || event.ctrlKey || event.metaKey || event.altKey) return;
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in ways && event.shiftKey) shift(map, ...ways[event.key].map((way) => way * 0.25));
    else if (event.key in ways) step(map, ...ways[event.key]);
    else if (event.key === "+" || event.key === "=") zoom(map, 2);
    else if (event.key === "-") zoom(map, 0.5);
    else if (event.key === "0") all(map);
    else if (event.key === "Enter" && event.target === map && current(map)?.localName === "a") {
      location.href = current(map).getAttribute("href");
    } else return;
    event.preventDefault();
  });
  const shareOf = (map, event) => {
    const box = map.querySelector(".sea").getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  document.addEventListener(
    "wheel",
    (event) => {
      const map = event.ctrlKey && event.target.closest?.(".sea")?.closest("[data-map]");
      if (!map) return;
      event.preventDefault();
      zoom(map, 2 ** (-event.deltaY / 200), ...shareOf(map, event));
    },
    { passive: false },
  );
  let drag = null;
  document.addEventListener("pointerdown", (event) => {
    const map = event.button === 0 && event.target.closest?.(".plan")?.closest("[data-map]");
    if (map) drag = { map, from: shareOf(map, event), view: viewOf(map), moved: false };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [across, down] = shareOf(drag.map, event).map((at, side) => at - drag.from[side]);
    drag.moved ||= Math.hypot(across, down) > 0.01;
    if (!drag.moved) return;
    drag.map.querySelector(".sea").classList.add("grabbed");
    const [x, y, w, h] = drag.view;
    look(drag.map, x - across * w, y - down * h, w);
  });
  const drop = () => {
    drag?.map.querySelector(".sea").classList.remove("grabbed");
    const { moved } = drag ?? {};
    drag = null;
    // The click that ends a drag opens nothing.
    if (moved) document.addEventListener("click", stay, { capture: true, once: true });
    if (moved) setTimeout(() => document.removeEventListener("click", stay, { capture: true }), 0);
  };
  const stay = (event) => event.preventDefault();
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", drop);
  document.addEventListener("dragstart", (event) => event.target.closest?.(".plan") && event.preventDefault());
  for (const name of ["pointerover", "focusin"])
    document.addEventListener(name, (event) => {
      const node = event.target.closest?.(".homes a, .homes rect");
      if (node) point(mapOf(event), node);
    });

  // New content: the server says when its state has changed, by server-sent events; without them the page asks.
  let etag = null;
  let waiting = false;
  let again = false;
  // Changes only what differs, so that the focus, open tables and places of scrolling stay. Children of the same key are the
  // same, wherever they stand now.
  const keyOf = (node) => (node.nodeType === 1 ? node.id || node.dataset.fresh || node.getAttribute("href") : "") || "";
  const KEPT = new Set(["open", "data-at"]);
  const morph = (from, to) => {
    if (from.nodeType !== 1) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    for (const { name } of [...from.attributes])
      if (!KEPT.has(name) && !to.hasAttribute(name)) from.removeAttribute(name);
    for (const { name, value } of to.attributes)
      if (!KEPT.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
    const keyed = new Map();
    const others = [];
    for (const node of from.childNodes) {
      const key = keyOf(node);
      if (key && !keyed.has(key)) keyed.set(key, node);
      else others.push(node);
    }
    let at = from.firstChild;
    for (const next of [...to.childNodes]) {
      const key = keyOf(next);
      const same = (node) => node && node.nodeName === next.nodeName;
      const known = key ? keyed.get(key) : others.find(same);
      if (same(known)) {
        if (key) keyed.delete(key);
        else others.splice(others.indexOf(known), 1);
        morph(known, next);
        if (known === at) at = at.nextSibling;
        else from.insertBefore(known, at);
      } else {
        if (key && next.dataset.fresh) next.classList.add("fresh");
        from.insertBefore(next, at);
      }
    }
    for (const node of [...keyed.values(), ...others]) node.remove();
  };
  const show = (text) => {
    const next = new DOMParser().parseFromString(text, "text/html").querySelector("main");
    const main = document.querySelector("main");
    if (!next || !main) return;
    const focused = document.activeElement;
    morph(main, next);
    // An element that moves loses the focus.
    if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
    relative(main);
    dress(main);
    for (const chart of main.querySelectorAll("[data-chart][data-at]")) walk(chart, 0, Number(chart.dataset.at));
    mark(connection);
  };
  const mark = (now) => {
    connection = now;
    const element = status();
    if (!element) return;
    element.hidden = false;
    element.dataset.state = connection;
    const polls = document.querySelector("main")?.dataset.polls;
    const current = polls === "none" ? "nothing polls at the moment" : polls === "simulation" ? "live, simulated" : "live";
    if (connection === "live" && polls === "none") element.dataset.state = "still";
    element.textContent = connection !== "live" ? "reconnecting" : current;
  };
  // Whether the page is current; `undefined` if nothing was asked. What changes during a request is asked for after it.
  const refresh = async () => {
    if (document.hidden) return undefined;
    if (waiting) {
      again = true;
      return undefined;
    }
    waiting = true;
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const answer = await fetch(location.href, { headers, cache: "no-store" });
      // The session has ended: the login page leads back here.
      if (answer.redirected) location.reload();
      else if (answer.ok) {
        etag = answer.headers.get("ETag");
        show(await answer.text());
      }
      return answer.ok || answer.status === 304;
    } catch {
      return false;
    } finally {
      waiting = false;
      if (again) {
        again = false;
        refresh();
      }
    }
  };
  const poll = () => setInterval(async () => mark((await refresh()) === false ? "waiting" : "live"), 15000);
  const listen = () => {
    const events = new EventSource("/events");
    let opened = false;
    events.addEventListener("open", () => {
      mark("live");
      if (opened) refresh();
      opened = true;
    });
    events.addEventListener("changed", refresh);
    events.addEventListener("error", () => {
      mark("waiting");
      // 2 is CLOSED: the server has no events, or refused them.
      if (events.readyState === 2) {
        if (opened) setTimeout(listen, 5000);
        else poll();
      }
    });
  };
  relative(document);
  dress(document);
  if (status()) listen();
  document.addEventListener("visibilitychange", refresh);
})();

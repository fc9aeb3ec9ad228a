// Pages are complete without this script. It adds three things: new content while a page is open, times as "3 min ago",
// and charts that the arrow keys walk through.
"use strict";
(() => {
  let connection = "waiting";
  const status = () => document.querySelector("[data-connection]");

  // Times. The server sends absolute ones, so that equal states give equal bytes.
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const ago = (seconds) => {
    const [name, size] = units.find(([, size]) => seconds >= size) ?? ["s", 1];
    return `${Math.max(0, Math.floor(seconds / size))} ${name} ago`;
  };
  const relative = (root) => {
    const now = Date.parse(document.querySelector("main")?.dataset.now ?? "") || Date.now();
    for (const time of root.querySelectorAll("time[data-ago]")) {
      time.title ||= time.textContent;
      time.textContent = ago((now - Date.parse(time.dateTime)) / 1000);
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
    morph(main, next);
    relative(main);
    for (const chart of main.querySelectorAll("[data-chart][data-at]")) walk(chart, 0, Number(chart.dataset.at));
    mark(connection);
  };
  const mark = (now) => {
    connection = now;
    const element = status();
    if (!element) return;
    element.hidden = false;
    element.dataset.state = connection;
    element.textContent = connection === "live" ? "live" : "reconnecting";
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
  if (status()) listen();
  document.addEventListener("visibilitychange", refresh);
})();

// The queue under the fingers: move, judge, open, all from the keyboard; and fresh rows when something changed.
// Everything here is an improvement: without it each action is a link or a form.
"use strict";

const queue = () => document.getElementById("queue");
const links = () => [...document.querySelectorAll(".row__link")];
const rowOf = (element) => element && element.closest(".row");

let current = null; // the id of the row that was worked on last
let decided = null; // the id of the row that was decided last, for undo
let typedAhead = null; // keys that came after a panel was asked for and before it was there

function focusRow(row) {
  const link = row && row.querySelector(".row__link");
  if (!link) return false;
  current = row.id;
  link.focus();
  row.scrollIntoView({ block: "nearest" });
  return true;
}

function move(step) {
  const all = links();
  if (!all.length) return;
  const here = all.findIndex((link) => rowOf(link).id === current);
  const next = here < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + step, 0), all.length - 1);
  focusRow(rowOf(all[next]));
}

function closePanel(row) {
  const panel = row && row.querySelector(".row__panel");
  if (!panel || !panel.firstElementChild) return false;
  panel.replaceChildren();
  focusRow(row);
  return true;
}

const rowHere = () => document.getElementById(current) || rowOf(links()[0]);
const recordOf = (row) => `/near-misses/${encodeURIComponent(row.id.slice("row-".length))}`;

function closeOthers(row) {
  current = row.id;
  for (const other of document.querySelectorAll(".row")) if (other !== row) other.querySelector(".row__panel")?.replaceChildren();
}

function act(name) {
  const row = rowHere();
  const link = row && row.querySelector(`[data-act=${name}]`);
  if (!link) return;
  closeOthers(row);
  typedAhead = "";
  link.click();
}

// What could not be sent is said by unsent.js, and a promise that nobody waits for would be an error of its own.
const isSaid = () => {};

// Forms that have no button of their own in a row.
function ask(name, needs) {
  const row = rowHere();
  const panel = row?.querySelector(".row__panel");
  if (!panel || !row.querySelector(needs)) return;
  closeOthers(row);
  typedAhead = "";
  htmx.ajax("GET", `${recordOf(row)}/panel/${name}`, { target: panel, swap: "innerHTML" }).catch(isSaid);
}

function snooze() {
  const row = rowHere();
  if (!row?.querySelector("[data-act=accept]")) return;
  closeOthers(row);
  const values = { move: "snooze", days: "1", expected_version: row.dataset.version };
  htmx.ajax("POST", `${recordOf(row)}/settle`, { target: row, swap: "outerHTML", values }).catch(isSaid);
}

function undo() {
  const all = [...document.querySelectorAll(".row--decided form button")];
  (all.find((button) => rowOf(button).id === decided) ?? all.at(-1))?.click();
}

const actions = {
  next: () => move(1),
  previous: () => move(-1),
  accept: () => act("accept"),
  dismiss: () => act("dismiss"),
  snooze,
  merge: () => ask("merge", "[data-act=accept]"),
  comment: () => ask("comment", ".row__link"),
  undo,
  select() {
    const row = document.getElementById(current) || rowOf(links()[0]);
    row?.querySelector("[data-act=select]")?.click();
    focusRow(row);
  },
  bulk: () => document.querySelector("[data-bulk]")?.click(),
  search: () => document.getElementById("text").focus(),
};

document.addEventListener("keydown", (event) => {
  const at = event.target;
  if (document.getElementById("keys").open) return;
  const panel = at.closest && at.closest(".panel");
  if (event.key === "Escape") {
    if (closePanel(panel ? rowOf(panel) : document.getElementById(current))) event.preventDefault();
    else if (isTyping(at)) at.blur();
    return;
  }
  if (panel && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    panel.requestSubmit(panel.querySelector(".button--primary"));
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(at)) return;
  if (typedAhead !== null) {
    if (event.key.length === 1) typedAhead += event.key;
    event.preventDefault();
    return;
  }
  const reason = panel && event.key.length === 1 && panel.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (reason) {
    event.preventDefault();
    reason.click();
    return;
  }
  if (panel) return;
  const does = keyDoes(event);
  if (actions[does]) {
    event.preventDefault();
    actions[does]();
  }
});

// A choice of the bar is its own button.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

document.addEventListener("focusin", (event) => {
  const row = rowOf(event.target);
  if (row) current = row.id;
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) closePanel(rowOf(event.target));
});

// After a panel came in, its first field has the focus; after a row was judged, the next one to judge has it. Only once
// htmx has settled: before that a form would be sent the plain way, away from the queue.
function panelCame(panel) {
  const fields = [...panel.querySelectorAll("textarea, select, .reason, input:not([type=hidden])")].filter((each) => each.offsetParent);
  const first = panel.querySelector("[aria-invalid=true]") || fields[0] || panel;
  first.focus();
  const keys = typedAhead || "";
  typedAhead = null;
  if (!keys) return;
  if (first.matches("textarea, input")) first.setRangeText(keys, first.value.length, first.value.length, "end");
  else panel.querySelector(`[data-key="${CSS.escape(keys[0])}"]`)?.click();
}

function rowCame(row) {
  if (!row.classList.contains("row--decided")) {
    focusRow(row);
    return;
  }
  decided = row.id;
  let next = row.nextElementSibling;
  while (next && !next.querySelector(".row__link")) next = next.nextElementSibling;
  if (!focusRow(next)) focusRow(rowOf(links().at(-1)));
  refresh();
}

document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt.matches(".panel")) panelCame(event.detail.elt);
});
document.addEventListener("htmx:afterSettle", (event) => {
  const { elt, requestConfig } = event.detail;
  if (elt.matches?.(".row") && requestConfig.verb === "post") rowCame(elt);
});
for (const failed of ["htmx:responseError", "htmx:sendError"]) document.addEventListener(failed, () => { typedAhead = null; });

// The way back from a draft leads to this view, with its filter. Where nothing may be stored it leads to the first one.
try {
  sessionStorage.setItem("queue", location.pathname + location.search);
} catch { /* nothing may be stored here */ }

// Fresh rows. They come by themselves while nobody is in the middle of something; else a line offers them.
let known = null;
let stream = null;

async function refresh(onlyFresh = false) {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const here = new Set([...document.querySelectorAll(".row")].map((row) => row.id));
  const fresh = [...page.querySelectorAll(".row")].filter((row) => !here.has(row.id)).length;
  if (onlyFresh && !fresh) return;
  document.getElementById("tabs").replaceWith(page.getElementById("tabs"));
  const busy = document.querySelector(".panel, .row--decided, [data-act=select]:checked") || here.size > 25 || isTyping(document.activeElement);
  if (!busy) {
    const kept = current;
    const had = rowOf(document.activeElement) !== null;
    queue().replaceWith(page.getElementById("queue"));
    htmx.process(queue());
    if (had && kept) focusRow(document.getElementById(kept));
  } else if (fresh) {
    document.getElementById("stale-text").textContent = fresh === 1 ? "One more draft." : `${fresh} more drafts.`;
    document.getElementById("stale").hidden = false;
  }
}

function listen() {
  stream = new EventSource("/events");
  stream.addEventListener("revision", (event) => {
    // Something may have come between the making of the page and the first word of the stream.
    if (known !== event.data) refresh(known === null);
    known = event.data;
  });
}

// A hidden page gives its connection back: a browser allows only a few to one host.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    stream?.close();
    stream = null;
  } else if (!stream) listen();
});
window.addEventListener("pagehide", () => stream?.close());
if (!document.hidden) listen();

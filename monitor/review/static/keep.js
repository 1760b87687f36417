// What somebody types is kept in this browser until it was sent: through Esc, a reload, a refusal, an outage, a login.
// What another tab typed into the same form is shown beside it, and never written over.
"use strict";

const KEPT = "typed:";
const SENT = "sent:";
const KEPT_FOR = 30 * 24 * 3600 * 1000;
const MOST_OTHERS = 3;

const typed = (form) => [...form.elements].filter((field) => field.name && !["hidden", "password"].includes(field.type) && field.matches("textarea, input:not([name=item])"));
const says = (values) => Object.values(values).some((value) => value.trim());
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// A page that was loaded: one tab after another, or two at once.
const PAGE = Math.random().toString(36).slice(2);

function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(KEPT + name) ?? "null");
  } catch {
    return null;
  }
}

function store(name, versions) {
  try {
    if (versions.length) localStorage.setItem(KEPT + name, JSON.stringify({ ...versions[0], others: versions.slice(1, 1 + MOST_OTHERS) }));
    else localStorage.removeItem(KEPT + name);
  } catch { /* nothing may be stored here */ }
}

// All that is kept for a form, a version a page, the newest first.
function versions(name) {
  const found = kept(name);
  if (!found) return [];
  const { others = [], ...newest } = found;
  return [newest, ...others];
}

// What a page found in the form and went on from is no version of its own.
const wentOnFrom = new WeakMap();
const ofOthers = (form) => versions(form.dataset.keep).filter((each) => each.page !== PAGE && !same(each.values, wentOnFrom.get(form)));

function keep(form) {
  const values = {};
  for (const field of typed(form)) {
    if (field.type !== "radio" && field.type !== "checkbox") values[field.name] = field.value;
    else if (field.checked) values[field.name] = field.value;
  }
  const others = ofOthers(form).filter((each) => says(each.values) && !same(each.values, values));
  store(form.dataset.keep, [{ at: Date.now(), page: PAGE, values }, ...others]);
}

function bringBack(form) {
  // What the server sent back with a refusal is newer than what was kept.
  if ("refused" in form.dataset) {
    wentOnFrom.set(form, lastSent(form.dataset.keep));
    keep(form);
    return;
  }
  const [newest] = versions(form.dataset.keep);
  if (!newest) return;
  let brought = false;
  for (const field of typed(form)) {
    const value = newest.values[field.name];
    if (value === undefined) continue;
    if (field.type === "radio" || field.type === "checkbox") field.checked = field.value === value;
    else if (value && field.value !== value) {
      field.value = value;
      brought = true;
    }
  }
  wentOnFrom.set(form, newest.values);
  for (let around = form.closest("details"); brought && around; around = around.parentElement.closest("details")) around.open = true;
  for (const each of ofOthers(form)) show(form, form.dataset.keep, each, typed(form));
}

// A version that stands in no field: its texts in words, and a way to be rid of it.
function show(place, name, version, fields) {
  const texts = Object.entries(version.values).filter(([field, value]) => {
    const at = fields.find((each) => each.name === field);
    return value.trim() && (!at || (!["radio", "checkbox"].includes(at.type) && at.value !== value));
  });
  if (!texts.length) return;
  const box = document.createElement("div");
  box.className = "typed";
  const head = document.createElement("h3");
  head.textContent = "Typed in another tab, not stored";
  box.append(head);
  for (const [, value] of texts) {
    const said = document.createElement("blockquote");
    said.textContent = value;
    box.append(said);
  }
  const gone = document.createElement("button");
  gone.type = "button";
  gone.className = "button button--small button--quiet";
  gone.textContent = "Forget it";
  gone.addEventListener("click", () => {
    store(name, versions(name).filter((each) => !same(each.values, version.values)));
    box.remove();
  });
  box.append(gone);
  place.append(box);
}

// What was sent is kept no longer; what another tab typed into the same form was not sent.
function forget(name) {
  const sent = lastSent(name);
  store(name, versions(name).filter((each) => !same(each.values, sent)));
}

function lastSent(name) {
  try {
    return JSON.parse(sessionStorage.getItem(SENT + name) ?? "null");
  } catch {
    return null;
  }
}

function noteSent(form) {
  keep(form);
  try {
    sessionStorage.setItem(SENT + form.dataset.keep, JSON.stringify(versions(form.dataset.keep)[0]?.values ?? null));
  } catch { /* nothing may be stored here */ }
}

function forgetOld() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(KEPT) && !(JSON.parse(localStorage.getItem(key)).at > Date.now() - KEPT_FOR)) localStorage.removeItem(key);
    }
  } catch { /* nothing may be stored here */ }
}

const forgetSent = (element) => { for (const name of element.dataset.sent.split(" ")) forget(name); };

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.dataset.keep) keep(form);
});
document.addEventListener("submit", (event) => { if (event.target.dataset.keep) noteSent(event.target); }, { capture: true });
document.addEventListener("htmx:load", (event) => {
  const came = event.detail.elt;
  if (came.matches("[data-sent]")) forgetSent(came);
  if (came.matches("form[data-keep]")) bringBack(came);
});

forgetOld();
for (const sent of document.querySelectorAll("[data-sent]")) forgetSent(sent);
for (const form of document.querySelectorAll("form[data-keep]")) bringBack(form);
for (const place of document.querySelectorAll("[data-unsent]")) for (const each of versions(place.dataset.unsent)) show(place, place.dataset.unsent, each, []);

// A page that a refused form brought has an address that can be reloaded.
const again = document.querySelector("[data-address]");
if (again) history.replaceState(null, "", again.dataset.address);

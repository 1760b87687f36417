// What somebody types is kept in this browser until it was sent: through Esc, a reload, a refusal, an outage, a login.
"use strict";

const KEPT = "typed:";
const KEPT_FOR = 30 * 24 * 3600 * 1000;

const typed = (form) => [...form.elements].filter((field) => field.name && field.type !== "hidden" && field.matches("textarea, input"));

function keep(form) {
  const values = {};
  for (const field of typed(form)) {
    if (field.type !== "radio" && field.type !== "checkbox") values[field.name] = field.value;
    else if (field.checked) values[field.name] = field.value;
  }
  try {
    localStorage.setItem(KEPT + form.dataset.keep, JSON.stringify({ at: Date.now(), values }));
  } catch { /* nothing may be stored here */ }
}

function bringBack(form) {
  // What the server sent back with a refusal is newer than what was kept.
  if ("refused" in form.dataset) {
    keep(form);
    return;
  }
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT + form.dataset.keep) ?? "null");
    if (!kept) return;
    let brought = false;
    for (const field of typed(form)) {
      const value = kept.values[field.name];
      if (value === undefined) continue;
      if (field.type === "radio" || field.type === "checkbox") field.checked = field.value === value;
      else if (value && field.value !== value) {
        field.value = value;
        brought = true;
      }
    }
    if (brought && form.closest("details")) form.closest("details").open = true;
  } catch { /* nothing may be stored here */ }
}

function forget(name) {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key === KEPT + name || key.startsWith(`${KEPT}${name}/`)) localStorage.removeItem(key);
    }
  } catch { /* nothing may be stored here */ }
}

function forgetOld() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(KEPT) && !(JSON.parse(localStorage.getItem(key)).at > Date.now() - KEPT_FOR)) localStorage.removeItem(key);
    }
  } catch { /* nothing may be stored here */ }
}

function look(within) {
  for (const sent of within.querySelectorAll("[data-sent]")) forget(sent.dataset.sent);
  for (const form of within.querySelectorAll("form[data-keep]")) bringBack(form);
}

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.dataset.keep) keep(form);
});
document.addEventListener("htmx:load", (event) => {
  const came = event.detail.elt;
  if (came.matches("[data-sent]")) forget(came.dataset.sent);
  if (came.matches("form[data-keep]")) bringBack(came);
});

forgetOld();
look(document);

// A page that a refused form brought has an address that can be reloaded.
const again = document.querySelector("[data-address]");
if (again) history.replaceState(null, "", again.dataset.address);

// The draft page from the keyboard, with the keys of the queue. Everything else is plain HTML.
"use strict";

for (const form of document.querySelectorAll("[data-decide], #dismiss form, .comment")) {
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}

const back = document.querySelector("[data-back]");
back.href = queueAddress();

const dismissal = document.getElementById("dismiss");

function openTarget() {
  if (!dismissal || location.hash !== "#dismiss") return;
  dismissal.open = true;
  // The browser went there while it was closed, and keeps what lies below in its place.
  dismissal.scrollIntoView({ block: "start" });
}
window.addEventListener("hashchange", openTarget);
openTarget();

const click = (selector) => () => document.querySelector(selector)?.click();
const focus = (selector) => () => document.querySelector(selector)?.focus();

// One key assesses the risk: the row by the key, the column that was chosen or that the facts propose.
function assess(outcome) {
  const form = document.querySelector("[data-risk]");
  if (!form) return;
  form.querySelector(`[name=outcome][value=${outcome}]`).checked = true;
  const barrier = form.querySelector("[name=barrier]:checked") ?? form.querySelector("[name=barrier][data-proposed]");
  if (barrier) {
    barrier.checked = true;
    form.requestSubmit();
  } else form.querySelector("[name=barrier]").focus();
}

// The marks of a picture are one stop of the keyboard; arrows go from event to event, and a line says what each is.
const tip = document.querySelector("[data-tip-of-mark]");
for (const picture of document.querySelectorAll("svg.tl")) {
  const marks = [...picture.querySelectorAll(".tl-mark")];
  const number = (mark) => Number(mark.getAttribute("href").slice(2));
  marks.sort((one, other) => number(one) - number(other));
  marks.forEach((mark, place) => {
    mark.setAttribute("tabindex", place ? "-1" : "0");
    for (const come of ["focus", "pointerenter"]) mark.addEventListener(come, () => { tip.textContent = mark.dataset.tip; });
    mark.addEventListener("keydown", (event) => {
      const goes = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: marks.length - 1 }[event.key];
      const other = marks[goes];
      if (!other) return;
      event.preventDefault();
      mark.setAttribute("tabindex", "-1");
      other.setAttribute("tabindex", "0");
      other.focus();
    });
  });
}

const actions = {
  zoom: click("[data-zoom]"),
  "risk-lasting_harm": () => assess("lasting_harm"),
  "risk-outage": () => assess("outage"),
  "risk-degraded": () => assess("degraded"),
  "risk-internal": () => assess("internal"),
  snooze: click("[data-snooze]"),
  next: click("[data-step=next]"),
  previous: click("[data-step=previous]"),
  accept: focus("[data-decide] textarea"),
  dismiss() {
    if (!dismissal) return;
    dismissal.open = true;
    dismissal.querySelector("input[type=radio]").focus();
  },
  merge() {
    const into = document.getElementById("f-into");
    if (!into) return;
    into.closest("details").open = true;
    into.focus();
  },
  evidence() {
    const first = document.querySelector("#around button, #around-title");
    if (first) first.focus();
    else document.querySelector("[data-around]")?.click();
  },
  look: click("[data-look]"),
  comment: focus(".comment textarea"),
  undo: click("[data-undo]"),
};

document.addEventListener("keydown", (event) => {
  const does = keyDoes(event);
  if (does === "close") {
    if (isTyping(event.target)) event.target.blur();
    else if (dismissal?.open && dismissal.contains(event.target)) dismissal.open = false;
    else back.click();
    return;
  }
  const inDismissal = dismissal?.open && dismissal.contains(event.target) && !isTyping(event.target);
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const reason = inDismissal && plain && event.key.length === 1 && dismissal.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (reason) {
    event.preventDefault();
    reason.checked = true;
    reason.form.requestSubmit();
    return;
  }
  if (inDismissal && does !== "undo") return;
  if (actions[does]) {
    event.preventDefault();
    actions[does]();
  }
});

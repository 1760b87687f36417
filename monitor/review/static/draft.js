// The draft page: Ctrl+Enter accepts, and a link to the dismissal opens it. Everything else is plain HTML.
"use strict";

const form = document.querySelector("[data-decide]");
if (form) {
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}

// Back to the view of the queue that was looked at last; the queue keeps which.
const back = document.querySelector("[data-back]");
try {
  const queue = sessionStorage.getItem("queue");
  if (queue?.startsWith("/?")) back.href = queue;
} catch { /* nothing may be stored here */ }

function openTarget() {
  const dismiss = document.getElementById("dismiss");
  if (!dismiss || location.hash !== "#dismiss") return;
  dismiss.open = true;
  // The browser went there while it was closed, and keeps what lies below in its place.
  dismiss.scrollIntoView({ block: "start" });
}
window.addEventListener("hashchange", openTarget);
openTarget();

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("textarea, input, select, summary");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "u" || event.key === "Escape") back.click();
  if (event.key === "a") {
    event.preventDefault();
    form?.querySelector("textarea").focus();
  }
  if (event.key === "d") {
    const dismiss = document.getElementById("dismiss");
    if (!dismiss) return;
    event.preventDefault();
    dismiss.open = true;
    dismiss.querySelector("input[type=radio]").focus();
  }
});

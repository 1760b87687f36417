// The keys of this screen, as its table lists them: a script asks what a key does, and `?` shows the table.
"use strict";

const keyTable = new Map([...document.querySelectorAll("#keys [data-key]")].map((row) => [row.dataset.key, row.dataset.does]));
const isTyping = (element) => element.matches("textarea, select, input:not([type=radio], [type=checkbox])");

// What a key does here, or nothing while somebody types or the table is open.
function keyDoes(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("keys").open) return undefined;
  if (isTyping(event.target) && event.key !== "Escape") return undefined;
  return keyTable.get(event.key);
}

// The view of the queue that was looked at last, which the queue keeps; where nothing may be stored, the first one.
function queueAddress() {
  try {
    const kept = sessionStorage.getItem("queue");
    if (kept?.startsWith("/?")) return kept;
  } catch { /* nothing may be stored here */ }
  return "/";
}

document.addEventListener("keydown", (event) => {
  const does = keyDoes(event);
  if (does === "help") {
    event.preventDefault();
    document.getElementById("keys").showModal();
  } else if (does === "close" && document.getElementById("keys").dataset.screen === "other") {
    if (isTyping(event.target)) event.target.blur();
    else location.assign(queueAddress());
  }
});

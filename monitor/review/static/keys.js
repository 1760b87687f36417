// The keys of this screen, as its table lists them: a script asks what a key does, and `?` shows the table.
"use strict";

const keyTable = new Map([...document.querySelectorAll("#keys [data-key]")].map((row) => [row.dataset.key, row.dataset.does]));
const isTyping = (element) => element.matches("textarea, select, input:not([type=radio])");

// What a key does here, or nothing while somebody types or the table is open.
function keyDoes(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("keys").open) return undefined;
  if (isTyping(event.target) && event.key !== "Escape") return undefined;
  return keyTable.get(event.key);
}

document.addEventListener("keydown", (event) => {
  if (keyDoes(event) !== "help") return;
  event.preventDefault();
  document.getElementById("keys").showModal();
});

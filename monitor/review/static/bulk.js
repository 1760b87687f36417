// Several drafts at once: a letter chooses the reason, and the counts say how many boxes are ticked.
"use strict";

const form = document.querySelector(".bulk");
const boxes = () => [...form.querySelectorAll("[name=item]")];

form?.addEventListener("change", () => {
  const count = boxes().filter((box) => box.checked).length;
  for (const told of document.querySelectorAll("[data-count]")) told.textContent = count;
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("textarea")) return;
  if (event.key === "Escape") document.querySelector("[data-back]").click();
  const reason = event.key.length === 1 && form?.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!reason) return;
  event.preventDefault();
  reason.checked = true;
  form.querySelector("[value=dismiss]").focus();
});

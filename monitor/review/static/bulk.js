// Several drafts at once: a letter chooses the reason, and the counts say how many boxes are ticked.
"use strict";

const form = document.querySelector(".bulk");
const boxes = () => [...form.querySelectorAll("[name=item]")];

form?.addEventListener("change", () => {
  const count = boxes().filter((box) => box.checked).length;
  for (const told of document.querySelectorAll("[data-count]")) told.textContent = count;
  for (const noun of document.querySelectorAll("[data-noun]")) noun.textContent = count === 1 ? "draft" : "drafts";
});

document.addEventListener("keydown", (event) => {
  const does = keyDoes(event);
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit(form.querySelector("[value=dismiss]"));
    return;
  }
  if (does === "close") {
    if (isTyping(event.target)) event.target.blur();
    else document.querySelector("[data-back]").click();
    return;
  }
  if (does || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const reason = event.key.length === 1 && form?.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!reason) return;
  event.preventDefault();
  reason.checked = true;
  form.querySelector("[value=dismiss]").focus();
});

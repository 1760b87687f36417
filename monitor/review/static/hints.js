// A hint below a text that blames or argues from hindsight. It stops nobody: the text is sent as it is.
"use strict";

const PHRASES = Object.entries(JSON.parse(document.getElementById("main")?.dataset.hints ?? "{}")).map(([phrase, hint]) => {
  const words = phrase.trim().split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/['’]/g, "['’]"));
  return { phrase, hint, found: new RegExp(`(?<![\\p{L}\\p{N}])${words.join("\\s+")}(?![\\p{L}\\p{N}])`, "iu") };
});

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.matches("textarea")) return;
  const met = PHRASES.find(({ found }) => found.test(field.value));
  let said = field.parentElement.querySelector(":scope > .hint--words");
  if (!said && met) {
    said = document.createElement("p");
    said.className = "hint hint--words";
    said.setAttribute("role", "status");
    field.after(said);
  }
  const text = met ? `“${met.phrase}”: ${met.hint}` : "";
  if (said && said.textContent !== text) said.textContent = text;
});

// What could not be sent is said on the page that it was sent from, which stays: offline, no answer, no sign-in, an error.
// Keeping what was typed is the business of keep.js.
"use strict";

const unsent = document.getElementById("unsent");

const SAID = {
  offline: "Not sent: this browser is offline. What you typed stays here. Send it again when the network is back.",
  back: "The network is back. What you typed is still here: send it again.",
  away: "Not sent: nearmiss does not answer. What you typed stays here. Send it again in a moment.",
  login: "Not sent: your sign-in has ended. What you typed stays here; send it again after you ",
};

function sayUnsent(why, detail = "") {
  unsent.textContent = SAID[why] ?? `Not done. ${detail} What you typed stays here.`;
  if (why === "login") {
    const link = document.createElement("a");
    link.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.textContent = "sign in";
    unsent.append(link);
  }
  unsent.hidden = false;
}

const away = () => (navigator.onLine ? "away" : "offline");

// Any answer will do: whether what is sent is taken, the answer to it says.
const reaches = () => fetch(document.querySelector("link[rel=icon]").href, { method: "HEAD", cache: "no-store" }).then(() => true, () => false);

// A browser leaves the page when a form is sent, and without a network shows a page of its own that knows nothing.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.reached) {
    delete form.dataset.reached;
    return;
  }
  event.preventDefault();
  if (form.dataset.asks) return;
  form.dataset.asks = "1";
  const reached = await reaches();
  delete form.dataset.asks;
  if (!reached) {
    sayUnsent(away());
    return;
  }
  unsent.hidden = true;
  form.dataset.reached = "1";
  form.requestSubmit(event.submitter);
});

document.addEventListener("htmx:sendError", () => sayUnsent(away()));
document.addEventListener("htmx:beforeRequest", () => { unsent.hidden = true; });
document.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  if (status === 401) {
    sayUnsent("login");
    return;
  }
  const told = new DOMParser().parseFromString(responseText, "text/html").querySelector("[data-problem]");
  sayUnsent("refused", told?.textContent ?? "");
});

window.addEventListener("online", () => { if (!unsent.hidden) sayUnsent("back"); });

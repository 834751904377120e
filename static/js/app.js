/* Starts every page. Reading and posting work without it.
   A custom element on a page fetches its file. The addresses are rewritten with the files' hashes. */
import { csrfToken } from "./lib/http.js";
import { toast } from "./lib/toast.js";
import { gettext } from "@/words.js";

const ELEMENTS = {
  "chart-cursor": () => import("./elements/chart-cursor.js"),
  "chat-commands": () => import("./elements/chat-commands.js"),
  "chat-room": () => import("./elements/chat-room.js"),
  "chat-select": () => import("./elements/chat-select.js"),
  "composer-box": () => import("./elements/composer-box.js"),
  "copy-text": () => import("./elements/copy-text.js"),
  "guest-words": () => import("./elements/guest-words.js"),
  "notice-count": () => import("./elements/notice-count.js"),
  "offline-shelf": () => import("./elements/offline-shelf.js"),
  "passkey-form": () => import("./elements/passkey-form.js"),
  "post-acts": () => import("./elements/post-acts.js"),
  "people-picker": () => import("./elements/people-picker.js"),
  "push-switch": () => import("./elements/push-switch.js"),
  "room-list": () => import("./elements/room-list.js"),
  "search-box": () => import("./elements/search-box.js"),
  "theme-toggle": () => import("./elements/theme-toggle.js"),
  "thread-reader": () => import("./elements/thread-reader.js"),
  "time-ago": () => import("./elements/time-ago.js"),
};
// Of no use before somebody is in it.
const LATER = ["search-box"];
const asked = new Set();

function need(name) {
  if (!(name in ELEMENTS) || asked.has(name)) return;
  asked.add(name);
  ELEMENTS[name]();
}

function load(root) {
  for (const { localName } of [root, ...root.querySelectorAll(":not(:defined)")])
    if (!LATER.includes(localName)) need(localName);
}

for (const type of ["focusin", "pointerover"]) {
  document.addEventListener(type, (event) => LATER.forEach((name) => event.target.closest?.(name) && need(name)));
}
for (const name of LATER) if (document.querySelector(`${name}:focus-within`)) need(name);

load(document.body);
new MutationObserver((changes) => {
  for (const change of changes)
    for (const node of change.addedNodes) if (node.nodeType === Node.ELEMENT_NODE) load(node);
}).observe(document.body, { childList: true, subtree: true });

// -- messages: what went well floats and goes, the rest stays ----------------

for (const message of document.querySelectorAll(".messages > [data-toast]")) {
  toast(message.textContent.trim());
  message.remove();
}

// -- forms --------------------------------------------------------------------------------------

const ask = async (...said) => (await import("./lib/confirm.js")).ask(...said);

const firstInvalid = (root) => root.querySelector('[aria-invalid="true"]')?.focus();
firstInvalid(document);

// <form data-confirm="Leave the group?"> or a button with it asks first; without scripts it just goes.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const words = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (!words || form.hasAttribute("data-confirmed")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!(await ask(words, event.submitter?.dataset))) return;
  form.setAttribute("data-confirmed", "");
  form.requestSubmit(event.submitter);
  form.removeAttribute("data-confirmed");
}, true);

// A second press while the first is on its way sends nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.hasAttribute("data-sent")) event.preventDefault();
  else form.setAttribute("data-sent", "");
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) form.removeAttribute("data-sent");
});

// A row wider than the phone shows what is chosen.
for (const chosen of document.querySelectorAll(":is(.tabs, .chips, .seg) > [aria-current]")) {
  const row = chosen.parentElement;
  row.scrollLeft = chosen.offsetLeft - row.offsetLeft - (row.clientWidth - chosen.clientWidth) / 2;
}

addEventListener("load", () => navigator.serviceWorker?.register("/sw.js").catch(() => {})); // offline

// -- dialogs and menus --------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  const dialog = opener && document.getElementById(opener.dataset.open);
  if (dialog && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    dialog.showModal();
    return;
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
  if (event.target.localName === "dialog") event.target.close();
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (!menu.contains(event.target) || event.target.closest(".menu-list a, .menu-list button"))
      menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// "/" leads to the search box.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const input = [...document.querySelectorAll("search-box input[type=search]")].find((one) => one.offsetParent);
  if (!input || event.target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  input.focus();
  input.select();
});

// -- htmx ---------------------------------------------------------------------------------------

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = csrfToken();
});
document.addEventListener("htmx:confirm", async (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  if (await ask(event.detail.question, event.detail.elt.dataset)) event.detail.issueRequest(true);
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.xhr?.status === 422) firstInvalid(event.detail.target);
});
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  toast(
    status === 403 ? gettext("You may not do that here.")
      : status === 404 ? gettext("That is no longer there.")
      : status === 429 ? gettext("A little slower, please. Try again in a minute.")
      : gettext("That did not work. Nothing was changed; try again."),
  );
});
document.addEventListener("htmx:sendError", () => toast(gettext("You seem to be offline. Nothing was sent.")));
// A view says so with trigger_client_event(response, "toast", {"text": "Saved"}).
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail));

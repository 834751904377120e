import { gettext } from "@/words.js";

const SECONDS = 6;

/** Show `text` for `seconds`, longer while pointed at or focused.
 *  `action`: { label, href } or { label, run } puts a link or button beside it (undo, view). */
export function toast(text, { action, seconds = SECONDS } = {}) {
  const box = document.createElement("div");
  box.className = "toast";
  const words = document.createElement("span");
  words.textContent = text;
  box.append(words);
  if (action) {
    const control = document.createElement(action.href ? "a" : "button");
    control.textContent = action.label;
    if (action.href) control.href = action.href;
    control.addEventListener("click", () => {
      action.run?.();
      box.remove();
    });
    box.append(control);
  }
  const close = document.createElement("button");
  close.textContent = gettext("Close");
  close.addEventListener("click", () => box.remove());
  box.append(close);

  let timer;
  const leave = () => (timer = setTimeout(() => box.remove(), seconds * 1000));
  for (const start of ["pointerenter", "focusin"]) box.addEventListener(start, () => clearTimeout(timer));
  for (const stop of ["pointerleave", "focusout"]) box.addEventListener(stop, leave);
  leave();
  document.getElementById("toasts").append(box);
  return box;
}

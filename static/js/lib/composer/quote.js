/* Quoting: words selected in a post, or the whole of it, below a line that says whose they are. */
import { gettext } from "@/words.js";

/** Markdown that shows `text` as it stands: what would begin a list, a heading, a link is escaped. */
const plain = (text) =>
  text
    .replace(/[\\`*[\]<]|~~|(?<!\w)_|_(?!\w)/g, "\\$&")
    .replace(/^(\s*)([#>+-]|\d+[.)](?=\s))/gm, (_, space, mark) => space + (mark.length > 1 ? mark.slice(0, -1) + "\\" + mark.at(-1) : "\\" + mark));

/** The selection when it lies in the words of one post: `{ post, text, range }`, else null. */
export function selected() {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const at = range.commonAncestorContainer;
  const prose = (at.nodeType === Node.ELEMENT_NODE ? at : at.parentElement).closest(".post > .prose");
  const text = prose && selection.toString().trim();
  return text ? { post: prose.closest(".post"), text, range } : null;
}

export function quoteOf(post, text) {
  const name = post.querySelector(".who").textContent.trim().replace(/[\\[\]]/g, "\\$&");
  const place = post.dataset.post ? `/p/${post.dataset.post}/` : post.querySelector('header a[href^="/p/"]').getAttribute("href");
  const lines = plain(text.replace(/\n{3,}/g, "\n\n")).split("\n").map((line) => `> ${line}`.trimEnd());
  return `> [${name}](${place}):\n${lines.join("\n")}\n\n`;
}

/** All of a post but what it quotes itself, as it is shown. */
export function wordsOf(post) {
  const prose = post.querySelector(":scope > .prose");
  const copy = prose.cloneNode(true);
  for (const quote of copy.querySelectorAll(":scope > blockquote")) quote.remove();
  copy.className = "vh";
  prose.after(copy); // innerText knows the lines of what is drawn only
  const text = copy.innerText.trim() || prose.innerText.trim();
  copy.remove();
  return text;
}

/** The small button beside a selection. */
export class QuoteButton {
  constructor(quote) {
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "btn quote-button";
    this.button.dataset.size = "sm";
    this.button.dataset.tone = "brand";
    this.button.textContent = gettext("Quote");
    // The press must not take the selection away first.
    this.button.addEventListener("pointerdown", (event) => event.preventDefault());
    this.button.addEventListener("click", () => {
      const now = selected() ?? this.last;
      this.hide();
      if (now) quote(now.post, now.text);
    });
  }

  follow() {
    const now = selected();
    if (!now) {
      if (document.activeElement !== this.button) this.hide();
      return;
    }
    this.last = now;
    // Behind the words it is about, so that Tab leads from them to it.
    now.post.querySelector(":scope > .prose").after(this.button);
    const rects = now.range.getClientRects();
    const end = rects[rects.length - 1] ?? now.range.getBoundingClientRect();
    const around = now.post.getBoundingClientRect();
    const width = this.button.offsetWidth;
    this.button.style.top = `${end.bottom - around.top + 6}px`;
    this.button.style.left = `${Math.max(8, Math.min(end.right - around.left - width / 2, around.width - width - 8))}px`;
  }

  hide() {
    this.button.remove();
    this.last = null;
  }
}

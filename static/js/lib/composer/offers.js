/* People for "@" and emoji for ":" while one types: a combobox at the caret (arrows, Enter or Tab,
   Escape). The textarea is a combobox only while there is something to choose. */
import { gettext } from "@/words.js";

const MOST = 8, WAIT = 120;
const BEGUN = /(?:^|[\s(\[{"'“«>])([@:])([\p{L}\p{N}_+-]{0,30})$/u;
const COMMON = ["😀", "😂", "😍", "👍", "🙏", "🎉", "❤️", "🔥"]; // for ":" alone, by its button

let emojis = null;
const loadEmojis = (address) => (emojis ??= fetch(address).then((answer) => answer.json()).catch(() => (emojis = null)));

/** What is being typed before the caret: `{ mark, words, from }`, else null. */
export function begun(text) {
  if (text.selectionStart !== text.selectionEnd) return null;
  const found = BEGUN.exec(text.value.slice(Math.max(0, text.selectionStart - 80), text.selectionStart));
  if (!found) return null;
  return { mark: found[1], words: found[2], from: text.selectionStart - found[2].length - 1 };
}

export class Offers {
  constructor(box, text) {
    Object.assign(this, { box, text });
    this.list = document.createElement("div");
    this.list.className = "offers";
    this.list.id = `${text.id}-offers`;
    this.list.setAttribute("role", "listbox");
    this.list.hidden = true;
    text.after(this.list);
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the caret stays
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest('[role="option"]');
      if (option) this.take(option);
    });
    text.addEventListener("blur", () => this.close());
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** After a key: look at what stands before the caret. `all` for the button that asks for emoji. */
  look({ all = false } = {}) {
    clearTimeout(this.timer);
    this.asked?.abort();
    const now = begun(this.text);
    if (!now || this.refused === now.from || (now.mark === ":" && now.words.length < 2 && !all)) {
      if (!now) this.refused = null;
      return this.close();
    }
    this.refused = null;
    this.now = now;
    if (now.mark === ":") this.emojis(now, all);
    else this.timer = setTimeout(() => this.people(now), WAIT);
  }

  async people(now) {
    this.asked = new AbortController();
    const address = new URL(this.box.dataset.mentions, location.href);
    address.searchParams.set("q", now.words);
    try {
      const answer = await fetch(address, { signal: this.asked.signal, redirect: "manual" });
      if (this.now !== now) return;
      if (answer.status !== 200) return this.close();
      this.list.innerHTML = await answer.text();
    } catch {
      return; // asked anew, or offline: a handle can be typed out
    }
    if (this.now === now) this.open(gettext("Members"));
  }

  async emojis(now, all) {
    const known = await loadEmojis(this.box.dataset.emoji);
    if (!known || this.now !== now) return;
    const words = now.words.toLowerCase();
    const found = [];
    for (const [character, ...names] of known) {
      if (all && !words) {
        if (COMMON.includes(character)) found.push([0, COMMON.indexOf(character), character, names[0]]);
        continue;
      }
      const name = names.find((one) => one.startsWith(words)) ?? names.find((one) => one.includes(`_${words}`));
      if (name) found.push([name.startsWith(words) ? 0 : 1, name.length, character, name]);
    }
    found.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
    this.list.replaceChildren(...found.slice(0, MOST).map(([, , character, name]) => {
      const option = document.createElement("div");
      option.setAttribute("role", "option");
      option.dataset.text = `${character} `;
      const drawn = document.createElement("span");
      drawn.className = "drawn";
      drawn.ariaHidden = "true";
      drawn.textContent = character;
      option.append(drawn, name.replaceAll("_", " "));
      return option;
    }));
    if (found.length) this.open(gettext("Emoji"));
    else this.close();
  }

  open(label) {
    this.options = [...this.list.querySelectorAll('[role="option"]')];
    this.options.forEach((option, at) => (option.id = `${this.list.id}-${at}`));
    this.list.ariaLabel = label;
    this.list.hidden = false;
    this.place();
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-expanded": "true", "aria-controls": this.list.id,
    })) this.text.setAttribute(name, value);
    this.choose(0);
  }

  choose(at) {
    this.chosen = (at + this.options.length) % this.options.length;
    this.options.forEach((option, place) => option.setAttribute("aria-selected", String(place === this.chosen)));
    this.text.setAttribute("aria-activedescendant", this.options[this.chosen].id);
    this.options[this.chosen].scrollIntoView({ block: "nearest" });
  }

  /** True when the key was for the list. */
  key(event) {
    if (!this.isOpen || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "ArrowDown") this.choose(this.chosen + 1);
    else if (event.key === "ArrowUp") this.choose(this.chosen - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) this.take(this.options[this.chosen]);
    else if (event.key === "Escape") {
      this.refused = this.now.from; // not asked again for this word
      this.close();
    } else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  take(option) {
    const words = option.dataset.text;
    const { from } = this.now;
    const end = this.text.selectionStart;
    const spaced = this.text.value[end] === " ";
    this.close();
    this.box.put(spaced ? words.trimEnd() : words, from, end, [words.length, 0]);
  }

  close() {
    clearTimeout(this.timer);
    this.now = null;
    if (!this.isOpen) return;
    this.list.hidden = true;
    for (const name of ["role", "aria-autocomplete", "aria-haspopup", "aria-expanded", "aria-controls", "aria-activedescendant"])
      this.text.removeAttribute(name);
  }

  /** Below the line the caret is in, found by a copy of the text in the same shape. */
  place() {
    const shape = getComputedStyle(this.text);
    const copy = document.createElement("div");
    for (const name of ["font", "lineHeight", "letterSpacing", "padding", "border", "boxSizing", "textAlign", "direction", "tabSize"])
      copy.style[name] = shape[name];
    Object.assign(copy.style, { position: "absolute", visibility: "hidden", whiteSpace: "pre-wrap", overflowWrap: "break-word", inlineSize: `${this.text.clientWidth}px` });
    const caret = document.createElement("span");
    caret.textContent = "\u200b";
    copy.append(this.text.value.slice(0, this.now.from), caret);
    this.text.after(copy);
    const line = caret.offsetHeight;
    const top = this.text.offsetTop + caret.offsetTop + line - this.text.scrollTop;
    const { offsetLeft: left } = caret;
    copy.remove();
    const room = this.text.clientWidth - this.list.offsetWidth;
    this.list.style.top = `${Math.min(top, this.text.offsetTop + this.text.offsetHeight) + 4}px`;
    this.list.style.left = `${Math.max(0, Math.min(left, room))}px`;
  }
}

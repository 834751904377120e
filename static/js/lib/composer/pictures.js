/* Pictures on their way into the text: sent at once, described meanwhile, put in when both are done. */
import { csrfToken } from "../http.js";
import { gettext } from "@/words.js";

const MOST_BYTES = 10 * 1024 * 1024;
const TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif"];

function made(tag, values = {}, ...children) {
  const element = Object.assign(document.createElement(tag), values);
  element.append(...children);
  return element;
}

let count = 0;

class Row {
  constructor(queue, file) {
    Object.assign(this, { queue, file });
    const id = `picture-${++count}`;
    const { name } = file;
    this.shown = URL.createObjectURL(file);
    this.picture = made("img", { src: this.shown, alt: "" });
    this.alt = made("input", { className: "input", id, maxLength: 300, autocomplete: "off" });
    this.progress = made("progress", { max: 1, value: 0, ariaLabel: gettext("Sending %(name)s", { name }) });
    this.error = made("p", { className: "errors", hidden: true });
    this.error.setAttribute("role", "alert");
    this.put = made("button", { type: "button", className: "btn", textContent: gettext("Put it in the text") });
    this.cancel = made("button", { type: "button", className: "btn", textContent: gettext("Cancel"), ariaLabel: gettext("Leave out %(name)s", { name }) });
    this.put.dataset.size = this.cancel.dataset.size = "sm";
    this.put.dataset.tone = "brand";
    this.cancel.dataset.tone = "quiet";
    const label = made("label", { htmlFor: id, textContent: gettext("What the picture shows") });
    const field = made("div", { className: "field" }, label, this.alt, this.progress, this.error);
    const buttons = made("div", { className: "row wrap" }, this.put, this.cancel);
    this.element = made("li", { className: "attachment" }, this.picture, field, buttons);
    this.cancel.addEventListener("click", () => this.leave());
    this.put.addEventListener("click", () => (this.said ? this.insert() : this.wait()));
    this.alt.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      this.put.click();
    });
  }

  send() {
    if (!TYPES.includes(this.file.type)) return this.fail(gettext("Only JPEG, PNG, WEBP and GIF pictures are taken."));
    if (this.file.size > MOST_BYTES) return this.fail(gettext("The picture is larger than 10 MB."));
    const form = new FormData();
    form.append("picture", this.file);
    for (const [name, value] of Object.entries(this.queue.fields)) form.append(name, value);
    this.request = new XMLHttpRequest();
    this.request.upload.onprogress = ({ loaded, total }) => (this.progress.value = total ? loaded / total : 0);
    this.request.upload.onload = () => this.progress.removeAttribute("value"); // being read
    this.request.onload = () => this.answer();
    this.request.onerror = () => this.fail(gettext("The picture was not sent. Try again."), true);
    this.request.open("POST", this.queue.address);
    this.request.setRequestHeader("X-CSRFToken", csrfToken());
    this.request.setRequestHeader("Accept", "application/json");
    this.request.send(form);
  }

  answer() {
    let said = null;
    try {
      said = JSON.parse(this.request.responseText);
    } catch { /* a page: signed out, or something broke */ }
    if (this.request.status !== 201 || !said) {
      return this.fail(said?.error ?? gettext("The picture was not taken. Try again."), !said);
    }
    this.said = said;
    this.progress.remove();
    if (this.waited) this.insert();
  }

  fail(words, again = false) {
    this.progress.remove();
    this.error.textContent = words;
    this.error.hidden = false;
    this.failed = true;
    this.put.hidden = !again;
    this.put.textContent = gettext("Try again");
    this.put.onclick = (event) => {
      event.stopImmediatePropagation();
      this.leave();
      this.queue.take([this.file]);
    };
    this.queue.say(words);
  }

  wait() {
    if (this.failed) return;
    this.waited = true;
    this.put.setAttribute("aria-busy", "true");
    this.queue.say(gettext("It goes into the text as soon as it is there."));
  }

  insert() {
    const alt = this.alt.value.trim().replaceAll("[", "(").replaceAll("]", ")");
    this.queue.insert(`![${alt}](image:${this.said.id})`);
    this.leave();
  }

  leave() {
    if (!this.said) this.request?.abort();
    URL.revokeObjectURL(this.shown);
    this.queue.remove(this);
  }
}

/** The pictures of one composer. `insert` puts Markdown into the text, `say` says how it goes. */
export class Pictures {
  constructor({ place, address, fields, insert, say }) {
    Object.assign(this, { address, fields, insert, say });
    this.rows = new Set();
    this.list = made("ul", { className: "extras uploads", ariaLabel: gettext("Pictures") });
    this.list.setAttribute("role", "list");
    this.list.hidden = true;
    place(this.list);
  }

  take(files) {
    const rows = files.map((file) => new Row(this, file));
    for (const row of rows) {
      this.rows.add(row);
      this.list.append(row.element);
    }
    this.list.hidden = !this.rows.size;
    rows[0]?.alt.focus();
    for (const row of rows) row.send();
  }

  remove(row) {
    this.rows.delete(row);
    row.element.remove();
    this.list.hidden = !this.rows.size;
    const next = [...this.rows].find((one) => !one.failed);
    if (next) next.alt.focus();
    else this.say("");
  }

  /** Before posting: what is there goes into the text. False while something is still on its way. */
  finish() {
    for (const row of [...this.rows]) if (row.said) row.insert();
    return ![...this.rows].some((row) => !row.failed);
  }
}

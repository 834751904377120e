/* <composer-box data-draft="thread-7"> round a composer's form. Without this file the form posts,
   previews and takes a picture all the same; with it the box grows, keeps a draft in this browser,
   shows the preview in place, puts pictures into the text, and Ctrl+Enter posts. */
import { post } from "@/lib/http.js";
import { gettext } from "@/words.js";

const PREFIX = "draft:";
const SAVE_AFTER = 400;
const MARKS = {
  bold: (words) => ["**", words || gettext("bold words"), "**"],
  link: (words) => ["[", words || gettext("words"), "](https://)"],
  list: (words) => ["", (words || gettext("first")).replace(/^/gm, "- "), ""],
  quote: (words) => ["", (words || gettext("what they said")).replace(/^/gm, "> "), "\n\n"],
};

const stored = {
  read(name) {
    try {
      return JSON.parse(localStorage.getItem(PREFIX + name));
    } catch {
      return null;
    }
  },
  write(name, draft) {
    try {
      if (draft) localStorage.setItem(PREFIX + name, JSON.stringify(draft));
      else localStorage.removeItem(PREFIX + name);
      return true;
    } catch {
      return false; // no room, or a browser that keeps nothing
    }
  },
};

/* A draft is done with once its post stands on a page: posts of the reader carry their form's key. */
function forgetPosted() {
  let names = [];
  try {
    names = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
  } catch {
    return;
  }
  for (const name of names.map((name) => name.slice(PREFIX.length))) {
    const key = stored.read(name)?.key;
    if (key && document.querySelector(`.post[data-key="${CSS.escape(key)}"]`)) stored.write(name, null);
  }
}

class ComposerBox extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.text = this.form.elements.body;
    this.pictures = this.querySelector(".pictures");
    this.status = this.querySelector("[data-status]");
    for (const type of ["click", "input", "submit", "keydown", "paste", "dragover", "dragleave", "drop"])
      this.addEventListener(type, this);
    document.addEventListener("click", this);
    // After htmx has put the posts in place too: it swaps this box first.
    queueMicrotask(() => {
      forgetPosted();
      this.restore();
      this.grow();
      if (this.hasAttribute("data-posted")) this.showPosted();
    });
  }

  disconnectedCallback() {
    document.removeEventListener("click", this);
    clearTimeout(this.timer);
  }

  handleEvent(event) {
    this[event.type](event);
  }

  // -- typing ---------------------------------------------------------------------------------

  input(event) {
    if (event.target !== this.text && event.target.name !== "title") return;
    this.grow();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), SAVE_AFTER);
  }

  submit() {
    clearTimeout(this.timer);
    this.save();
  }

  keydown(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      this.form.requestSubmit();
    }
  }

  grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.text.rows = Math.min(30, Math.max(5, this.text.value.split("\n").length + 1));
  }

  insert(before, words, after, { alone = false } = {}) {
    const { selectionStart: start, selectionEnd: end, value } = this.text;
    const lead = alone && start > 0 && value[start - 1] !== "\n" ? "\n\n" : "";
    const made = lead + before + words + after;
    this.text.focus();
    this.text.setSelectionRange(start, end);
    // Keeps the browser's own undo; setRangeText is for those that no longer know the command.
    if (!document.execCommand("insertText", false, made)) {
      this.text.setRangeText(made, start, end, "end");
      this.text.dispatchEvent(new Event("input", { bubbles: true }));
    }
    const from = start + lead.length + before.length;
    this.text.setSelectionRange(from, from + words.length);
  }

  // -- drafts ---------------------------------------------------------------------------------

  get draft() {
    return this.dataset.draft;
  }

  save() {
    if (!this.draft) return;
    const { title, client_key: key } = this.form.elements;
    const draft = { body: this.text.value, title: title?.value ?? "", key: key?.value };
    const empty = !draft.body.trim() && !draft.title.trim();
    this.say(stored.write(this.draft, empty ? null : draft) && !empty ? gettext("Draft saved") : "");
  }

  restore() {
    const draft = this.draft && !this.text.value && stored.read(this.draft);
    if (!draft) return;
    const { title } = this.form.elements;
    this.text.value = draft.body;
    if (title && !title.value) title.value = draft.title;
    this.save(); // under the key of this form, by which its post will be known
    this.say(gettext("Draft restored"));
  }

  say(words) {
    this.status.textContent = words;
  }

  // -- buttons --------------------------------------------------------------------------------

  click(event) {
    const replying = event.currentTarget === document && event.target.closest("a[data-reply]");
    if (replying && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      this.replyTo(replying.dataset.reply, `${replying.dataset.name}, #${replying.dataset.reply}`);
    }
    if (event.currentTarget === document) return;
    const button = event.target.closest("[data-act]");
    if (!button) return;
    const { act } = button.dataset;
    if (act in MARKS) {
      const words = this.text.value.slice(this.text.selectionStart, this.text.selectionEnd);
      this.insert(...MARKS[act](words), { alone: act === "list" || act === "quote" });
    } else if (act === "write" || act === "preview") this.show(act);
    else if (act === "picture") this.openPictures(!this.pictures.hasAttribute("data-open"));
    else if (act === "no-picture") this.noPicture();
    else if (act === "upload") this.upload(button);
    else if (act === "stop") {
      event.preventDefault();
      this.replyTo("", "");
    }
  }

  show(view) {
    this.dataset.view = view;
    for (const button of this.querySelectorAll('[data-act="write"], [data-act="preview"]'))
      button.setAttribute("aria-pressed", String(button.dataset.act === view));
    if (view === "write") this.text.focus();
  }

  replyTo(number, name) {
    const line = this.querySelector(".replying");
    if (!line) return;
    this.form.elements.reply_to.value = number;
    line.querySelector("[data-name]").textContent = name;
    line.hidden = !number;
    this.show("write");
    this.scrollIntoView({ block: "center", behavior: "smooth" });
  }

  // A fresh box after a reply: the new post is the last one in the page.
  showPosted() {
    const posts = document.querySelectorAll("#posts > .post");
    posts[posts.length - 1]?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    this.text.focus({ preventScroll: true });
  }

  // -- pictures -------------------------------------------------------------------------------

  openPictures(open) {
    this.pictures.toggleAttribute("data-open", open);
    this.querySelector('[data-act="picture"]').setAttribute("aria-expanded", String(open));
    if (open) this.form.elements.picture[this.form.elements.picture.files.length ? "blur" : "focus"]();
  }

  noPicture() {
    this.form.elements.picture.value = "";
    this.form.elements.picture_alt.value = "";
    this.openPictures(false);
    this.text.focus();
  }

  /** A pasted or dropped picture waits in the same fields for the words that describe it. */
  take(event, files) {
    const pictures = [...(files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!pictures.length) return;
    event.preventDefault();
    const one = new DataTransfer();
    one.items.add(pictures[0]);
    this.form.elements.picture.files = one.files;
    this.openPictures(true);
    this.form.elements.picture_alt.focus();
  }

  paste(event) {
    this.take(event, event.clipboardData?.files);
  }

  dragover(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.form.classList.add("dropping");
  }

  dragleave() {
    this.form.classList.remove("dropping");
  }

  drop(event) {
    this.form.classList.remove("dropping");
    this.take(event, event.dataTransfer?.files);
  }

  async upload(button) {
    const { picture, picture_alt: alt, group } = this.form.elements;
    if (!picture.files.length) return picture.focus();
    const sent = new FormData();
    sent.append("picture", picture.files[0]);
    sent.append("alt", alt.value);
    sent.append("group", group.value);
    button.setAttribute("aria-busy", "true");
    this.say(gettext("Sending the picture…"));
    try {
      const answer = await post(button.dataset.href, sent);
      const said = await answer.json();
      if (!answer.ok) return this.say(said.error ?? gettext("The picture was not taken. Try again."));
      this.noPicture();
      this.insert("", said.markdown, "\n\n", { alone: true });
      this.text.setSelectionRange(this.text.selectionEnd + 2, this.text.selectionEnd + 2);
      this.say(gettext("Picture added"));
    } catch {
      this.say(gettext("The picture was not sent. Try again."));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }
}

customElements.define("composer-box", ComposerBox);

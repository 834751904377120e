/* <composer-box> round a composer's form. Without it the form posts, previews, takes a picture and has
   the draft of the server in it all the same. With it the box grows, keeps drafts, marks text, offers
   people and emoji, takes pictures, quotes, and undoes. What is not always used is fetched when it is
   first needed. */
import { post } from "../http.js";
import { Draft, isEmpty, same, stored } from "./drafts.js";
import { toast } from "../toast.js";
import { gettext } from "@/words.js";

const KEEP_AFTER = 150; // after a key, in this browser
const JUST_POSTED = 60_000;
const KEYS = { b: "bold", i: "italic", k: "link" };
const MARKS = ["bold", "italic", "quote", "list", "link", "code"];
const OWN = /^(?:csrfmiddlewaretoken|client_key|seen|based_on|group|add|body|title|picture|picture_alt|draft-.*)$/;

class ComposerBox extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.text = this.form.elements.body;
    this.status = this.querySelector("[data-status]");
    this.discarding = this.querySelector('[data-act="discard"]');
    const { draft: target, member = "", address } = this.dataset;
    this.draft = target && new Draft({
      target, member, address, key: this.form.elements.client_key?.value, told: (...news) => this.hear(...news),
    });
    this.controller = new AbortController();
    const on = (place, type, run, more) => place.addEventListener(type, run, { signal: this.controller.signal, ...more });
    for (const type of ["click", "input", "change", "keydown", "paste", "dragover", "dragleave", "drop"]) on(this, type, this);
    on(this, "submit", this, { capture: true }); // before htmx takes it
    on(this, "focusin", () => this.askServer(), { once: true });
    on(this, "htmx:afterRequest", (event) => event.detail.failed && this.draft?.resume());
    on(this, "htmx:afterSettle", () => {
      this.fill();
      this.showEarly();
    });
    on(document, "click", (event) => this.clicked(event));
    on(window, "pagehide", () => this.leave());
    on(window, "pageshow", (event) => event.persisted && this.draft?.resume());
    on(document, "visibilitychange", () => document.hidden && this.leave());
    on(window, "storage", (event) => this.elsewhere(event));
    if (this.form.elements.reply_to) on(document, "selectionchange", () => this.selecting());
    // The tools are one stop of Tab; arrows go on from there.
    this.tools = [...this.querySelectorAll('[role="toolbar"] button')];
    this.tools.forEach((tool, at) => (tool.tabIndex = at ? -1 : 0));
    // After htmx has put the posts in place too: it swaps this box first.
    queueMicrotask(() => {
      const posted = this.forgetPosted();
      this.restore();
      this.showEarly();
      this.grow();
      const { title } = this.form.elements;
      if (title?.value) this.compare(title); // restored, or typed before this came
      if (this.hasAttribute("data-posted")) this.showPosted(posted);
      else if (posted) this.offerUndo(posted);
    });
  }

  disconnectedCallback() {
    this.controller.abort();
    this.draft?.stop();
    clearTimeout(this.timer);
    this.offers?.close();
    this.quoting?.hide();
  }

  handleEvent(event) {
    this[event.type](event);
  }

  say(words) {
    this.status.replaceChildren(words);
  }

  // -- typing ---------------------------------------------------------------------------------

  input(event) {
    if (!event.target.name || event.target.type === "file") return;
    if (event.target === this.text) {
      this.grow();
      if (this.offers) this.offers.look();
      else if (/[@:]/.test(this.text.value.slice(Math.max(0, this.text.selectionStart - 3), this.text.selectionStart))) this.offer();
    } else if (event.target.name === "title") this.compare(event.target);
    this.typed = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), KEEP_AFTER);
  }

  change(event) {
    const { target } = event;
    if (target.name === "add" && target.value) {
      this.insert(`${target.value}\n`);
      target.value = "";
    } else this.input(event);
  }

  keydown(event) {
    if (event.target.closest('[role="toolbar"]')) return this.walk(event);
    if (event.target === this.text && this.offers?.key(event)) return;
    const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.isComposing;
    if (!command) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.target === this.text && !event.shiftKey && KEYS[event.key.toLowerCase()]) {
      event.preventDefault();
      this.mark(KEYS[event.key.toLowerCase()]);
    }
  }

  walk(event) {
    const rtl = getComputedStyle(this).direction === "rtl" ? -1 : 1;
    const shown = this.tools.filter((tool) => tool.checkVisibility());
    const at = shown.indexOf(document.activeElement);
    const to = { ArrowRight: at + rtl, ArrowLeft: at - rtl, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = shown[(to + shown.length) % shown.length];
    for (const tool of this.tools) tool.tabIndex = tool === next ? 0 : -1;
    next.focus();
  }

  grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.text.rows = Math.min(30, Math.max(5, this.text.value.split("\n").length + 1));
  }

  /** Put words in place of those from `start` to `end` and select `chosen`: [offset, length]. */
  put(words, start = this.text.selectionStart, end = this.text.selectionEnd, chosen = [words.length, 0]) {
    this.show("write");
    this.text.focus();
    this.text.setSelectionRange(start, end);
    // Keeps the browser's own undo; setRangeText is for those that no longer know the command.
    if (!document.execCommand(words ? "insertText" : "delete", false, words)) {
      this.text.setRangeText(words, start, end, "end");
      this.text.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.text.setSelectionRange(start + chosen[0], start + chosen[0] + chosen[1]);
  }

  /** Put words in a paragraph of their own at the caret. */
  insert(words) {
    const { selectionStart: start, selectionEnd: end, value } = this.text;
    const before = value.slice(0, start);
    const lead = !before.trim() || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
    this.put(lead + words + (words.endsWith("\n") ? "" : "\n\n"), start, end);
  }

  // -- drafts ---------------------------------------------------------------------------------

  get values() {
    const extra = {};
    for (const [name, value] of new FormData(this.form)) {
      if (OWN.test(name) || typeof value !== "string" || !value) continue;
      extra[name] = name in extra ? [].concat(extra[name], value) : value;
    }
    return { body: this.text.value, title: this.form.elements.title?.value ?? "", extra };
  }

  keep(options) {
    if (!this.draft) return;
    clearTimeout(this.timer);
    this.timer = 0;
    const values = this.values;
    const here = this.draft.keep(values, options);
    const said = here && !isEmpty(values);
    this.say(said ? gettext("Draft saved") : "");
    this.note();
  }

  note() {
    const { "draft-sequence": sequence } = this.form.elements;
    if (sequence && this.draft?.sequence) sequence.value = this.draft.sequence;
    if (this.discarding) this.discarding.hidden = isEmpty(this.values);
  }

  leave() {
    if (this.timer) this.keep();
    this.draft?.leave();
  }

  hear(state, newer) {
    this.note();
    if (state === "here") this.say(gettext("Draft saved in this browser"));
    else if (state === "saved") this.say(isEmpty(this.values) ? "" : gettext("Draft saved"));
    else if (state === "newer" && newer) this.decide(newer);
  }

  /** Somebody, most likely the same person, typed on in another window or on another device. */
  decide(newer) {
    if (same(newer, this.values)) {
      this.draft.adopt(newer);
      return this.note();
    }
    const button = (words, run) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = "inline-link";
      made.textContent = words;
      made.addEventListener("click", run);
      return made;
    };
    this.status.replaceChildren(
      `${gettext("A newer text of this was saved elsewhere.")} `,
      button(gettext("Show it"), () => this.take(newer)),
      " ",
      button(gettext("Keep mine"), () => {
        this.draft.sequence = newer.sequence;
        this.keep({ now: true });
      }),
    );
  }

  /** Put a draft into the form. */
  take(draft) {
    this.pending = { ...draft.extra };
    const { title } = this.form.elements;
    if (title) title.value = draft.title ?? "";
    if (this.typed) this.put(draft.body, 0, this.text.value.length);
    else this.text.value = draft.body;
    clearTimeout(this.timer);
    this.timer = 0;
    this.fill();
    this.grow();
    if (draft.sequence) this.draft.adopt(draft);
    this.note();
    this.say(gettext("Draft restored"));
  }

  /** The other fields; those that are not there yet wait for the answer of htmx that brings them. */
  fill() {
    const { pending } = this;
    if (!pending) return;
    if (pending.reply_to) {
      const name = document.querySelector(`#p${CSS.escape(pending.reply_to)} .who`)?.textContent.trim();
      this.replyTo(pending.reply_to, name ? `${name}, #${pending.reply_to}` : `#${pending.reply_to}`, false);
      delete pending.reply_to;
    }
    for (const [name, value] of Object.entries(pending)) {
      const field = this.form.elements[name];
      if (!field) continue;
      const values = [].concat(value);
      for (const one of field instanceof RadioNodeList ? field : [field]) {
        if (one.type === "checkbox" || one.type === "radio") one.checked = values.includes(one.value);
        else one.value = values.length > 1 ? (values.shift() ?? "") : value;
      }
      delete pending[name];
    }
    if (Object.keys(pending).some((name) => name.startsWith("poll-"))) this.querySelector('[name="add_poll"]')?.click();
  }

  restore() {
    if (!this.draft || this.dataset.view) return;
    const local = this.draft.local();
    const { "draft-sequence": field, title } = this.form.elements;
    const given = Number(field?.value || 0);
    // Typed before this was there; what a browser puts back when one goes back was not.
    const early = performance.getEntriesByType("navigation")[0]?.type === "navigate"
      && [this.text, title].some((one) => one && one.value !== one.defaultValue);
    if (this.text.value || title?.value) {
      // The server put a draft, a quote or a refused text here; an edit begins with its post.
      this.draft.sequence = Math.max(given, local?.sequence ?? 0);
      if (local && !isEmpty(local) && !same(local, this.values)) {
        if (this.hasAttribute("data-edits") && !given) this.wait(local);
        else if (!early && given && local.dirty && local.sequence >= given) this.take({ ...local, sequence: 0 });
      } else if (given && !this.querySelector(".errors")) this.say(gettext("Draft restored"));
      if (early) {
        this.typed = true;
        this.keep();
      }
      return this.note();
    }
    if (!local || isEmpty(local)) return;
    this.draft.sequence = local.sequence ?? 0;
    this.take({ ...local, sequence: 0 });
    this.draft.keep(this.values); // under the key of this form, by which its post will be known
    if (!local.dirty && local.sequence) this.askServer();
  }

  /** A draft of an edit is not put over the post as it stands now: one chooses. */
  wait(local) {
    const line = this.querySelector("[data-waiting]");
    line.hidden = false;
    line.querySelector("a").addEventListener("click", (event) => {
      event.preventDefault();
      line.hidden = true;
      this.typed = true;
      this.take({ ...local, sequence: 0 });
    });
  }

  /** What was typed on another device. Asked when one begins to write, not on every page read. */
  async askServer() {
    if (!this.draft || this.asked || this.hasAttribute("data-edits")) return;
    this.asked = true;
    const before = this.values;
    const kept = await this.draft.remote();
    const untouched = !this.typed && same(before, this.values);
    if (kept === null) {
      // Posted or discarded elsewhere, where nothing was typed here since.
      const local = stored.read(this.draft.name);
      if (untouched && local?.sequence && same(local, this.values)) this.clear();
    } else if (kept && kept.sequence > this.draft.sequence) {
      if (same(kept, this.values)) this.draft.adopt(kept);
      else if (untouched) this.take(kept);
      else this.decide(kept);
      this.note();
    }
  }

  /** Another window of this browser typed on, posted or discarded. */
  elsewhere(event) {
    if (!this.draft || event.key !== `draft:${this.draft.name}` || this.timer) return;
    const [was, now] = [event.oldValue, event.newValue].map((value) => (value ? JSON.parse(value) : null));
    if (!same(was ?? { body: "", title: "" }, this.values)) return;
    this.typed = false;
    if (now) {
      if (!same(now, this.values)) this.take({ ...now, sequence: 0 });
      this.draft.sequence = Math.max(this.draft.sequence, now.sequence ?? 0);
    } else this.clear();
    this.note();
  }

  clear() {
    this.text.value = "";
    if (this.form.elements.title) this.form.elements.title.value = "";
    this.draft.typed = null;
    stored.write(this.draft.name, null);
    this.grow();
    this.say("");
    this.note();
  }

  async discard() {
    const gone = this.values;
    this.clear();
    this.text.focus();
    await this.draft.discard();
    toast(gettext("Draft discarded"), {
      action: {
        label: gettext("Undo"),
        run: () => {
          this.take({ ...gone, sequence: 0 });
          this.keep({ now: true });
        },
      },
      seconds: 10,
    });
  }

  // -- posting --------------------------------------------------------------------------------

  submit(event) {
    if (this.pictures && !event.submitter?.name && !this.pictures.finish()) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return this.say(gettext("A picture is still on its way. Post when it is there, or cancel it."));
    }
    this.offers?.close();
    if (!this.draft || event.submitter?.name) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.draft.typed = this.values;
    const { client_key: key } = this.form.elements;
    if (!isEmpty(this.values)) {
      const { sequence } = this.draft;
      stored.write(this.draft.name, { ...this.values, key: key?.value, sequence, dirty: true, sent: Date.now() });
    }
    this.draft.stop();
    this.note();
  }

  /* A draft is done with once its post stands on a page: posts of the reader carry their form's key.
     Returns the one that was posted a moment ago. */
  forgetPosted() {
    let fresh = null;
    for (const name of stored.names()) {
      const { key, sent } = stored.read(name) ?? {};
      const edited = sent && /:post:(\d+)$/.exec(name)?.[1];
      if (edited && document.querySelector(`.post[data-post="${edited}"]`)) stored.write(name, null);
      const post = key && document.querySelector(`.post[data-key="${CSS.escape(key)}"]`);
      if (!post) continue;
      stored.write(name, null);
      if (Date.now() - sent < JUST_POSTED) fresh = post;
    }
    return fresh;
  }

  // A fresh box after a reply: the new post is the last one in the page.
  showPosted(posted) {
    const posts = document.querySelectorAll("#posts > .post");
    const post = posted ?? posts[posts.length - 1];
    post?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    this.text.focus({ preventScroll: true });
    if (post) this.offerUndo(post);
  }

  offerUndo(post) {
    const address = post.querySelector('header a[href^="/p/"]')?.getAttribute("href");
    const action = address && { label: gettext("Undo"), run: () => this.undo(post, `${address}undo/`) };
    toast(gettext("Posted."), { action, seconds: Number(this.dataset.undo) });
  }

  async undo(place, address) {
    try {
      const answer = await post(address);
      const said = await answer.json();
      if (!answer.ok) return toast(said.error ?? gettext("That did not work. Nothing was changed; try again."));
      if (said.target !== this.draft?.target) return void (location.href = said.address);
      place.remove();
      this.typed = true;
      this.take(said);
      this.say(gettext("Taken back. It is a draft again."));
      this.scrollIntoView({ block: "center", behavior: "smooth" });
    } catch {
      toast(gettext("You seem to be offline. Nothing was sent."));
    }
  }

  // -- buttons --------------------------------------------------------------------------------

  click(event) {
    const button = event.target.closest("[data-act]");
    if (!button || button.matches("a") && (event.ctrlKey || event.metaKey)) return;
    const { act } = button.dataset;
    if (MARKS.includes(act)) this.mark(act);
    else if (act === "write" || act === "preview") this.show(act, { focus: true });
    else if (act === "picture") this.choosePictures();
    else if (act === "emoji") this.chooseEmoji();
    else if (act === "discard") this.discard();
    else if (act === "stop") {
      event.preventDefault();
      this.replyTo("", "");
    }
  }

  async mark(act) {
    const { selectionStart: start, selectionEnd: end, value: text } = this.text;
    const { MARKS } = await import("./marks.js");
    MARKS[act](this, { text, start, end });
  }

  /** A preview that was asked for before this was there. */
  showEarly() {
    if (!this.dataset.view && this.querySelector(".preview")?.childElementCount) this.show("preview");
  }

  show(view, { focus = false } = {}) {
    this.dataset.view = view;
    for (const button of this.querySelectorAll('[data-act="write"], [data-act="preview"]'))
      button.setAttribute("aria-pressed", String(button.dataset.act === view));
    if (view === "write" && focus) this.text.focus();
  }

  // -- answering and quoting ------------------------------------------------------------------

  clicked(event) {
    const link = event.target.closest("a[data-reply], a[data-quote]");
    if (!link || !this.form.elements.reply_to || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.quote) {
      const post = document.querySelector(`.post[data-post="${CSS.escape(link.dataset.quote)}"]`);
      link.closest("dialog")?.close();
      if (post) this.quote(post, "");
    } else {
      const author = link.closest(".post").querySelector(".who").textContent;
      this.replyTo(link.dataset.reply, `${author}, #${link.dataset.reply}`);
    }
  }

  replyTo(number, name, move = true) {
    const line = this.querySelector(".replying");
    if (!line) return;
    this.form.elements.reply_to.value = number;
    line.querySelector("[data-name]").textContent = name;
    line.hidden = !number;
    if (!move) return;
    this.show("write", { focus: true });
    this.scrollIntoView({ block: "center", behavior: "smooth" });
    this.keep();
  }

  async selecting() {
    const selection = getSelection();
    const begins = selection.anchorNode?.parentElement?.closest(".post > .prose");
    if (!this.quoting && (selection.isCollapsed || !begins)) return;
    if (!this.quoting) {
      const { QuoteButton } = await import("./quote.js");
      this.quoting ??= new QuoteButton((post, text) => this.quote(post, text));
    }
    clearTimeout(this.selectTimer);
    this.selectTimer = setTimeout(() => this.isConnected && this.quoting.follow(), 120);
  }

  async quote(post, text) {
    const { quoteOf, wordsOf } = await import("./quote.js");
    this.insert(quoteOf(post, text || wordsOf(post)));
    this.scrollIntoView({ block: "center", behavior: "smooth" });
  }

  // -- people, emoji, threads like this one ---------------------------------------------------

  async offer(options) {
    const { Offers } = await import("./offers.js");
    this.offers ??= new Offers(this, this.text);
    this.offers.look(options);
  }

  chooseEmoji() {
    const { selectionStart: start, value } = this.text;
    const lead = start && !/\s/.test(value[start - 1]) ? " " : "";
    this.put(`${lead}:`);
    this.offer({ all: true });
  }

  async compare(title) {
    const place = this.querySelector("[data-similar]");
    if (!place) return;
    const { Similar } = await import("./similar.js");
    this.similar ??= new Similar(title, place, place.dataset.similar);
    this.similar.look();
  }

  // -- pictures -------------------------------------------------------------------------------

  choosePictures() {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.accept = "image/jpeg,image/png,image/webp,image/gif";
    input.addEventListener("change", () => this.takePictures(input.files));
    input.click();
  }

  async takePictures(files) {
    const { Pictures } = await import("./pictures.js");
    this.pictures ??= new Pictures({
      place: (list) => this.text.after(list),
      address: this.dataset.upload,
      fields: { group: this.form.elements.group.value },
      insert: (words) => this.insert(words),
      say: (words) => this.say(words),
    });
    this.show("write");
    this.pictures.take([...files]);
  }

  /** Pictures that were pasted or dropped; anything else goes where the browser puts it. */
  drawn(event, files) {
    const pictures = [...(files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!pictures.length) return;
    event.preventDefault();
    this.takePictures(pictures);
  }

  paste(event) {
    this.drawn(event, event.clipboardData?.files);
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
    this.drawn(event, event.dataTransfer?.files);
  }
}

customElements.define("composer-box", ComposerBox);

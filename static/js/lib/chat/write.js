/* Writing: a message stands there at once and goes out with a key of its own, so that however often it
   is sent it is one. What was typed and what nobody heard is kept in this browser. */
import { toast } from "../toast.js";
import { gettext } from "@/words.js";

const WRITING_EVERY = 3_000, KEEP_AFTER = 150, ANSWER_WITHIN = 15_000;
const EDITABLE = 24 * 3600; // seconds, as chat.messages says

const stored = {
  read(name) {
    try { return JSON.parse(localStorage.getItem(name)); } catch { return null; }
  },
  write(name, value) {
    try {
      if (value && Object.keys(value).length) localStorage.setItem(name, JSON.stringify(value));
      else localStorage.removeItem(name);
    } catch { /* no room, or a browser that keeps nothing */ }
  },
};

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

export default class Writer {
  constructor(room) {
    this.room = room;
    this.dataset = { mentions: room.dataset.mentions, emoji: room.dataset.emoji }; // for the offers
    const name = `${room.dataset.member}:${room.dataset.room}`;
    this.drafts = `chat:${name}`;
    this.unsent = `chat-unsent:${name}`;
    this.controller = new AbortController();
    const on = (place, type, run, more) => place.addEventListener(type, run, { signal: this.controller.signal, ...more });
    const within = (run) => (event) => event.target.closest("#say") && run(event);
    on(room.element, "keydown", within((event) => this.key(event)), { capture: true });
    on(room.element, "input", within((event) => event.target === this.text && this.input()));
    on(room.element, "click", within((event) => this.press(event)));
    on(room.element, "paste", within((event) => this.takeFrom(event, event.clipboardData)));
    on(room.element, "dragover", (event) => room.form && event.dataTransfer.types.includes("Files") && event.preventDefault());
    on(room.element, "drop", (event) => room.form && this.takeFrom(event, event.dataTransfer));
    on(room.log, "click", (event) => {
      const button = event.target.closest("[data-retry], [data-take-back]");
      const row = button?.closest(".msg");
      if (row) "retry" in button.dataset ? this.post(row) : this.takeBack(row);
    });
    on(window, "online", () => this.resend());
    on(window, "pagehide", () => this.keep());
    this.restore();
    for (const [key, said] of Object.entries(stored.read(this.unsent) ?? {})) this.post(this.pending(said, key));
  }

  stop() {
    this.keep();
    this.controller.abort();
    this.offers?.close();
  }

  get text() {
    return this.room.form?.body;
  }

  // -- typing -----------------------------------------------------------------------------------

  restore() {
    const draft = stored.read(this.drafts);
    if (!this.text || this.text.value || !draft || draft.editing) return;
    this.text.value = draft.body;
    if (draft.reply) this.answer(draft.reply, draft.name, false);
  }

  keep() {
    clearTimeout(this.keepTimer);
    if (!this.text || this.editing) return;
    const body = this.text.value;
    const reply = this.room.form.reply_to.value;
    stored.write(this.drafts, body.trim() ? { body, ...(reply && { reply, name: this.name }) } : null);
  }

  input() {
    clearTimeout(this.keepTimer);
    this.keepTimer = setTimeout(() => this.keep(), KEEP_AFTER);
    if (this.offers) this.offers.look();
    else if (/[@:]/.test(this.text.value.slice(Math.max(0, this.text.selectionStart - 3), this.text.selectionStart))) this.offer();
    if (!this.text.value.trim() || this.editing || Date.now() - (this.told ?? 0) < WRITING_EVERY) return;
    this.told = Date.now();
    this.room.send(`${this.room.dataset.acts}writing/`, {}).catch(() => {});
  }

  key(event) {
    if (event.target !== this.text || event.isComposing) return;
    if (this.offers?.key(event)) return;
    if (event.key === "Escape" && (this.editing || this.room.form.reply_to.value)) this.leave();
    else if (event.key === "ArrowUp" && !this.text.value && !event.shiftKey && !event.altKey) this.editLast();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  press(event) {
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (act === "picture") this.choosePictures();
    else if (act === "emoji") this.chooseEmoji();
  }

  /** Put words in place of those from `start` to `end`, as the offers and pictures ask. */
  put(words, start = this.text.selectionStart, end = this.text.selectionEnd) {
    this.text.focus();
    this.text.setSelectionRange(start, end);
    // Keeps the browser's own undo; setRangeText is for those that no longer know the command.
    if (document.execCommand(words ? "insertText" : "delete", false, words)) return;
    this.text.setRangeText(words, start, end, "end");
    this.text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  async offer(options) {
    const { Offers } = await import("../composer/offers.js");
    if (!this.offers || this.offers.text !== this.text) this.offers = new Offers(this, this.text);
    this.offers.look(options);
  }

  chooseEmoji() {
    const { selectionStart: start, value } = this.text;
    this.put(`${start && !/\s/.test(value[start - 1]) ? " " : ""}:`);
    this.offer({ all: true });
  }

  // -- pictures ---------------------------------------------------------------------------------

  choosePictures() {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", multiple: true, accept: "image/jpeg,image/png,image/webp,image/gif" });
    input.addEventListener("change", () => this.takePictures([...input.files]));
    input.click();
  }

  takeFrom(event, { files }) {
    const pictures = [...files].filter((file) => file.type.startsWith("image/"));
    if (!pictures.length) return;
    event.preventDefault();
    this.takePictures(pictures);
  }

  async takePictures(files) {
    const { Pictures } = await import("../composer/pictures.js");
    const { form, dataset } = this.room;
    if (!this.pictures || this.pictures.list.closest("form") !== form) {
      this.pictures = new Pictures({
        place: (list) => form.prepend(list),
        address: dataset.upload,
        fields: { for: "chat" },
        insert: (words) => this.put(`${this.text.value && !/\s$/.test(this.text.value) ? "\n" : ""}${words}\n`, this.text.value.length, this.text.value.length),
        say: (words) => words && toast(words),
      });
    }
    this.pictures.take(files);
  }

  // -- answering, editing -----------------------------------------------------------------------

  say(words) {
    const line = this.room.querySelector("[data-answering]");
    line.hidden = !words;
    line.querySelector("[data-answering-to]").textContent = words;
  }

  answer(seq, name = "", move = true) {
    if (this.editing) this.leave();
    this.room.form.reply_to.value = seq ?? "";
    this.name = name;
    this.say(seq ? gettext("Reply to %(name)s", { name }) : "");
    if (move) this.text.focus();
  }

  /** No reply and no edit any more; what was typed before an edit is there again. */
  leave() {
    const was = this.editing;
    this.editing = null;
    this.room.form.reply_to.value = "";
    this.say("");
    if (was) {
      this.text.value = "";
      this.restore();
      this.room.row(was.seq)?.removeAttribute("data-editing");
    }
    this.text.focus();
  }

  editLast() {
    const since = Date.now() / 1000 - EDITABLE;
    const own = this.room.rows().findLast(({ dataset: { sender, at, removed } }) => sender === this.room.dataset.me && at > since && removed === undefined);
    if (own) this.edit(own.dataset.seq);
  }

  async edit(seq, address = `${this.room.dataset.acts}${seq}/edit/`) {
    const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
    const page = answer?.ok && !answer.redirected && new DOMParser().parseFromString(await answer.text(), "text/html");
    const words = page && page.querySelector('textarea[name="body"]');
    if (!words) return toast(gettext("This message can no longer be changed."));
    this.keep();
    if (this.editing) this.room.row(this.editing.seq)?.removeAttribute("data-editing");
    this.editing = { seq, address };
    this.room.form.reply_to.value = "";
    this.room.row(seq)?.setAttribute("data-editing", "");
    this.say(gettext("Change your message"));
    this.text.value = words.value;
    this.text.focus();
    this.text.setSelectionRange(words.value.length, words.value.length);
  }

  async saveEdit(body) {
    const { seq, address } = this.editing;
    const acts = await this.room.part("acts");
    if (!(await acts.act(address, { body }))) return; // a toast says why; the words stay
    if (this.editing?.seq === seq) this.leave();
  }

  // -- sending ----------------------------------------------------------------------------------

  submit() {
    if (!this.text) return;
    if (this.pictures && !this.pictures.finish()) return toast(gettext("A picture is still on its way. Send when it is there, or cancel it."));
    this.offers?.close();
    const body = this.text.value.trim();
    if (!body) return;
    if (this.editing) return this.saveEdit(body);
    const row = this.pending({ body, reply: this.room.form.reply_to.value });
    this.room.form.reply_to.value = this.text.value = "";
    this.say("");
    this.keep();
    this.told = 0;
    this.room.engaged = true;
    this.room.querySelector("#new")?.remove();
    this.room.toEnd();
    this.post(row);
  }

  pending({ body, reply }, key = newKey()) {
    const { room } = this;
    const known = room.log.querySelector(`[data-key="${key}"]`);
    if (known) return known;
    const row = room.querySelector("template[data-pending]").content.firstElementChild.cloneNode(true);
    row.dataset.key = key;
    row.querySelector(".body").textContent = body;
    row.said = { body, reply };
    room.quietly(() => {
      room.querySelector("[data-empty]")?.remove();
      room.end.before(row);
    });
    return row;
  }

  async post(row) {
    const { room } = this;
    const { key } = row.dataset;
    row.removeAttribute("data-failed");
    row.removeAttribute("data-unheard");
    row.setAttribute("data-pending", "");
    row.querySelector("[data-note]").textContent = gettext("sending");
    row.querySelector(".retry").hidden = true;
    stored.write(this.unsent, { ...stored.read(this.unsent), [key]: row.said });
    try {
      const values = { body: row.said.body, client_key: key, ...(row.said.reply && { reply_to: row.said.reply }) };
      const answer = await room.send(`${room.dataset.acts}messages/`, values, { signal: AbortSignal.timeout(ANSWER_WITHIN) });
      if (answer.redirected) (await room.part("foot")).gone(answer); // signed out: it is kept, and goes out later
      const told = await answer.json();
      this.heard(key);
      if (!answer.ok && row.said.body.startsWith("/")) return this.takeBack(row, told.error);
      if (!answer.ok) return this.failed(row, told.error);
      if (told.html) {
        if (told.seq > room.seq + 1) await room.fill();
        room.place(told);
      } else {
        room.fill(); // a command: what it did stands among the messages
        if (told.did) toast(told.did);
      }
      row.remove();
    } catch {
      this.failed(row, gettext("not sent"));
      row.setAttribute("data-unheard", "");
    }
  }

  /* Back into the box, to be changed: a command that was refused, and what its writer wants there. */
  takeBack(row, why) {
    if (why) toast(why);
    if (!this.text) return;
    row.remove();
    this.heard(row.dataset.key);
    this.text.value = [this.text.value, row.said.body].filter(Boolean).join("\n");
    this.text.focus();
    if (row.said.reply) this.answer(row.said.reply, this.name);
    this.keep();
  }

  heard(key) {
    const left = stored.read(this.unsent) ?? {};
    delete left[key];
    stored.write(this.unsent, left);
  }

  /* Back on the network: what nobody heard goes out again; its key makes it one message. */
  resend() {
    for (const row of this.room.log.querySelectorAll(".msg[data-unheard]")) this.post(row);
  }

  failed(row, why) {
    const follow = this.room.nearEnd();
    row.removeAttribute("data-pending");
    row.setAttribute("data-failed", "");
    row.querySelector("[data-note]").textContent = why;
    row.querySelector(".retry").hidden = false;
    if (follow) this.room.toEnd();
  }
}

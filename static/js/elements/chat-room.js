/* <chat-room>: messages arrive, are kept in the order of their numbers, and are sent at once.
   Without this the room is a list and a form. */
import { csrfToken } from "../lib/http.js";
import { socket } from "../lib/socket.js";
import { toast } from "../lib/toast.js";
import { gettext, ngettext } from "@/words.js";

const NEAR_END = 100; // px from the end within which a reader is taken to follow along
const GROUPED = 300; // seconds within which one sender's messages stand together
const POLL_AWAY = 4_000, POLL_LIVE = 30_000, BANNER_AFTER = 5_000, SETTLED = 3_000, READ_AFTER = 1_000;
const WRITING_EVERY = 3_000, WRITING_FADES = 5_000, LOOK_AROUND = 60_000;

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

class ChatRoom extends HTMLElement {
  connectedCallback() {
    this.log = this.querySelector(".log");
    this.end = this.querySelector("#end");
    this.form = this.querySelector("form#say");
    this.state = this.querySelector("[data-state]");
    this.away = this.querySelector("[data-away]");
    this.latest = this.querySelector("[data-latest]");
    this.seq = Number(this.dataset.seq);
    this.change = Number(this.dataset.change);
    this.read = Number(this.dataset.read ?? 0);
    for (const one of (this.dataset.mine ?? "").split(" ").filter(Boolean)) {
      const [seq, names] = one.split(":");
      this.press(this.row(seq), names.split(","));
    }
    this.folded = new Set((this.dataset.folded ?? "").split(" ")); // whose messages fold
    this.unseen = 0;
    this.live = false;
    this.writers = new Map();
    this.regroup();
    this.controller = new AbortController();
    this.addEventListener("click", (event) => this.click(event), { signal: this.controller.signal });
    if (this.hasAttribute("data-past")) return; // a page of the past stands still
    this.toEnd();
    const { signal } = this.controller;
    socket.addEventListener("frame", (event) => this.receive(event.detail), { signal });
    socket.subscribe(this.dataset.room);
    this.form?.addEventListener("submit", (event) => this.submit(event), { signal });
    this.form?.body.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.form.requestSubmit();
    }, { signal });
    this.form?.body.addEventListener("input", () => this.tellWriting(), { signal });
    this.latest?.addEventListener("click", () => this.toEnd(), { signal });
    this.log.addEventListener("scroll", () => this.nearEnd() && this.seen(), { signal, passive: true });
    this.log.addEventListener("click", (event) => {
      const row = event.target.closest("[data-retry]")?.closest(".msg");
      if (row) this.post(row);
    }, { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.lookedAt(), { signal });
    addEventListener("online", () => this.resend(), { signal });
    this.bannerTimer = setTimeout(() => this.live || this.showAway(true), BANNER_AFTER);
    this.poll();
    if (this.querySelector("[data-here]")) {
      this.lookAround();
      this.hereTimer = setInterval(() => document.hidden || this.lookAround(), LOOK_AROUND);
    }
  }

  disconnectedCallback() {
    clearInterval(this.hereTimer);
    this.controller?.abort();
    clearTimeout(this.pollTimer);
    clearTimeout(this.bannerTimer);
    socket.unsubscribe(this.dataset.room);
  }

  // -- what comes in ----------------------------------------------------------------------------

  receive(frame) {
    if (frame.type === "subscribed" && frame.name === this.dataset.room) {
      this.room = frame.room;
      this.setLive(frame.live);
      if (frame.seq > this.seq) this.fill();
    } else if (frame.type === "live") {
      this.setLive(true);
      this.fill();
      // A web process may find Redis back a moment after the sockets do; its hints till then are lost.
      setTimeout(() => this.isConnected && this.fill(), SETTLED);
    } else if (frame.type === "away" || frame.type === "closed") {
      this.setLive(false);
    } else if (frame.type === "refused" && frame.room === this.dataset.room) {
      this.setLive(false);
    } else if (frame.room === this.room) {
      if (frame.type === "changed") frame.change > this.change && this.fill();
      else if (frame.type === "room") this.refreshHead();
      else if (frame.type === "writing") this.noteWriting(frame);
      else if (frame.type === "message") {
        if (frame.seq > this.seq + 1) this.fill();
        else this.place(frame);
      }
    }
  }

  async fill() {
    if (this.filling) return void (this.again = true);
    this.filling = true;
    try {
      for (let more = true; more; ) {
        const answer = await fetch(`${this.dataset.after}?after=${this.seq}&change=${this.change}`, { headers: { Accept: "application/json" } });
        if (!answer.ok) break;
        const page = await answer.json();
        for (const message of page.messages) this.place(message);
        for (const message of page.changed) this.replace(message);
        this.change = Math.max(this.change, page.change);
        more = page.more;
      }
    } catch { /* offline: the next look asks again */ }
    this.filling = false;
    if (this.again) { this.again = false; this.fill(); }
  }

  /* Whether one may write here has changed: pause, slow mode, an archive. */
  async refreshHead() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [now, then] = [page.querySelector("chat-room"), this].map((one) => one?.querySelector("[data-why]")?.textContent ?? "");
    if (now !== then) location.reload(); // its draft stays with the form
  }

  poll() {
    this.pollTimer = setTimeout(async () => {
      if (!document.hidden) await this.fill();
      this.poll();
    }, this.live ? POLL_LIVE : POLL_AWAY);
  }

  parse({ html, mine }) {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    const row = holder.content.firstElementChild;
    const words = this.folded.has(row.dataset.author) && row.querySelector("div.body");
    if (words) {
      const fold = this.querySelector("template[data-fold]").content.firstElementChild.cloneNode(true);
      words.replaceWith(fold);
      words.className = "";
      fold.append(words);
    }
    if (mine) this.press(row, mine);
    return row;
  }

  row(seq) {
    return this.log.querySelector(`.msg[data-seq="${seq}"]`);
  }

  /* A message as it is now, where it stood. */
  replace(message) {
    const row = this.row(message.seq);
    if (!row) return;
    const focused = row.contains(document.activeElement) && document.activeElement.getAttribute("formaction");
    const now = this.parse(message);
    row.replaceWith(now);
    this.regroup();
    if (focused) (now.querySelector(`[formaction="${CSS.escape(focused)}"]`) ?? now.querySelector("[data-more]"))?.focus();
  }

  press(row, names) {
    for (const button of row?.querySelectorAll(".react[form]") ?? []) button.ariaPressed = String(names.includes(button.value));
  }

  place(message) {
    // Numbers have no gaps, so the next one is the only one that moves the mark.
    if (message.seq === this.seq + 1) this.seq = message.seq;
    if (this.log.querySelector(`[data-seq="${message.seq}"]`)) return;
    const follow = this.nearEnd();
    const row = this.parse(message);
    this.stopsWriting(Number(row.dataset.author));
    const pending = message.key && this.log.querySelector(`[data-key="${message.key}"]`);
    pending?.remove();
    this.querySelector("[data-empty]")?.remove();
    // In the order of numbers, before anything still on its way.
    const rows = [...this.log.querySelectorAll(".msg[data-seq]")];
    const before = rows.findLast((other) => Number(other.dataset.seq) < message.seq);
    if (before) before.after(row);
    else this.log.insertBefore(row, rows[0] ?? this.log.querySelector(".msg") ?? this.end);
    this.regroup();
    if (follow || message.sender === this.dataset.me) this.toEnd();
    else this.countUnseen();
  }

  regroup() {
    let last;
    for (const row of this.log.querySelectorAll(".msg[data-seq]")) {
      const follows = last && last.dataset.sender === row.dataset.sender
        && row.dataset.at - last.dataset.at < GROUPED && !row.previousElementSibling?.matches(".divider");
      row.toggleAttribute("data-lead", !follows);
      last = row;
    }
  }

  // -- what goes out ----------------------------------------------------------------------------

  submit(event) {
    event.preventDefault();
    const body = this.form.body.value.trim();
    if (!body) return;
    const row = this.querySelector("template[data-pending]").content.firstElementChild.cloneNode(true);
    row.dataset.key = newKey();
    row.querySelector(".body").textContent = body;
    row.words = body;
    row.answers = this.form.reply_to.value;
    this.answer(null);
    this.querySelector("[data-empty]")?.remove();
    this.end.before(row);
    this.form.reset();
    this.form.removeAttribute("data-sent");
    this.toEnd();
    this.post(row);
  }

  async post(row) {
    row.removeAttribute("data-failed");
    row.removeAttribute("data-unheard");
    row.setAttribute("data-pending", "");
    row.querySelector("[data-note]").textContent = gettext("sending");
    row.querySelector(".retry").hidden = true;
    const fields = new FormData();
    fields.set("body", row.words);
    fields.set("client_key", row.dataset.key);
    if (row.answers) fields.set("reply_to", row.answers);
    try {
      const answer = await fetch(this.form.action, {
        method: "POST", body: fields,
        headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
        signal: AbortSignal.timeout(15_000),
      });
      const told = await answer.json();
      if (!answer.ok) return this.failed(row, told.error);
      if (told.seq > this.seq + 1) await this.fill();
      this.place(told);
      row.remove();
    } catch {
      this.failed(row, gettext("not sent"));
      row.setAttribute("data-unheard", "");
    }
  }

  /* Back on the network: what nobody heard goes out again; its key makes it one message. */
  resend() {
    for (const row of this.log.querySelectorAll(".msg[data-unheard]")) this.post(row);
  }

  failed(row, why) {
    row.removeAttribute("data-pending");
    row.setAttribute("data-failed", "");
    row.querySelector("[data-note]").textContent = why;
    row.querySelector(".retry").hidden = false;
  }

  // -- where the reader is ----------------------------------------------------------------------

  nearEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END;
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    this.seen();
  }

  seen() {
    this.unseen = 0;
    if (this.latest) this.latest.hidden = true;
    this.noteRead();
  }

  lookedAt() {
    this.fill();
    if (this.nearEnd()) this.noteRead();
  }

  /* What stands in view of somebody who looks is read; told once for a run of messages. */
  noteRead() {
    if (document.hidden || this.seq <= this.read || this.readTimer) return;
    this.readTimer = setTimeout(async () => {
      this.readTimer = 0;
      if (document.hidden || this.seq <= this.read) return;
      const seq = this.seq;
      const answer = await this.send(`${this.dataset.acts}read/`, { seq }).catch(() => null);
      if (answer?.ok) this.read = seq;
    }, READ_AFTER);
  }

  // -- who is here, who is writing --------------------------------------------------------------

  tellWriting() {
    if (!this.form.body.value.trim() || Date.now() - (this.told ?? 0) < WRITING_EVERY) return;
    this.told = Date.now();
    this.send(`${this.dataset.acts}writing/`, {}).catch(() => {});
  }

  noteWriting({ member, name }) {
    if (String(member) === this.dataset.member || this.folded.has(String(member))) return;
    clearTimeout(this.writers.get(member)?.timer);
    this.writers.set(member, { name, timer: setTimeout(() => this.stopsWriting(member), WRITING_FADES) });
    this.showWriting();
  }

  stopsWriting(member) {
    clearTimeout(this.writers.get(member)?.timer);
    if (this.writers.delete(member)) this.showWriting();
  }

  showWriting() {
    const line = this.querySelector("[data-writing]");
    const names = [...this.writers.values()].map((one) => one.name);
    line.querySelector("span").textContent = names.length > 2 ? gettext("Several people are writing")
      : names.length ? ngettext("%(names)s is writing", "%(names)s are writing", names.length).replace("%(names)s", names.join(", ")) : "";
    line.toggleAttribute("data-on", names.length > 0);
  }

  async lookAround() {
    const answer = await fetch(`${this.dataset.acts}here/`).catch(() => null);
    if (!answer?.ok) return;
    const { names, count } = await answer.json();
    const place = this.querySelector("[data-here]");
    if (!place) return;
    place.hidden = !count;
    place.title = names.join(", ");
    place.lastElementChild.textContent = ngettext("%(count)s here", "%(count)s here", count).replace("%(count)s", count);
  }

  // -- what is done to a message ----------------------------------------------------------------

  send(address, values) {
    const body = new FormData();
    for (const [name, value] of Object.entries(values)) body.set(name, value);
    return fetch(address, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": csrfToken() } });
  }

  click(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const more = event.target.closest("a[data-more]");
    const react = event.target.closest('.react[form="room-act"]');
    const quoted = event.target.closest("a[data-to]");
    if (quoted && this.row(quoted.dataset.to)) this.show(this.row(quoted.dataset.to));
    else if (more) this.menu(more);
    else if (react) this.act(react.formAction, { name: react.value });
    else if (event.target.closest("[data-answer-none]")) this.answer(null);
    else return;
    event.preventDefault();
  }

  show(row) {
    row.scrollIntoView({ block: "center" });
    row.setAttribute("data-found", "");
    setTimeout(() => row.removeAttribute("data-found"), 2_000);
  }

  async act(address, values) {
    const answer = await this.send(address, values).catch(() => null);
    const told = await answer?.json().catch(() => null);
    if (answer?.ok && told?.html) this.replace(told);
    else if (!answer?.ok) toast(told?.error ?? gettext("That did not work. Try again."));
    return answer?.ok;
  }

  answer(seq, name = "") {
    if (!this.form) return;
    this.form.reply_to.value = seq ?? "";
    const line = this.querySelector("[data-answering]");
    line.hidden = !seq;
    line.querySelector("[data-answering-to]").textContent = seq ? gettext("Reply to %(name)s").replace("%(name)s", name) : "";
    if (seq) this.form.body.focus();
  }

  async menu(opener) {
    const dialog = document.createElement("dialog");
    dialog.className = "sheet";
    dialog.ariaLabel = opener.ariaLabel;
    const box = document.createElement("div");
    box.className = "card post-menu";
    dialog.append(box);
    this.append(dialog);
    dialog.addEventListener("close", () => { dialog.remove(); opener.isConnected && opener.focus(); });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) return dialog.close();
      const reply = event.target.closest("a[data-reply]");
      const copy = event.target.closest("[data-copy]");
      if (!reply && !copy) return;
      event.preventDefault();
      dialog.close();
      if (reply && this.form) this.answer(reply.dataset.reply, reply.dataset.name);
      else if (reply) location.assign(reply.href);
      else navigator.clipboard.writeText(new URL(copy.dataset.copy, location.href)).then(() => toast(gettext("Copied.")));
    });
    dialog.addEventListener("submit", async (event) => {
      const { target: form, submitter } = event;
      if (form.method !== "post" || submitter?.name === "unread") return;
      event.preventDefault();
      const values = Object.fromEntries(new FormData(form, submitter));
      if (await this.act(form.action, values)) dialog.close();
    });
    await htmx.ajax("GET", opener.href, { target: box, swap: "innerHTML" });
    if (!box.childElementCount) return dialog.remove();
    dialog.showModal();
  }

  countUnseen() {
    this.unseen += 1;
    if (!this.latest) return;
    this.latest.hidden = false;
    this.latest.querySelector("[data-latest-count]").textContent = ngettext("%(count)s new", "%(count)s new", this.unseen);
  }

  setLive(live) {
    if (live === this.live) return;
    this.live = live;
    clearTimeout(this.bannerTimer);
    if (live) this.showAway(false);
    else this.bannerTimer = setTimeout(() => this.showAway(true), BANNER_AFTER);
    clearTimeout(this.pollTimer);
    this.poll();
  }

  showAway(away) {
    this.away.hidden = !away;
    this.toggleAttribute("data-live", !away);
  }
}

customElements.define("chat-room", ChatRoom);

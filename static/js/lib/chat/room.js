/* What a room does: messages arrive and are kept in the order of their numbers. What only some need
   (writing, menus, who is here, the past) is beside this and fetched when it is needed. */
import { csrfToken } from "../http.js";
import { socket } from "../socket.js";
import { ngettext } from "@/words.js";

const PARTS = {
  acts: () => import("./acts.js"),
  foot: () => import("./foot.js"),
  others: () => import("./others.js"),
  past: () => import("./past.js"),
  write: () => import("./write.js"),
};
const NEAR_END = 100; // px from the end within which a reader is taken to follow along
const GROUPED = 300; // seconds within which one sender's messages stand together
const POLL_AWAY = 4_000, POLL_LIVE = 30_000, BANNER_AFTER = 5_000, SETTLED = 3_000, READ_AFTER = 1_000, GAP = 150;

export default class Room {
  constructor(element, live = false) {
    this.element = element;
    const { dataset } = element;
    this.dataset = dataset;
    this.log = this.querySelector(".log");
    this.end = this.querySelector("#end");
    this.latest = this.querySelector("[data-latest]");
    this.full = !!this.querySelector("[data-full]");
    this.past = "past" in dataset; // a page of the past stands still
    this.seq = this.past ? Number(this.rows().at(-1)?.dataset.seq ?? 0) : Number(dataset.seq);
    for (const name of ["change", "read", "entry"]) this[name] = Number(dataset[name] ?? 0);
    this.folded = new Set((dataset.folded ?? "").split(" ")); // whose messages fold
    this.unseen = this.missed = 0;
    this.early = []; // frames that came before their turn
    this.live = live;
    this.parts = {};
    this.mark(dataset.mine);
    this.regroup();
    this.controller = new AbortController();
    const { signal } = this.controller;
    const on = (target, type, run, more) => target.addEventListener(type, run, { signal, ...more });
    on(this.log, "scroll", () => (this.following = this.nearEnd()) && this.seen(), { passive: true });
    // A picture that comes makes the log higher; who follows along still does, and the line stays in view.
    on(this.log, "load", () => (this.anchor ? this.toAnchor() : this.following && this.toEnd()), { capture: true });
    // So it is when the box below grows, and when a phone's keyboard comes.
    this.resized = new ResizeObserver(() => (this.anchor ? this.toAnchor() : this.following && (this.log.scrollTop = this.log.scrollHeight)));
    this.resized.observe(this.log);
    for (const type of ["wheel", "pointerdown", "keydown"]) on(this.log, type, () => (this.anchor = null), { passive: true });
    on(this.log, "focusin", () => this.part("past"));
    // Beside a page whoever only reads that page has not read the chat.
    for (const type of ["pointerdown", "keydown"])
      on(element, type, () => {
        this.engaged = true;
        if (this.nearEnd()) this.noteRead();
      });
    on(document, "visibilitychange", () => this.turn());
    if (this.full) this.begin();
    if (this.nearEnd()) this.noteRead();
    if (this.past) return;
    on(socket, "frame", (event) => this.receive(event.detail));
    if (this.full) socket.subscribe(dataset.room);
    on(element, "focusin", (event) => event.target.form?.id === "say" && this.part("write"));
    on(this.latest, "click", () => this.toEnd());
    this.bannerTimer = setTimeout(() => this.live || this.showAway(true), BANNER_AFTER);
    this.poll();
  }

  /* On a page of its own: at what the address names, at what is new, else at the newest. */
  begin() {
    const asked = /^#m\d+$/.test(location.hash) && this.querySelector(location.hash);
    const fresh = this.querySelector("#new");
    if (asked) asked.scrollIntoView({ block: "center" });
    else if (fresh) this.toAnchor((this.anchor = fresh));
    else if (!this.past) this.toEnd();
    for (const name of this.past ? ["past"] : ["others", "past", "write"]) this.part(name);
  }

  stop() {
    this.controller.abort();
    this.resized.disconnect();
    for (const part of Object.values(this.parts)) part.then((one) => one.stop?.());
    for (const timer of [this.pollTimer, this.bannerTimer, this.readTimer]) clearTimeout(timer);
  }

  querySelector(words) {
    return this.element.querySelector(words);
  }

  part(name) {
    return (this.parts[name] ??= PARTS[name]().then(({ default: Part }) => new Part(this)));
  }

  get form() {
    return this.querySelector("form#say");
  }

  // -- what comes in ----------------------------------------------------------------------------

  receive(frame) {
    if (frame.type === "subscribed" && frame.name === this.dataset.room) {
      this.setLive(frame.live);
      if (frame.seq > this.seq) this.fill();
    } else if (frame.type === "live") {
      this.setLive(true);
      this.fill();
      // A web process may find Redis back a moment after the sockets do; its hints till then are lost.
      setTimeout(() => this.element.isConnected && this.fill(), SETTLED);
    } else if (frame.type === "away" || frame.type === "closed") {
      if (frame.code === 4401) this.part("foot").then((foot) => foot.signedOut());
      this.refused = frame.refused;
      this.setLive(false);
    } else if (frame.type === "refused" && frame.room === this.dataset.room) {
      this.setLive(false);
      this.fill();
    } else if (String(frame.room) === this.dataset.room) {
      if (frame.type === "changed") frame.change > this.change && this.fill();
      else if (frame.type === "room") this.fill().then(() => this.renew());
      else if (frame.type === "writing") this.part("others").then((others) => others.hear(frame));
      else if (frame.type === "message") this.hear(frame);
    }
  }

  /* Of two sent at once the later may come first: what is missing a moment after that was lost. */
  hear(frame) {
    if (frame.seq > this.seq + 1) {
      this.early.push(frame);
      this.gapTimer ??= setTimeout(() => {
        this.gapTimer = null;
        this.early = this.early.filter(({ seq }) => seq > this.seq);
        if (this.early.length && this.element.isConnected) this.fill();
      }, GAP * (1 + Math.random()));
      return;
    }
    this.place(frame);
    const next = this.early.findIndex(({ seq }) => seq <= this.seq + 1);
    if (next >= 0) this.hear(this.early.splice(next, 1)[0]);
  }

  /* All after the last number one has; asked again when it was asked for meanwhile. */
  fill() {
    this.wants = true;
    return (this.filling ??= this.ask().finally(() => (this.filling = null)));
  }

  async ask() {
    while (this.wants && !this.over) {
      this.wants = false;
      const query = new URLSearchParams({ after: this.seq, change: this.change, entry: this.entry });
      const answer = await fetch(`${this.dataset.after}?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!answer) return; // offline: the next look asks again
      if (answer.redirected || answer.status === 404) return (await this.part("foot")).gone(answer);
      if (!answer.ok) return;
      const page = await answer.json();
      for (const message of page.messages) this.place(message);
      for (const message of page.changed) this.replace(message);
      // What a moderator did while one was away may be a pause, or its end.
      if ((page.entries ?? []).map((entry) => this.enter(entry)).some(Boolean) && this.full) this.renew();
      this.change = Math.max(this.change, page.change);
      if (page.more) this.wants = true;
    }
  }

  renew() {
    return (this.renewing ??= this.part("foot").then((foot) => foot.renew()).finally(() => (this.renewing = null)));
  }

  poll() {
    clearTimeout(this.pollTimer);
    this.pollTimer = setTimeout(async () => {
      if (!document.hidden) await this.fill();
      if (this.element.isConnected && !this.over) this.poll();
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

  rows() {
    return [...this.log.querySelectorAll(".msg[data-seq]")];
  }

  row(seq) {
    return this.log.querySelector(`.msg[data-seq="${seq}"]`);
  }

  /* A log that is polite announces whatever comes into it. Not so one's own words, which one has just
     typed, nor a row that was there and got a reaction: while those are put in, it is not a live one. */
  quietly(run) {
    this.log.ariaLive = "off";
    run();
    clearTimeout(this.loudTimer);
    this.loudTimer = setTimeout(() => (this.log.ariaLive = null), 150);
  }

  /* A message as it is now, where it stood. */
  replace(message) {
    const row = this.row(message.seq);
    if (!row) return;
    const { activeElement: focused } = document;
    const at = row === focused ? "" : row.contains(focused) && (focused.getAttribute("formaction") ?? focused.getAttribute("href"));
    const follow = this.nearEnd();
    const now = this.parse(message);
    this.quietly(() => row.replaceWith(now));
    this.regroup();
    if (follow) this.log.scrollTop = this.log.scrollHeight;
    if (at === false) return;
    now.tabIndex = -1;
    const kept = at && now.querySelector(`[formaction="${CSS.escape(at)}"], [href="${CSS.escape(at)}"]`);
    (kept || (at ? now.querySelector("[data-more]") : now))?.focus({ preventScroll: true });
  }

  mark(given) {
    for (const one of (given ?? "").split(" ").filter(Boolean)) {
      const [seq, names] = one.split(":");
      this.press(this.row(seq), names.split(","));
    }
  }

  press(row, names) {
    for (const button of row?.querySelectorAll(".react[form]") ?? []) button.ariaPressed = String(names.includes(button.value));
  }

  place(message) {
    // Numbers have no gaps, so the next one is the only one that moves the mark.
    if (message.seq === this.seq + 1) this.seq = message.seq;
    if (this.row(message.seq)) return;
    const follow = this.nearEnd();
    const own = message.sender === this.dataset.me;
    const row = this.parse(message);
    this.parts.others?.then((others) => others.stopsWriting(Number(row.dataset.author)));
    const put = () => {
      if (message.key) this.log.querySelector(`[data-key="${message.key}"]`)?.remove();
      this.querySelector("[data-empty]")?.remove();
      // In the order of numbers, before anything still on its way.
      const rows = this.rows();
      let before = rows.findLast((other) => Number(other.dataset.seq) < message.seq);
      // What a moderator did since then stands between the two.
      while (before?.nextElementSibling?.matches(".entry") && before.nextElementSibling.dataset.after < message.seq) before = before.nextElementSibling;
      if (before) before.after(row);
      else this.log.insertBefore(row, rows[0] ?? this.log.querySelector(".msg") ?? this.end);
    };
    if (own) this.quietly(put);
    else put();
    this.regroup();
    if (document.hidden && !own) this.missed += 1;
    if (follow || own) this.toEnd();
    else this.countUnseen();
  }

  /* What a moderator did, among the messages. */
  enter({ entry: id, after, html }) {
    this.entry = Math.max(this.entry, id);
    if (this.log.querySelector(`[data-entry="${id}"]`)) return false;
    const follow = this.nearEnd();
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    const rows = [...this.log.querySelectorAll(".msg[data-seq], .entry")];
    const before = rows.findLast(({ dataset: { seq, after: behind } }) => Number(seq ?? behind) <= after);
    if (before) before.after(holder.content);
    else this.end.before(holder.content);
    this.regroup();
    if (follow) this.toEnd();
    return true;
  }

  regroup() {
    let last;
    for (const row of this.rows()) {
      const follows = last && last.dataset.sender === row.dataset.sender
        && row.dataset.at - last.dataset.at < GROUPED && row.previousElementSibling === last;
      row.toggleAttribute("data-lead", !follows);
      last = row;
    }
  }

  // -- where the reader is ----------------------------------------------------------------------

  nearEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END;
  }

  toAnchor() {
    this.log.scrollTop = this.anchor.offsetTop - this.log.offsetTop - 8;
  }

  toEnd() {
    this.anchor = null;
    this.following = true;
    this.log.scrollTop = this.log.scrollHeight;
    this.seen();
  }

  seen() {
    this.unseen = 0;
    if (this.latest) this.latest.hidden = true;
    this.noteRead();
  }

  countUnseen() {
    this.unseen += 1;
    if (!this.latest) return;
    this.latest.hidden = false;
    this.latest.querySelector("[data-latest-count]").textContent = ngettext("%(count)s new", "%(count)s new", this.unseen);
  }

  /* Turned away from, or looked at again: what came meanwhile gets a line above it. */
  async turn() {
    if (document.hidden) return void (this.left = this.seq);
    if (!this.past) await this.fill();
    if (this.full && this.seq > (this.left ?? this.seq)) (await this.part("past")).divide(this.left);
    this.left = this.seq;
    if (this.nearEnd()) this.noteRead();
  }

  /* What stands in view of somebody who looks is read; told once for a run of messages. */
  noteRead() {
    const idle = () => document.hidden || this.unread || this.seq <= this.read || !(this.full || this.engaged);
    if (idle() || this.readTimer) return;
    this.readTimer = setTimeout(async () => {
      this.readTimer = 0;
      if (idle() || !this.nearEnd()) return;
      const { seq } = this;
      const answer = await this.send(`${this.dataset.acts}read/`, { seq }).catch(() => null);
      if (!answer?.ok) return;
      this.read = seq;
      // Who wrote had read it by that already, and is told nothing: what counts here looks for itself.
      if (document.querySelector('notice-count[data-of="chat"]:not([hidden])')) socket.dispatchEvent(new CustomEvent("frame", { detail: { type: "told", of: "chat" } }));
    }, READ_AFTER);
  }

  // -- what goes out ----------------------------------------------------------------------------

  send(address, values, more) {
    const body = new FormData();
    for (const [name, value] of Object.entries(values)) body.set(name, value);
    return fetch(address, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": csrfToken() }, ...more });
  }

  // -- whether it hears -------------------------------------------------------------------------

  setLive(live) {
    if (live === this.live) return void (this.told && this.showAway(true));
    this.live = live;
    clearTimeout(this.bannerTimer);
    if (live) this.showAway(false);
    else this.bannerTimer = setTimeout(() => this.showAway(true), BANNER_AFTER);
    this.poll();
  }

  get away() {
    return this.querySelector("[data-away]");
  }

  /* Where sockets are refused for good a banner would only be in the way: a note says so. */
  showAway(away) {
    this.told = away;
    this.away.hidden = !away || this.refused;
    const slow = this.querySelector("[data-slow]");
    if (slow) slow.hidden = !(away && this.refused);
    this.element.toggleAttribute("data-live", !away);
  }
}

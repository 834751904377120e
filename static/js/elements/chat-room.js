/* <chat-room>: messages arrive, are kept in the order of their numbers, and are sent at once.
   Without this the room is a list and a form. */
import { csrfToken } from "../lib/http.js";
import { socket } from "../lib/socket.js";
import { gettext, ngettext } from "@/words.js";

const NEAR_END = 100; // px from the end within which a reader is taken to follow along
const GROUPED = 300; // seconds within which one sender's messages stand together
const POLL_AWAY = 4_000, POLL_LIVE = 30_000, BANNER_AFTER = 5_000, SETTLED = 3_000;

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
    this.form = this.querySelector("form");
    this.state = this.querySelector("[data-state]");
    this.away = this.querySelector("[data-away]");
    this.latest = this.querySelector("[data-latest]");
    this.seq = Number(this.dataset.seq);
    this.folded = new Set((this.dataset.folded ?? "").split(" ")); // whose messages fold
    this.unseen = 0;
    this.live = false;
    this.regroup();
    if (this.hasAttribute("data-past")) return; // a page of the past stands still
    this.toEnd();
    this.controller = new AbortController();
    const { signal } = this.controller;
    socket.addEventListener("frame", (event) => this.receive(event.detail), { signal });
    socket.subscribe(this.dataset.room);
    this.form?.addEventListener("submit", (event) => this.submit(event), { signal });
    this.form?.body.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.form.requestSubmit();
    }, { signal });
    this.latest?.addEventListener("click", () => this.toEnd(), { signal });
    this.log.addEventListener("scroll", () => this.nearEnd() && this.seen(), { signal, passive: true });
    this.log.addEventListener("click", (event) => {
      const row = event.target.closest("[data-retry]")?.closest(".msg");
      if (row) this.post(row);
    }, { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.fill(), { signal });
    addEventListener("online", () => this.resend(), { signal });
    this.bannerTimer = setTimeout(() => this.live || this.showAway(true), BANNER_AFTER);
    this.poll();
  }

  disconnectedCallback() {
    this.controller?.abort();
    clearTimeout(this.pollTimer);
    clearTimeout(this.bannerTimer);
    socket.unsubscribe(this.dataset.room);
  }

  // -- what comes in ----------------------------------------------------------------------------

  receive(frame) {
    if (frame.type === "subscribed" && frame.slug === this.dataset.room) {
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
      if (frame.type === "changed") this.refresh(frame.seq);
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
        const answer = await fetch(`${this.dataset.after}?after=${this.seq}`, { headers: { Accept: "application/json" } });
        if (!answer.ok) break;
        const page = await answer.json();
        for (const message of page.messages) this.place(message);
        more = page.more;
      }
    } catch { /* offline: the next look asks again */ }
    this.filling = false;
    if (this.again) { this.again = false; this.fill(); }
  }

  async refresh(seq) {
    const answer = await fetch(`${this.dataset.after}?only=${seq}`).catch(() => null);
    const [message] = answer?.ok ? (await answer.json()).messages : [];
    const row = message && this.log.querySelector(`[data-seq="${seq}"]`);
    if (!row) return;
    row.replaceWith(this.parse(message));
    this.regroup();
  }

  poll() {
    this.pollTimer = setTimeout(async () => {
      if (!document.hidden) await this.fill();
      this.poll();
    }, this.live ? POLL_LIVE : POLL_AWAY);
  }

  parse({ html }) {
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
    return row;
  }

  place(message) {
    // Numbers have no gaps, so the next one is the only one that moves the mark.
    if (message.seq === this.seq + 1) this.seq = message.seq;
    if (this.log.querySelector(`[data-seq="${message.seq}"]`)) return;
    const follow = this.nearEnd();
    const row = this.parse(message);
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

/* The log itself: going through it by keys, the line above what is new, the pages before. */
import { ngettext } from "@/words.js";

export default class Past {
  constructor(room) {
    this.room = room;
    const { log } = room;
    this.controller = new AbortController();
    const { signal } = this.controller;
    log.addEventListener("keydown", (event) => this.key(event), { signal });
    log.addEventListener("focusin", (event) => this.rove(event.target.closest(".msg")), { signal });
    log.addEventListener("click", (event) => {
      const link = event.target.closest(".older > a");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.load(link);
    }, { signal });
    log.addEventListener("scroll", () => this.atEdge(), { signal, passive: true });
    this.title = document.title;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) document.title = this.title;
      room.missed = 0;
    }, { signal });
    this.counter = new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const row of addedNodes) this.still(row);
      if (room.full && document.hidden && room.missed) document.title = `(${room.missed}) ${this.title}`;
    });
    this.counter.observe(log, { childList: true });
    this.rove(null);
  }

  stop() {
    this.controller.abort();
    this.counter.disconnect();
  }

  // -- keys: arrows go from message to message, Tab from there into one ---------------------------

  /* Of all messages only the one where one is has its links among the stops of Tab. */
  rove(here) {
    if (this.here === here && here?.isConnected) return;
    const { log } = this.room;
    for (const row of log.querySelectorAll(".msg[data-seq]")) this.still(row, here);
    this.here = here;
  }

  still(row, here = null) {
    if (!row.matches?.(".msg[data-seq]")) return;
    row.tabIndex = -1;
    for (const stop of row.querySelectorAll("[data-more]")) stop.tabIndex = row === here || row.contains(document.activeElement) ? 0 : -1;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const row = event.target.closest(".msg");
    if (event.target !== row && event.target !== this.room.log) return; // keys of what is in it are its own
    const rows = this.room.rows();
    const at = rows.indexOf(row);
    const last = rows.length - 1;
    const to = { ArrowUp: at < 0 ? last : at - 1, ArrowDown: at < 0 ? last : at + 1, Home: 0, End: last }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      if (to < 0) this.room.log.focus();
      else if (to > last) this.room.form?.body.focus();
      else this.go(rows[to]);
    } else if (event.key === "Enter" && row) {
      event.preventDefault();
      row.querySelector("[data-more]")?.click();
    } else if (event.key === "Escape") this.room.form?.body.focus();
  }

  go(row) {
    row.tabIndex = -1;
    row.focus();
  }

  // -- what is new --------------------------------------------------------------------------------

  /** Put the line above the first message of others after number `seq`. */
  divide(seq, { move = true } = {}) {
    const { room } = this;
    const fresh = room.rows().filter((row) => Number(row.dataset.seq) > seq && (!move || row.dataset.sender !== room.dataset.me));
    if (!fresh.length) return;
    room.querySelector("#new")?.remove();
    const line = document.createElement("p");
    line.className = "divider";
    line.id = "new";
    line.textContent = ngettext("%(count)s new while you were away", "%(count)s new while you were away", fresh.length);
    room.quietly(() => fresh[0].before(line));
    room.regroup();
    const { log } = room;
    if (move && line.offsetTop - log.offsetTop < log.scrollTop) log.scrollTop = line.offsetTop - log.offsetTop - 8;
  }

  // -- before and after ---------------------------------------------------------------------------

  atEdge() {
    const { log } = this.room;
    if (log.scrollTop > 200) return;
    const link = log.querySelector(".older:first-child > a");
    if (link) this.load(link);
  }

  /* The page the link leads to, put in before or after what is here; nothing that one reads moves. */
  async load(link) {
    if (this.loading) return;
    this.loading = true;
    const { room } = this;
    const { log } = room;
    link.setAttribute("aria-busy", "true");
    const answer = await fetch(link.href).catch(() => null);
    this.loading = false;
    link.removeAttribute("aria-busy");
    if (!answer?.ok || answer.redirected) return void (link.href && answer && location.assign(link.href));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("chat-room");
    if (!page) return;
    const holder = link.parentElement;
    const earlier = holder === log.firstElementChild;
    if (!earlier) {
      // What comes after may reach the newest: then the page is a live one, and the address says so.
      return void location.assign(link.href);
    }
    const focused = holder.contains(document.activeElement);
    const [first] = room.rows();
    const parts = [...page.querySelector(".log").children].filter((part) => part.matches(".older:first-child, .divider[data-day], .entry, .msg[data-seq]"));
    const known = (part) => (part.dataset.seq && room.row(part.dataset.seq)) || (part.dataset.entry && log.querySelector(`[data-entry="${part.dataset.entry}"]`));
    const fresh = parts.filter((part) => !known(part)).map((part) => document.adoptNode(part));
    const from = log.scrollHeight - log.scrollTop;
    const day = holder.nextElementSibling;
    room.quietly(() => {
      const days = fresh.map((part) => part.dataset.day).filter(Boolean);
      if (day?.matches("[data-day]") && days.includes(day.dataset.day)) day.remove();
      holder.replaceWith(...fresh);
    });
    room.mark(page.dataset.mine);
    room.regroup();
    log.scrollTop = log.scrollHeight - from;
    if (focused) first?.focus({ preventScroll: true });
  }
}

/* <thread-reader> once on a thread's page: notes what was read, says where one is, tells of new
   replies without moving anything, and takes the keys j k n / ?. Without it the form jumps. */
import { csrfToken, post as send } from "../lib/http.js";
import { folds, mark, mine } from "../lib/mine.js";
import { socket } from "../lib/socket.js";

const TOLD_EVERY = 5, IDLE_AFTER = 60, SECONDS_WORTH_TELLING = 30; // seconds
const TYPING_EVERY = 3_000, TYPING_FADES = 5_000, READ_AFTER = 1_000;
const KEYS = "keys"; // in localStorage: "off"
const numberOf = (post) => Number(post.id.slice(1));
const kept = (name) => { try { return localStorage[name]; } catch { return undefined; } };

class ThreadReader extends HTMLElement {
  connectedCallback() {
    this.posts = document.getElementById("posts");
    this.input = this.querySelector(".jump input");
    this.button = this.querySelector(".news button");
    this.writing = this.querySelector(".writing");
    this.last = Number(this.dataset.last); // the highest number heard of
    this.shown = new Map(); // post in view: since when
    this.seen = new Set(); // numbers, not told yet
    this.read = this.told = mine?.read ?? 0;
    this.seconds = this.ticks = 0;
    this.busy = Date.now();
    this.news = new Set();
    this.writers = new Map();
    this.controller = new AbortController();
    const on = (target, type, run, more) => target.addEventListener(type, run, { signal: this.controller.signal, ...more });
    this.watcher = new IntersectionObserver((entries) => this.look(entries), { rootMargin: "-56px 0px -15% 0px" });
    this.watch();
    this.inserted = new MutationObserver(() => this.watch());
    this.inserted.observe(this.posts, { childList: true });
    on(document, "keydown", (event) => this.key(event));
    for (const type of ["scroll", "pointermove", "keydown"])
      on(window, type, () => (this.busy = Date.now()), { passive: true });
    this.keys();
    if (!mine) return;
    this.timer = setInterval(() => this.tick(), 1_000);
    on(window, "pagehide", () => this.tell());
    on(document, "visibilitychange", () => document.hidden ? this.tell() : (document.title = document.title.replace(/^\(\d+\) /, "")));
    // What is being marked unread is not read once more on the way out.
    on(document, "submit", (event) => /\/unread\/$/.test(event.target.action) && this.stop());
    on(document, "htmx:beforeRequest", (event) => /\/unread\/$/.test(event.detail.pathInfo?.requestPath) && this.stop());
    on(document, "input", (event) => event.target.closest("#reply textarea") && this.type());
    on(socket, "frame", (event) => this.hear(event.detail));
    on(this.button, "click", () => this.load());
    socket.subscribe(this.dataset.room);
  }

  disconnectedCallback() {
    this.stop();
    this.controller.abort();
    this.watcher.disconnect();
    this.inserted.disconnect();
    socket.unsubscribe(this.dataset.room);
  }

  // -- reading ----------------------------------------------------------------------------------

  watch() {
    mark(this.posts);
    for (const post of this.posts.querySelectorAll(".post")) this.watcher.observe(post);
    const last = this.lastShown();
    for (const number of this.news) if (number <= last) this.news.delete(number);
    this.raise(last);
    this.announce();
  }

  look(entries) {
    for (const { target, isIntersecting, boundingClientRect, rootBounds } of entries) {
      if (isIntersecting) this.shown.set(target, performance.now());
      else if (this.shown.delete(target) && boundingClientRect.bottom < (rootBounds?.bottom ?? 0)) this.note(target);
    }
    const first = [...this.shown.keys()].sort((a, b) => numberOf(a) - numberOf(b))[0];
    if (first && this.input !== document.activeElement) this.input.value = numberOf(first);
  }

  note(post) {
    const number = numberOf(post);
    if (number > (mine?.read ?? 0) && !post.hasAttribute("data-mine")) this.seen.add(number);
    this.read = Math.max(this.read, number);
  }

  tick() {
    if (document.hidden || Date.now() - this.busy > IDLE_AFTER * 1_000) return;
    this.seconds += 1;
    this.dwelt();
    if (++this.ticks % TOLD_EVERY === 0) this.tell();
  }

  dwelt() {
    for (const [post, since] of this.shown) if (performance.now() - since >= READ_AFTER) this.note(post);
  }

  tell() {
    this.dwelt();
    if (!mine || this.stopped || (this.read <= this.told && this.seconds < SECONDS_WORTH_TELLING)) return;
    const body = new URLSearchParams({ number: this.read, seen: this.seen.size, seconds: this.seconds });
    mine.read = this.told = this.read;
    this.seen.clear();
    this.seconds = 0;
    // Outlives the page, as a beacon does, and can carry our token.
    fetch(this.dataset.read, { method: "POST", body, keepalive: true, headers: { "X-CSRFToken": csrfToken() } })
      .catch(() => { this.told = 0; });
  }

  stop() {
    this.stopped = true;
    clearInterval(this.timer);
  }

  // -- what comes in ----------------------------------------------------------------------------

  lastShown() {
    const posts = this.posts.querySelectorAll(".post");
    return posts.length ? numberOf(posts[posts.length - 1]) : 0;
  }

  raise(number) {
    if (number <= this.last) return;
    this.last = this.input.max = number;
    this.querySelector("[data-of]").lastChild.textContent = number;
  }

  hear(frame) {
    if (frame.type === "live") return socket.subscribe(this.dataset.room);
    if (frame.type === "subscribed" && frame.slug === this.dataset.room) return frame.seq > this.last && this.catchUp(frame.seq);
    if (frame.room !== this.dataset.room) return;
    if (frame.type === "posted") {
      this.fade(frame.author);
      this.raise(frame.number);
      if (frame.author === mine.member || folds(frame.author) || frame.number <= this.lastShown()) return;
      this.news.add(frame.number);
      this.announce();
    } else if (frame.type === "typing" && frame.member !== mine.member && !folds(frame.member)) {
      clearTimeout(this.writers.get(frame.member)?.timer);
      this.writers.set(frame.member, { name: frame.name, timer: setTimeout(() => this.fade(frame.member), TYPING_FADES) });
      this.sayWho();
    }
  }

  /* Hints were missed: what there is to show, the server says. */
  async catchUp(last) {
    const from = this.last;
    this.raise(last);
    if ("more" in this.dataset) return;
    for (const post of (await this.fetch(from))?.querySelectorAll(".post") ?? [])
      if (!post.closest(".folded") && Number(post.dataset.author) !== mine.member) this.news.add(numberOf(post));
    this.announce();
  }

  announce() {
    if (!this.button) return;
    const count = this.news.size;
    this.button.hidden = !count;
    this.button.textContent = count ? (count === 1 ? this.button.dataset.one : this.button.dataset.many.replace("%n", count)) : "";
    if (document.hidden && count) document.title = `(${count}) ${document.title.replace(/^\(\d+\) /, "")}`;
  }

  async fetch(after) {
    const answer = await fetch(`${this.dataset.after}?after=${after}`).catch(() => null);
    if (!answer?.ok) return null;
    const box = document.createElement("template");
    box.innerHTML = await answer.text();
    return box.content;
  }

  async load() {
    const found = "more" in this.dataset ? null : await this.fetch(this.lastShown());
    const fresh = [...(found?.children ?? [])].filter((one) => one.matches(".post, .folded"));
    if (!fresh.length) return void (location.href = this.dataset.unread); // they are on a page of their own
    this.posts.append(...fresh);
    for (const part of fresh) window.htmx?.process(part);
    this.watch();
    const seen = document.querySelector('#reply input[name="seen"]');
    if (seen) seen.value = this.lastShown();
    if (this.last > this.lastShown()) this.dataset.more = "";
    this.go(fresh[0]);
  }

  // -- who is writing ---------------------------------------------------------------------------

  type() {
    if (!this.dataset.typing || Date.now() - (this.typed ?? 0) < TYPING_EVERY) return;
    this.typed = Date.now();
    send(this.dataset.typing).catch(() => {});
  }

  fade(member) {
    clearTimeout(this.writers.get(member)?.timer);
    if (this.writers.delete(member)) this.sayWho();
  }

  sayWho() {
    const [one, ...more] = this.writers.values();
    this.writing.hidden = !one;
    const words = document.createElement("span");
    words.textContent = !one ? "" : more.length ? this.dataset.write : this.dataset.writes.replace("%s", one.name);
    this.writing.replaceChildren(words);
  }

  // -- keys -------------------------------------------------------------------------------------

  keys() {
    const box = document.querySelector("[data-keys]");
    box.checked = kept(KEYS) !== "off";
    box.addEventListener("change", () => {
      try { localStorage[KEYS] = box.checked ? "on" : "off"; } catch { /* keeps nothing */ }
    }, { signal: this.controller.signal });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (event.target.closest("input, textarea, select, [contenteditable], dialog, [role=listbox]")) return;
    if (document.querySelector("dialog[open]") || kept(KEYS) === "off") return;
    const acts = {
      j: () => this.step(1),
      k: () => this.step(-1),
      n: () => (this.button && !this.button.hidden ? this.button : document.querySelector("[data-first]"))?.click(),
      "/": () => {
        const search = [...document.querySelectorAll('input[type="search"], a[href^="/search/"]')].find((one) => one.checkVisibility());
        search?.focus();
        search?.select?.();
      },
      "?": () => document.getElementById("keys").showModal(),
    };
    if (!Object.hasOwn(acts, event.key)) return;
    event.preventDefault();
    acts[event.key]();
  }

  /* The post at the top of the window is where one is; what is folded counts as one step. */
  step(by) {
    const parts = [...this.posts.querySelectorAll(":scope > .post, :scope > .folded")];
    const focused = parts.findIndex((part) => part.contains(document.activeElement));
    const bar = 72;
    const at = focused >= 0 ? focused : parts.findLastIndex((part) => part.getBoundingClientRect().top <= bar);
    const next = parts[at + by];
    if (next) this.go(next);
    else document.querySelector(`.pages [rel="${by > 0 ? "next" : "prev"}"]`)?.focus();
  }

  go(part) {
    const target = part.querySelector(":scope > summary") ?? part;
    if (target === part) part.tabIndex = -1;
    target.focus({ preventScroll: true });
    part.scrollIntoView({ block: "start" });
  }
}

customElements.define("thread-reader", ThreadReader);

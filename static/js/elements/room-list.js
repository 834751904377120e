/* <room-list data-href>: the member's rooms, asked for again when there is news of them. Beside a room
   it is empty until it is in view; without scripts a link stands there. */
import { socket } from "../lib/socket.js";

const SOON = 500, LEAST = 2_000; // ms
const ANYWAY = 30_000; // rooms whose news one is not told of

class RoomList extends HTMLElement {
  connectedCallback() {
    this.controller = new AbortController();
    const { signal } = this.controller;
    socket.addEventListener("frame", ({ detail: frame }) => {
      if ((frame.type === "told" && frame.of === "chat") || (frame.type === "live" && this.at)) this.soon();
    }, { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.soon(), { signal });
    this.interval = setInterval(() => this.soon(), ANYWAY);
    socket.listen();
    if (this.hasAttribute("data-later")) {
      this.near = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.look());
      this.near.observe(this);
    }
  }

  disconnectedCallback() {
    this.controller.abort();
    clearInterval(this.interval);
    clearTimeout(this.timer);
    this.near?.disconnect();
  }

  soon() {
    if (this.timer || document.hidden || !this.checkVisibility()) return;
    const since = Date.now() - (this.at ?? 0);
    this.timer = setTimeout(() => this.look(), Math.max(SOON, LEAST - since) * (1 + Math.random() / 4));
  }

  async look() {
    this.near?.disconnect();
    this.at = Date.now();
    const answer = await fetch(this.dataset.href).catch(() => null);
    this.timer = 0;
    if (!answer?.ok || answer.redirected) return;
    const words = await answer.text();
    if (words === this.words) return;
    this.words = words;
    const focused = this.contains(document.activeElement) && document.activeElement.getAttribute("href");
    this.innerHTML = words;
    if (focused) this.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

customElements.define("room-list", RoomList);

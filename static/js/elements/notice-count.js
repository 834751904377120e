/* <notice-count data-of="chat">: the count on the bell, and on "Chat" in the nav and the tab bar. What
   comes over the socket says only that there is news, and of what. */
import { socket } from "../lib/socket.js";

const SOON = 400; // ms: several things at once are one look

class NoticeCount extends HTMLElement {
  connectedCallback() {
    const { of = "news" } = this.dataset;
    this.twins = `notice-count[data-href="${this.dataset.href}"]`;
    this.hear = ({ detail: frame }) => {
      if (frame.type === "live") {
        if (!this.heard) return void (this.heard = true); // the page itself is as fresh
      } else if (frame.type !== "told" || frame.of !== of) return;
      this.due = true;
      this.soon();
    };
    this.seen = () => document.hidden || !this.due || this.soon();
    socket.addEventListener("frame", this.hear);
    document.addEventListener("visibilitychange", this.seen);
    socket.listen();
  }

  disconnectedCallback() {
    socket.removeEventListener("frame", this.hear);
    document.removeEventListener("visibilitychange", this.seen);
    clearTimeout(this.timer);
  }

  /* In a busy room one look follows another, and not all pages look in the same moment. */
  soon() {
    if (this.timer || document.hidden || document.querySelector(this.twins) !== this) return;
    this.timer = setTimeout(() => this.look(), SOON * (1 + Math.random()));
  }

  async look() {
    this.due = false;
    const answer = await fetch(this.dataset.href).catch(() => null);
    this.timer = 0;
    if (this.due) this.soon();
    if (!answer?.ok || answer.redirected) return;
    const words = (await answer.text()).trim();
    for (const one of document.querySelectorAll(this.twins)) {
      one.innerHTML = words;
      one.hidden = !words;
    }
  }
}

customElements.define("notice-count", NoticeCount);

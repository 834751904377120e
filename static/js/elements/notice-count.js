/* <notice-count>: the count on the bell. What comes over the socket says only "there is news". */
import { socket } from "../lib/socket.js";

const SOON = 400; // ms: several things at once are one look

class NoticeCount extends HTMLElement {
  connectedCallback() {
    this.hear = ({ detail: { type } }) => {
      if (type !== "told" && (type !== "live" || !this.heard)) {
        this.heard ||= type === "live";
        return;
      }
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), SOON);
    };
    socket.addEventListener("frame", this.hear);
    socket.listen();
  }

  disconnectedCallback() {
    socket.removeEventListener("frame", this.hear);
    clearTimeout(this.timer);
  }

  async look() {
    const answer = await fetch(this.dataset.href).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    this.innerHTML = (await answer.text()).trim();
    this.hidden = !this.textContent;
  }
}

customElements.define("notice-count", NoticeCount);

/* <chat-room>: a room that is live. Without this it is a list and a form. Beside a thread most only look:
   there it listens, and what it does is in lib/chat/room.js, fetched with the first thing to do. */
import { socket } from "../lib/socket.js";

const PATIENCE = 5_000; // ms within which it should hear its room
const ACTS = "a[data-more], .react[form], a[data-to], [data-answer-none]";

class ChatRoom extends HTMLElement {
  connectedCallback() {
    this.frames = [];
    this.controller = new AbortController();
    const on = (target, type, run) => target.addEventListener(type, run, { signal: this.controller.signal });
    const log = this.querySelector(".log");
    if (!location.hash && !this.querySelector("#new")) log.scrollTop = log.scrollHeight;
    on(this, "submit", (event) => {
      if (event.target.id !== "say" || this.hasAttribute("data-past")) return;
      event.preventDefault();
      this.wake().then((room) => room.part("write")).then((writer) => writer.submit());
    });
    on(this, "keydown", (event) => {
      if (event.target.name !== "body" || event.key !== "Enter" || event.shiftKey || event.isComposing || event.defaultPrevented) return;
      event.preventDefault();
      event.target.form.requestSubmit();
    });
    on(this, "click", (event) => {
      const target = event.target.closest(ACTS);
      if (!target || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      if (target.matches("a[data-to]") && !this.querySelector(`.msg[data-seq="${target.dataset.to}"]`)) return;
      event.preventDefault();
      this.wake().then((room) => room.part("acts")).then((acts) => acts.press(target));
    });
    if (this.querySelector("[data-full]")) return void this.wake();
    for (const type of ["pointerover", "focusin"]) on(this, type, () => this.wake());
    on(socket, "frame", ({ detail: frame }) => this.awake || this.hear(frame));
    socket.subscribe(this.dataset.room);
    this.timer = setTimeout(() => this.live || this.wake(), PATIENCE);
  }

  disconnectedCallback() {
    this.controller.abort();
    clearTimeout(this.timer);
    this.waking?.then((room) => room.stop());
    this.waking = this.awake = null;
    socket.unsubscribe(this.dataset.room);
  }

  hear(frame) {
    const { room } = this.dataset;
    if (frame.type === "subscribed" && frame.name === room) {
      this.live = frame.live;
      this.toggleAttribute("data-live", this.live);
      if (this.live && frame.seq <= this.dataset.seq) return;
    } else if (!["live", "away", "closed"].includes(frame.type) && String(frame.room) !== room) return;
    this.frames.push(frame);
    this.wake();
  }

  /** The room, with all it does. */
  wake() {
    return (this.waking ??= import("../lib/chat/room.js").then(({ default: Room }) => {
      clearTimeout(this.timer);
      this.awake = new Room(this, this.live);
      for (const frame of this.frames.splice(0)) this.awake.receive(frame);
      return this.awake;
    }));
  }
}

customElements.define("chat-room", ChatRoom);

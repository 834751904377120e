/* The page's one socket. What comes over it is a hint: whoever listens asks the server for all
   after its last number when `subscribed` or `live` comes, or when a number is missing. */
const FIRST_WAIT = 500, LONGEST_WAIT = 15_000;

class Socket extends EventTarget {
  rooms = new Set();
  connection = null;
  wait = FIRST_WAIT;
  timer = 0;
  wanted = false; // without a room too: for what is told this member alone

  listen() {
    this.wanted = true;
    this.#open();
  }

  subscribe(room) {
    this.rooms.add(room);
    if (this.connection?.readyState === WebSocket.OPEN) this.#send("subscribe", room);
    else this.#open();
  }

  unsubscribe(room) {
    this.rooms.delete(room);
    if (this.connection?.readyState === WebSocket.OPEN) this.#send("unsubscribe", room);
  }

  #send(type, room) {
    this.connection.send(JSON.stringify({ type, room }));
  }

  #open() {
    if (this.connection || !(this.wanted || this.rooms.size)) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const connection = (this.connection = new WebSocket(`${scheme}//${location.host}/ws/`));
    connection.onopen = () => {
      this.wait = FIRST_WAIT;
      for (const room of this.rooms) this.#send("subscribe", room);
    };
    connection.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
    };
    connection.onclose = ({ code }) => {
      this.connection = null;
      this.dispatchEvent(new CustomEvent("frame", { detail: { type: "closed" } }));
      if (code === 4401) return; // signed out: nothing here to come back to
      // Half of the wait is chance, so that a restart does not bring everybody back at once.
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#open(), this.wait * (0.5 + Math.random() / 2));
      this.wait = Math.min(LONGEST_WAIT, this.wait * 2);
    };
  }

  /* Try now: the network is back, or the page is looked at again. */
  hurry() {
    if (this.connection || !(this.wanted || this.rooms.size)) return;
    clearTimeout(this.timer);
    this.wait = FIRST_WAIT;
    this.#open();
  }
}

export const socket = new Socket();
addEventListener("online", () => socket.hurry());
document.addEventListener("visibilitychange", () => document.hidden || socket.hurry());

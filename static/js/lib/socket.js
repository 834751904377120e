/* The page's one socket. What comes over it is a hint: whoever listens asks the server for all
   after its last number when `subscribed` or `live` comes, or when a number is missing.
   `closed` says how it ended: `code`, and `refused` when sockets are not to be had here (a proxy, a
   limit): then it is tried again after minutes only, and pages ask by themselves. */
const FIRST_WAIT = 500, LONGEST_WAIT = 15_000;
const ENOUGH = 5, REFUSED_WAIT = 60_000, LONGEST_REFUSED = 300_000;
const SIGNED_OUT = 4401, POLICY = 1008;

class Socket extends EventTarget {
  rooms = new Set();
  connection = null;
  wait = FIRST_WAIT;
  timer = 0;
  failed = 0; // handshakes in a row that came to nothing
  wanted = false; // without a room too: for what is told this member alone

  listen() {
    this.wanted = true;
    this.#open();
  }

  subscribe(room) {
    this.rooms.add(room);
    if (this.connection?.readyState === WebSocket.OPEN) return this.#send("subscribe", room);
    this.#open();
    // It may have ended before whoever asks was loaded: the badge in the nav opens it first.
    if (!this.connection && this.ended) queueMicrotask(() => this.#say(this.ended));
  }

  unsubscribe(room) {
    this.rooms.delete(room);
    if (this.connection?.readyState === WebSocket.OPEN) this.#send("unsubscribe", room);
  }

  #send(type, room) {
    this.connection.send(JSON.stringify({ type, room }));
  }

  #say(frame) {
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #open() {
    if (this.connection || this.timer || this.over || !(this.wanted || this.rooms.size)) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const connection = (this.connection = new WebSocket(`${scheme}//${location.host}/ws/`));
    this.failed += 1;
    connection.onopen = () => {
      for (const room of this.rooms) this.#send("subscribe", room);
    };
    connection.onmessage = ({ data }) => {
      this.failed = 0;
      this.wait = FIRST_WAIT;
      this.#say(JSON.parse(data));
    };
    connection.onclose = ({ code }) => {
      this.connection = null;
      this.over = code === SIGNED_OUT; // nothing here to come back to
      const refused = code === POLICY || this.failed >= ENOUGH;
      this.ended = { type: "closed", code, refused };
      this.#say(this.ended);
      if (this.over) return;
      const [least, most] = refused ? [REFUSED_WAIT, LONGEST_REFUSED] : [FIRST_WAIT, LONGEST_WAIT];
      const wait = Math.max(least, this.wait);
      // Half of the wait is chance, so that a restart does not bring everybody back at once.
      this.timer = setTimeout(() => this.#again(), wait * (0.5 + Math.random() / 2));
      this.wait = Math.min(most, wait * 2);
    };
  }

  #again() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.#open();
  }

  /* Try now: the network is back, or the page is looked at again. */
  hurry(back) {
    if (this.connection || (this.failed >= ENOUGH && !back)) return;
    this.wait = FIRST_WAIT;
    this.#again();
  }
}

export const socket = new Socket();
addEventListener("online", () => socket.hurry(true));
document.addEventListener("visibilitychange", () => document.hidden || socket.hurry());

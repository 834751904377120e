/* A draft: in this browser at once, on the server 2 s after the last key. A later sequence wins. */
import { csrfToken } from "../http.js";

const PREFIX = "draft:";
const SEND_AFTER = 2_000;

export const stored = {
  read(name) {
    try {
      return JSON.parse(localStorage.getItem(PREFIX + name));
    } catch {
      return null;
    }
  },
  write(name, draft) {
    try {
      if (draft) localStorage.setItem(PREFIX + name, JSON.stringify(draft));
      else localStorage.removeItem(PREFIX + name);
      return true;
    } catch {
      return false; // no room, or a browser that keeps nothing
    }
  },
  names() {
    try {
      return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
    } catch {
      return [];
    }
  },
};

export const isEmpty = (typed) => !typed?.body?.trim() && !typed?.title?.trim();
export const same = (one, other) => one?.body === other?.body && (one?.title ?? "") === (other?.title ?? "");

/** The draft of one form. `told(state, newer)` hears: saved, here (in this browser alone), newer, posted. */
export class Draft {
  constructor({ target, member, address, key, told }) {
    Object.assign(this, { target, member, address, key, told });
    this.name = `${member}:${target}`;
    this.sequence = 0;
    this.typed = null;
  }

  /** What this browser kept; a guest's becomes that of the member who signed in. */
  local() {
    const guests = this.member && stored.read(`:${this.target}`);
    const own = stored.read(this.name);
    if (!guests) return own;
    stored.write(`:${this.target}`, null);
    if (own && !isEmpty(own)) return own;
    stored.write(this.name, guests);
    return guests;
  }

  /** What the server kept: a draft, null for none, undefined when it did not say. */
  async remote() {
    if (!this.member) return undefined;
    try {
      const answer = await fetch(this.address, { headers: { Accept: "application/json" }, redirect: "manual" });
      return answer.status === 204 ? null : answer.ok ? await answer.json() : undefined;
    } catch {
      return undefined;
    }
  }

  /** Take over a draft as it is kept on the server. */
  adopt(draft) {
    this.sequence = Math.max(this.sequence, draft.sequence);
    this.typed = { body: draft.body, title: draft.title ?? "", extra: draft.extra ?? {} };
    this.#keep(false);
  }

  keep(typed, { now = false } = {}) {
    this.typed = typed;
    const here = this.#keep(true);
    clearTimeout(this.timer);
    if (this.member) {
      if (now) this.send();
      else this.timer = setTimeout(() => this.send(), SEND_AFTER);
    }
    return here;
  }

  #keep(dirty) {
    const { key, sequence } = this;
    return stored.write(this.name, isEmpty(this.typed) ? null : { ...this.typed, key, sequence, dirty });
  }

  /** Put it on the server: `last` when the page is about to go. */
  async send({ last = false } = {}) {
    clearTimeout(this.timer);
    if (!this.typed || !this.member || this.stopped) return;
    if (this.sending && !last) return void (this.again = true);
    const typed = this.typed;
    this.sequence += 1;
    this.#keep(true);
    this.sending = new AbortController();
    let state = "here", newer;
    try {
      const answer = await fetch(this.address, {
        method: "PUT",
        body: JSON.stringify({ ...typed, sequence: this.sequence, client_key: this.key || null }),
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
        keepalive: last,
        redirect: "manual",
        signal: last ? undefined : this.sending.signal,
      });
      if (answer.ok) state = "saved";
      else if (answer.status === 409) [state, newer] = ["newer", (await answer.json()).draft];
      else if (answer.status === 410) state = "posted";
    } catch {
      if (this.stopped) return; // posted, or discarded
    }
    this.sending = null;
    if (state === "saved" && this.typed === typed) this.#keep(false);
    if (state === "posted") stored.write(this.name, null);
    this.told(state, newer);
    if (this.again && state !== "newer") {
      this.again = false;
      this.send();
    }
  }

  /** The page goes: what was not sent yet goes with it. */
  leave() {
    if (this.timer && this.typed && stored.read(this.name)?.dirty) this.send({ last: true });
  }

  /** The form is on its way: nothing may come after it. `resume` when it was refused. */
  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    this.sending?.abort();
    this.sending = null;
  }

  resume() {
    this.stopped = false;
  }

  async discard() {
    this.stop();
    stored.write(this.name, null);
    this.typed = null;
    if (this.member)
      await fetch(this.address, { method: "DELETE", headers: { "X-CSRFToken": csrfToken() } }).catch(() => {});
    this.resume();
  }
}

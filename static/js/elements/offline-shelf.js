/* On the offline page: the threads read last, and what was being written. Both from this browser. */
import { isEmpty, stored } from "../lib/composer/drafts.js";

const SHOWN_CHARS = 280;

class OfflineShelf extends HTMLElement {
  async connectedCallback() {
    const again = document.querySelector("[data-again]");
    if (again && location.pathname !== again.dataset.again) again.href = location.href;
    const online = () => this.querySelector("[data-online]")?.toggleAttribute("hidden", !navigator.onLine);
    addEventListener("online", online);
    addEventListener("offline", online);
    if (!("caches" in window)) return;
    const threads = await this.threads();
    this.list("[data-read]", threads.map(({ title, address }) => [title, address]));
    const said = await (await caches.open("notes")).match("/");
    const { reader = "" } = said ? await said.json() : {};
    this.list("[data-drafts]", this.drafts(reader).map(({ name, draft }) => {
      const [, id] = /^thread:(\d+)$/.exec(name) ?? [];
      const thread = threads.find(({ address }) => address.startsWith(`/t/${id}/`));
      return [draft.title || thread?.title || "", thread?.address, (draft.body ?? "").slice(0, SHOWN_CHARS)];
    }));
  }

  /** The last read first. */
  async threads() {
    const pages = await caches.open("threads read last");
    const found = [];
    for (const request of (await pages.keys()).reverse()) {
      const page = await pages.match(request, { ignoreVary: true });
      const address = request.url.slice(location.origin.length);
      const title = new DOMParser().parseFromString(decodeURIComponent(page.headers.get("X-Title") ?? ""), "text/html");
      found.push({ address, title: title.body.textContent.trim() || address });
    }
    return found;
  }

  /** Those of whoever read last here, nobody else's. */
  drafts(reader) {
    const begins = `${reader}:`;
    const own = stored.names().filter((name) => name.startsWith(begins));
    return own.map((name) => ({ name: name.slice(begins.length), draft: stored.read(name) })).filter(({ draft }) => !isEmpty(draft));
  }

  list(where, rows) {
    const section = this.querySelector(where);
    section.hidden = !rows.length;
    section.querySelector("ul").replaceChildren(...rows.map(([title, address, words]) => {
      const row = document.createElement("li");
      if (title) {
        const name = document.createElement(address ? "a" : "b");
        name.textContent = title;
        if (address) name.href = address;
        row.append(name);
      }
      if (words) {
        const said = document.createElement("p");
        said.className = "muted";
        said.textContent = words;
        row.append(said);
      }
      return row;
    }));
  }
}

customElements.define("offline-shelf", OfflineShelf);

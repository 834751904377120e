/* <chat-select data-own> round the link to make a thread of messages: chooses them where they stand.
   `data-own`: one's own only. Without this file the link leads to a page that does the same. */
import { gettext, ngettext } from "@/words.js";

const MOST = 50, NEAR_END = 100; // px

class ChatSelect extends HTMLElement {
  connectedCallback() {
    this.link = this.querySelector("a");
    this.room = this.closest("chat-room");
    this.log = this.room.querySelector(".log");
    this.chosen = new Set();
    this.link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.begin();
    });
  }

  disconnectedCallback() {
    this.end();
  }

  begin() {
    if (this.bar) return this.bar.querySelector("[data-none]").focus();
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END;
    this.room.toggleAttribute("data-choosing", true);
    this.bar = document.createElement("form");
    this.bar.id = "choosing";
    this.bar.className = "say choosing";
    this.bar.action = this.link.href;
    this.bar.innerHTML = '<input type="hidden" name="go" value="1"><span class="grow" role="status"></span>' +
      '<button class="btn" type="button" data-none></button><button class="btn" data-tone="brand"></button>';
    const [none, on] = this.bar.querySelectorAll("button");
    none.textContent = gettext("Cancel");
    on.textContent = gettext("Go on");
    none.addEventListener("click", () => this.end());
    this.leave = (event) => event.key === "Escape" && this.end();
    this.room.addEventListener("keydown", this.leave);
    this.log.after(this.bar);
    this.log.addEventListener("click", (this.press = (event) => this.pressed(event)));
    this.watch = new MutationObserver(() => this.offer());
    this.watch.observe(this.log, { childList: true });
    this.offer();
    this.say();
    if (atEnd) this.log.scrollTop = this.log.scrollHeight; // rows are higher now
    const { bottom } = this.log.getBoundingClientRect();
    const seen = [...this.log.querySelectorAll(".pick input")].filter((box) => box.getBoundingClientRect().bottom <= bottom);
    (seen.at(-1) ?? none).focus({ preventScroll: true });
  }

  end() {
    if (!this.bar) return;
    this.watch.disconnect();
    this.room.removeEventListener("keydown", this.leave);
    this.log.removeEventListener("click", this.press);
    this.room.removeAttribute("data-choosing");
    for (const pick of this.log.querySelectorAll(".pick")) pick.remove();
    this.bar.remove();
    this.bar = null;
    this.chosen.clear();
    this.closest("details")?.querySelector("summary").focus();
  }

  /** A box for each message that has none: also for those that come now, or come again changed. */
  offer() {
    for (const row of this.log.querySelectorAll(".msg[data-seq]:not([data-removed])")) {
      if (row.querySelector(".pick") || (this.hasAttribute("data-own") && row.dataset.author !== this.room.dataset.member)) continue;
      const pick = document.createElement("label");
      pick.className = "pick";
      const box = document.createElement("input");
      Object.assign(box, { type: "checkbox", name: "seq", value: row.dataset.seq, checked: this.chosen.has(row.dataset.seq) });
      box.setAttribute("form", this.bar.id);
      const words = row.querySelector(".body")?.textContent.trim().slice(0, 60) ?? "";
      box.setAttribute("aria-label", `${row.querySelector(".by b").textContent}: ${words}`);
      pick.append(box);
      row.prepend(pick);
    }
    this.limit();
  }

  pressed(event) {
    const box = event.target.closest(".pick input");
    if (!box) return;
    const boxes = [...this.log.querySelectorAll(".pick input")];
    const [from, to] = [boxes.indexOf(this.last), boxes.indexOf(box)].sort((one, other) => one - other);
    if (event.shiftKey && from >= 0) for (const between of boxes.slice(from, to + 1)) this.choose(between, box.checked);
    else this.choose(box, box.checked);
    this.last = box;
    this.limit();
    this.say();
  }

  choose(box, wanted) {
    box.checked = wanted && (this.chosen.has(box.value) || this.chosen.size < MOST);
    this.chosen[box.checked ? "add" : "delete"](box.value);
  }

  limit() {
    const full = this.chosen.size >= MOST;
    for (const box of this.log.querySelectorAll(".pick input")) box.disabled = full && !box.checked;
  }

  say() {
    const count = this.chosen.size;
    this.bar.querySelector("[role=status]").textContent = count
      ? ngettext("%(count)s message chosen", "%(count)s messages chosen", count)
      : gettext("Choose messages");
    this.bar.lastElementChild.disabled = !count;
  }
}

customElements.define("chat-select", ChatSelect);

/* Who is here and who is writing, as far as they let it be seen. */
import { gettext, ngettext } from "@/words.js";

const WRITING_FADES = 5_000, LOOK_AROUND = 60_000;

export default class Others {
  constructor(room) {
    this.room = room;
    this.writers = new Map();
    if (!room.querySelector("[data-here]")) return;
    this.lookAround();
    this.timer = setInterval(() => document.hidden || this.lookAround(), LOOK_AROUND);
  }

  stop() {
    clearInterval(this.timer);
    for (const { timer } of this.writers.values()) clearTimeout(timer);
  }

  hear({ member, name }) {
    const { room } = this;
    if (String(member) === room.dataset.member || room.folded.has(String(member))) return;
    clearTimeout(this.writers.get(member)?.timer);
    this.writers.set(member, { name, timer: setTimeout(() => this.stopsWriting(member), WRITING_FADES) });
    this.show();
  }

  stopsWriting(member) {
    clearTimeout(this.writers.get(member)?.timer);
    if (this.writers.delete(member)) this.show();
  }

  show() {
    const line = this.room.querySelector("[data-writing]");
    if (!line) return;
    const all = [...this.writers.values()].map((one) => one.name);
    const names = all.join(", ");
    line.querySelector("span").textContent = all.length > 2 ? gettext("Several people are writing")
      : all.length > 1 ? gettext("%(names)s are writing", { names }) : all.length ? gettext("%(names)s is writing", { names }) : "";
    line.toggleAttribute("data-on", all.length > 0);
  }

  async lookAround() {
    const answer = await fetch(`${this.room.dataset.acts}here/`).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const { names, count } = await answer.json();
    const place = this.room.querySelector("[data-here]");
    if (!place) return;
    place.hidden = !count;
    place.title = names.join(", ");
    place.lastElementChild.textContent = ngettext("%(count)s here", "%(count)s here", count);
  }
}

/* What is done to a message: its menu, reactions, the way to what it answers. */
import { toast } from "../toast.js";
import { gettext } from "@/words.js";

export default class Acts {
  constructor(room) {
    this.room = room;
  }

  press(target) {
    if (target.matches("a[data-to]")) this.show(this.room.row(target.dataset.to));
    else if (target.matches(".react")) this.act(target.formAction, { name: target.value });
    else if (target.matches("[data-answer-none]")) this.room.part("write").then((writer) => writer.leave());
    else this.menu(target);
  }

  show(row) {
    row.scrollIntoView({ block: "center" });
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.setAttribute("data-found", "");
    setTimeout(() => row.removeAttribute("data-found"), 2_000);
  }

  /** True when it was done; the row shows it at once. */
  async act(address, values) {
    const answer = await this.room.send(address, values).catch(() => null);
    const told = await answer?.json().catch(() => null);
    if (answer?.ok && told?.html) this.room.replace(told);
    else if (!answer?.ok) toast(told?.error ?? gettext("That did not work. Try again."));
    return answer?.ok;
  }

  async menu(opener) {
    const { room } = this;
    const seq = opener.closest(".msg")?.dataset.seq;
    const dialog = document.createElement("dialog");
    dialog.className = "sheet";
    dialog.ariaLabel = opener.ariaLabel;
    const box = document.createElement("div");
    box.className = "card post-menu";
    dialog.append(box);
    room.element.append(dialog);
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (document.activeElement === document.body) room.row(seq)?.querySelector("[data-more]")?.focus({ preventScroll: true });
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) return dialog.close();
      const target = event.target.closest("a[data-reply], [data-copy], a[data-edit]");
      if (!target || (target.localName === "a" && !room.form)) return;
      event.preventDefault();
      event.stopPropagation();
      dialog.close();
      const { reply, name, copy, edit } = target.dataset;
      if (copy) navigator.clipboard.writeText(new URL(copy, location.href)).then(() => toast(gettext("Copied.")));
      else room.part("write").then((writer) => (reply ? writer.answer(reply, name) : writer.edit(edit, target.href)));
    });
    dialog.addEventListener("submit", async (event) => {
      const { target: form, submitter } = event;
      if (form.method !== "post") return;
      event.preventDefault();
      event.stopPropagation();
      const values = Object.fromEntries(new FormData(form, submitter));
      const done = submitter?.name === "unread" ? this.keepUnread(form.action, values) : this.act(form.action, values);
      if (await done) dialog.close();
    });
    await htmx.ajax("GET", opener.href, { target: box, swap: "innerHTML" });
    if (!box.childElementCount) return dialog.remove();
    dialog.showModal();
  }

  /* It stays unread until the room is opened anew, however long one looks at it now. */
  async keepUnread(address, values) {
    const { room } = this;
    room.unread = true;
    const answer = await room.send(address, values).catch(() => null);
    room.unread = !!answer?.ok;
    if (!answer?.ok) return toast(gettext("That did not work. Try again.")) && false;
    if (room.full) (await room.part("past")).divide(Number(values.seq) - 1, { move: false });
    toast(gettext("Unread from here on."));
    return true;
  }
}

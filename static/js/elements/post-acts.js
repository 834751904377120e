/* <post-acts> once on a page with posts. Reactions are given in place, a post's menu opens as a sheet,
   links are shared the way the device does. Without this file all of it are forms and pages. */
import { mine } from "../lib/mine.js";
import { toast } from "../lib/toast.js";
import { gettext } from "@/words.js";

const plain = (event) => !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.button;

class PostActs extends HTMLElement {
  connectedCallback() {
    for (const type of ["click", "bookmarked"]) document.addEventListener(type, this);
  }

  disconnectedCallback() {
    for (const type of ["click", "bookmarked"]) document.removeEventListener(type, this);
  }

  handleEvent(event) {
    this[event.type](event);
  }

  click(event) {
    const reaction = event.target.closest('.react[form="act"]');
    const more = event.target.closest("a[data-more]");
    const share = event.target.closest("[data-share]");
    if (share) this.share(share.dataset.share);
    else if (plain(event) && (reaction || more)) {
      event.preventDefault();
      if (reaction) this.react(reaction);
      else this.open(more);
    }
  }

  // -- reactions ------------------------------------------------------------------------------

  async react(button) {
    if (button.ariaBusy) return;
    button.ariaBusy = "true";
    const menu = button.closest("dialog");
    const acts = (menu ? this.opener : button).closest(".acts");
    const { value, formAction } = button;
    menu?.close();
    await htmx.ajax("POST", formAction, {
      target: acts.querySelector(".reacts"), swap: "outerHTML", values: { name: value },
    });
    button.ariaBusy = null;
    const given = [...acts.querySelectorAll('.react[aria-pressed="true"]')];
    this.remember(acts.closest(".post").dataset.post, { reactions: given.map((one) => one.value) });
    if (!menu) acts.querySelector(`.react[value="${CSS.escape(value)}"]`)?.focus();
  }

  // -- the menu -------------------------------------------------------------------------------

  async open(opener) {
    this.opener = opener;
    const dialog = document.createElement("dialog");
    dialog.className = "sheet";
    dialog.ariaLabel = opener.ariaLabel;
    const box = document.createElement("div");
    box.className = "card post-menu";
    dialog.append(box);
    this.append(dialog);
    dialog.addEventListener("close", () => dialog.remove());
    await htmx.ajax("GET", opener.href, { target: box, swap: "innerHTML" });
    if (!box.childElementCount) return dialog.remove();
    dialog.showModal();
  }

  bookmarked({ detail }) {
    document.querySelector(`.post[data-post="${detail.post}"]`)?.toggleAttribute("data-bookmarked", detail.kept);
    this.remember(detail.post, { bookmark: detail.kept });
  }

  // The page's posts are marked once more whenever new ones come in.
  remember(post, changes) {
    if (mine) mine.posts[post] = { ...mine.posts[post], ...changes };
  }

  async share(url) {
    this.querySelector("dialog")?.close();
    if (navigator.share) return navigator.share({ url, title: document.title }).catch(() => {});
    try {
      await navigator.clipboard.writeText(url);
      toast(gettext("Link copied"));
    } catch {
      prompt(gettext("Copy this link"), url);
    }
  }
}

customElements.define("post-acts", PostActs);

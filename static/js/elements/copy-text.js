/* <copy-text for="id" label="Copy the secret"> becomes a button that copies what that element says or
   holds.
   Without it the text can be selected as any other. */
import { toast } from "../lib/toast.js";
import { gettext } from "@/words.js";

customElements.define("copy-text", class extends HTMLElement {
  connectedCallback() {
    if (this.firstChild || !navigator.clipboard) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn";
    button.dataset.size = "sm";
    button.textContent = gettext("Copy");
    button.setAttribute("aria-label", this.getAttribute("label") ?? gettext("Copy this"));
    button.addEventListener("click", async () => {
      const from = document.getElementById(this.getAttribute("for"));
      await navigator.clipboard.writeText(from.value ?? from.textContent);
      toast(gettext("Copied"));
    });
    this.append(button);
  }
});

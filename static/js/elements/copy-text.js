/* <copy-text for="id"> becomes a button that copies what that element says or holds.
   Without it the text can be selected as any other. */
import { toast } from "@/lib/toast.js";

customElements.define("copy-text", class extends HTMLElement {
  connectedCallback() {
    if (this.firstChild || !navigator.clipboard) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn";
    button.dataset.size = "sm";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${this.getAttribute("what") ?? "this"}`);
    button.addEventListener("click", async () => {
      const from = document.getElementById(this.getAttribute("for"));
      await navigator.clipboard.writeText(from.value ?? from.textContent);
      toast("Copied");
    });
    this.append(button);
  }
});

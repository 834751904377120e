/* The switch between light and dark. Choosing what the system says forgets the choice. */
import { gettext } from "@/words.js";

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

const now = () => root.dataset.theme || (system.matches ? "dark" : "light");

class ThemeToggle extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector("button");
    this.button.addEventListener("click", this);
    system.addEventListener("change", this);
    this.name();
  }

  disconnectedCallback() {
    this.button.removeEventListener("click", this);
    system.removeEventListener("change", this);
  }

  handleEvent(event) {
    if (event.type === "click") {
      const next = now() === "dark" ? "light" : "dark";
      const chosen = next === (system.matches ? "dark" : "light") ? "" : next;
      if (chosen) root.dataset.theme = chosen;
      else delete root.dataset.theme;
      try {
        if (chosen) localStorage.theme = chosen;
        else localStorage.removeItem("theme");
      } catch {
        // A browser that keeps nothing still switches this page.
      }
    }
    this.name();
  }

  name() {
    this.button.setAttribute("aria-label", now() === "dark" ? gettext("Switch to light") : gettext("Switch to dark"));
  }
}

customElements.define("theme-toggle", ThemeToggle);

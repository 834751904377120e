/* <search-box data-suggest="/search/suggest/"> round a search form: suggests while one types, as a
   combobox (arrows, Enter, Escape). Fetched when somebody is in it; without this file the form searches. */
class SearchBox extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input[type=search]");
    this.panel = this.querySelector(".suggestions");
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.panel.id,
    })) this.input.setAttribute(name, value);
    this.input.addEventListener("input", this);
    this.input.addEventListener("keydown", this);
    this.addEventListener("focusout", this);
    if (this.input.value !== this.input.defaultValue) this.suggest(); // typed before this came
  }

  handleEvent(event) {
    if (event.type === "input") {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.suggest(), 150);
    } else if (event.type === "focusout") {
      if (!this.contains(event.relatedTarget)) this.close();
    } else this.key(event);
  }

  async suggest() {
    this.asked?.abort();
    const words = this.input.value.trim();
    if (!words) return this.close();
    this.asked = new AbortController();
    try {
      const answer = await fetch(`${this.dataset.suggest}?q=${encodeURIComponent(words)}`, { signal: this.asked.signal });
      if (answer.status !== 200) return this.close();
      this.panel.innerHTML = await answer.text();
    } catch {
      return; // asked anew, or offline: the form still searches
    }
    if (document.activeElement !== this.input) return;
    this.options = [...this.panel.querySelectorAll("[role=option]")];
    this.options.forEach((option, at) => {
      option.id = `${this.panel.id}-${at}`;
      option.tabIndex = -1;
    });
    this.choose(-1);
    this.panel.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
  }

  key(event) {
    if (this.panel.hidden) return;
    const last = this.options.length - 1;
    if (event.key === "Escape") this.close();
    else if (event.key === "ArrowDown") this.choose(this.chosen < last ? this.chosen + 1 : -1);
    else if (event.key === "ArrowUp") this.choose(this.chosen < 0 ? last : this.chosen - 1);
    else if (event.key === "Enter" && this.chosen >= 0) this.options[this.chosen].click();
    else return;
    event.preventDefault();
  }

  choose(at) {
    this.chosen = at;
    this.options.forEach((option, place) => option.setAttribute("aria-selected", place === at));
    if (at < 0) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", this.options[at].id);
    this.options[at].scrollIntoView({ block: "nearest" });
  }

  close() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.panel.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}

customElements.define("search-box", SearchBox);

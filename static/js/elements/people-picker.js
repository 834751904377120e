/* <people-picker data-href data-field>: round a form with a field of handles; offers people for the word
   one is typing, by handle or name, as a combobox. Without it one types handles. */
const WAIT = 150;

class PeoplePicker extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector(`input[name="${this.dataset.field}"]`);
    this.list = document.createElement("div");
    Object.assign(this.list, { className: "offers", id: `${this.input.id}-offers`, hidden: true, ariaLabel: this.dataset.label });
    this.list.setAttribute("role", "listbox");
    const holder = document.createElement("div");
    holder.className = "picker";
    this.input.replaceWith(holder);
    holder.append(this.input, this.list);
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.list.id,
    })) this.input.setAttribute(name, value);
    for (const type of ["input", "focus", "keydown", "blur"]) this.input.addEventListener(type, this);
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the caret stays
    this.list.addEventListener("click", (event) => this.take(event.target.closest("[role=option]")));
    if (document.activeElement === this.input) this.look();
  }

  handleEvent(event) {
    if (event.type === "keydown") this.key(event);
    else if (event.type === "blur") this.close();
    else this.look();
  }

  /* The word that ends where the caret is. */
  get word() {
    return /[^\s,]*$/.exec(this.input.value.slice(0, this.input.selectionStart))[0];
  }

  look() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.suggest(), WAIT);
  }

  async suggest() {
    this.asked?.abort();
    this.asked = new AbortController();
    const { word } = this;
    try {
      const answer = await fetch(`${this.dataset.href}?q=${encodeURIComponent(word)}`, { signal: this.asked.signal, redirect: "manual" });
      if (answer.status !== 200) return this.close();
      this.list.innerHTML = await answer.text();
    } catch {
      return; // asked anew, or offline
    }
    if (document.activeElement !== this.input) return;
    const named = new Set(this.input.value.slice(0, -word.length || undefined).split(/[\s,@]+/));
    this.options = [...this.list.querySelectorAll("[role=option]")].filter((option) => {
      const there = named.has(option.dataset.text.trim().slice(1));
      if (there) option.remove();
      return !there;
    });
    if (!this.options.length) return this.close();
    this.options.forEach((option, at) => (option.id = `${this.list.id}-${at}`));
    this.choose(word ? 0 : -1);
    this.list.hidden = false;
    this.input.ariaExpanded = "true";
  }

  key(event) {
    if (this.list.hidden || event.isComposing) return;
    const last = this.options.length - 1;
    if (event.key === "Escape") this.close();
    else if (event.key === "ArrowDown") this.choose(this.chosen < last ? this.chosen + 1 : 0);
    else if (event.key === "ArrowUp") this.choose(this.chosen > 0 ? this.chosen - 1 : last);
    else if (event.key === "Enter" && this.chosen >= 0) this.take(this.options[this.chosen]);
    else return;
    event.preventDefault();
  }

  choose(at) {
    this.chosen = at;
    this.options.forEach((option, place) => option.setAttribute("aria-selected", String(place === at)));
    if (at < 0) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", this.options[at].id);
    this.options[at].scrollIntoView({ block: "nearest" });
  }

  take(option) {
    if (!option) return;
    const end = this.input.selectionStart;
    const start = end - this.word.length;
    this.input.setRangeText(`${option.dataset.text.trim().slice(1)} `, start, end, "end");
    this.input.focus();
    this.close();
  }

  close() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.list.hidden = true;
    this.input.ariaExpanded = "false";
    this.input.removeAttribute("aria-activedescendant");
  }
}

customElements.define("people-picker", PeoplePicker);

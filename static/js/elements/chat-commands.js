/* <chat-commands data-href="/rooms/5/commands/"> in a room's form: says which commands there are while
   one types "/", as a combobox (arrows, Tab or Enter, Escape). Asked for once, with the first "/".
   Without this file commands are typed and sent all the same. */
class ChatCommands extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.input = this.form.elements.body;
    this.list = document.createElement("ul");
    this.list.id = "chat-commands";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", this.getAttribute("aria-label"));
    this.list.hidden = true;
    this.removeAttribute("aria-label");
    this.append(this.list);
    this.input.setAttribute("aria-controls", this.list.id);
    this.input.addEventListener("input", () => this.suggest());
    this.input.addEventListener("blur", () => this.close());
    // Before the room hears of it: Enter would send.
    this.form.addEventListener("keydown", (event) => this.key(event), true);
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the words keep the focus
      const option = event.target.closest("[role=option]");
      if (option) this.take(option);
    });
    if (this.input.value) this.suggest();
  }

  async suggest() {
    const typed = /^\/[a-z]*$/i.exec(this.input.value)?.[0].toLowerCase();
    if (typed === undefined) return this.close();
    if (!this.list.childElementCount) {
      const answer = await fetch(this.dataset.href).catch(() => null);
      if (!answer?.ok) return;
      this.list.innerHTML = await answer.text();
      for (const [at, option] of [...this.list.children].entries()) option.id = `${this.list.id}-${at}`;
      return this.suggest();
    }
    this.options = [...this.list.children].filter((option) => {
      option.hidden = !option.dataset.name.startsWith(typed);
      return !option.hidden;
    });
    if (!this.options.length || document.activeElement !== this.input) return this.close();
    this.list.hidden = false;
    this.choose(this.options[0].dataset.name === typed ? -1 : 0);
  }

  key(event) {
    if (this.list.hidden || event.isComposing) return;
    const last = this.options.length - 1;
    if (event.key === "Escape") this.close();
    else if (event.key === "ArrowDown") this.choose(this.chosen < last ? this.chosen + 1 : 0);
    else if (event.key === "ArrowUp") this.choose(this.chosen > 0 ? this.chosen - 1 : last);
    else if ((event.key === "Enter" || event.key === "Tab") && this.chosen >= 0 && !event.shiftKey) this.take(this.options[this.chosen]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  choose(at) {
    this.chosen = at;
    this.options.forEach((option, place) => option.setAttribute("aria-selected", place === at));
    if (at < 0) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", this.options[at].id);
    this.options[at].scrollIntoView({ block: "nearest" });
  }

  take(option) {
    this.input.value = `${option.dataset.name} `;
    this.close();
    this.input.focus();
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  close() {
    this.list.hidden = true;
    this.input.removeAttribute("aria-activedescendant");
  }
}

customElements.define("chat-commands", ChatCommands);

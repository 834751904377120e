/* <guest-words data-target="thread:7">: what a guest began stays here for the member they become. */
class GuestWords extends HTMLElement {
  connectedCallback() {
    const text = this.querySelector("textarea"), name = `draft::${this.dataset.target}`;
    try { text.value ||= JSON.parse(localStorage[name] ?? null)?.body ?? ""; } catch { /* keeps nothing */ }
    text.oninput = () => {
      try { localStorage[name] = JSON.stringify({ body: text.value, dirty: true }); } catch { /* no room */ }
    };
  }
}

customElements.define("guest-words", GuestWords);

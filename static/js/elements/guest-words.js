/* <guest-words data-target="thread:7"> round the box in which a guest begins a reply: kept in this
   browser until the member who comes of it finds it in the composer (@/lib/composer/drafts.js).
   Without this file the server keeps what the form sends. */
class GuestWords extends HTMLElement {
  connectedCallback() {
    const text = this.querySelector("textarea");
    const name = `draft::${this.dataset.target}`;
    try {
      text.value ||= JSON.parse(localStorage.getItem(name))?.body ?? "";
    } catch { /* a browser that keeps nothing */ }
    text.addEventListener("input", () => {
      try {
        if (text.value.trim()) localStorage.setItem(name, JSON.stringify({ body: text.value, dirty: true }));
        else localStorage.removeItem(name);
      } catch { /* no room */ }
    });
  }
}

customElements.define("guest-words", GuestWords);

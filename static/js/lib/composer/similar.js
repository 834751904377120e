/* Threads like the title being typed, so that a question is not asked twice. */
const WAIT = 500, LEAST = 4;

export class Similar {
  constructor(title, place, address) {
    Object.assign(this, { title, place, address });
  }

  look() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT);
  }

  async ask() {
    this.asked?.abort();
    const words = this.title.value.trim();
    if (words === this.said) return;
    this.said = words;
    if (words.length < LEAST) return this.place.replaceChildren();
    this.asked = new AbortController();
    const address = new URL(this.address, location.href);
    address.searchParams.set("title", words);
    try {
      const answer = await fetch(address, { signal: this.asked.signal, redirect: "manual" });
      this.place.innerHTML = answer.status === 200 ? await answer.text() : "";
    } catch { /* asked anew, or offline */ }
  }
}

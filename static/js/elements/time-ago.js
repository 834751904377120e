/* <time-ago data-style="clock|date|full"><time datetime="…Z">22 Nov 2026</time></time-ago>
   The reader's zone and words. One timer serves all of a page's times. */
import { gettext, ngettext } from "@/words.js";

const MINUTE = 60_000;
const words = (options) => new Intl.DateTimeFormat(document.documentElement.lang, options);
const CLOCK = words({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = words({ day: "numeric", month: "short" });
const DATE = words({ day: "numeric", month: "short", year: "numeric" });
const FULL = words({ weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

const shown = new Set();
setInterval(() => {
  for (const element of shown) element.write();
}, MINUTE);

/** Short words for an instant as seen from `now`: "now", "4 min", "3 h", "2 d", "3 Oct". */
export function ago(at, now = new Date()) {
  const minutes = Math.floor((now - at) / MINUTE);
  if (minutes < 0) return DATE.format(at);
  if (minutes < 1) return gettext("now");
  if (minutes < 60) return ngettext("%(count)s min", "%(count)s min", minutes);
  if (minutes < 24 * 60) return ngettext("%(count)s h", "%(count)s h", Math.floor(minutes / 60));
  if (minutes < 7 * 24 * 60) return ngettext("%(count)s d", "%(count)s d", Math.floor(minutes / (24 * 60)));
  return (at.getFullYear() === now.getFullYear() ? DAY : DATE).format(at);
}

class TimeAgo extends HTMLElement {
  connectedCallback() {
    this.time = this.querySelector("time");
    this.at = new Date(this.time?.dateTime);
    if (isNaN(this.at)) return;
    this.time.title = FULL.format(this.at);
    this.write();
    if (!this.dataset.style) shown.add(this);
  }

  disconnectedCallback() {
    shown.delete(this);
  }

  write() {
    const write = { ago, clock: (at) => CLOCK.format(at), date: (at) => DATE.format(at) }[this.dataset.style ?? "ago"];
    this.time.textContent = (write ?? ((at) => FULL.format(at)))(this.at);
  }
}

customElements.define("time-ago", TimeAgo);

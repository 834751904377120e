/* <push-switch>: lets this browser be pushed to. It asks for leave only when its button is pressed.
   With [data-offer] inside it is an offer, shown once to a browser that was never asked. */
import { post } from "../lib/http.js";

const known = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
const OFFERED = "push-offered";

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

class PushSwitch extends HTMLElement {
  async connectedCallback() {
    this.state = this.querySelector("[data-state]");
    this.offer = this.querySelector("[data-offer]");
    this.addEventListener("click", (event) => {
      const way = event.target.closest("[data-switch]")?.dataset.switch;
      if (way === "later") this.remove();
      else if (way) this.turn(way === "on");
    });
    if (!known) return;
    this.worker = await navigator.serviceWorker.register("/sw.js").catch(() => null);
    if (!this.worker) return;
    const there = await this.worker.pushManager.getSubscription();
    if (!this.offer) return this.show(there);
    if (there || Notification.permission !== "default" || this.wasOffered()) return;
    this.say("off");
    this.offer.hidden = false;
  }

  /* Whether this browser saw the offer before: answered or not, it is made once. */
  wasOffered() {
    try {
      const before = localStorage[OFFERED];
      localStorage[OFFERED] = "1";
      return Boolean(before);
    } catch {
      return true; // what cannot be remembered would be asked for ever
    }
  }

  show(subscription) {
    const denied = Notification.permission === "denied";
    this.say(denied ? "denied" : subscription ? "on" : "off");
    const hide = (way, whether) => {
      const button = this.querySelector(`[data-switch="${way}"]`);
      if (button) button.hidden = whether;
    };
    hide("on", denied || Boolean(subscription));
    hide("off", !subscription);
    hide("later", denied || Boolean(subscription));
  }

  say(what) {
    this.state.textContent = this.dataset[what];
  }

  async turn(on) {
    try {
      const there = await this.worker.pushManager.getSubscription();
      if (!on && there) {
        await post(this.dataset.href, { _method: "delete", endpoint: there.endpoint });
        await there.unsubscribe();
        this.show(null);
        return;
      }
      if ((await Notification.requestPermission()) !== "granted") return this.show(null);
      const subscription = await this.worker.pushManager.subscribe({
        userVisibleOnly: true,
        applicationServerKey: bytes(this.dataset.key),
      });
      const answer = await post(this.dataset.href, {
        endpoint: subscription.endpoint,
        p256dh: text(subscription.getKey("p256dh")),
        auth: text(subscription.getKey("auth")),
      });
      if (!answer.ok) {
        await subscription.unsubscribe();
        throw new Error(answer.status);
      }
      this.show(subscription);
    } catch {
      this.say("failed");
    }
  }
}

customElements.define("push-switch", PushSwitch);

/* <push-switch>: lets this browser be pushed to. It asks for leave only when its button is pressed. */
import { post } from "@/lib/http.js";

const known = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

class PushSwitch extends HTMLElement {
  async connectedCallback() {
    this.state = this.querySelector("[data-state]");
    this.addEventListener("click", (event) => {
      const way = event.target.closest("[data-switch]")?.dataset.switch;
      if (way) this.turn(way === "on");
    });
    if (!known) return;
    this.worker = await navigator.serviceWorker.register("/sw.js").catch(() => null);
    if (this.worker) this.show(await this.worker.pushManager.getSubscription());
  }

  show(subscription) {
    const denied = Notification.permission === "denied";
    this.say(denied ? "denied" : subscription ? "on" : "off");
    this.querySelector('[data-switch="on"]').hidden = denied || Boolean(subscription);
    this.querySelector('[data-switch="off"]').hidden = !subscription;
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

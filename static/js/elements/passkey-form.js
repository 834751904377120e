/* <passkey-form data-act="create|get" data-options="id of the JSON" | data-address="where it is">
   around a form with a hidden `credential`: asks the device, fills it in, sends the form. */
import { toast } from "../lib/toast.js";
import { gettext } from "@/words.js";

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** Options as the server writes them (base64url) to options as the browser takes them (bytes). */
function decoded(options) {
  const keys = (list) => list?.map((key) => ({ ...key, id: bytes(key.id) }));
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: bytes(options.user.id) } }),
    ...(options.excludeCredentials && { excludeCredentials: keys(options.excludeCredentials) }),
    ...(options.allowCredentials && { allowCredentials: keys(options.allowCredentials) }),
  };
}

/** The device's answer as the server takes it. */
function encoded(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const answer = Object.fromEntries(
    parts.filter((part) => response[part]).map((part) => [part, text(response[part])]),
  );
  if (response.getTransports) answer.transports = response.getTransports();
  return {
    type: credential.type,
    id: credential.id,
    rawId: text(credential.rawId),
    authenticatorAttachment: credential.authenticatorAttachment,
    response: answer,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

class PasskeyForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", this);
  }

  async handleEvent(event) {
    const form = event.target;
    event.preventDefault();
    try {
      form.elements.credential.value = JSON.stringify(await this.ask(form));
    } catch (refusal) {
      // The member closed the device's window, or it knows no key of ours. Both read the same.
      toast(
        refusal.name === "InvalidStateError"
          ? gettext("This device is already one of your passkeys.")
          : gettext("No passkey was used. Try again, or take another way."),
      );
      return;
    }
    form.submit();
  }

  async ask(form) {
    if (!navigator.credentials) throw new Error("no passkeys here");
    const publicKey = decoded((await this.options()).publicKey);
    if (this.dataset.act === "get") return encoded(await navigator.credentials.get({ publicKey }));
    const alone = form.elements.passwordless?.checked ?? true;
    publicKey.authenticatorSelection = {
      ...publicKey.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: alone,
      ...(alone && { userVerification: "required" }),
    };
    return encoded(await navigator.credentials.create({ publicKey }));
  }

  async options() {
    if (this.dataset.options) {
      const given = JSON.parse(document.getElementById(this.dataset.options).textContent);
      return given.creation_options ?? given.request_options;
    }
    const answer = await fetch(this.dataset.address, { headers: { Accept: "application/json" } });
    return (await answer.json()).request_options;
  }
}

customElements.define("passkey-form", PasskeyForm);

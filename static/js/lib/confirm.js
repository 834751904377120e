import { gettext } from "@/words.js";

/** Ask before something that is hard to undo. Resolves to true when the member says yes.
 *  data-confirm-yes on the button names the act ("Remove"), data-tone="danger" colours it. */
export function ask(question, { confirmYes = gettext("Yes"), tone = "brand" } = {}) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", "ask-words");
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "stack";
  form.dataset.gap = "5";
  const words = document.createElement("p");
  words.id = "ask-words";
  words.textContent = question;
  const row = document.createElement("div");
  row.className = "row wrap end";
  row.append(button(gettext("Cancel"), "", ""), button(confirmYes, "yes", tone));
  form.append(words, row);
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    }),
  );
}

function button(label, value, tone) {
  const made = document.createElement("button");
  made.className = "btn";
  made.value = value;
  if (tone) made.dataset.tone = tone;
  made.textContent = label;
  return made;
}

/* What changes below the messages: whether one may write, whether one may still read. */
export default class Foot {
  constructor(room) {
    this.room = room;
  }

  /* Pause, slow mode, an archive, a name: the head and the place to write as they are now. */
  async renew() {
    const { room } = this;
    const answer = await fetch(room.dataset.address, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("chat-room");
    if (!page) return;
    const words = (place, name) => place.querySelector(name)?.textContent ?? "";
    for (const name of ["[data-state]", "#chat-heading"]) {
      const place = room.querySelector(name);
      if (place && words(page, name) && words(page, name) !== place.textContent) place.textContent = words(page, name);
    }
    const [now, then] = [page, room].map((one) => one.querySelector("[data-foot]"));
    if (!now || !then || (words(page, "[data-why]") === words(room, "[data-why]") && !!now.querySelector("#say") === !!room.form)) return;
    const follow = room.nearEnd();
    if (room.full) then.replaceChildren(...now.childNodes); // its draft is kept with the room
    else then.querySelector("[data-why]")?.remove();
    if (follow) room.log.scrollTop = room.log.scrollHeight;
    if (room.form) (await room.part("write")).restore();
  }

  signedOut() {
    const { room } = this;
    room.over = true;
    clearTimeout(room.pollTimer);
    clearTimeout(room.bannerTimer);
    room.away.hidden = true;
    room.querySelector("[data-out]").hidden = false;
  }

  /* Asked for messages and sent to sign in, or told that there is no such room: one was let out of it. */
  gone(answer) {
    const { room } = this;
    if (answer.redirected) return this.signedOut();
    room.over = true;
    if (room.full) location.reload();
    else room.element.remove();
  }
}

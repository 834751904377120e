/* <composer-box> round a composer's form. What it does is in lib/composer/box.js, fetched when the
   box is near, or when somebody is about to answer or quote a post: who only reads loads none of it. */
const near = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && wake(), { rootMargin: "300px" });
const controller = new AbortController();

function wake() {
  near.disconnect();
  controller.abort();
  import("../lib/composer/box.js");
}

for (const box of document.querySelectorAll("composer-box")) near.observe(box);
for (const type of ["pointerover", "focusin"]) {
  document.addEventListener(type, (event) => event.target.closest?.("[data-reply], [data-more]") && wake(), { signal: controller.signal });
}
document.addEventListener("selectionchange", () => getSelection().isCollapsed || wake(), { signal: controller.signal });

/* In the service worker: shows what is pushed, and leads to it. What is pushed was written by
   community/notifications/push.py: title, body, address (a path of ours), tag, count. */
self.addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data.json();
  } catch {
    // Browsers want something shown for every push, also for one nobody understands.
  }
  const shown = self.registration.showNotification(told.title || "Shoal", {
    body: told.body || "",
    tag: told.tag || "shoal", // the same once more takes the place of the first
    data: { address: told.address || "/notifications/" },
  });
  const badge = told.count && self.navigator.setAppBadge?.(told.count).catch(() => {});
  event.waitUntil(Promise.all([shown, badge]));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const address = new URL(event.notification.data?.address || "/notifications/", self.location.origin);
  if (address.origin !== self.location.origin) return;
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((pages) => {
      const open = pages.find((page) => new URL(page.url).origin === address.origin);
      return open?.navigate ? open.focus().then((page) => page.navigate(address.href)) : self.clients.openWindow(address.href);
    }),
  );
});

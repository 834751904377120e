/* In the service worker: pages from the network; without one, the threads read last, or the page
   that lists them. Threads are kept for one reader: another one, or none, and they are gone.
   SITE is written before this by config/installed.py. Nothing is ever sent later by itself. */
const FILES = `files ${SITE.version}`;
const READ = "threads read last";
const NOTES = "notes";
const MOST_READ = 20;
const MOST_FILES = 150;
const THREAD = /^\/t\/\d+\/[^/]+\/$/;
const HASHED = /\.[0-9a-f]{12}\.\w+$/; // a name that changes with its file

self.addEventListener("install", (event) => {
  event.waitUntil(shelve().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("files ") && name !== FILES) await caches.delete(name);
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(request.method === "GET" ? read(event, url) : send(event, url));
  else if (request.method === "GET" && url.pathname.startsWith(SITE.static)) event.respondWith(file(request, url));
});

/** Keep the page for when offline, in the language of now, with the files it names. */
async function shelve() {
  const page = await fetch(SITE.offline, { cache: "no-cache" });
  if (!page.ok) throw new Error("no offline page");
  const named = (await page.clone().text()).matchAll(/(?:href|src)="([^"#?]+)[#"]/g);
  const files = new Set([...named].map(([, address]) => address).filter((address) => address.startsWith(SITE.static)));
  const shelf = await caches.open(FILES);
  await shelf.addAll(files);
  await shelf.put(SITE.offline, page);
}

async function read(event, url) {
  try {
    const answer = (await event.preloadResponse) ?? (await fetch(event.request));
    if (answer.ok && answer.headers.get("Content-Type")?.startsWith("text/html")) event.waitUntil(inTurn(url, answer.clone()));
    return answer;
  } catch {
    const pages = await caches.open(READ);
    return (await pages.match(plain(url), { ignoreVary: true })) ?? (await away());
  }
}

async function send(event, url) {
  // Whoever leaves leaves nothing here, whether or not the server hears of it.
  if (url.pathname === SITE.signOut) await forget();
  try {
    return await fetch(event.request);
  } catch {
    // By another address: reloading this one would send the form once more.
    return Response.redirect(SITE.offline, 303);
  }
}

const away = async () => (await caches.match(SITE.offline, { ignoreVary: true })) ?? Response.error();

async function file(request, url) {
  const shelf = await caches.open(FILES);
  const kept = () => shelf.match(request, { ignoreVary: true });
  if (HASHED.test(url.pathname)) {
    const found = await kept();
    if (found) return found;
  }
  try {
    const answer = await fetch(request);
    if (answer.status === 200) {
      await shelf.put(request, answer.clone());
      const names = await shelf.keys();
      for (const name of names.slice(0, Math.max(0, names.length - MOST_FILES)))
        if (!name.url.endsWith(SITE.offline)) await shelf.delete(name);
    }
    return answer;
  } catch (error) {
    const found = await kept();
    if (found) return found;
    throw error;
  }
}

// -- the threads read last ------------------------------------------------------------------------

let turn = Promise.resolve();
const inTurn = (url, page) => (turn = turn.then(() => keep(url, page)).catch(() => {}));

/** Note whose page this is, and keep it when it is a thread's. */
async function keep(url, page) {
  const html = await page.text();
  const root = /<html[^>]*>/.exec(html)?.[0] ?? "";
  const reader = /\sdata-reader="(\d*)"/.exec(root)?.[1];
  if (reader === undefined) return;
  const language = /\slang="([^"]*)"/.exec(root)?.[1];
  const before = await notes();
  if (before.reader !== reader) await forget();
  if (before.reader !== reader || before.language !== language) {
    await (await caches.open(NOTES)).put("/", Response.json({ reader, language }));
    if (before.language && before.language !== language) await shelve();
  }
  if (!THREAD.test(url.pathname)) return;
  const headers = new Headers(page.headers);
  headers.set("X-Title", encodeURIComponent(/<h1[^>]*>([^<]*)/.exec(html)?.[1] ?? ""));
  const pages = await caches.open(READ);
  await pages.delete(plain(url), { ignoreVary: true });
  await pages.put(plain(url), new Response(html, { headers }));
  const kept = await pages.keys();
  for (const old of kept.slice(0, Math.max(0, kept.length - MOST_READ))) await pages.delete(old, { ignoreVary: true });
}

async function notes() {
  const said = await (await caches.open(NOTES)).match("/");
  return said ? said.json() : {};
}

async function forget() {
  await caches.delete(READ);
  await caches.delete(NOTES);
}

/** The address of a page of a thread, whatever else was asked of it. */
function plain(url) {
  const page = url.searchParams.get("page");
  return url.origin + url.pathname + (page ? `?page=${page}` : "");
}

// What the client does on networks that let less and less through. Arguments: project, URL.

import { client, print } from "./app.mjs";

const [project, url] = process.argv.slice(2);

async function all(items) {
  const list = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Counts requests by path, and changes what is fetched. */
function counting(change = (url, init) => fetch(url, init)) {
  const paths = {};
  const counted = (address, init) => {
    const { pathname } = new URL(address);
    paths[pathname] = (paths[pathname] ?? 0) + 1;
    return change(address, init);
  };
  return { paths, fetch: counted };
}

/** A network without WebSockets. */
class Blocked extends WebSocket {
  constructor(address) {
    super(address.replace("/raystream", "/nowhere"));
  }
}

/** A network that opens WebSockets and then lets nothing of a call through: the second message ends them. */
let cuts = 0;
class Cut extends WebSocket {
  #messages = 0;

  send(data) {
    this.#messages += 1;
    if (this.#messages < 2) return super.send(data);
    cuts += 1;
    this.close();
  }
}

async function use(name, options) {
  const { kontract, count, echo, notes, store } = await client(project, url, { transport: "websocket", ...options }, name);
  const items = await all(count(name, 300, 1_000));
  const long = await all(count(name, 2, 1_500_000));
  const stored = await all(store([`${name} 1`, `${name} 2`], false));
  const outcome = {
    inOrder: items.length === 300 && items.every(({ at, text }, place) => at === place && text.length === 1_000),
    long: long.map(({ text }) => text.length),
    echoed: await echo("é"),
    stored: stored.length,
    kept: (await all(notes())).filter((id) => id.startsWith(name)).length,
  };
  // A loop that is left ends the generator on the server as well.
  for await (const { at } of count(`${name}, left`, 100_000, 1_000)) if (at === 3) break;
  const { seen } = await client(project, url, { transport: "post" }, "observer");
  let left = false;
  for (let tries = 0; !left && tries < 2_000; tries++) left = (await seen()).includes(`${name}, left: ended, left`);
  kontract.close();
  return { ...outcome, left };
}

const open = counting();
const noSockets = counting();
// A proxy that removes headers it does not know, and one that takes GET for what it may answer itself.
const noHeaders = counting((address, init) => {
  const headers = new Headers(init.headers);
  headers.delete("raystream");
  return fetch(address, { ...init, headers });
});
const noGet = counting(async (address, init) => (address.endsWith("/stream") ? new Response("<html>", { headers: { "content-type": "text/html" } }) : fetch(address, init)));
const cut = counting();

const outcomes = {
  open: await use("open", { fetch: open.fetch }),
  "no sockets": await use("no sockets", { fetch: noSockets.fetch, WebSocket: Blocked }),
  "no headers": await use("no headers", { fetch: noHeaders.fetch, WebSocket: Blocked }),
  "no GET": await use("no GET", { fetch: noGet.fetch, WebSocket: Blocked }),
  "cut sockets": await use("cut sockets", { fetch: cut.fetch, WebSocket: Cut }),
};
const { kontract } = await client(project, url, {}, "observer");
kontract.close();
print({
  outcomes,
  cuts,
  posts: [open, noSockets, noHeaders, noGet, cut].map(({ paths }) => (paths["/raystream"] ?? 0) > 0),
  gets: [open, noSockets, noHeaders, noGet, cut].map(({ paths }) => paths["/stream"] ?? 0),
});

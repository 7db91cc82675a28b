// Streams of the app of fixtures/apps/streams through the generated client, in Node. Arguments: project, URL, transport.

import { connect, createServer } from "node:net";

import { client, print, rejection } from "./app.mjs";

const [project, url, transport] = process.argv.slice(2);
const api = await client(project, url, { transport });
const { count, echo, fails, kontract, madeSoFar, notes, patient, seen, short, store, unfinished } = api;
const name = (what) => `${what} over ${transport}`;

async function all(items) {
  const list = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Asks until the server has seen something. */
async function until(line) {
  for (let tries = 0; tries < 2_000; tries++) {
    if ((await seen()).includes(line)) return true;
  }
  return false;
}

const items = await all(count(name("few"), 1_000, 10));
const inOrder = items.every(({ at, text }, index) => at === index && text.length === 10);

// One item takes 64 kB; whoever takes them one by one must not have them all made meanwhile.
let ahead = 0;
let taken = 0;
for await (const { at } of count(name("many"), 4_000, 65_536)) {
  taken += 1;
  ahead = Math.max(ahead, (await madeSoFar(name("many"))) - at - 1);
  if (taken === 50) break;
}
const left = await until(`${name("many")}: ended, left`);

const controller = new AbortController();
const aborted = await rejection(
  (async () => {
    for await (const { at } of count.with({ signal: controller.signal })(name("aborted"), 100_000, 1_000)) {
      if (at === 3) controller.abort();
    }
  })(),
);
const abortedLeft = await until(`${name("aborted")}: ended, left`);

const received = [];
const failure = await rejection(
  (async () => {
    for await (const item of fails()) received.push(item);
  })(),
);

const ids = ["1", "2", "3"].map((id) => name(id));
const stored = await all(store(ids, false));
await rejection(all(store([name("failed")], true)));
for await (const _ of unfinished(name("unfinished"))) break;
const unfinishedLeft = await until(`${name("unfinished")}: left`);
const kept = (await all(notes())).filter((id) => id.endsWith(transport));

const long = "y".repeat(5_000_000);
const echoed = (await echo(long)) === long;
const tooLong = await rejection(echo("z".repeat(11_000_000)));
const shortTooLong = await rejection(short("z".repeat(2_000)));
const huge = await all(count(name("huge"), 2, 3_000_000));

const patience = new AbortController();
const waiting = rejection(patient.with({ signal: patience.signal })(name("patient")));
await until(`${name("patient")}: waits`);
patience.abort();
const gaveUp = await waiting;
const cancelled = await until(`${name("patient")}: given up`);
const late = (await all(notes())).includes(name("patient"));

/** On a socket whose call waits comes what is no frame of RFC 6455 (the opcode 3 is reserved): whether its endpoint is told. */
async function brokenFrame() {
  const ends = [];
  const proxy = createServer((near) => {
    const far = connect(Number(new URL(url).port), new URL(url).hostname);
    ends.push(near, far);
    for (const end of [near, far]) end.on("error", () => undefined);
    near.pipe(far).pipe(near);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const other = await client(project, `http://127.0.0.1:${proxy.address().port}`, { transport }, "broken");
  const call = rejection(other.patient(name("broken")));
  await until(`${name("broken")}: waits`);
  ends.at(-1).write(Buffer.from([0x83, 0x80, 0, 0, 0, 0]));
  const told = await until(`${name("broken")}: given up`);
  other.kontract.close();
  await call;
  for (const end of ends) end.destroy();
  proxy.close();
  return told;
}
const brokenTold = transport === "websocket" ? await brokenFrame() : undefined;

kontract.close();
print({
  items: items.length,
  inOrder,
  taken,
  ahead,
  left,
  aborted: aborted.name,
  abortedLeft,
  received,
  failure,
  stored: stored.length,
  kept: kept.length,
  unfinishedLeft,
  echoed,
  tooLong,
  shortTooLong,
  huge: huge.map(({ text }) => text.length),
  gaveUp: gaveUp.name,
  cancelled,
  late,
  brokenTold,
});

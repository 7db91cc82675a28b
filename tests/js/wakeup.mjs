// A WebSocket whose Durable Object hibernates: what the client makes of it. Arguments: project, URL.
//
// workerd takes an object out of memory after ten seconds in which nothing happens. That time is what is tested here, and nothing
// outside shows when it is over: the wait grows until it was long enough.

import { setTimeout as silence } from "node:timers/promises";

import { client, print } from "./app.mjs";

const [project, url] = process.argv.slice(2);
const SILENCES_MS = [12_000, 20_000, 30_000];

/** Sockets with everything that went over them. */
const sockets = [];
class Watched extends WebSocket {
  sent = [];
  received = [];
  code = undefined;

  constructor(address) {
    super(address);
    sockets.push(this);
    this.addEventListener("message", ({ data }) => this.received.push(Buffer.from(data).toString("hex")));
    this.addEventListener("close", ({ code }) => (this.code = code));
  }

  send(data) {
    this.sent.push(Buffer.from(data).toString("hex"));
    super.send(data);
  }
}

const { kontract, createEntry, listEntries } = await client(project, url, { transport: "websocket", WebSocket: Watched });
await createEntry("Ada", "before");
await listEntries();
const before = sockets.length;
let silences = 0;
while (sockets.length === before && silences < SILENCES_MS.length) {
  await silence(SILENCES_MS[silences]);
  silences += 1;
  await listEntries();
}
const [first, second] = sockets;
// Both calls of a new key went through, and the mutation took effect once.
await createEntry("Ada", "after");
const messages = (await listEntries()).map(({ message }) => message);
const keysOf = ({ sent, received }) => [sent[0], received[0]];
const frames = sockets.flatMap(({ sent, received }) => [...sent, ...received]);
kontract.close();
print({
  sockets: sockets.length,
  firstClosed: first.code,
  secondIsOpen: second?.code === undefined,
  freshHandshake: keysOf(first).every((bytes, place) => bytes !== keysOf(second ?? first)[place]),
  framesTwice: frames.length - new Set(frames).size,
  messages: messages.sort(),
});

// Flips one bit in every byte of what a client sends, over POST and over WebSocket, and in bytes of what it is answered. Arguments: project, URL.

import { client, print, rejection } from "./app.mjs";

const [project, url] = process.argv.slice(2);

/** The bodies of a full handshake with a first call inside, and of a call under its ticket. */
async function recordPosts() {
  const bodies = [];
  const recording = (input, init) => {
    bodies.push(new Uint8Array(init.body));
    return fetch(input, init);
  };
  const { kontract, listEntries } = await client(project, url, { transport: "post", fetch: recording });
  await listEntries();
  await listEntries();
  kontract.close();
  return { handshake: bodies[0], call: bodies.at(-1) };
}

function flipped(bytes, at) {
  const copy = bytes.slice();
  copy[at] ^= 1 << at % 8;
  return copy;
}

async function post(body) {
  const response = await fetch(`${url}/raystream`, { method: "POST", body });
  return { status: response.status, length: (await response.arrayBuffer()).byteLength };
}

/** Outcomes of every flipped body, with how often each occurred. */
async function flipEverywhere(body) {
  const outcomes = {};
  for (let at = 0; at < body.length; at += 1) {
    const { status, length } = await post(flipped(body, at));
    const outcome = status === 200 ? `accepted with byte ${at} flipped` : `${status}, ${length} bytes`;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return outcomes;
}

/** Opens a socket, sends the messages and tells how it was closed. */
function closing(messages) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/raystream`);
    socket.binaryType = "arraybuffer";
    let received = 0;
    socket.addEventListener("open", () => messages.forEach((message) => socket.send(message)));
    socket.addEventListener("message", () => (received += 1));
    socket.addEventListener("error", () => reject(new Error("the socket failed")));
    socket.addEventListener("close", ({ code }) => resolve({ code, received }));
  });
}

/** Calls while one byte of each answer to a call is flipped on its way to the client; how the calls end. */
async function flipAnswers() {
  let at;
  const flipping = async (input, init) => {
    const response = await fetch(input, init);
    if (at === undefined) return response;
    const answer = new Uint8Array(await response.arrayBuffer());
    return new Response(flipped(answer, at % answer.length), { status: response.status });
  };
  const { kontract, listEntries } = await client(project, url, { transport: "post", fetch: flipping });
  await listEntries();
  const outcomes = {};
  for (const position of Array.from({ length: 40 }, (_, step) => step * 13)) {
    at = position;
    const { name } = await rejection(listEntries());
    outcomes[name] = (outcomes[name] ?? 0) + 1;
    at = undefined;
    await listEntries();
  }
  kontract.close();
  return outcomes;
}

const { handshake, call } = await recordPosts();
const initLength = 16 + new DataView(call.buffer, call.byteOffset).getUint32(8, true);
const [init, frame] = [call.subarray(0, initLength), call.subarray(initLength)];
const sockets = [];
for (let at = 0; at < frame.length; at += 7) sockets.push(await closing([init, flipped(frame, at)]));
sockets.push(await closing([flipped(init, 40), frame]), await closing([frame]), await closing(["text"]));

print({
  unchanged: [await post(handshake), await post(call)].map(({ status }) => status),
  handshake: { length: handshake.length, outcomes: await flipEverywhere(handshake) },
  call: { length: call.length, outcomes: await flipEverywhere(call) },
  answers: await flipAnswers(),
  closeCodes: [...new Set(sockets.map(({ code }) => code))],
});

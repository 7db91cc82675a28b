// Files and streams as arguments, to the app of fixtures/apps/streams, in Node. Arguments: project, URL, transport, megabytes.

import { client, print, rejection } from "./app.mjs";

const [project, url, transport, megabytes] = process.argv.slice(2);
const { ignore, joined, kontract, lengthOf, lengths, measure, nameOf } = await client(project, url, { transport });

const bytes = new Uint8Array(1_000_000).fill(7);
const file = new File(Array.from({ length: Number(megabytes) }, () => bytes), "numbers.bin", { type: "application/x-numbers", lastModified: 1_000 });

function streamOf(...pieces) {
  return new ReadableStream({
    pull: (controller) => {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
}

/** A stream without an end, which says when nobody wants it any more. */
function endless() {
  let isCancelled = false;
  const stream = new ReadableStream({ pull: (controller) => controller.enqueue(bytes), cancel: () => void (isCancelled = true) });
  return { stream, isCancelled: () => isCancelled };
}

const text = new TextEncoder();
const measured = await measure(file, "with a note");
const both = await joined(new Blob(["first"]), streamOf(text.encode("sec"), text.encode("ond")));
let streamed = 0;
for await (const length of lengths(new File([bytes, bytes], "two.bin"))) streamed += length;
const tooLarge = await rejection(nameOf(new File(Array.from({ length: 11 }, () => bytes), "large.bin")));
const source = endless();
const tooLong = await rejection(lengthOf(source.stream));
const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("the disk is gone")) });
const unreadable = await rejection(lengthOf(broken));
await ignore(new File([bytes, bytes, bytes], "ignored.bin"));
const wrong = await rejection(nameOf("no file"));
const result = {
  measured,
  both,
  streamed,
  names: [await nameOf(new File(["x"], "né.txt")), (await nameOf()) ?? null],
  tooLarge,
  tooLong,
  isCancelled: source.isCancelled(),
  unreadable: [unreadable.name, unreadable.message],
  wrong,
};
kontract.close();
print(result);

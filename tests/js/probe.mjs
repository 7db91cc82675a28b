import { client, rejection } from "./app.mjs";
const [project, url, transport, which] = process.argv.slice(2);
const { ignore, kontract, lengthOf, nameOf } = await client(project, url, { transport });
const bytes = new Uint8Array(1_000_000).fill(7);
const cases = {
  large: () => rejection(nameOf(new File(Array.from({ length: 11 }, () => bytes), "large.bin"))),
  endless: () => rejection(lengthOf(new ReadableStream({ pull: (c) => c.enqueue(bytes), cancel: () => console.log("cancelled") }))),
  broken: () => rejection(lengthOf(new ReadableStream({ pull: (c) => c.error(new Error("the disk is gone")) }))),
  ignored: () => ignore(new File([bytes, bytes, bytes], "ignored.bin")),
};
const start = Date.now();
console.log(which, await cases[which](), Date.now() - start);
kontract.close();
process.on("exit", () => console.log("exit", Date.now() - start));

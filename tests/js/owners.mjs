// 1,000 calls of 20 callers at once; each answer names nobody but its caller. Arguments: project, URL.

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { print } from "./app.mjs";

const [project, url] = process.argv.slice(2);
const CALLERS = 20;
const CALLS = 50;
const names = Array.from({ length: CALLERS }, (_, index) => `caller${index}`);
const callers = await Promise.all(names.map(visitor));

const answers = await Promise.all(
  callers.flatMap(({ mark, look }, caller) =>
    Array.from({ length: CALLS }, async (_, call) => ({
      caller,
      lines: call % 10 === 0 ? await mark(call + caller) : await look(call * caller),
    })),
  ),
);
const owners = new Map();
const requests = new Set();
let strangers = 0;
for (const { caller, lines } of answers) {
  const [owner] = lines[0].split(" ");
  owners.set(caller, owners.get(caller) ?? owner);
  const own = new Set(lines.map((line) => line.split(" ")[2]).filter((id) => /^[0-9a-f-]{36}$/.test(id ?? "")));
  if (own.size !== 1) strangers += 1;
  own.forEach((id) => requests.add(id));
  if (!lines.every((line) => line.startsWith(`${owners.get(caller)} `))) strangers += 1;
}
for (const { kontract } of callers) kontract.close();
print({
  answers: answers.length, strangers, owners: new Set(owners.values()).size, requests: requests.size,
  sample: answers[0].lines,
});

/** A copy of the client, so that it has a session and an identity of its own. */
async function visitor(name) {
  const folder = join(project, ".kontract/visitors", name);
  await cp(join(project, "dist/client"), folder, { recursive: true });
  const module = await import(pathToFileURL(join(folder, "index.js")).href);
  module.kontract.configure({ url });
  return module;
}

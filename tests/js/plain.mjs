// Calls the app of fixtures/apps/plain. Arguments: project, URL.

import { client, print } from "./app.mjs";

const [project, url] = process.argv.slice(2);
const { all, drop, kontract, save } = await client(project, url);

const note = await save("hello");
const before = (await all()).length;
await drop(note.id);
const after = (await all()).length;
kontract.close();

/** JSON with marks for what it cannot hold. */
function marked(value) {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(marked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, marked(inner)]));
}

print({ note: marked(note), before, after });

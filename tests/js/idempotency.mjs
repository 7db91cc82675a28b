// One mutation sent twice with one idempotency key. Arguments: project, URL.

import { client, print } from "./app.mjs";

const [project, url] = process.argv.slice(2);
const { createEntry, kontract, listEntries } = await client(project, url);

const once = createEntry.with({ idempotencyKey: "the same" });
const first = await once("Ada", "only once");
const second = await once("Ada", "only once");
const entries = await listEntries();
kontract.close();
print({ first: first.id, second: second.id, stored: entries.filter((entry) => entry.message === "only once").length });

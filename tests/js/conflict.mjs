// Concurrent updates of one row, half of them over WebSocket, half over POST. Arguments: project, URL, number of calls.

import { client, print } from "./app.mjs";

const [project, url, count] = process.argv.slice(2);
const { createEntry, getEntry, kontract, updateEntry } = await client(project, url, { transport: "post" });

const { id } = await createEntry("Ada", "like me");
const likes = Array.from({ length: Number(count) }, () => updateEntry(id, { like: true }));
const seen = (await Promise.all(likes)).map((entry) => entry.likes);
const { likes: stored } = await getEntry(id);
kontract.close();
print({ stored, distinct: new Set(seen).size });

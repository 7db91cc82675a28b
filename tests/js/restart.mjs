// Updates of several rows, some clients over WebSocket and some over POST, for as long as it takes to make so many calls.
// Arguments: project, URL, number of calls.

import { client, print } from "./app.mjs";

const CLIENTS = 8;
const [project, url, count] = process.argv.slice(2);
const { createEntry, getEntry, kontract, updateEntry } = await client(project, url, { transport: "post" });

const failed = [];
const stored = await Promise.all(
  Array.from({ length: CLIENTS }, async () => {
    const { id } = await createEntry("Ada", "like me");
    for (let call = 0; call < Number(count) / CLIENTS; call++) {
      await updateEntry(id, { like: true }).catch((error) => failed.push(String(error)));
    }
    return (await getEntry(id)).likes;
  }),
);
kontract.close();
print({ failed, stored: stored.reduce((sum, likes) => sum + likes, 0) });

// Sends one long stream to the app of fixtures/apps/streams, in Node. Arguments: project, URL, transport, megabytes.

import { client, print } from "./app.mjs";

const [project, url, transport, megabytes] = process.argv.slice(2);
const { counted, kontract } = await client(project, url, { transport });

const piece = new Uint8Array(1_000_000).fill(7);
let left = Number(megabytes);
const stream = new ReadableStream(
  {
    pull: (controller) => {
      if (left-- > 0) controller.enqueue(piece);
      else controller.close();
    },
  },
  { highWaterMark: 0 },
);
const bytes = await counted(stream);
kontract.close();
print({ bytes });

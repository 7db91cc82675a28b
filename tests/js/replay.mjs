// Records the POST bodies of one mutation and sends them again, as somebody on the network could. Arguments: project, URL.

import { client, print } from "./app.mjs";

const [project, url] = process.argv.slice(2);
const bodies = [];
const recording = (input, init) => {
  bodies.push(init.body.slice());
  return fetch(input, init);
};
const { createEntry, kontract, listEntries } = await client(project, url, { transport: "post", fetch: recording });

await listEntries();
bodies.length = 0;
await createEntry("Ada", "recorded");
const [body] = bodies;
const recorded = bodies.length;
const answers = [];
for (let attempt = 0; attempt < 3; attempt += 1) {
  const response = await fetch(`${url}/raystream`, { method: "POST", body });
  answers.push({ status: response.status, bytes: Buffer.from(await response.arrayBuffer()).toString("hex") });
}
const entries = await listEntries();
kontract.close();
print({
  recorded,
  statuses: answers.map(({ status }) => status),
  distinctAnswers: new Set(answers.map(({ bytes }) => bytes)).size,
  stored: entries.filter((entry) => entry.message === "recorded").length,
});

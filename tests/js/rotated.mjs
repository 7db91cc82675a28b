// Calls one endpoint through the clients of two builds. Arguments: URL, folder of a kept client, folder of the current one.

import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { print } from "./app.mjs";

const [url, kept, current] = process.argv.slice(2);

async function outcome(folder) {
  const { kontract, listEntries } = await import(pathToFileURL(join(folder, "index.js")).href);
  kontract.configure({ url, transport: "post" });
  try {
    await listEntries();
    return "answered";
  } catch (error) {
    return error.name;
  } finally {
    kontract.close();
  }
}

print({ kept: await outcome(kept), current: await outcome(current) });

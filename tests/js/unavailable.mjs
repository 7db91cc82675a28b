// A call that cannot be answered. Arguments: project, URL.

import { client, print, rejection } from "./app.mjs";

const [project, url] = process.argv.slice(2);
const { getEntry, kontract } = await client(project, url, { transport: "post" });
const refused = await rejection(getEntry("any"));
kontract.close();
print(refused);

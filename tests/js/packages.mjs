// Calls the app of fixtures/apps/packages. Arguments: project, URL.

import { client, print } from "./app.mjs";

const [project, url] = process.argv.slice(2);
const { kontract, report } = await client(project, url);

print(await report("hello"));
kontract.close();

// Calls one endpoint of any app. Arguments: project, URL, endpoint, its arguments as JSON.

import { client, print } from "./app.mjs";

const [project, url, endpoint, text] = process.argv.slice(2);
const { kontract, [endpoint]: call } = await client(project, url);

print(await call(...JSON.parse(text)));
kontract.close();

// Who sees whose rows through the gateway, while owners are put into tenants and taken out. Arguments: project, URL, the
// administrator's URL of the database.

import { execFileSync } from "node:child_process";

import { client, print } from "./app.mjs";

const [project, url, databaseUrl] = process.argv.slice(2);
const names = ["ann", "carol", "dave", "bob", "nobody"];
const callers = Object.fromEntries(
  await Promise.all(names.map(async (name) => [name, await client(project, url, {}, name)])),
);
const owners = {};
for (const name of names) [owners[name]] = await callers[name].notes();

/** Puts a caller into a tenant, as an administrator does. */
function join(name, ...tenant) {
  execFileSync(process.env.KONTRACT_BIN, ["migrate", "tenant", owners[name], ...tenant, "--database-url", databaseUrl], { cwd: project });
}

/** What each sees, without its own name. */
async function seen() {
  const seen = {};
  for (const name of names) seen[name] = (await callers[name].notes()).slice(1);
  return seen;
}

for (const name of ["ann", "carol", "dave"]) join(name, "acme");
join("bob", "umbrella");
for (const name of names.slice(0, 4)) await callers[name].note(name);
const members = await seen();
join("dave");
const revoked = await seen();
// Its writes go where it is now, and so does what it reads right after.
await callers.dave.note("dave again");
join("dave", "umbrella");
const moved = await seen();
for (const { kontract } of Object.values(callers)) kontract.close();
print({ members, revoked, moved });

// Calls with a refresh token given on the command line. Arguments: project, URL, refresh token.

import { client, print, rejection } from "./app.mjs";

const [project, url, refreshToken] = process.argv.slice(2);
const storage = { getItem: () => refreshToken, setItem: () => undefined, removeItem: () => undefined };
const { createEntry, deleteEntry, getEntry, kontract } = await client(project, url, { storage });

const { id } = await createEntry("Admin", "to be removed");
const deleted = await deleteEntry(id);
const result = { deleted: deleted ?? null, afterwards: await rejection(getEntry(id)) };
kontract.close();
print(result);

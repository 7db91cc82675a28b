// A visitor's calls through the generated client, in Node. Arguments: project, URL, transport.

import { isDeepStrictEqual } from "node:util";

import { client, lazyClient, print, rejection } from "./app.mjs";

const [project, url, transport] = process.argv.slice(2);
const { createEntry, deleteEntry, getEntry, kontract, listEntries, updateEntry } = await client(project, url, { transport });

const created = await createEntry("Ada", "  Hello,   world ");
const read = await getEntry(created.id);
const listed = await listEntries();
const views = await (await lazyClient(project, { url, transport })).listEntries();
const liked = await updateEntry(created.id, { like: true });
const result = {
  created,
  isDate: created.createdAt instanceof Date,
  readsBack: JSON.stringify(read) === JSON.stringify(created),
  listed: listed.length,
  // Field by field, and whole.
  viewed: views.every(({ id, author, message }, at) => id === listed[at].id && author === listed[at].author && message === listed[at].message),
  viewedWhole: isDeepStrictEqual(views.map((view) => view.toJSON()), listed),
  likes: liked.likes,
  forbidden: await rejection(deleteEntry(created.id)),
  missing: await rejection(getEntry("no such id")),
  refusedText: await rejection(createEntry("Eve", "   ")),
  wrongType: await rejection(createEntry("Eve", 7)),
  excess: await rejection(updateEntry(created.id, { like: true, admin: true })),
};
kontract.close();
(await lazyClient(project, {})).kontract.close();
print(result);

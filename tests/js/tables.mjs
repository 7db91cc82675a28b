// Every operation on tables, from a client. Arguments: project, URL, what to do, how often.

import { client, print, rejection } from "./app.mjs";

const [project, url, what, times = "1"] = process.argv.slice(2);

/** Calls of one endpoint, one after the other or all at once. */
const repeated = {
  oneRead: (api) => api.oneRead("i3"),
  readsTogether: (api) => api.readsTogether(),
  blindWrite: (api) => api.blindWrite("blind"),
  readModifyWrite: (api) => api.readModifyWrite("counter"),
};

async function everything(api) {
  const wrote = JSON.parse(await api.write());
  const read = JSON.parse(await api.read());
  const state = await api.snapshot();
  const rewritten = JSON.parse(await api.rewrite(100));
  const past = JSON.parse(await api.before(state));
  const inner = await rejection(api.inner());
  const ids = JSON.parse(await api.anything("SELECT id FROM items ORDER BY id")).map(({ id }) => id);
  const hostile = [];
  for (const statement of ["SELECT * FROM diaries", "DELETE FROM items", "SELECT set_config('a.b', 'c', false)", "SELECT 1; SELECT 2"]) {
    hostile.push(await rejection(api.anything(statement)));
  }
  return { wrote, read, rewritten, past, inner, ids, hostile };
}

async function atOnce(count) {
  const callers = await Promise.all(Array.from({ length: 4 }, (_, at) => client(project, url, {}, `caller${at}`)));
  await Promise.all(callers.flatMap((api) => Array.from({ length: count }, () => api.readModifyWrite("hot"))));
  const last = await callers[0].readModifyWrite("hot");
  callers.forEach(({ kontract }) => kontract.close());
  return { last };
}

async function walks(api) {
  await api.fill(0, 450, 1);
  const walked = {};
  for (const how of ["push", "set", "delete"]) walked[how] = JSON.parse(await api.walk(how));
  return walked;
}

async function large(api) {
  for (let from = 0; from < 40; from += 4) await api.fill(from, 4, 900_000);
  const walked = JSON.parse(await api.walk(""));
  const refused = [await rejection(api.listed(40)), await rejection(api.anything("SELECT repeat('x', 40000000) AS x"))];
  return { walked, refused, listed: await api.listed(10), together: await api.listedTogether(10) };
}

/** Members of whom each has an address of its own, also when all come at once. */
async function unique(api) {
  const day = (number) => new Date(Date.UTC(2026, 0, number));
  const callers = await Promise.all(Array.from({ length: 4 }, (_, at) => client(project, url, {}, `caller${at}`)));
  const outcomes = await Promise.allSettled(callers.flatMap((api, at) => [api.join(`a${at}`, "ann@x", day(at + 1)), api.join(`b${at}`, "bob@x", day(at + 11))]));
  callers.forEach(({ kontract }) => kontract.close());
  const refused = outcomes.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  const errors = new Set(refused.map(({ name, status, code, message }) => JSON.stringify({ name, status, code, message })));
  const [ann, bob] = (await api.members()).map((member) => member.split(" ")[0]);
  await api.swap(ann, bob);
  const swapped = (await api.members()).map((member) => member.split(" ")[1]);
  await api.join("c", "cleo@x", day(21));
  const { message } = await rejection(api.join("d", "dan@x", day(21)));
  return { refused: refused.length, errors: [...errors].map((text) => JSON.parse(text)), swapped, message, tries: [await api.tries("cleo@x"), await api.tries("eve@x")] };
}

const api = await client(project, url);
if (what === "everything") print(await everything(api));
else if (what === "walks") print(await walks(api));
else if (what === "large") print(await large(api));
else if (what === "note") print({ seen: await api.note(times) });
else if (what === "notes") print({ seen: await api.notes() });
else if (what === "pins") print([JSON.parse(await api.pinned()), await api.unpinned(""), await rejection(api.unpinned("secret too"))]);
else if (what === "unique") print(await unique(api));
else if (what === "atOnce") print(await atOnce(Number(times)));
else {
  for (let done = 0; done < Number(times); done += 1) await repeated[what](api);
  print({ done: Number(times) });
}
api.kontract.close();

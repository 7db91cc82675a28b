// Loads the generated client of a project and points it at a server.

import { cpSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * The client's module, as a Node program would import it. Each `instance` is a client of its own, with its own session: a copy,
 * because a module's files share what they import.
 */
export async function client(project, url, options = {}, instance = undefined) {
  const folder = join(project, "dist", instance === undefined ? "client" : join("instances", encodeURIComponent(instance)));
  if (instance !== undefined) cpSync(join(project, "dist/client"), folder, { recursive: true });
  const module = await import(pathToFileURL(join(folder, "index.js")).href);
  module.kontract.configure({ url, ...options });
  return module;
}

/** The endpoints whose results are read where they are looked at, over a connection of their own. */
export async function lazyClient(project, options) {
  const load = (name) => import(pathToFileURL(join(project, `dist/client/${name}.js`)).href);
  const { kontract } = await load("kontract");
  kontract.configure(options);
  return { ...(await load("lazy")), kontract };
}

/** The error that a promise rejects with, as plain data. */
export async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return { name: error.name, status: error.status, code: error.code, message: error.message };
  }
  throw new Error("expected a rejection");
}

export function print(value) {
  process.stdout.write(JSON.stringify(value));
}

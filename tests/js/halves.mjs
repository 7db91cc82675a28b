// What a page gets of a module with endpoints: from the client, and as the module was written. Argument: project.

import { join } from "node:path";

import { build } from "esbuild";

import { print } from "./app.mjs";

const [project] = process.argv.slice(2);
process.env.KONTRACT_URL = "http://127.0.0.1";

async function report(name, api) {
  const outfile = join(project, "bundled", `${name}.mjs`);
  const { warnings } = await build({
    entryPoints: [join(project, "src/page.ts")],
    bundle: true,
    format: "esm",
    outfile,
    alias: { "@/client/api": join(project, api) },
    logLevel: "silent",
  });
  delete globalThis.polyfilled;
  await import(outfile);
  return { warnings: warnings.map(({ text }) => text), report: globalThis.report };
}

const written = await report("written", "src/api.ts");
print({ written, client: await report("client", "dist/client/api.js") });

// What Chromium's WebCrypto does, beside the packages that stand in for it, and the protocol's vectors with it.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { print } from "./app.mjs";
import { withChromium } from "./chromium.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const testing = join(root, "npm/kontract/src/testing");

const { outputFiles } = await build({
  stdin: {
    contents: `export * from "./primitives.ts"; export * from "./replay.ts";`,
    resolveDir: testing,
  },
  bundle: true,
  format: "esm",
  target: "es2022",
  write: false,
  logLevel: "error",
});
const vectors = await Promise.all(
  ["suite1", "suite2"].map(async (name) => JSON.parse(await readFile(join(root, `fixtures/vectors/raystream/${name}.json`), "utf8"))),
);
const server = createServer((request, response) => {
  const isScript = request.url === "/checks.js";
  response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
  response.end(isScript ? outputFiles[0].contents : "<!doctype html><title>checks</title>");
});
await new Promise((resolve) => server.listen(0, "localhost", resolve));
try {
  print(
    await withChromium(async (context) => {
      const page = await context.newPage();
      await page.goto(`http://localhost:${server.address().port}/`);
      return page.evaluate(async (vectors) => {
        const { compare, expected, replay } = await import("/checks.js");
        const said = await Promise.all(vectors.map(replay));
        return { findings: await compare(), vectors: JSON.stringify(said) === JSON.stringify(vectors.map(expected)) };
      }, vectors);
    }),
  );
} finally {
  server.close();
}

// The emitted client through other bundlers, and then called. Arguments: project, URL.

import { execFile } from "node:child_process";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import webpack from "webpack";

import { print } from "./app.mjs";

const [project, url] = process.argv.slice(2);
const client = join(project, "dist/client");

/** Calls, not methods that happen to have the name. */
const MAKES_CODE = /(?<![.\w$])eval\s*\([^)]*\)(?!\s*\{)|(?<![.\w$])Function\s*\(/u;

/** Bundles of both kinds are browsers' modules; what they print is what the endpoint answered. */
const CALLS = `import { kontract, title } from ${JSON.stringify(join(client, "index.js"))};
kontract.configure({ url: ${JSON.stringify(url)} });
console.log(await title());
kontract.close();`;

async function withEsbuild(name, code, minify = true) {
  const outdir = join(project, "bundled", name);
  const { metafile } = await build({
    stdin: { contents: code, resolveDir: project },
    bundle: true,
    splitting: true,
    minify,
    format: "esm",
    outdir,
    metafile: true,
    absWorkingDir: project,
    logLevel: "error",
  });
  return { outdir, entry: join(outdir, "stdin.js"), metafile };
}

async function withWebpack(name, code) {
  const outdir = join(project, "bundled", name);
  const source = join(project, `${name}.mjs`);
  await writeFile(source, code);
  const compiler = webpack({
    mode: "production",
    target: ["web", "es2022"],
    context: project,
    entry: source,
    output: { path: outdir, filename: "main.js", module: true, chunkFormat: "module", chunkLoading: "import", publicPath: "./" },
    experiments: { outputModule: true },
  });
  const stats = await promisify(compiler.run.bind(compiler))();
  await promisify(compiler.close.bind(compiler))();
  if (stats.hasErrors()) throw new Error(stats.toString());
  return { outdir, entry: join(outdir, "main.js") };
}

async function text(folder) {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".js"));
  return (await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")))).join("\n");
}

async function calls({ outdir, entry }) {
  await writeFile(join(outdir, "package.json"), '{ "type": "module" }');
  const { stdout } = await promisify(execFile)(process.execPath, ["--experimental-websocket", entry]);
  const code = await text(outdir);
  return { title: stdout.trim(), eval: MAKES_CODE.test(code), code };
}

/** What a page loads before its first call: the entry and what it imports at once. */
async function eager({ entry, outdir, metafile }) {
  const files = new Set();
  const queue = [Object.keys(metafile.outputs).find((path) => entry.endsWith(path))];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    queue.push(...metafile.outputs[path].imports.filter(({ kind }) => kind === "import-statement").map((found) => found.path));
  }
  const parts = await Promise.all([...files].map((path) => readFile(join(project, path))));
  if (parts.length === 0) throw new Error(`no output in ${outdir}`);
  return parts.reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0);
}

const one = await withEsbuild("esbuild", CALLS);
const esbuild = await calls(one);
const packed = await calls(await withWebpack("webpack", CALLS));
const plain = await calls(await withEsbuild("plain", CALLS, false));
const nothing = await withEsbuild("nothing", `import ${JSON.stringify(join(client, "index.js"))};`);
const result = ({ code: _code, ...rest }) => rest;
print({
  esbuild: { ...result(esbuild), gzip: await eager(one) },
  webpack: result(packed),
  stubs: ["title", "listNotes", "addNote"].filter((name) => plain.code.includes(`name: "${name}"`)),
  nothing: await eager(nothing),
});

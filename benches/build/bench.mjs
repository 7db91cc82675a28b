// `kontract build` and `kontract dev` of a generated app beside bundlers over the same files. `cargo xtask bench build` runs it.
// Arguments: the kontract program, a folder to work in, source files, rounds.

import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { generate } from "./generate.mjs";

const [kontract, work, filesArgument, roundsArgument] = process.argv.slice(2);
const [files, rounds] = [Number(filesArgument), Number(roundsArgument)];
const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
// Not the script in front of it, whose start would count.
const esbuild = require.resolve(`@esbuild/${process.platform}-${process.arch}/bin/esbuild`);
const vite = join(dirname(require.resolve("vite/package.json")), "bin/vite.js");
const app = resolve(work, `app-${files}`);
const out = join(app, "out");

/** As `src/bundle/esbuild.rs` has them. */
const SERVER = [
  "--bundle", "--splitting", "--format=esm", "--target=es2024", "--platform=neutral", "--main-fields=module,main",
  "--conditions=workerd,worker,browser", "--chunk-names=routes/[name]-[hash]", "--external:cloudflare:*", "--external:node:*",
  "--external:./kontract.wasm", "--loader:.wasm=copy", "--sourcemap=linked", "--log-level=error", `--metafile=${join(out, "meta.json")}`,
];
const PAGE = ["src/main.tsx", "--bundle", "--format=esm", "--minify", "--log-level=error", "--define:process.env.NODE_ENV=\"production\""];

const CLEAN = [".kontract", "dist", "out", "docs", "kontract.lock.json", "migrations"];
const trash = resolve(work, "trash");
let cleaned = 0;
/** Moves away what builds made. Removing thousands of files would make ext4 slow in creating others for a minute. */
function clean() {
  const folder = join(trash, String((cleaned += 1)));
  mkdirSync(folder, { recursive: true });
  for (const path of CLEAN) if (existsSync(join(app, path))) renameSync(join(app, path), join(folder, path));
}

/** One run of a program, with what it cost. */
function measured(command, environment = {}) {
  const run = spawnSync("python3", [join(here, "measure.py"), ...command], {
    cwd: app, encoding: "utf8", maxBuffer: 1 << 28, env: { ...process.env, ...environment },
  });
  if (run.status !== 0) throw new Error(`${command.slice(0, 3).join(" ")}: ${run.stderr}`);
  return JSON.parse(run.stdout);
}

const build = (...more) => [kontract, "build", "--project", app, ...more];
const split = [esbuild, ".kontract/server/worker.js", `--outdir=${join(out, "server")}`, ...SERVER];
const page = (client, folder) => [esbuild, ...PAGE, `--outdir=${join(out, folder)}`, `--alias:@/client=${client}`];

// Not what an earlier run has left in the files.
let edits = Math.floor(Date.now() / 1000) % 1_000_000;
/** A statement more in an endpoint. */
function edit(feature) {
  const path = join(app, `src/api/f${feature}.ts`);
  const text = readFileSync(path, "utf8");
  edits += 1;
  writeFileSync(path, text.replace(/const rows: (\w+)\[\] = \[\];.*\n/, `const rows: $1[] = []; void ${edits};\n`));
}

/** Another default of what an endpoint takes, which others might depend on. */
function editSignature(feature) {
  const path = join(app, `src/api/f${feature}.ts`);
  edits += 1;
  writeFileSync(path, readFileSync(path, "utf8").replace(/limit: number = \d+/, `limit: number = ${edits}`));
}

/** Another text in a page. */
function editPage(feature) {
  const path = join(app, `src/ui/f${feature}/View1.tsx`);
  edits += 1;
  writeFileSync(path, readFileSync(path, "utf8").replace(/title = '\w+'/, `title = 'none${edits}'`));
}

const contenders = {
  "kontract build, cold": { prepare: clean, command: build("--no-frontend") },
  "kontract build, nothing edited": { command: build("--no-frontend") },
  "kontract build, an endpoint edited": { prepare: () => edit(7), command: build("--no-frontend") },
  "esbuild, the split server": { command: split },
  "esbuild, the pages on stubs": { command: page("./dist/client/index.js", "app") },
  "esbuild, the server as it is": { command: [esbuild, "plain/server.ts", `--outdir=${join(out, "plain")}`, ...SERVER] },
  "esbuild, the pages with everything": { command: page("./plain/client.ts", "plain-app") },
  "Vite, the pages with everything": {
    command: [process.execPath, vite, "build", "--config", join(here, "vite.config.mjs"), "--logLevel", "error"],
  },
};

const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
function rounds_() {
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, { prepare, command }] of Object.entries(contenders)) {
      prepare?.();
      results[name].push(measured(command));
    }
  }
}

/** Milliseconds from an edit on disk to the event that says that the new code is served, and the memory after each. */
async function develop(count) {
  const child = spawn(kontract, ["dev", "--json", "--port", "0", "--no-frontend", "--project", app], { stdio: ["ignore", "pipe", "inherit"] });
  const events = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const wait = async (name) => {
    for (;;) {
      const { value, done } = await events.next();
      if (done) throw new Error("kontract dev ended");
      const event = JSON.parse(value);
      if (event.event === "diagnostics") throw new Error(value);
      if (event.event === name) return event;
    }
  };
  await wait("ready");
  const [times, pages, signatures, memory] = [[], [], [], []];
  for (let index = 0; index < count; index += 1) {
    const changes = [[edit, times], [editPage, pages]];
    if (index % 3 === 2) changes.push([editSignature, signatures]);
    for (const [change, found] of changes) {
      const began = performance.now();
      change(index % 5);
      await wait("rebuilt");
      found.push(performance.now() - began);
    }
    memory.push(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))[1]) / 1024);
  }
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
  return { times, pages, signatures, memory };
}

/** esbuild's own incremental rebuild of the split server. */
async function esbuildRebuilds(count) {
  const { context } = await import("esbuild");
  const options = {
    absWorkingDir: app, entryPoints: [".kontract/server/worker.js"], outdir: join(out, "incremental"), bundle: true, splitting: true,
    format: "esm", target: "es2024", platform: "neutral", mainFields: ["module", "main"], conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*", "./kontract.wasm"], sourcemap: "linked", metafile: true, logLevel: "error",
  };
  const bundler = await context(options);
  await bundler.rebuild();
  const times = [];
  for (let index = 0; index < count; index += 1) {
    const path = join(app, `.kontract/server/src/api/f${index % 5}.js`);
    writeFileSync(path, `${readFileSync(path, "utf8")}\nvoid ${index};\n`);
    const began = performance.now();
    await bundler.rebuild();
    times.push(performance.now() - began);
  }
  await bundler.dispose();
  return times;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const row = (name, values) => {
  const of = (pick) => values.map(pick);
  const [wall, cpu] = [of((run) => run.wall), of((run) => run.cpu)];
  const memory = Math.max(...of((run) => run.kilobytes)) / 1024;
  return `| ${name} | ${median(wall).toFixed(0)} (${Math.min(...wall).toFixed(0)}) | ${median(cpu).toFixed(0)} | ${memory.toFixed(0)} |`;
};

if (!existsSync(join(app, "src"))) generate(app, files);
cpSync(join(here, "index.html"), join(app, "index.html"));
rounds_();
console.log(`\n${files} files, ${files / 5} endpoints, ${rounds} rounds\n\n| | ms, median (least) | processor ms | peak MB |\n|---|---|---|---|`);
for (const [name, values] of Object.entries(results)) console.log(row(name, values));
const least = (name, key) => Math.min(...results[name].map((run) => run[key]));
for (const key of ["wall", "cpu"]) {
  const [ours, theirs, pages] = ["kontract build, cold", "esbuild, the split server", "esbuild, the pages on stubs"].map((name) => least(name, key));
  console.log(`${key}: server alone ${(ours / theirs).toFixed(2)} times esbuild, with the pages ${((ours + pages) / (theirs + pages)).toFixed(2)} times`);
}
const rebuilds = await esbuildRebuilds(8);
console.log(`esbuild's incremental rebuild: ${median(rebuilds).toFixed(0)} ms (${Math.min(...rebuilds).toFixed(0)})`);
const { times, pages, signatures, memory } = await develop(Number(process.env.EDITS ?? 12));
console.log(`kontract dev, an endpoint edited: ${median(times).toFixed(0)} ms (${Math.min(...times).toFixed(0)})`);
console.log(`kontract dev, a page edited: ${median(pages).toFixed(0)} ms (${Math.min(...pages).toFixed(0)})`);
console.log(`kontract dev, a signature edited: ${median(signatures).toFixed(0)} ms (${Math.min(...signatures).toFixed(0)})`);
rmSync(trash, { recursive: true, force: true });
console.log(`kontract dev, memory: ${memory[0].toFixed(0)} MB after the first edit, ${memory.at(-1).toFixed(0)} after ${memory.length}`);

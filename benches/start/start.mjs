// Time to the first answer of a Worker with many endpoints, loaded lazily and eagerly, beside an empty Worker.
// `cargo xtask bench start` runs it. Arguments: the kontract program, a folder to work in, rounds.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [kontract, folder, roundsArgument] = process.argv.slice(2);
const rounds = Number(roundsArgument);
const require = createRequire(import.meta.url);
const workerd = require.resolve(`@cloudflare/workerd-linux-64/bin/workerd`);
const PER_MODULE = 10;
const KEYS = { KONTRACT_KEY: 1, KONTRACT_BACKUP_KEY: 2, KONTRACT_IDENTITY_KEY: 3 };
const environment = {
  ...Object.fromEntries(Object.entries(KEYS).map(([name, byte]) => [name, Buffer.alloc(32, byte).toString("base64url")])),
  // No endpoint of these apps asks the database anything.
  DATABASE_URL: "postgres://kt_gateway@127.0.0.1:9/none",
};

/** An app of so many endpoints, ten to a module, each with a type of its own and something to do. */
function generate(name, endpoints, eager) {
  const project = join(folder, name);
  rmSync(project, { recursive: true, force: true });
  mkdirSync(join(project, "src"), { recursive: true });
  writeFileSync(join(project, "kontract.json"), JSON.stringify({ name: "start", cookbook: false, plan: "none", eager }));
  const vars = Object.entries(environment).filter(([key]) => key in KEYS);
  writeFileSync(join(project, ".dev.vars"), vars.map(([key, value]) => `${key}=${value}\n`).join(""));
  for (let module = 0; module * PER_MODULE < endpoints; module += 1) {
    const texts = [`import { backend } from 'kontract';`];
    for (let index = module * PER_MODULE; index < Math.min((module + 1) * PER_MODULE, endpoints); index += 1) {
      texts.push(`
interface Order${index} { id: string; at: Date; lines: { sku: string; count: number; price: number }[]; note?: string }
interface Total${index} { id: string; sum: number; count: number; warnings: string[] }
const limits${index} = new Map([['book', ${index + 1}], ['pen', ${index + 2}], ['lamp', ${index + 3}]]);
export const total${index} = backend({ egroup: 'orders' }, async (order: Order${index}): Promise<Total${index}> => {
  const warnings: string[] = [];
  let sum = 0;
  let count = 0;
  for (const line of order.lines) {
    const limit = limits${index}.get(line.sku);
    if (limit !== undefined && line.count > limit) warnings.push(\`at most \${limit} of \${line.sku} in order ${index}\`);
    sum += line.count * line.price;
    count += line.count;
  }
  if (order.note !== undefined && order.note.length > 200) warnings.push('the note of order ${index} is long');
  return { id: order.id, sum, count, warnings };
});`);
    }
    writeFileSync(join(project, `src/orders${module}.ts`), texts.join("\n"));
  }
  const built = spawnSync(kontract, ["build", "--project", project, "--json"], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(built.stderr);
  const worker = built.stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line)).find((event) => event.event === "worker");
  return { project, endpoints, gzipBytes: worker.gzipBytes };
}

/** Starts workerd, and resolves with its port and the time that it took to listen. */
async function start(cwd, config, options) {
  const began = performance.now();
  const child = spawn(workerd, ["serve", config, "--control-fd=3", ...options], {
    cwd, env: environment, stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface({ input: child.stdio[3] })) {
    const message = JSON.parse(line);
    if (message.event === "listen") return { child, began, port: message.port, listening: performance.now() - began };
  }
  throw new Error(`${config}: workerd ended`);
}

async function stop(child) {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

async function emptyRound() {
  const running = await start(folder, "empty.capnp", []);
  await (await fetch(`http://127.0.0.1:${running.port}/`)).text();
  const answered = performance.now() - running.began;
  await stop(running.child);
  return { listening: running.listening, answered };
}

let instance = 0;

async function round(app) {
  const disk = join(app.project, "objects");
  mkdirSync(disk, { recursive: true });
  instance += 1;
  const client = pathToFileURL(join(app.project, "dist/client/index.js")).href;
  const { kontract: runtime, ...api } = await import(`${client}?${instance}`);
  const options = ["--socket-addr=http=127.0.0.1:0", `--directory-path=objects=${disk}`, `--directory-path=assets=${disk}`];
  const running = await start(join(app.project, "dist/server"), "workerd.capnp", options);
  runtime.configure({ url: `http://127.0.0.1:${running.port}`, transport: "post" });
  const order = { id: "a", at: new Date(0), lines: [{ sku: "pen", count: 2, price: 3 }] };
  // The identity and the session come with the first call; what is asked second has its module still to load.
  await api[`total0`](order);
  const answered = performance.now() - running.began;
  const from = performance.now();
  const { sum } = await api[`total${app.endpoints - 1}`](order);
  const second = performance.now() - from;
  if (sum !== 6) throw new Error(`the answer is ${sum}`);
  runtime.close();
  await stop(running.child);
  return { listening: running.listening, answered, second };
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.round((sorted.length - 1) * share)].toFixed(0);
  return `${at(0.5)} (${at(0)}–${at(1)})`;
}

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "empty.js"), "export default { fetch() { return new Response('empty'); } };\n");
const date = /compatibilityDate = "([^"]+)"/;
const apps = [];
for (const endpoints of [1, 10, 100, 1000]) {
  for (const eager of endpoints === 1 ? [false] : [false, true]) {
    const app = generate(`${endpoints}-${eager ? "eager" : "lazy"}`, endpoints, eager);
    apps.push({ ...app, label: `${endpoints}, ${eager ? "eager" : "lazy"}`, rounds: [] });
  }
}
const [, compatibilityDate] = date.exec(readFileSync(join(apps[0].project, "dist/server/workerd.capnp"), "utf8"));
writeFileSync(join(folder, "empty.capnp"), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const main :Workerd.Worker = (modules = [(name = "empty.js", esModule = embed "empty.js")], compatibilityDate = "${compatibilityDate}");
`);
const empty = [];
for (let turn = 0; turn < rounds; turn += 1) {
  empty.push(await emptyRound());
  for (const app of apps) app.rounds.push(await round(app));
}

console.log("| endpoints | gzip kB | listening ms | first answer ms | next module's first answer ms |");
console.log("|---|---|---|---|---|");
console.log(`| empty Worker | | ${spread(empty.map((r) => r.listening))} | ${spread(empty.map((r) => r.answered))} | |`);
for (const { label, gzipBytes, rounds: measured } of apps) {
  const of = (key) => spread(measured.map((result) => result[key]));
  console.log(`| ${label} | ${Math.ceil(gzipBytes / 1000)} | ${of("listening")} | ${of("answered")} | ${of("second")} |`);
}

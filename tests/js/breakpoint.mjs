// Sets a breakpoint on a line of a source, through workerd's inspector, and calls an endpoint. Arguments: project, URL of the
// app, URL of the inspector, source, line.

import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { client, print } from "./app.mjs";

const [project, url, inspector, source, line] = process.argv.slice(2);
const targets = await (await fetch(`${inspector}/json`)).json();
const socket = new WebSocket(targets[0].webSocketDebuggerUrl);
await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));

let last = 0;
const waiting = new Map();
const scripts = [];
let paused;
const pause = new Promise((resolve) => (paused = resolve));
socket.onmessage = ({ data }) => {
  const { id, method, params, result, error } = JSON.parse(data);
  if (id !== undefined) waiting.get(id)(error ?? result);
  if (method === "Debugger.scriptParsed") scripts.push(params);
  if (method === "Debugger.paused") paused(params);
};
const send = (method, params = {}) =>
  new Promise((resolve) => {
    waiting.set(++last, resolve);
    socket.send(JSON.stringify({ id: last, method, params }));
  });

await send("Debugger.enable");
const place = await generatedPlace(source, Number(line));
const set = await send("Debugger.setBreakpointByUrl", {
  urlRegex: `(^|/)${place.module.replaceAll(".", "\\.")}$`,
  lineNumber: place.line,
  columnNumber: place.column,
});
const { kontract, pay } = await client(project, url);
const answer = pay(10, "food");
const { callFrames } = await pause;
const [{ functionName, location, scopeChain }] = callFrames;
const local = scopeChain.find(({ type }) => type === "local") ?? scopeChain[0];
const { result } = await send("Runtime.getProperties", { objectId: local.object.objectId, ownProperties: true });
await send("Debugger.resume");
const value = await answer;
kontract.close();
socket.close();
print({
  functionName, value, set, line: location.lineNumber === place.line,
  amount: result.find(({ name }) => name === "amount")?.value?.value,
  sourceMapURLs: scripts.map(({ sourceMapURL }) => sourceMapURL).filter(Boolean),
});

/** The first place of a module of the server that comes from the line. */
async function generatedPlace(wanted, wantedLine) {
  const manifest = JSON.parse(await readFile(join(project, ".kontract/outputs.json"), "utf8"));
  const files = Array.isArray(manifest) ? manifest : Object.keys(manifest.files ?? manifest);
  for (const path of files.filter((file) => file.startsWith(".kontract/server/") && file.endsWith(".js.map"))) {
    const { sources, mappings } = JSON.parse(await readFile(join(project, path), "utf8"));
    const index = sources.findIndex((one) => posix.join(posix.dirname(path), one) === wanted);
    if (index < 0) continue;
    let [from, sourceLine] = [0, 0];
    for (const [generated, segments] of mappings.split(";").entries()) {
      let column = 0;
      for (const segment of segments.split(",").filter(Boolean)) {
        const [toColumn, toSource = 0, toLine = 0] = fields(segment);
        [column, from, sourceLine] = [column + toColumn, from + toSource, sourceLine + toLine];
        if (from === index && sourceLine === wantedLine - 1) {
          return { module: path.slice(0, -".map".length), line: generated, column };
        }
      }
    }
  }
  throw new Error(`no map has ${wanted}:${wantedLine}`);
}

function fields(segment) {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const values = [];
  let [value, shift] = [0, 0];
  for (const character of segment) {
    const digit = digits.indexOf(character);
    value += (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) === 0) {
      values.push(value & 1 ? -(value >> 1) : value >> 1);
      [value, shift] = [0, 0];
    }
  }
  return values;
}

// Generates codecs and what the peers need, bundles, and measures: `node run.mjs KONTRACT`, with the path of the program.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const run = (program, args, env = {}) => {
  const { status, error } = spawnSync(program, args, { cwd: here, stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) throw error ?? new Error(`${program} ended with ${status}`);
};

const [kontract] = process.argv.slice(2);
// A build needs keys; these open nothing.
const key = (byte) => Buffer.alloc(32, byte).toString('base64url');
run(kontract, ['build', '--project', '.'], { KONTRACT_KEY: key(1), KONTRACT_BACKUP_KEY: key(2), KONTRACT_IDENTITY_KEY: key(3) });
fs.rmSync(`${here}made`, { recursive: true, force: true });
fs.mkdirSync(`${here}made`);
run('flatc', ['--ts', '--gen-object-api', '-o', 'made', 'messages.fbs']);
run('node_modules/.bin/buf', ['generate', '.', '--path', 'messages.proto']);
const wire = `--alias:kontract/wire=${here}../../npm/kontract/src/wire/index.ts`;
const bundle = (entry, ...options) =>
  run(`${modules}/.bin/esbuild`, [`bench/${entry}`, '--bundle', '--format=esm', `--outfile=made/${entry}`, wire, '--log-level=warning', ...options]);
bundle('node.js', '--platform=node');
bundle('workerd.js', '--platform=node');
// workerd compiles no code from text, so that these two run as their authors provide for it.
bundle('worker.js', '--conditions=workerd,worker,browser', '--platform=browser', '--alias:cbor-x=cbor-x/index-no-eval', '--alias:msgpackr=msgpackr/index-no-eval');
run(process.execPath, ['made/node.js']);
run(process.execPath, ['made/workerd.js', `${modules}/@cloudflare/workerd-linux-64/bin/workerd`, here]);

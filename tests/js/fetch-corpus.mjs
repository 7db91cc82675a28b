// Fetches npm packages as they were published, without installing them: no script of theirs runs.
//
// node fetch-corpus.mjs <list> <folder>   list: [{ name, version, integrity }]; prints [{ name, folder }]
//
// A package that does not have the listed hash is an error. What was fetched stays in the folder.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const AT_ONCE = 4;
const run = promisify(execFile);
const [list, folder] = process.argv.slice(2);
const packages = JSON.parse(await readFile(list, 'utf8'));
await mkdir(folder, { recursive: true });

const waiting = [...packages];
const workers = Array.from({ length: AT_ONCE }, async () => {
  for (let next = waiting.shift(); next; next = waiting.shift()) await fetchPackage(next);
});
await Promise.all(workers);
console.log(JSON.stringify(packages.map((item) => ({ name: item.name, folder: target(item) }))));

// The hash is part of the name, so that a changed list never meets an older package.
function target({ name, version, integrity }) {
  const hash = createHash('sha256').update(integrity).digest('hex').slice(0, 8);
  return join(folder, `${name.replace('/', '+')}-${version}-${hash}`);
}

async function fetchPackage(item) {
  if (existsSync(target(item))) return;
  const work = await mkdtemp(join(folder, '.fetching-'));
  try {
    const spec = `${item.name}@${item.version}`;
    const pack = ['pack', spec, '--json', '--ignore-scripts', '--pack-destination', work];
    const { stdout } = await run('npm', pack, { maxBuffer: 64 * 1024 * 1024 });
    const [{ filename }] = Object.values(JSON.parse(stdout));
    const archive = join(work, filename.replace('@', '').replace('/', '-'));
    const found = `sha512-${createHash('sha512').update(await readFile(archive)).digest('base64')}`;
    if (found !== item.integrity) throw new Error(`${spec} has the hash ${found}`);
    const unpacked = join(work, 'unpacked');
    await mkdir(unpacked);
    await run('tar', ['-xzf', archive, '-C', unpacked, '--no-same-owner']);
    // Two processes may fetch at once; who comes second finds the folder there.
    await rename(unpacked, target(item)).catch((error) => {
      if (!existsSync(target(item))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

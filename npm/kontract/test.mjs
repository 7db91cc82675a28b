// Runs the built tests with node's own runner, naming each file: how `node --test` finds files differs between Node 20 and 22.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(join(root, 'dist-test'), { recursive: true })
  .filter((path) => path.endsWith('.test.js') && (wanted.length === 0 || wanted.some((part) => path.includes(part))))
  .map((path) => join('dist-test', path))
  .sort();
if (files.length === 0) throw new Error('no test file');
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);

// Builds the package with esbuild: every `src/index.ts` and `src/<name>/index.ts` is an entry. What entries share goes into common
// chunks, so that a class imported through two entries is one class. With `--tests`, builds `src/**/*.test.ts` instead.
import { build } from 'esbuild';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const tests = process.argv.includes('--tests');
const outdir = join(root, tests ? 'dist-test' : 'dist');

function entries() {
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return ['src/index.ts', ...folders.map((folder) => `src/${folder.name}/index.ts`)]
    .filter((path) => existsSync(join(root, path)))
    .sort();
}

function testFiles() {
  return readdirSync(join(root, 'src'), { recursive: true })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('src', path))
    .sort();
}

rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: tests ? testFiles() : entries(),
  outdir,
  outbase: 'src',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: tests ? 'node' : 'neutral',
  target: 'es2022',
  // Writes constants where they are used, which an application's bundler could not do from here on.
  minifySyntax: true,
  packages: 'external',
  external: ['cloudflare:*'],
  sourcemap: true,
  legalComments: 'none',
  logLevel: 'warning',
});

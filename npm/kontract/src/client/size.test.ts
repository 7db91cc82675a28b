// The client's weight, as a browser downloads it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** What a page may have to load for its first call in suite 2. */
const BROTLI_LEN_MAX = 30_000;

async function bundle(code: string): Promise<Map<string, number>> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: 'src' },
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    outdir: 'out',
    write: false,
    logLevel: 'silent',
  });
  return new Map(outputFiles.map(({ path, contents }) => [path, brotliCompressSync(contents).length]));
}

test('client, protocol and ML-KEM stay within the budget', async () => {
  const files = await bundle("import { createClient } from './client/index.ts'; globalThis.client = createClient(globalThis.pins);");
  // The stand-in for platforms without X25519 is a file of its own that other platforms never load.
  const loaded = [...files].filter(([path]) => !path.includes('ed25519'));
  assert.ok(loaded.some(([path]) => path.includes('ml-kem')), 'ML-KEM is a file of its own, loaded when needed');
  const total = loaded.reduce((sum, [, length]) => sum + length, 0);
  assert.ok(total <= BROTLI_LEN_MAX, `${total} bytes`);
});

test('what is not used is not shipped', async () => {
  const files = await bundle("import { perms } from './index.ts'; globalThis.rwx = perms.RWX;");
  const total = [...files.values()].reduce((sum, length) => sum + length, 0);
  assert.ok(total < 500, `${total} bytes`);
});

/** What every generated codec imports. */
const CODEC = "import { Reader, arity, own, shape, writer } from './wire/index.ts'; globalThis.codec = [Reader, arity, own, shape, writer];";

test('codecs carry FlexBuffers, unions, collections and views only where they are needed', async () => {
  const plain = await code(CODEC);
  const whole = await code("import * as wire from './wire/index.ts'; globalThis.codec = wire;");
  for (const text of ['refers to itself', 'unknown member of a union', 'key twice', 'text of another form', 'toJSON']) {
    assert.ok(whole.includes(text), `the runtime has: ${text}`);
    assert.ok(!plain.includes(text), `a plain codec has not: ${text}`);
  }
  assert.ok(gzipSync(plain).length <= CODEC_GZIP_LEN_MAX, `${gzipSync(plain).length} bytes`);
});

async function code(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: 'src' },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles.map(({ text }) => text).join('');
}

/** Of the client's 12 kB. */
const CODEC_GZIP_LEN_MAX = 3_700;

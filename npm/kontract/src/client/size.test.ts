// The client's weight, as a browser downloads it: each file by itself, minified and compressed.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Metafile, build } from 'esbuild';

/** What a page loads before its first call where the platform has all algorithms: runtime, encryption and codecs. */
const CLIENT_GZIP_LEN_MAX = 12_000;

/** What it loads besides where the platform lacks one of them, and for a WebSocket. */
const EXTRA_GZIP_LEN_MAX = { socket: 1_700, chacha: 5_500, 'ml-kem': 12_500, x25519: 14_500, hash: 5_500 };

/** Of the client's. */
const CODEC_GZIP_LEN_MAX = 3_700;

/** The client that the compiler writes for the guestbook, whose pinned keys are short. */
const GUESTBOOK = `import { api } from ${JSON.stringify(resolve('../../fixtures/stubgen/guestbook/kontract/client/index.js'))}; globalThis.api = api;`;

class Bundle {
  readonly #outputs: Metafile['outputs'];
  readonly #gzipLens: ReadonlyMap<string, number>;

  private constructor(outputs: Metafile['outputs'], gzipLens: ReadonlyMap<string, number>) {
    this.#outputs = outputs;
    this.#gzipLens = gzipLens;
  }

  static async of(contents: string): Promise<Bundle> {
    const { outputFiles, metafile } = await build({
      stdin: { contents, resolveDir: 'src' },
      alias: { kontract: resolve('src/index.ts'), 'kontract/client': resolve('src/client/index.ts'), 'kontract/wire': resolve('src/wire/index.ts') },
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      outdir: 'out',
      write: false,
      metafile: true,
      logLevel: 'silent',
    });
    const lengths = outputFiles.map(({ path, contents }) => [path, gzipSync(contents, { level: 9 }).length] as const);
    const outputs = Object.keys(metafile.outputs).map((output) => {
      const [, length] = lengths.find(([path]) => path.endsWith(output)) ?? assert.fail(output);
      return [output, length] as const;
    });
    return new Bundle(metafile.outputs, new Map(outputs));
  }

  /** Bytes that come with the page. */
  get eager(): number {
    return this.#length(this.#reached(this.#named('stdin')));
  }

  /** Bytes that come with the first use of the file of this name, on top of the page's. */
  extra(name: string): number {
    const eager = this.#reached(this.#named('stdin'));
    return this.#length(new Set([...this.#reached(this.#named(name))].filter((path) => !eager.has(path))));
  }

  #named(name: string): string {
    return [...this.#gzipLens.keys()].find((path) => path.includes(`/${name}`)) ?? assert.fail(`no file ${name}`);
  }

  #reached(entry: string, found = new Set<string>()): Set<string> {
    if (found.has(entry)) return found;
    found.add(entry);
    for (const { path, kind } of this.#outputs[entry]?.imports ?? []) if (kind === 'import-statement') this.#reached(path, found);
    return found;
  }

  #length(paths: ReadonlySet<string>): number {
    return [...paths].reduce((sum, path) => sum + (this.#gzipLens.get(path) ?? 0), 0);
  }
}

test('runtime, encryption and codecs stay within the budget', async (t) => {
  const guestbook = await Bundle.of(GUESTBOOK);
  t.diagnostic(`before the first call: ${guestbook.eager} bytes`);
  assert.ok(guestbook.eager <= CLIENT_GZIP_LEN_MAX, `${guestbook.eager} bytes`);
  for (const [name, max] of Object.entries(EXTRA_GZIP_LEN_MAX)) {
    t.diagnostic(`${name}: ${guestbook.extra(name)} bytes`);
    assert.ok(guestbook.extra(name) <= max, `${name}: ${guestbook.extra(name)} bytes`);
  }
});

test('what is not used is not shipped', async () => {
  const bundle = await Bundle.of("import { perms } from './index.ts'; globalThis.rwx = perms.RWX;");
  assert.ok(bundle.eager < 500, `${bundle.eager} bytes`);
});

/** What every generated codec imports. */
const CODEC = "import { Reader, own, shape, writer } from './wire/index.ts'; globalThis.codec = [Reader, own, shape, writer];";

test('codecs carry types of values, FlexBuffers, unions, collections and views only where they are needed', async () => {
  const plain = await code(CODEC);
  const whole = await code("import * as wire from './wire/index.ts'; globalThis.codec = wire;");
  for (const text of ['expected an integer', 'date out of range', 'expected a boolean', 'unknown property', 'refers to itself', 'unknown member of a union', 'key twice', 'text of another form', 'toJSON']) {
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

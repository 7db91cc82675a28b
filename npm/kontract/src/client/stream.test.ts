// Streams from the client's loop to the server's generator and from a file to its reader, over both transports.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { HttpError, NotFoundError } from '../errors.js';
import { utf8 } from '../raystream/bytes.js';
import { type Carry, Loopback } from '../testing/loopback.js';
import type { RouteEntry } from '../server/platform.js';
import { streamed } from './stream.js';
import type { CallOptions, EndpointSpec, Rpc, Uploading } from './types.js';
import { uploading } from './upload.js';

const SPEC: EndpointSpec<readonly unknown[], never> = {
  name: 'endpoint',
  route: 1,
  readOnly: true,
  encode: (args) => utf8(JSON.stringify(args)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as never,
};

type Transport = 'socket' | 'post';

function stream<T>(transport: Transport, endpoint: (...args: never[]) => AsyncIterable<T>, upload?: Uploading, entry: Partial<RouteEntry> = {}) {
  const loopback = new Loopback(endpoint, { stream: true, ...entry });
  const spec = upload === undefined ? SPEC : { ...SPEC, upload };
  return streamed<readonly unknown[], T>(spec as EndpointSpec<readonly unknown[], T>, loopback[transport]);
}

/** An endpoint with uploads and a plain result. */
function upload(transport: Transport, endpoint: (...args: never[]) => unknown, entry: Partial<RouteEntry>): Rpc<unknown[], unknown> {
  const carry: Carry = new Loopback(endpoint, entry)[transport];
  const take = uploading((entry.uploads ?? []).map(([place]) => place));
  const bound = (options: CallOptions) => async (...args: unknown[]) => {
    const { args: handles, io } = take(args);
    return SPEC.decode(await carry(SPEC.encode(handles), options, io)) as unknown;
  };
  return Object.assign(bound({}), { with: bound });
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** A stream that never gives anything, and says when nobody wants it any more. */
function stuck() {
  const seen = { isCancelled: false };
  const stream = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined), cancel: () => void (seen.isCancelled = true) }, { highWaterMark: 0 });
  return { stream, seen };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 10_000; tries++) {
    if (isTrue()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail('it did not come true');
}

function silent(t: TestContext): void {
  t.mock.method(console, 'error', () => undefined);
}

/** More than a stack has frames. */
const ITEMS = 20_000;
const BYTES = new Uint8Array(100_000).map((_, index) => index % 256);

for (const transport of ['socket', 'post'] as const) {
  test(`${transport}: a stream may have any number of items`, async () => {
    const count = stream(transport, async function* (to: number) {
      for (let item = 0; item < to; item++) yield item;
    });
    let sum = 0;
    for await (const item of count(ITEMS)) sum += item;
    assert.equal(sum, (ITEMS * (ITEMS - 1)) / 2);
  });

  test(`${transport}: items come in order, and the loop ends with the generator`, async () => {
    const count = stream(transport, async function* (to: number) {
      for (let at = 0; at < to; at++) yield at;
    });
    assert.deepEqual(await all(count(1_000)), Array.from({ length: 1_000 }, (_, at) => at));
    assert.deepEqual(await all(count(0)), []);
  });

  test(`${transport}: an item may be longer than a frame and than the window`, async () => {
    const long = stream(transport, async function* () {
      for (const letter of 'abc') yield letter.repeat(1_500_000);
    });
    assert.deepEqual((await all(long())).map((text) => [text[0], text.length]), [['a', 1_500_000], ['b', 1_500_000], ['c', 1_500_000]]);
  });

  test(`${transport}: items are made as they are taken, and leaving the loop ends the generator`, async () => {
    let made = 0;
    let isEnded = false;
    const many = stream(transport, async function* () {
      try {
        for (;;) {
          made += 1;
          yield 'x'.repeat(65_000);
        }
      } finally {
        isEnded = true;
      }
    });
    let taken = 0;
    for await (const _ of many()) {
      taken += 1;
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(made - taken < 25, `${made} made, ${taken} taken`);
      if (taken === 100) break;
    }
    await until(() => isEnded);
  });

  test(`${transport}: an error arrives behind the items before it`, async (t) => {
    silent(t);
    const fails = stream(transport, async function* () {
      yield 1;
      yield 2;
      throw new NotFoundError('no three');
    });
    const items: number[] = [];
    const taking = (async () => {
      for await (const item of fails()) items.push(item);
    })();
    await assert.rejects(taking, (error) => error instanceof NotFoundError && error.message === 'no three');
    assert.deepEqual(items, [1, 2]);
  });

  test(`${transport}: a signal ends both ends, also where the generator waits`, async () => {
    let isEnded = false;
    const stuck = stream(transport, async function* () {
      try {
        for (;;) yield 'x'.repeat(300_000);
      } finally {
        isEnded = true;
      }
    });
    const controller = new AbortController();
    const items = stuck.with({ signal: controller.signal })();
    await items.next();
    controller.abort(new Error('enough'));
    await assert.rejects(all(items), /enough/);
    await until(() => isEnded);
  });

  test(`${transport}: a file keeps its name, type and bytes`, async () => {
    const measure = upload(
      transport,
      async (file: File, note: string) => {
        const { name, type, size, lastModified } = file;
        const bytes = new Uint8Array(await file.arrayBuffer());
        return { name, type, size, lastModified, note, isSame: bytes.every((byte, index) => byte === BYTES[index % BYTES.length]), length: bytes.length };
      },
      { uploads: [[0, 'file']] },
    );
    const file = new File(Array.from({ length: 9 }, () => BYTES), 'né.bin', { type: 'application/x-test', lastModified: 5 });
    const expected = { name: 'né.bin', type: 'application/x-test', size: 900_000, lastModified: 5, note: 'kept', isSame: true, length: 900_000 };
    assert.deepEqual(await measure(file, 'kept'), expected);
    const empty = (await measure(new File([], ''), 'kept')) as { length: number };
    assert.equal(empty.length, 0);
  });

  test(`${transport}: several streams are read in any order`, async () => {
    const join = upload(
      transport,
      async (first: Blob, second: ReadableStream<Uint8Array>) => {
        const behind = await new Response(second as ReadableStream<Uint8Array<ArrayBuffer>>).text();
        return [(await first.text()).length, behind];
      },
      { uploads: [[0, 'blob'], [1, 'stream']] },
    );
    const second = new Response('second').body;
    assert.deepEqual(await join(new Blob(['x'.repeat(700_000)]), second), [700_000, 'second']);
  });

  test(`${transport}: past the limit the call fails, and the rest is not read`, async () => {
    let read = 0;
    let isCancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        read += 1;
        controller.enqueue(BYTES);
      },
      cancel: () => void (isCancelled = true),
    });
    const entry: Partial<RouteEntry> = { uploads: [[0, 'stream']], maxBytes: 1_000_000 };
    const length = upload(transport, async (bytes: ReadableStream<Uint8Array>) => (await new Response(bytes as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer()).byteLength, entry);
    await assert.rejects(length(endless), (error) => error instanceof HttpError && error.status === 413);
    await until(() => isCancelled);
    assert.ok(read < 25, `${read} pieces`);
    const declared = upload(transport, async () => 'not read', { ...entry, uploads: [[0, 'blob']] });
    await assert.rejects(declared(new Blob(Array.from({ length: 11 }, () => BYTES))), (error) => error instanceof HttpError && error.status === 413);
  });

  test(`${transport}: an endpoint that reads nothing keeps nobody waiting`, async () => {
    let read = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        read += 1;
        controller.enqueue(BYTES);
      },
    });
    const ignore = upload(transport, async () => 'done', { uploads: [[0, 'stream']], maxBytes: 1 << 30 });
    assert.equal(await ignore(endless), 'done');
    assert.ok(read < 25, `${read} pieces`);
  });

  test(`${transport}: a source that keeps everybody waiting is cancelled with its call`, async () => {
    const length = upload(transport, async (bytes: ReadableStream<Uint8Array>) => (await new Response(bytes as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer()).byteLength, { uploads: [[0, 'stream']] });
    const { stream, seen } = stuck();
    const controller = new AbortController();
    const calling = length.with({ signal: controller.signal })(stream);
    setImmediate(() => controller.abort(new Error('enough')));
    await assert.rejects(calling, /enough/);
    await until(() => seen.isCancelled);
  });

  test(`${transport}: a file goes up while a result comes down`, async () => {
    const lengths = stream(
      transport,
      async function* (file: File) {
        for await (const piece of file.stream() as unknown as AsyncIterable<Uint8Array>) yield piece.length;
      },
      uploading([0]),
      { uploads: [[0, 'file']] },
    );
    const pieces = await all(lengths(new File([BYTES, BYTES], 'two')));
    assert.equal(pieces.reduce((sum, length) => sum + length, 0), 200_000);
  });
}

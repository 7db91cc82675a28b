// For each message what encodes and decodes it, by library. JSON counts with its bytes, as the others have them.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Decoder as CborDecoder, Encoder as CborEncoder } from 'cbor-x';
import { parse as devalueParse, stringify as devalueStringify } from 'devalue';
import * as flatbuffers from 'flatbuffers';
import { Packr } from 'msgpackr';
import superjson from 'superjson';
import * as client from '../.kontract/client/codecs.js';
import * as lazy from '../.kontract/client/lazy-codecs.js';
import * as server from '../.kontract/server/codecs.js';
import * as fb from '../made/messages_generated.ts';
import * as pb from '../made/messages_pb.js';
import { checks } from './checked.js';
import * as messages from './messages.js';

const utf8 = new TextEncoder();
const text = new TextDecoder();
const jsonEncode = (value) => utf8.encode(JSON.stringify(value));
const jsonDecode = (bytes) => JSON.parse(text.decode(bytes));
const packr = new Packr();
const cborEncoder = new CborEncoder();
const cborDecoder = new CborDecoder();

function checkedJson(check) {
  const refuse = () => {
    throw new TypeError('not of its type');
  };
  return {
    encode: (value) => (check(value) ? jsonEncode(value) : refuse()),
    decode: (bytes) => {
      const value = jsonDecode(bytes);
      return check(value) ? value : refuse();
    },
  };
}

const names = Object.keys(messages);
const each = (make) => Object.fromEntries(names.map((name) => [name, make(name)]));
const upper = (name) => name[0].toUpperCase() + name.slice(1);

/** One number of each of the rows, and all of the first few: what a sum and what a page of a list need. */
const sum = (list) => {
  let total = 0;
  for (const row of list) total += row.score;
  return total;
};
const page = (list) => list.slice(0, 20).map((row) => [row.id, row.author, row.text, row.score, row.likes, row.pinned].join());

/** flatc's object API, which makes objects as the others do; `sum` and `page` read through its accessors. */
function flatc(name) {
  const { [upper(name)]: table } = fb;
  const root = table[`getRootAs${upper(name)}`];
  const toT = { small: smallT, order: orderT, rows: rowsT }[name];
  return {
    encode: (value) => {
      const builder = new flatbuffers.Builder(1024);
      builder.finish(toT(value).pack(builder));
      return builder.asUint8Array();
    },
    decode: (bytes) => root(new flatbuffers.ByteBuffer(bytes)).unpack(),
    sum: (bytes) => {
      const list = root(new flatbuffers.ByteBuffer(bytes));
      let total = 0;
      for (let i = 0, n = list.rowsLength(); i < n; i++) total += list.rows(i).score();
      return total;
    },
    page: (bytes) => {
      const list = root(new flatbuffers.ByteBuffer(bytes));
      return Array.from({ length: 20 }, (_, i) => list.rows(i)).map((row) => [row.id(), row.author(), row.text(), row.score(), row.likes(), row.pinned()].join());
    },
  };
}
const smallT = (v) => new fb.SmallT(v.id, v.name, v.age, v.active);
const addressT = (v) => new fb.AddressT(v.street, v.city, v.zip, fb.Country[v.country]);
const orderT = (v) =>
  new fb.OrderT(
    v.id, v.customer, v.email, fb.Status[v.status], v.createdMs, v.note ?? null, v.tags, addressT(v.billing), addressT(v.shipping),
    v.lines.map((line) => new fb.LineT(line.sku, line.title, line.quantity, line.price)),
  );
const rowsT = (v) => new fb.RowsT(v.map((row) => new fb.RowT(row.id, row.author, row.text, row.score, row.likes, row.pinned)));

function protobuf(name) {
  const schema = pb[`${upper(name)}Schema`];
  const make = {
    small: (v) => v,
    order: (v) => ({
      ...v, status: pb.Status[v.status.toUpperCase()],
      billing: { ...v.billing, country: pb.Country[v.billing.country.toUpperCase()] },
      shipping: { ...v.shipping, country: pb.Country[v.shipping.country.toUpperCase()] },
    }),
    rows: (v) => ({ rows: v }),
  }[name];
  return {
    encode: (value) => toBinary(schema, create(schema, make(value))),
    decode: (bytes) => fromBinary(schema, bytes),
  };
}

/** Peers by name, then by message: `encode(value)`, `decode(bytes)`. */
export const peers = {
  kontract: each((name) => ({
    encode: server[`encode${upper(name)}Response`],
    decode: client[`decode${upper(name)}Response`],
    equal: true,
    ...(name === 'rows' && { sum: (bytes) => sum(lazy.lazyRowsResponse(bytes)), page: (bytes) => page(lazy.lazyRowsResponse(bytes)) }),
  })),
  JSON: each(() => ({
    encode: jsonEncode,
    decode: jsonDecode,
    equal: true,
    sum: (bytes) => sum(jsonDecode(bytes)),
    page: (bytes) => page(jsonDecode(bytes)),
  })),
  'JSON, text only': each(() => ({ encode: (v) => JSON.stringify(v), decode: (t) => JSON.parse(t), equal: true })),
  'JSON + checks': each((name) => ({ ...checkedJson(checks[name]), equal: true })),
  superjson: each(() => ({ encode: (v) => utf8.encode(superjson.stringify(v)), decode: (b) => superjson.parse(text.decode(b)), equal: true })),
  devalue: each(() => ({ encode: (v) => utf8.encode(devalueStringify(v)), decode: (b) => devalueParse(text.decode(b)), equal: true })),
  'flatbuffers (flatc)': each(flatc),
  'protobuf-es': each(protobuf),
  msgpackr: each(() => ({ encode: (v) => packr.pack(v), decode: (b) => packr.unpack(b), equal: true })),
  'cbor-x': each(() => ({ encode: (v) => cborEncoder.encode(v), decode: (b) => cborDecoder.decode(b), equal: true })),
};

export { messages };

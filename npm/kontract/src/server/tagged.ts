// Values that say themselves what they are, as JSON.
//
// What JSON knows lies there as it is. Everything else is an object with one key: { "$date": ISO 8601 }, { "$bigint": digits },
// { "$bytes": base64 }, { "$map": pairs }, { "$set": elements }, { "$number": "NaN" }, { "$undefined": true }. An object that has a
// key with a $ itself is wrapped: { "$object": … }.

/** What cannot be stored; its table and field are added on the way. */
export class RowError extends Error {}

/** A value as JSON that says what it is. */
export function toTagged(value: unknown): unknown {
  return tagged(value, 0);
}

/** The value of what {@link toTagged} made. JSON that it does not make is left as it is. */
export function fromTagged(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(fromTagged);
  const keys = Object.keys(json);
  const [tag] = keys;
  if (keys.length === 1 && tag?.startsWith("$") === true) {
    const read = READERS[tag];
    if (read !== undefined) return read((json as Record<string, unknown>)[tag]);
  }
  return properties(json, fromTagged);
}

function tagged(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $number: Object.is(value, -0) ? "-0" : String(value) };
    case "undefined":
      return { $undefined: true };
    case "bigint":
      return { $bigint: value.toString() };
    case "object":
      return value === null ? null : taggedObject(value, depth + 1);
    default:
      throw new RowError(`a ${typeof value} cannot be stored`);
  }
}

function taggedObject(value: object, depth: number): unknown {
  if (depth > DEPTH_MAX) throw new RowError(`nested deeper than ${DEPTH_MAX}`);
  const inner = (of: unknown): unknown => tagged(of, depth);
  if (value instanceof Date) return { $date: value.toISOString() };
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) };
  if (Array.isArray(value)) return Array.from(value as unknown[], inner);
  if (value instanceof Set) return { $set: Array.from(value as Set<unknown>, inner) };
  if (value instanceof Map) return { $map: Array.from(value as Map<unknown, unknown>, (pair) => pair.map(inner)) };
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new RowError("an instance of a class cannot be stored");
  }
  const object = properties(value, inner);
  return Object.keys(value).some((key) => key.startsWith("$")) ? { $object: object } : object;
}

/** Every property becomes one of the copy, whatever it is called. */
function properties(value: object, convert: (of: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, convert(of)]));
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

const READERS: Record<string, ((json: unknown) => unknown) | undefined> = {
  $number: (json) => Number(json),
  $undefined: () => undefined,
  $bigint: (json) => BigInt(json as string),
  $date: (json) => new Date(json as string),
  $bytes: (json) => fromBase64(json as string),
  $set: (json) => new Set((json as unknown[]).map(fromTagged)),
  $map: (json) => new Map((json as unknown[][]).map((pair) => pair.map(fromTagged) as [unknown, unknown])),
  $object: (json) => properties(json as object, fromTagged),
};

/** As deep as values may be on the wire. */
const DEPTH_MAX = 64;

/** What a codec throws: a value that is not of its declared type, or bytes that are not a message. */

/** A part of a path: the name of a field or parameter, or the index of an element. The empty name is not shown. */
export type PathPart = string | number;

/** A value or message that does not have the declared type. The path says where. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code = 'INVALID_REQUEST';
  readonly status = 400;
  /** Where the value is: `entry.tags[2]`; empty for the message as a whole. */
  readonly path: string;

  constructor(path: string, reason: string) {
    super(path === '' ? reason : `${path}: ${reason}`);
    this.path = path;
  }
}

/** The error for a place below `parts[0..top]`. */
export function wireError(parts: readonly PathPart[], top: number, leaf: PathPart, reason: string): WireError {
  let path = '';
  for (let i = 0; i < top; i++) path = join(path, parts[i] as PathPart);
  return new WireError(join(path, leaf), reason);
}

/** A value of an enum. */
export type Literal = string | number | bigint | boolean | null;

/** `"good" | "bad"`, for "expected …"; a value that is of another type than all of them is described. */
export function shown(values: readonly Literal[], value: unknown): string {
  const first = values.slice(0, VALUES_SHOWN_MAX).map(literal);
  if (values.length > VALUES_SHOWN_MAX) first.push('…');
  const alike = values.some((known) => typeof known === typeof value);
  return first.join(' | ') + (alike ? '' : `, got ${describe(value)}`);
}

/** What a value is, for "expected …, got …". Never shows the value itself, which may be secret. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  switch (typeof value) {
    case 'undefined':
      return 'undefined';
    case 'object':
      if (value instanceof Map) return 'a Map';
      if (value instanceof Set) return 'a Set';
      return value instanceof Date ? 'a Date' : 'an object';
    case 'number':
      return Number.isNaN(value) ? 'NaN' : Number.isInteger(value) ? 'an integer' : 'a number';
    default:
      return `a ${typeof value}`;
  }
}

function literal(value: Literal): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'bigint' ? `${value}n` : String(value);
}

function join(path: string, part: PathPart): string {
  if (typeof part === 'number') return `${path}[${part}]`;
  if (part === '') return path;
  const name = part.length > NAME_LEN_MAX ? `${part.slice(0, NAME_LEN_MAX)}…` : part;
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*…?$/u.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === '' ? name : `${path}.${name}`;
}

/** Names of unknown properties come from the caller, so that they are cut, in UTF-16 units. */
const NAME_LEN_MAX = 64;

/** Longer enums are cut in messages. */
const VALUES_SHOWN_MAX = 16;

// Rows as JSON: what JavaScript has and JSON has not travels as text and comes back as what it was.
//
// Date → ISO 8601, bigint → decimal digits, Uint8Array → base64. The table's shape says which paths to bring back.

import type { TableShape } from "./platform.js";

/** A row as endpoints see it. */
export type Row = Record<string, unknown>;

/** A row, or a part of one, as JSON text; throws a `TypeError` that names the table for what cannot be stored. */
export function rowToJson(table: string, row: Row): string {
  return JSON.stringify(row, (field, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    if (value instanceof Uint8Array) return btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join(""));
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new TypeError(`${table}.${field}: ${value} cannot be stored; use null or leave the field out`);
    }
    return value;
  });
}

/** Brings back, in place, what {@link rowToJson} turned into text. */
export function reviver({ dates, bigints, bytes }: Pick<TableShape, "dates" | "bigints" | "bytes">): (row: Row) => Row {
  const paths = [
    ...dates.map((path) => ({ steps: steps(path), revive: (text: string): unknown => new Date(text) })),
    ...bigints.map((path) => ({ steps: steps(path), revive: (text: string): unknown => BigInt(text) })),
    ...bytes.map((path) => ({ steps: steps(path), revive: fromBase64 })),
  ];
  return (row) => {
    for (const path of paths) reviveAt(row, path.steps, 0, path.revive);
    return row;
  };
}

/** The name of a field, or every element of an array. */
type Step = string | undefined;

/** `edits[].at` → `edits`, every element, `at`. */
function steps(path: string): readonly Step[] {
  return path.split(".").flatMap((part): Step[] => {
    const [name, ...arrays] = part.split("[]");
    return [name, ...arrays.map(() => undefined)];
  });
}

function reviveAt(holder: unknown, path: readonly Step[], at: number, revive: (text: string) => unknown): void {
  if (typeof holder !== "object" || holder === null) return;
  const step = path[at];
  const target = holder as Record<string, unknown>;
  for (const key of step === undefined ? Object.keys(target) : [step]) {
    const value = target[key];
    if (at + 1 < path.length) reviveAt(value, path, at + 1, revive);
    else if (typeof value === "string") target[key] = revive(value);
  }
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

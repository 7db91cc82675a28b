// Rows as JSON: what JavaScript has and JSON has not travels in another form and comes back as what it was.
//
// Where the type says what a value is, its form is as plain as can be, so that queries can look into it: Date → ISO 8601,
// bigint → decimal digits, Uint8Array → base64, Set → array, Map → array of pairs. Elsewhere, in unions and in values without
// a type, it says so itself: { "$date": … }.

import { fromBase64, fromTagged, RowError, toBase64, toTagged } from "./tagged.js";

/** A row as endpoints see it. */
export type Row = Record<string, unknown>;

/** Which fields of a table's rows JSON has no form for, by object type. */
export interface RowShape {
  entity: string;
  types: Record<string, Record<string, FormShape>>;
}

/** How one value is converted; `null` where JSON has it as it is. */
export type FormShape =
  | "date"
  | "bigint"
  | "bytes"
  | "any"
  | readonly ["object", string]
  | readonly ["array" | "set" | "record", FormShape | null]
  | readonly ["map", FormShape | null, FormShape | null]
  /** Elements, and which of them stands for any number. */
  | readonly ["tuple", readonly (FormShape | null)[], number | null]
  /** A value or `undefined`, where nothing can be left out; whether `null` is something else. */
  | readonly ["maybe", FormShape | null, boolean];

/** Converters of a table's rows. */
export interface RowForm {
  /** A row, or a part of one, as JSON text; throws a `TypeError` that names the field for what cannot be stored. */
  json(row: Row): string;
  /** Brings back, in place, what `json` turned into something else. Fields that nobody reads go, also those of a row that this call has written. */
  revive(row: Row): Row;
}

/** A converter in both directions. What is not of its type goes through as it is, where that is possible. */
interface Form {
  to(value: unknown): unknown;
  from(json: unknown): unknown;
}

/** Converters of the rows of a table, of which the fields `hidden` may not be read. */
export function rowForm(table: string, { entity, types }: RowShape, hidden: readonly string[] = []): RowForm {
  const objects = new Map<string, Form>();
  const fields = compiled(types[entity] ?? {}, types, objects);
  return {
    json: (row) => JSON.stringify(fields.length === 0 ? row : convertedRow(table, row, fields), checked(table)),
    revive: (row) => {
      for (const name of hidden) delete row[name];
      for (const [name, form] of fields) reviveField(row, name, form);
      return row;
    },
  };
}

type Fields = [string, Form][];

function convertedRow(table: string, row: Row, fields: Fields): Row {
  const copy = { ...row };
  for (const [name, form] of fields) {
    try {
      convertField(copy, name, form);
    } catch (error) {
      if (error instanceof RowError) throw new TypeError(`${table}.${name}: ${error.message}`);
      throw error;
    }
  }
  return copy;
}

function compiled(shapes: Record<string, FormShape>, types: RowShape["types"], objects: Map<string, Form>): Fields {
  return Object.entries(shapes).map(([name, shape]) => [name, formOf(shape, types, objects)]);
}

function formOf(shape: FormShape, types: RowShape["types"], objects: Map<string, Form>): Form {
  if (typeof shape === "string") return SIMPLE[shape];
  const form = (of: FormShape | null): Form => (of === null ? AS_IS : formOf(of, types, objects));
  switch (shape[0]) {
    case "object":
      return objectForm(shape[1], types, objects);
    case "array":
      return arrayForm(form(shape[1]));
    case "record":
      return recordForm(form(shape[1]));
    case "set":
      return setForm(form(shape[1]));
    case "map":
      return mapForm(form(shape[1]), form(shape[2]));
    case "tuple":
      return tupleForm(shape[1].map(form), shape[2]);
    case "maybe":
      return maybeForm(form(shape[1]), shape[2]);
  }
}

const AS_IS: Form = { to: (value) => value, from: (json) => json };

const SIMPLE: Record<"date" | "bigint" | "bytes" | "any", Form> = {
  // JSON.stringify makes text of dates, bigints and bytes.
  date: { to: (value) => value, from: (json) => (typeof json === "string" ? new Date(json) : json) },
  bigint: { to: (value) => value, from: (json) => (typeof json === "string" ? BigInt(json) : json) },
  bytes: { to: (value) => value, from: (json) => (typeof json === "string" ? fromBase64(json) : json) },
  any: { to: toTagged, from: fromTagged },
};

/** The form of an object type, which may be part of itself. */
function objectForm(name: string, types: RowShape["types"], objects: Map<string, Form>): Form {
  const known = objects.get(name);
  if (known !== undefined) return known;
  let fields: Fields = [];
  const form: Form = {
    to: (value) => {
      if (typeof value !== "object" || value === null) return value;
      const copy = { ...value } as Row;
      for (const [field, inner] of fields) convertField(copy, field, inner);
      return copy;
    },
    from: (json) => {
      if (typeof json !== "object" || json === null) return json;
      for (const [field, inner] of fields) reviveField(json as Row, field, inner);
      return json;
    },
  };
  objects.set(name, form);
  fields = compiled(types[name] ?? {}, types, objects);
  return form;
}

function convertField(holder: Row, name: string, form: Form): void {
  if (!Object.hasOwn(holder, name)) return;
  const value = holder[name];
  if (value !== undefined) holder[name] = form.to(value);
}

function reviveField(holder: Row, name: string, form: Form): void {
  if (!Object.hasOwn(holder, name)) return;
  holder[name] = form.from(holder[name]);
}

function arrayForm(of: Form): Form {
  const through = (convert: (value: unknown) => unknown) => (value: unknown) =>
    Array.isArray(value) ? Array.from(value as unknown[], convert) : value;
  return { to: through((value) => of.to(value)), from: through((json) => of.from(json)) };
}

function recordForm(of: Form): Form {
  const through = (convert: (value: unknown) => unknown) => (value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, convert(inner)]));
  };
  return { to: through((value) => of.to(value)), from: through((json) => of.from(json)) };
}

function setForm(of: Form): Form {
  return {
    to: (value) => {
      if (value === null) return null;
      if (!(value instanceof Set)) throw new RowError("expected a Set");
      return Array.from(value as Set<unknown>, (element) => of.to(element));
    },
    from: (json) => (Array.isArray(json) ? new Set(json.map((element) => of.from(element))) : json),
  };
}

function mapForm(keys: Form, values: Form): Form {
  return {
    to: (value) => {
      if (value === null) return null;
      if (!(value instanceof Map)) throw new RowError("expected a Map");
      return Array.from(value as Map<unknown, unknown>, ([key, inner]) => [keys.to(key), values.to(inner)]);
    },
    from: (json) => {
      if (!Array.isArray(json)) return json;
      return new Map((json as [unknown, unknown][]).map(([key, inner]) => [keys.from(key), values.from(inner)]));
    },
  };
}

function tupleForm(forms: readonly Form[], rest: number | null): Form {
  const through = (convert: (form: Form, value: unknown) => unknown) => (value: unknown) => {
    if (!Array.isArray(value)) return value;
    const behind = rest === null ? 0 : forms.length - rest - 1;
    const formAt = (place: number): Form => {
      if (rest === null || place < rest) return forms[place] ?? AS_IS;
      const fromEnd = value.length - place;
      return forms[fromEnd <= behind ? forms.length - fromEnd : rest] ?? AS_IS;
    };
    return Array.from(value as unknown[], (element, place) => convert(formAt(place), element));
  };
  return { to: through((form, value) => form.to(value)), from: through((form, json) => form.from(json)) };
}

/** Where `null` is a value of its own, `undefined` says what it is; elsewhere it lies as `null`, as JSON has it. */
function maybeForm(of: Form, nullable: boolean): Form {
  return {
    to: (value) => (value === undefined ? (nullable ? toTagged(undefined) : null) : of.to(value)),
    from: (json) => {
      if (json === null) return nullable ? null : undefined;
      return nullable && fromTagged(json) === undefined ? undefined : of.from(json);
    },
  };
}

/** What JSON.stringify makes of values that are left as they are. */
function checked(table: string): (field: string, value: unknown) => unknown {
  return (field, value) => {
    if (typeof value === "bigint") return value.toString();
    if (value instanceof Uint8Array) return toBase64(value);
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new TypeError(`${table}.${field}: ${value} cannot be stored; use null or leave the field out`);
    }
    return value;
  };
}

// What the compiler knows of TypeScript's library: utility types, and the members that results are inferred from.
type Partial<T> = { [P in keyof T]?: T[P] };
type Required<T> = { [P in keyof T]-?: T[P] };
type Readonly<T> = { readonly [P in keyof T]: T[P] };
type Pick<T, K extends keyof T> = { [P in K]: T[P] };
type Record<K extends keyof any, T> = { [P in K]: T };
type Exclude<T, U> = T extends U ? never : T;
type Extract<T, U> = T extends U ? T : never;
type Omit<T, K extends keyof any> = Pick<T, Exclude<keyof T, K>>;
type NonNullable<T> = T & {};
type Parameters<T extends (...args: any) => any> = T extends (...args: infer P) => any ? P : never;
type ConstructorParameters<T extends abstract new (...args: any) => any> =
  T extends abstract new (...args: infer P) => any ? P : never;
type ReturnType<T extends (...args: any) => any> = T extends (...args: any) => infer R ? R : any;
type InstanceType<T extends abstract new (...args: any) => any> =
  T extends abstract new (...args: any) => infer R ? R : any;
type ThisParameterType<T> = unknown;
type OmitThisParameter<T> = T;
type Awaited<T> = T extends null | undefined
  ? T
  : T extends Promise<infer V>
    ? Awaited<V>
    : T extends PromiseLike<infer V>
      ? Awaited<V>
      : T;
type PropertyKey = string | number | symbol;
type WeakKey = object | symbol;

type Uppercase<S> = S;
type Lowercase<S> = S;
type Capitalize<S> = S;
type Uncapitalize<S> = S;
type NoInfer<T> = T;
type Array<T> = T;
type ReadonlyArray<T> = T;

interface ArrayMembers<T> {
  length: number;
  at(index: number): T | undefined;
  concat(...items: (T | readonly T[])[]): T[];
  every<S extends T>(test: (value: T, index: number, array: T[]) => value is S): boolean;
  every(test: (value: T, index: number, array: T[]) => unknown): boolean;
  filter<S extends T>(test: (value: T, index: number, array: T[]) => value is S): S[];
  filter(test: (value: T, index: number, array: T[]) => unknown): T[];
  find<S extends T>(test: (value: T, index: number, array: T[]) => value is S): S | undefined;
  find(test: (value: T, index: number, array: T[]) => unknown): T | undefined;
  findIndex(test: (value: T, index: number, array: T[]) => unknown): number;
  findLast<S extends T>(test: (value: T, index: number, array: T[]) => value is S): S | undefined;
  findLast(test: (value: T, index: number, array: T[]) => unknown): T | undefined;
  findLastIndex(test: (value: T, index: number, array: T[]) => unknown): number;
  flat(): T extends readonly (infer U)[] ? U[] : T[];
  flatMap<U>(change: (value: T, index: number, array: T[]) => U | readonly U[]): U[];
  forEach(each: (value: T, index: number, array: T[]) => void): void;
  includes(value: T): boolean;
  indexOf(value: T): number;
  lastIndexOf(value: T): number;
  join(separator?: string): string;
  keys(): IterableIterator<number>;
  values(): IterableIterator<T>;
  entries(): IterableIterator<[number, T]>;
  map<U>(change: (value: T, index: number, array: T[]) => U): U[];
  pop(): T | undefined;
  push(...items: T[]): number;
  reduce(join: (sum: T, value: T, index: number, array: T[]) => T): T;
  reduce(join: (sum: T, value: T, index: number, array: T[]) => T, start: T): T;
  reduce<U>(join: (sum: U, value: T, index: number, array: T[]) => U, start: U): U;
  reverse(): T[];
  shift(): T | undefined;
  slice(start?: number, end?: number): T[];
  some(test: (value: T, index: number, array: T[]) => unknown): boolean;
  sort(order?: (a: T, b: T) => number): T[];
  splice(start: number, count?: number, ...items: T[]): T[];
  toReversed(): T[];
  toSorted(order?: (a: T, b: T) => number): T[];
  unshift(...items: T[]): number;
  with(index: number, value: T): T[];
  fill(value: T): T[];
  toString(): string;
}

interface String {
  readonly length: number;
  readonly [index: number]: string;
  at(index: number): string | undefined;
  charAt(at: number): string;
  charCodeAt(at: number): number;
  codePointAt(at: number): number | undefined;
  concat(...texts: string[]): string;
  endsWith(text: string): boolean;
  includes(text: string): boolean;
  indexOf(text: string): number;
  lastIndexOf(text: string): number;
  localeCompare(that: string): number;
  normalize(form?: string): string;
  padEnd(length: number, fill?: string): string;
  padStart(length: number, fill?: string): string;
  repeat(count: number): string;
  replace(from: string | RegExp, to: string): string;
  replaceAll(from: string | RegExp, to: string): string;
  search(pattern: RegExp): number;
  slice(start?: number, end?: number): string;
  split(separator: string | RegExp, limit?: number): string[];
  startsWith(text: string): boolean;
  substring(start: number, end?: number): string;
  toLowerCase(): string;
  toUpperCase(): string;
  toString(): string;
  trim(): string;
  trimEnd(): string;
  trimStart(): string;
  valueOf(): string;
}

interface Number {
  toExponential(digits?: number): string;
  toFixed(digits?: number): string;
  toPrecision(digits?: number): string;
  toLocaleString(): string;
  toString(radix?: number): string;
  valueOf(): number;
}

interface BigInt {
  toString(radix?: number): string;
  valueOf(): bigint;
}

interface Boolean {
  valueOf(): boolean;
}

interface Function {
  readonly name: string;
  readonly length: number;
}
interface CallableFunction extends Function {}
interface Object {}
interface Symbol {
  readonly description: string | undefined;
}

interface PromiseLike<T> {
  then<U>(done: (value: T) => U | PromiseLike<U>): PromiseLike<U>;
}
interface Promise<T> {
  then<U>(done: (value: T) => U | PromiseLike<U>): Promise<U>;
  catch<U>(failed: (reason: any) => U | PromiseLike<U>): Promise<T | U>;
  finally(done: () => void): Promise<T>;
}
declare const Promise: {
  new <T>(run: (resolve: (value: T) => void, reject: (reason?: any) => void) => void): Promise<T>;
  all<T extends readonly unknown[] | []>(values: T): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }>;
  race<T extends readonly unknown[] | []>(values: T): Promise<Awaited<T[number]>>;
  resolve(): Promise<void>;
  resolve<T>(value: T): Promise<Awaited<T>>;
  reject(reason?: any): Promise<never>;
};

interface Iterable<T, R = any, N = any> {
  readonly [Symbol.iterator]: unknown;
}
interface IteratorResult<T> { done?: boolean; value: T }
interface Iterator<T, R = any, N = any> { next(): IteratorResult<T> }
interface IterableIterator<T, R = any, N = any> extends Iterator<T> {}
interface Generator<T = unknown, R = any, N = unknown> extends Iterator<T> {}
interface AsyncIterable<T, R = any, N = any> {
  readonly [Symbol.asyncIterator]: unknown;
}
interface AsyncIterator<T, R = any, N = any> { next(): Promise<IteratorResult<T>> }
interface AsyncIterableIterator<T, R = any, N = any> extends AsyncIterator<T> {}
interface AsyncGenerator<T = unknown, R = any, N = unknown> extends AsyncIterator<T> {}

interface Map<K, V> {
  readonly size: number;
  get(key: K): V | undefined;
  has(key: K): boolean;
  set(key: K, value: V): Map<K, V>;
  delete(key: K): boolean;
  clear(): void;
  forEach(each: (value: V, key: K) => void): void;
  keys(): IterableIterator<K>;
  values(): IterableIterator<V>;
  entries(): IterableIterator<[K, V]>;
}
interface ReadonlyMap<K, V> {
  readonly size: number;
  get(key: K): V | undefined;
  has(key: K): boolean;
  keys(): IterableIterator<K>;
  values(): IterableIterator<V>;
  entries(): IterableIterator<[K, V]>;
}
declare const Map: {
  new (): Map<any, any>;
  new <K, V>(entries?: readonly (readonly [K, V])[] | null): Map<K, V>;
};
interface Set<T> {
  readonly size: number;
  has(value: T): boolean;
  add(value: T): Set<T>;
  delete(value: T): boolean;
  clear(): void;
  forEach(each: (value: T) => void): void;
  values(): IterableIterator<T>;
}
interface ReadonlySet<T> {
  readonly size: number;
  has(value: T): boolean;
  values(): IterableIterator<T>;
}
declare const Set: {
  new <T = unknown>(values?: readonly T[] | null): Set<T>;
};
interface WeakMap<K, V> { get(key: K): V | undefined }
interface WeakSet<T> { has(value: T): boolean }
interface WeakRef<T> { deref(): T | undefined }

interface Date {
  getTime(): number;
  getDate(): number;
  getDay(): number;
  getFullYear(): number;
  getHours(): number;
  getMilliseconds(): number;
  getMinutes(): number;
  getMonth(): number;
  getSeconds(): number;
  getTimezoneOffset(): number;
  getUTCDate(): number;
  getUTCDay(): number;
  getUTCFullYear(): number;
  getUTCHours(): number;
  getUTCMinutes(): number;
  getUTCMonth(): number;
  getUTCSeconds(): number;
  setTime(time: number): number;
  toDateString(): string;
  toISOString(): string;
  toJSON(): string;
  toLocaleDateString(): string;
  toLocaleString(): string;
  toLocaleTimeString(): string;
  toString(): string;
  toUTCString(): string;
  valueOf(): number;
}
declare const Date: {
  new (...parts: any[]): Date;
  now(): number;
  parse(text: string): number;
  UTC(year: number, ...parts: number[]): number;
};

interface Uint8Array<B = any> {
  readonly length: number;
  readonly byteLength: number;
  readonly byteOffset: number;
  readonly [index: number]: number;
  slice(start?: number, end?: number): Uint8Array;
  subarray(start?: number, end?: number): Uint8Array;
  at(index: number): number | undefined;
  set(bytes: Uint8Array, offset?: number): void;
}
declare const Uint8Array: {
  new (...parts: any[]): Uint8Array;
  from(values: any): Uint8Array;
  of(...values: number[]): Uint8Array;
};
interface ArrayLike<T> { readonly length: number; readonly [place: number]: T }
interface Int8Array<B = any> { readonly BYTES_PER_ELEMENT: number; readonly [place: number]: number }
interface Uint8ClampedArray<B = any> { readonly BYTES_PER_ELEMENT: number; readonly [place: number]: number }
interface Int16Array<B = any> { readonly BYTES_PER_ELEMENT: number; readonly [place: number]: number }
interface Uint16Array<B = any> { readonly BYTES_PER_ELEMENT: number; readonly [place: number]: number }
interface Int32Array<B = any> { readonly BYTES_PER_ELEMENT: number; readonly [place: number]: number }
interface Uint32Array<B = any> { readonly BYTES_PER_ELEMENT: number; readonly [place: number]: number }
interface Float32Array<B = any> { readonly BYTES_PER_ELEMENT: number; readonly [place: number]: number }
interface Float64Array<B = any> { readonly BYTES_PER_ELEMENT: number; readonly [place: number]: number }
interface BigInt64Array<B = any> { readonly BYTES_PER_ELEMENT: number; readonly [place: number]: bigint }
interface BigUint64Array<B = any> { readonly BYTES_PER_ELEMENT: number; readonly [place: number]: bigint }
interface DataView<B = any> { readonly byteOffset: number }
interface ArrayBuffer { readonly byteLength: number }
interface RegExp { readonly source: string; readonly flags: string; test(text: string): boolean }
interface Error { name: string; message: string; stack?: string; cause?: unknown }
declare const Error: { new (message?: string): Error };
interface URL { readonly href: string; readonly host: string; readonly pathname: string; toString(): string }
interface URLSearchParams { get(name: string): string | null; has(name: string): boolean }
interface FormData { get(name: string): File | string | null }
interface Headers { get(name: string): string | null }
interface Request { readonly url: string; readonly method: string }
interface Response { readonly status: number; readonly ok: boolean; json(): Promise<any>; text(): Promise<string> }
interface AbortSignal { readonly aborted: boolean }
interface ReadableStream<T = any> { readonly locked: boolean }
interface Blob {
  readonly size: number;
  readonly type: string;
  text(): Promise<string>;
  arrayBuffer(): Promise<ArrayBuffer>;
  slice(start?: number, end?: number): Blob;
}
interface File extends Blob { readonly name: string; readonly lastModified: number }

declare const Math: {
  readonly PI: number;
  readonly E: number;
  abs(x: number): number;
  ceil(x: number): number;
  floor(x: number): number;
  max(...values: number[]): number;
  min(...values: number[]): number;
  pow(x: number, y: number): number;
  random(): number;
  round(x: number): number;
  sign(x: number): number;
  sqrt(x: number): number;
  trunc(x: number): number;
};
declare const JSON: {
  parse(text: string): any;
  stringify(value: any, replace?: any, space?: any): string;
};
declare const Object: {
  keys(of: any): string[];
  values<T>(of: { [key: string]: T } | readonly T[]): T[];
  entries<T>(of: { [key: string]: T } | readonly T[]): [string, T][];
  freeze<T>(value: T): Readonly<T>;
  assign<T, U>(to: T, from: U): T & U;
  groupBy<K extends PropertyKey, T>(values: readonly T[] | Iterable<T>, key: (value: T, index: number) => K): Partial<Record<K, T[]>>;
  fromEntries<T>(entries: readonly (readonly [PropertyKey, T])[]): { [key: string]: T };
};
declare const Array: {
  isArray(value: any): value is any[];
  from<T>(values: readonly T[] | Set<T> | IterableIterator<T>): T[];
  from<T, U>(values: readonly T[] | Set<T> | IterableIterator<T>, change: (value: T, index: number) => U): U[];
  of<T>(...values: T[]): T[];
};
declare const crypto: { randomUUID(): `${string}-${string}-${string}-${string}-${string}` };
declare function String(value?: any): string;
declare function Number(value?: any): number;
declare function Boolean(value?: any): boolean;
declare function BigInt(value: any): bigint;
declare function parseInt(text: string, radix?: number): number;
declare function parseFloat(text: string): number;
declare function isNaN(value: number): boolean;
declare function encodeURIComponent(text: string): string;
declare function decodeURIComponent(text: string): string;
declare function structuredClone<T>(value: T): T;
declare const NaN: number;
declare const Infinity: number;
declare const HttpResp: {
  ok<T>(value: T): T;
  ok(): void;
  created<T>(value: T): T;
  noContent(): void;
  redirect(url: string, status?: number): void;
};

// The plain-TypeScript spellings of kontract's forms. The compiler reads them and takes them away; uncompiled, they return what they are given.
import type { Perm } from './perms.js';

/** What an endpoint is declared with. Literals, `perms.*` and constants: the compiler evaluates it. */
export interface BackendOptions {
  /** The endpoint's name, if not the function's. Unique in a project. */
  readonly name?: string;
  /** The group that callers have to be in. */
  readonly ugroup?: string;
  /** The permission bits that callers have to have, and that the endpoint's storage operations may use. */
  readonly perm?: Perm | number;
  /** The endpoint's own group, which middleware filters by. */
  readonly egroup?: string;
  /** Most bytes of the arguments of a call: 10,485,760 (10 MiB) unless given, up to 1,073,741,824 (1 GiB). */
  readonly maxBytes?: number;
}

/** What an endpoint and its middlewares know about the call. */
export interface Context {
  /** The endpoint's name. */
  readonly endpoint: string;
  /** Permission bits of the endpoint. */
  readonly perm: number;
  /** Who calls: the owner of the rows that the call writes. */
  readonly owner: string;
  /** The caller's groups. */
  readonly groups: readonly string[];
  /** Unique for each call, for logs. */
  readonly requestId: string;
  /** Aborted when the caller gave the call up or is gone. What was not committed by then is not committed. */
  readonly signal: AbortSignal;
}

/** Wraps calls: does something, calls `next` for the rest, and answers with its result. */
export type Middleware = (ctx: Context, next: () => Promise<unknown>) => unknown;

/** Which endpoints a middleware wraps; without a field, all. */
export interface MiddlewareFilter {
  /** Endpoints of this group. */
  readonly egroup?: string;
  /** Endpoints for callers of this group. */
  readonly ugroup?: string;
  /** Endpoints whose names start like this. */
  readonly prefix?: string;
}

type Method = (this: never, ...args: never[]) => unknown;

/** What marks a method: as ECMAScript has decorators, and as TypeScript has them with `experimentalDecorators`. */
export interface BackendDecorator {
  (method: Method, context: ClassMethodDecoratorContext): void;
  (target: object, key: string | symbol, descriptor: PropertyDescriptor): void;
}

/** Marks a method as an endpoint that may read: `@backend async m() { … }`. */
export function backend<M extends Method>(method: M, context: ClassMethodDecoratorContext): void;
/** Makes an endpoint that may read of a function: `export const f = backend(async (…) => { … })`. */
export function backend<A extends unknown[], R>(handler: (...args: A) => R): (...args: A) => Promise<Awaited<R>>;
/** Marks a method as an endpoint: `@backend({ … }) async m() { … }`. */
export function backend(options: BackendOptions): BackendDecorator;
/** Makes an endpoint of a function: `export const f = backend({ … }, async (…) => { … })`. */
export function backend<A extends unknown[], R>(
  options: BackendOptions,
  handler: (...args: A) => R,
): (...args: A) => Promise<Awaited<R>>;
export function backend(first: unknown, second?: unknown): unknown {
  if (typeof second === 'function') return second;
  // A decorator without options is given the method and its context; nothing takes the method's place.
  if (second !== undefined) return undefined;
  return typeof first === 'function' ? first : () => undefined;
}

/** What drawing a page in the Worker may need besides its request: the second argument of `render` in the `ssr` module. */
export interface PageContext {
  /** A file of the frontend by its path, such as the `/index.html` that its build made. */
  asset(path: string): Promise<Response>;
}

/** Restricts a middleware to the endpoints that the filter names. */
export function mwfilter(_filter: MiddlewareFilter, middleware: Middleware): Middleware {
  return middleware;
}

/** The project's middlewares, outermost first; the default export of `src/middleware.ts`. */
export function defineMiddleware(middlewares: readonly Middleware[]): readonly Middleware[] {
  return middlewares;
}

// Pages that the Worker draws: the project's `ssr` module, and `@/client` as it is in there.
//
// An endpoint that page code calls runs at once, in this isolate: nothing is sent or encrypted. Who may call, the
// middlewares, the transaction and `ctx` are what they are for a call from a browser, and so are the codecs, so that a page
// is drawn from exactly what the browser would be given.

import { AsyncLocalStorage } from "node:async_hooks";

import type { CallOptions, EndpointSpec, Identity, Kontract, Rpc, StreamRpc, StreamSpec } from "../client/types.js";
import { IDENTITY_COOKIE } from "../client/cookie.js";
import { httpError } from "../errors.js";
import { HttpError } from "../index.js";
import type { Bytes } from "../raystream/bytes.js";
import { serveAsset } from "./assets.js";
import { run } from "./call.js";
import { Handover } from "./handover.js";
import { failureOf } from "./outcome.js";
import { type Peer, PlainPeer, callerOf } from "./peer.js";
import type { Bindings, Build, PagesModule, Visitor } from "./platform.js";
import { type Runtime, runtimeOf } from "./runtime.js";

/** A page that is being drawn. */
interface Drawing {
  readonly runtime: Runtime;
  readonly visitor: Visitor;
  /** Aborted when the visitor is gone. */
  readonly gone: AbortSignal;
}

const drawings = new AsyncLocalStorage<Drawing>();

/** Answers a request with the page that the project draws for it. */
export async function drawPage(
  build: Build,
  load: () => Promise<PagesModule>,
  request: Request,
  bindings: Bindings,
): Promise<Response> {
  try {
    const runtime = await runtimeOf(build, bindings);
    // Not freed here: a page that is streamed goes on calling after its answer has begun.
    const visitor = runtime.gateway.visitor(refreshToken(request));
    const asset = (path: string): Promise<Response> => serveAsset(new Request(new URL(path, request.url)), bindings);
    const { render } = await load();
    const drawn = await drawings.run({ runtime, visitor, gone: request.signal }, () => render(request, { asset }));
    if (!(drawn instanceof Response)) throw new TypeError("`render` of the project's `ssr` module returned no Response");
    return ownToVisitor(drawn);
  } catch (error) {
    const { status, message } = failureOf("render", error);
    return new Response(`${message}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
  }
}

/** What page code gets as `kontract` of `@/client`. */
export const kontract: Kontract = {
  endpoint: ((spec: EndpointSpec<readonly unknown[], unknown> | StreamSpec<readonly unknown[], unknown>) =>
    "stream" in spec ? streamed(spec) : plain(spec)) as Kontract["endpoint"],
  // How a gateway is reached that is right here, and connections to it, are nobody's concern; the code is the browser's too.
  configure: () => undefined,
  close: () => undefined,
  auth: { anonymous: async () => identity(), refresh: async () => identity() },
};

function plain<A extends readonly unknown[], R>(spec: EndpointSpec<A, R>): Rpc<A, R> {
  const bound =
    (options: CallOptions) =>
    async (...args: A): Promise<R> => {
      const { signal, done } = patience(current(spec.name), options);
      const called = call(spec, args, new PlainPeer(callerOf(signal)));
      return spec.decode(await Promise.race([called, done]));
    };
  return Object.assign(bound({}), { with: bound });
}

function streamed<A extends readonly unknown[], T>(spec: EndpointSpec<A, T>): StreamRpc<A, T> {
  const bound = (options: CallOptions) => (...args: A) => iterate(spec, args, options);
  return Object.assign(bound({}), { with: bound }) as StreamRpc<A, T>;
}

async function* iterate<A extends readonly unknown[], T>(spec: EndpointSpec<A, T>, args: A, options: CallOptions): AsyncGenerator<T> {
  const items = new Handover(patience(current(spec.name), options).signal);
  try {
    call(spec, args, items).then(
      () => items.end(),
      (error: unknown) => items.fail(error),
    );
    for (let item = await items.next(); item !== undefined; item = await items.next()) yield spec.decode(item);
  } finally {
    items.leave();
  }
}

/** One call on behalf of the visitor; its result, or for a streamed one nothing. */
async function call<A extends readonly unknown[]>(spec: EndpointSpec<A, unknown>, args: A, peer: Peer): Promise<Bytes> {
  const { runtime, visitor } = current(spec.name);
  const sent = spec.upload?.(args);
  if (sent?.io !== undefined) {
    throw new HttpError(400, "INVALID_REQUEST", `${spec.name} was given a file or stream, which only a browser can send`);
  }
  const asked = runtime.gateway.callOfPage(visitor, spec.route, spec.encode(sent?.args ?? args));
  try {
    const admitted = asked.takeCall();
    if (admitted === undefined) throw httpError(asked.status, asked.code, asked.message);
    const outcome = await run(runtime, admitted, peer);
    if ("result" in outcome) return outcome.result;
    throw httpError(outcome.status, outcome.code, outcome.message);
  } finally {
    asked.free();
  }
}

function current(name: string): Drawing {
  const drawing = drawings.getStore();
  if (drawing === undefined) {
    throw new Error(`${name} was called where no page is being drawn; move the call from the module's top level into a function that \`render\` calls`);
  }
  return drawing;
}

/** Until when a call is waited for: the visitor, the caller's own signal, and its time. `done` only ever rejects. */
function patience({ gone }: Drawing, { signal, timeoutMs }: CallOptions): { signal: AbortSignal; done: Promise<never> } {
  const signals = [gone];
  if (signal !== undefined) signals.push(signal);
  if (timeoutMs !== undefined) signals.push(AbortSignal.timeout(timeoutMs));
  const any = AbortSignal.any(signals);
  const done = new Promise<never>((_resolve, reject) => {
    const aborted = (): void => reject(any.reason as Error);
    if (any.aborted) aborted();
    else any.addEventListener("abort", aborted, { once: true });
  });
  // Who does not wait for it does not care.
  done.catch(() => undefined);
  return { signal: any, done };
}

function identity(): Identity {
  const { visitor } = current("kontract.auth");
  // Nothing of a page outlives the request that it answers.
  return { owner: visitor.owner, expiresAt: new Date() };
}

/** What the visitor's client keeps in its cookie, if it keeps it there. */
function refreshToken(request: Request): string | undefined {
  const cookies = (request.headers.get("cookie") ?? "").split(";").map((cookie) => cookie.trim());
  const prefix = `${IDENTITY_COOKIE}=`;
  return cookies.find((cookie) => cookie.startsWith(prefix))?.slice(prefix.length);
}

/** A page belongs to whom it was drawn for, unless it says itself how it may be kept. */
function ownToVisitor(page: Response): Response {
  if (page.headers.has("cache-control")) return page;
  const own = new Response(page.body, page);
  own.headers.set("cache-control", "private, no-cache");
  return own;
}

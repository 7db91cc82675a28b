// The Worker's entry: which path goes where.

import { serveAsset } from "./assets.js";
import { type Bytes, concat } from "../raystream/bytes.js";
import { ShortBody, framesOf } from "./body.js";
import { databaseObject } from "./database.js";
import { eventStream, eventsOf, requestOf } from "./events.js";
import { type Frames, type Streaming, exchange } from "./exchange.js";
import { reportFault } from "./frames.js";
import { KontractKeys } from "./keys.js";
import { drawPage } from "./pages.js";
import type { Bindings, Build, Channel } from "./platform.js";
import { runtimeOf } from "./runtime.js";
import { sessionObject } from "./session.js";

/** What workerd gives with a request, as far as it is used here. */
interface RequestContext {
  /** Lets work go on after the answer, or after the caller is gone. */
  waitUntil(work: Promise<unknown>): void;
}

/** What a Worker's entry module exports. */
export interface WorkerExports {
  handler: { fetch(request: Request, bindings: Bindings, context: RequestContext): Promise<Response> };
  objects: {
    KontractDatabase: new (state: unknown, bindings: Bindings) => object;
    KontractSession: new (state: unknown, bindings: Bindings) => object;
    KontractKeys: typeof KontractKeys;
  };
}

/** Puts a build into a Worker. */
export function createWorker(build: Build): WorkerExports {
  build.gateway.initSync({ module: build.wasm });
  return {
    handler: { fetch: (request, bindings, context) => route(build, request, bindings, context) },
    objects: { KontractDatabase: databaseObject(build), KontractSession: sessionObject(build), KontractKeys },
  };
}

async function route(build: Build, request: Request, bindings: Bindings, context: RequestContext): Promise<Response> {
  const address = URL.parse(request.url);
  // A request line or a Host header that makes no address is the caller's fault.
  if (address === null) return refused();
  const { pathname, hostname } = address;
  if (bindings.KONTRACT_HOSTNAMES?.split(" ").includes(hostname) === false) {
    return new Response(`${hostname} is not served here\n`, { status: 421 });
  }
  const origin = request.headers.get("origin");
  switch (pathname) {
    case "/raystream":
      if (!isOwnOrigin(origin, address, bindings)) return refused();
      if (request.method === "OPTIONS") return readable(origin, preflight());
      if (request.method === "POST") return readable(origin, await post(build, request, bindings, context));
      return openWebSocket(request, bindings);
    case "/stream":
      if (!isOwnOrigin(origin, address, bindings)) return refused();
      if (request.method === "OPTIONS") return readable(origin, preflight());
      return readable(origin, await stream(build, request, bindings, context));
    case "/health":
      return Response.json({ status: "ok" });
    default:
      return pageOrAsset(build, request, bindings);
  }
}

/** Files of the frontend by their names; where the project draws pages, everything else is one. */
async function pageOrAsset(build: Build, request: Request, bindings: Bindings): Promise<Response> {
  const { pages } = build;
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (pages === undefined || !isRead) return serveAsset(request, bindings);
  if (/\.[a-z0-9]+$/u.test(new URL(request.url).pathname)) {
    const file = await serveAsset(request, bindings);
    if (file.status !== 404) return file;
  }
  return drawPage(build, pages, request, bindings);
}

/** Body: a HANDSHAKE_INIT frame, then sealed frames. Answer: the handshake's response, then sealed frames. */
async function post(build: Build, request: Request, bindings: Bindings, context: RequestContext): Promise<Response> {
  return answer(build, bindings, context, {
    frames: () => framesOf(request),
    gone: () => request.signal,
    isSafe: false,
    whole: (frames) => new Response(frames, OF_FRAMES),
    streamed: ({ body }) => new Response(body, OF_FRAMES),
  });
}

/** The same frames in a header, and the answer as server-sent events. */
async function stream(build: Build, request: Request, bindings: Bindings, context: RequestContext): Promise<Response> {
  if (request.method !== "GET") return refused();
  const headers = { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" };
  return answer(build, bindings, context, {
    frames: async () => new ShortBody(requestOf(request.headers)),
    gone: () => request.signal,
    isSafe: true,
    whole: (frames) => new Response(eventsOf(frames), { headers }),
    streamed: (streaming) => new Response(eventStream(streaming), { headers }),
  });
}

/** Made once: names and values are read anew from anything but `Headers`. */
const OF_FRAMES = { headers: new Headers({ "content-type": "application/octet-stream", "cache-control": "no-store" }) };

/** How a request brings its frames, and how it is answered. */
interface Carrier {
  frames(): Promise<Frames>;
  gone(): AbortSignal;
  /** Whether only calls that read may be in it. */
  readonly isSafe: boolean;
  whole(frames: Bytes): Response;
  streamed(streaming: Streaming): Response;
}

async function answer(build: Build, bindings: Bindings, context: RequestContext, carrier: Carrier): Promise<Response> {
  let frames: Frames | undefined;
  let channel: Channel | undefined;
  try {
    frames = await carrier.frames();
    const init = await frames.next();
    if (init === undefined) return refused();
    const runtime = await runtimeOf(build, bindings);
    channel = runtime.gateway.accept(init, runtime.tickets);
    const answers = await exchange(runtime, channel, frames, () => carrier.gone(), carrier.isSafe);
    if (Array.isArray(answers)) return carrier.whole(concat(channel.takeResponse(), ...answers));
    // The channel is the stream's now, and the call is ended properly also where its caller goes away.
    channel = undefined;
    context.waitUntil(answers.done);
    return carrier.streamed(answers);
  } catch (error) {
    frames?.cancel();
    // What is our fault is worth another try; the caller's session is not to blame.
    return reportFault(error) ? new Response(null, { status: 503 }) : refused();
  } finally {
    channel?.free();
  }
}

async function openWebSocket(request: Request, { SESSION }: Bindings): Promise<Response> {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return refused();
  return SESSION.get(SESSION.newUniqueId()).fetch(request);
}

/** A browser says where a page comes from; programs that say nothing carry no visitor's rights. */
function isOwnOrigin(origin: string | null, { host }: URL, { KONTRACT_ORIGINS }: Bindings): boolean {
  if (origin === null) return true;
  const allowed = (KONTRACT_ORIGINS ?? "").split(" ").filter((entry) => entry !== "");
  return URL.canParse(origin) && (new URL(origin).host === host || allowed.includes(origin));
}

/** A browser asks first whether a page of another origin may send what our client sends (CORS: fetch.spec.whatwg.org, section 3.3). */
function preflight(): Response {
  const headers = {
    "access-control-allow-methods": "POST, GET",
    "access-control-allow-headers": "content-type, raystream",
    "access-control-max-age": "86400",
  };
  return new Response(null, { status: 204, headers });
}

/** And whether that page may read the answer, a refusal as well. */
function readable(origin: string | null, response: Response): Response {
  if (origin === null) return response;
  response.headers.set("access-control-allow-origin", origin);
  response.headers.set("vary", "origin");
  return response;
}

/** Every refusal looks the same outside. */
function refused(): Response {
  return new Response(null, { status: 400 });
}

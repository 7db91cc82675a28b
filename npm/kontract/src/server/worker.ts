// The Worker's entry: which path goes where.

import type { Bytes } from "../raystream/bytes.js";
import { serveAsset } from "./assets.js";
import { databaseObject } from "./database.js";
import { exchange } from "./exchange.js";
import { reportFault, splitFrames } from "./frames.js";
import { KontractKeys } from "./keys.js";
import type { Bindings, Build, Channel } from "./platform.js";
import { runtimeOf } from "./runtime.js";
import { sessionObject } from "./session.js";

/** Time for a body to arrive: whoever holds one back holds memory. */
const BODY_MS_MAX = 30_000;

/** Longest body of a POST, as `docs/raystream.md` has it. */
const BODY_LEN_MAX = 4 << 20;

/** What a Worker's entry module exports. */
export interface WorkerExports {
  handler: { fetch(request: Request, bindings: Bindings): Promise<Response> };
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
    handler: { fetch: (request, bindings) => route(build, request, bindings) },
    objects: { KontractDatabase: databaseObject(build), KontractSession: sessionObject(build), KontractKeys },
  };
}

async function route(build: Build, request: Request, bindings: Bindings): Promise<Response> {
  // A request line or a Host header that makes no address is the caller's fault.
  if (!URL.canParse(request.url)) return refused();
  const { pathname, hostname } = new URL(request.url);
  if (bindings.KONTRACT_HOSTNAMES?.split(" ").includes(hostname) === false) {
    return new Response(`${hostname} is not served here\n`, { status: 421 });
  }
  switch (pathname) {
    case "/raystream":
      if (request.method === "POST") return post(build, request, bindings);
      return openWebSocket(request, bindings);
    case "/health":
      return Response.json({ status: "ok" });
    default:
      return serveAsset(request, bindings);
  }
}

/** Body: a HANDSHAKE_INIT frame, then sealed frames. Answer: the handshake's response, then sealed frames. */
async function post(build: Build, request: Request, bindings: Bindings): Promise<Response> {
  if (!ownOrigin(request, bindings)) return refused();
  const body = await boundedBody(request);
  if (body === undefined) return refused();
  const runtime = await runtimeOf(build, bindings);
  let channel: Channel | undefined;
  try {
    const [init, ...frames] = splitFrames(build, body);
    if (init === undefined) return refused();
    channel = runtime.gateway.accept(init, runtime.tickets);
    const answers = await exchange(runtime, channel, frames);
    return new Response(new Blob([channel.takeResponse(), ...answers] as BlobPart[]), {
      headers: { "content-type": "application/octet-stream", "cache-control": "no-store" },
    });
  } catch (error) {
    reportFault(error);
    return refused();
  } finally {
    channel?.free();
  }
}

async function openWebSocket(request: Request, { SESSION, ...bindings }: Bindings): Promise<Response> {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket" || !ownOrigin(request, bindings)) return refused();
  return SESSION.get(SESSION.newUniqueId()).fetch(request);
}

/** A browser says where a page comes from; programs that say nothing carry no visitor's rights. */
function ownOrigin(request: Request, { KONTRACT_ORIGINS }: Pick<Bindings, "KONTRACT_ORIGINS">): boolean {
  const origin = request.headers.get("origin");
  if (origin === null) return true;
  const { host } = new URL(request.url);
  const allowed = (KONTRACT_ORIGINS ?? "").split(" ").filter((entry) => entry !== "");
  return URL.canParse(origin) && (new URL(origin).host === host || allowed.includes(origin));
}

/** Reads a body up to the limit; `undefined` past it. A declared length is not believed. */
async function boundedBody(request: Request): Promise<Bytes | undefined> {
  const reader = (request.body as ReadableStream<Uint8Array> | null)?.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void reader?.cancel();
  }, BODY_MS_MAX);
  try {
    for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
      length += read.value.length;
      if (length > BODY_LEN_MAX) {
        void reader?.cancel();
        return undefined;
      }
      chunks.push(read.value);
    }
  } finally {
    clearTimeout(timer);
  }
  if (isLate) return undefined;
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** Every refusal looks the same outside. */
function refused(): Response {
  return new Response(null, { status: 400 });
}

// The frontend's files. Cloudflare's assets binding knows content types and index pages; a plain folder, which is what
// workerd has locally, does not.

import type { Bindings } from "./platform.js";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  gif: "image/gif",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webp: "image/webp",
  woff2: "font/woff2",
};

/** The answer to a request for a file of the frontend. */
export async function serveAsset(request: Request, bindings: Bindings): Promise<Response> {
  const { ASSETS, KONTRACT_PLAIN_ASSETS } = bindings;
  if (ASSETS === undefined || (request.method !== "GET" && request.method !== "HEAD")) return notFound();
  return KONTRACT_PLAIN_ASSETS === undefined ? ASSETS.fetch(request) : fromFolder(request, ASSETS);
}

/** A path without an extension is a page of the frontend's own router. */
async function fromFolder(request: Request, folder: { fetch(request: Request): Promise<Response> }): Promise<Response> {
  const url = new URL(request.url);
  const extension = /\.([a-z0-9]+)$/u.exec(url.pathname)?.[1];
  if (extension === undefined) url.pathname = "/index.html";
  const contentType = CONTENT_TYPES[extension ?? "html"] ?? "application/octet-stream";
  const found = await folder.fetch(new Request(url, { method: request.method }));
  if (!found.ok) return notFound();
  return new Response(found.body, {
    headers: { "content-type": contentType, "x-content-type-options": "nosniff", "cache-control": "no-cache" },
  });
}

function notFound(): Response {
  return new Response("not found\n", { status: 404, headers: { "content-type": "text/plain; charset=utf-8" } });
}

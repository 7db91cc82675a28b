// What the encrypted calls are measured against. A bare Worker echoes JSON, bytes, or messages of a socket; `/rpc` is a call as one would
// write it without kontract, with a token and checked arguments; `/protocol` is raystream without the rest of kontract.
import { Echo, initSync, publicKey } from './protocol.js';
import wasm from './protocol.wasm';
import { KEY, PINS, SECRET } from './shared.js';

initSync({ module: wasm });
const protocol = new Echo(PINS.buildId, PINS.routeHash, KEY);

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.headers.get('upgrade') === 'websocket') return socket();
    switch (pathname) {
      case '/bytes':
        return new Response(await request.arrayBuffer());
      case '/rpc':
        return rpc(request);
      case '/protocol':
        return new Response(protocol.answer(new Uint8Array(await request.arrayBuffer())));
      case '/protocol/key':
        return new Response(publicKey(KEY));
    }
    const [text] = await request.json();
    return Response.json({ result: text });
  },
};

const ENDPOINTS = {
  echo: { isRequest: (args) => Array.isArray(args) && args.length === 1 && typeof args[0] === 'string', run: async ([text]) => text },
};

let importing;

async function rpc(request) {
  const caller = await callerOf(request.headers.get('authorization'));
  if (caller === undefined) return Response.json({ error: 'UNAUTHORIZED' }, { status: 401 });
  const { endpoint: name, args } = await request.json();
  const endpoint = ENDPOINTS[name];
  if (endpoint === undefined) return Response.json({ error: 'NOT_FOUND' }, { status: 404 });
  if (!endpoint.isRequest(args)) return Response.json({ error: 'INVALID_REQUEST' }, { status: 400 });
  return Response.json({ result: await endpoint.run(args, caller) });
}

/** The claims of an HS256 token (RFC 7519) that is ours and not expired. */
async function callerOf(authorization) {
  const [, header, claims, signature] = /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(authorization ?? '') ?? [];
  if (header === undefined) return undefined;
  const key = await (importing ??= crypto.subtle.importKey('raw', SECRET, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']));
  const signed = new TextEncoder().encode(`${header}.${claims}`);
  if (!(await crypto.subtle.verify('HMAC', key, bytesOf(signature), signed))) return undefined;
  if (JSON.parse(new TextDecoder().decode(bytesOf(header))).alg !== 'HS256') return undefined;
  const caller = JSON.parse(new TextDecoder().decode(bytesOf(claims)));
  return caller.exp * 1000 > Date.now() ? caller : undefined;
}

function bytesOf(base64url) {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function socket() {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.addEventListener('message', ({ data }) => server.send(data));
  return new Response(null, { status: 101, webSocket: client });
}

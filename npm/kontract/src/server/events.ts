// `GET /stream`: a request that travels in a header, answered as server-sent events: for streamed results where no WebSocket gets
// through and something on the way holds the answer of a POST back. See `docs/raystream.md`, "Transports".

import { type Bytes, concat, fromBase64Url, toBase64Url, utf8, view } from "../raystream/bytes.js";
import { HEADER_LEN, exactHeader, frames as framesOf, isSealed } from "../raystream/frame.js";
import type { Streaming } from "./exchange.js";

/** Longest request, in characters: below what servers and proxies take of all headers. */
const REQUEST_LEN_MAX = 6_144;

/** So often a stream says that it lives, whatever its call does. */
const COMMENT_MS = 15_000;
const COMMENT = utf8(":\n\n");

/** The frames of a request's header `raystream`. Throws `refused` for what is none. */
export function requestOf(headers: Headers): Bytes {
  const text = headers.get("raystream") ?? "";
  if (text.length > REQUEST_LEN_MAX || !/^[\w-]+$/u.test(text)) throw new Error("refused");
  return fromBase64Url(text);
}

/** Frames as events, each as `id: TXID.COUNTER` and `data: BASE64URL`; a frame in the clear has no id. */
export function eventsOf(frames: Bytes): Bytes {
  return concat(...framesOf(frames).map((frame) => utf8(`${idOf(frame)}data: ${toBase64Url(frame)}\n\n`)));
}

/** The same of an answer that is on its way, with a sign of life where it is silent. */
export function eventStream({ body, done }: Streaming): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const encoder = new TransformStream<Uint8Array, Uint8Array>({
    start: (controller) => {
      timer = setInterval(() => controller.enqueue(COMMENT), COMMENT_MS);
    },
    transform: (frames, controller) => controller.enqueue(eventsOf(frames as Bytes)),
    flush: () => clearInterval(timer),
  });
  // The caller may go without reading to the end.
  void done.finally(() => clearInterval(timer));
  return body.pipeThrough(encoder);
}

function idOf(frame: Uint8Array): string {
  if (!isSealed(exactHeader(frame))) return "";
  const nonce = view(frame);
  return `id: ${nonce.getBigUint64(HEADER_LEN, true)}.${nonce.getUint32(HEADER_LEN + 8, true)}\n`;
}

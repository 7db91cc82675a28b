// Frames: the 16-byte header, and where a frame's parts are. The same rules as `runtime/raystream/src/frame.rs`.
import { type Bytes, concat, u16, u32, view } from './bytes.js';
import { Flag, FrameType } from './kinds.js';
import { FRAMES_PER_BODY_MAX, FRAME_LENGTH_MAX } from './limits.js';
import { RefusedError } from './refused.js';

export { Flag, FrameType };

export const HEADER_LEN = 16;
export const NONCE_LEN = 12;
const TAG_LEN = 16;
const VERSION = 1;

const FLAGS_ALL = 31;
const TYPES: readonly number[] = [
  FrameType.HandshakeInit,
  FrameType.HandshakeResponse,
  FrameType.RpcCall,
  FrameType.RpcResponse,
  FrameType.RpcError,
  FrameType.RpcCancel,
  FrameType.RpcChunk,
  FrameType.Subscribe,
  FrameType.Event,
  FrameType.Unsubscribe,
  FrameType.Heartbeat,
  FrameType.Close,
];

export interface Header {
  readonly type: FrameType;
  readonly flags: number;
  readonly sequence: number;
  /** Bytes after the header and the nonce. */
  readonly length: number;
}

export function headerBytes(header: Header): Bytes {
  const { type, flags, sequence, length } = header;
  return concat(Uint8Array.of(VERSION, type), u16(flags), u32(sequence), u32(length), u32(0));
}

export function parseHeader(bytes: Uint8Array): Header {
  if (bytes.length < HEADER_LEN) throw malformed();
  const fields = view(bytes);
  const [type, flags, length] = [fields.getUint8(1), fields.getUint16(2, true), fields.getUint32(8, true)];
  const header: Header = { type, flags, sequence: fields.getUint32(4, true), length };
  const isKnown = bytes[0] === VERSION && TYPES.includes(type) && (flags & ~FLAGS_ALL) === 0 && fields.getUint32(12, true) === 0;
  if (!isKnown || length > FRAME_LENGTH_MAX || (isSealed(header) && length < TAG_LEN)) throw malformed();
  return header;
}

/** Handshakes are clear, all else is sealed; a ticket is the end of a handshake and sealed. */
export function isSealed(header: Header): boolean {
  if (header.type === FrameType.HandshakeInit) return false;
  return header.type !== FrameType.HandshakeResponse || (header.flags & Flag.Fin) !== 0;
}

/** The frames of a body. */
export function frames(body: Bytes): Bytes[] {
  const found: Bytes[] = [];
  for (let rest = body; rest.length > 0; ) {
    if (found.length === FRAMES_PER_BODY_MAX) throw malformed();
    const length = frameLength(parseHeader(rest));
    if (rest.length < length) throw malformed();
    found.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  return found;
}

/** Where the first frame of what has arrived ends; `undefined` before its header is whole. */
export function frameEnd(bytes: Uint8Array): number | undefined {
  return bytes.length < HEADER_LEN ? undefined : frameLength(parseHeader(bytes));
}

/** The header of one frame and nothing else. */
export function exactHeader(frame: Uint8Array): Header {
  const header = parseHeader(frame);
  if (frame.length !== frameLength(header)) throw malformed();
  return header;
}

/** A clear frame: `body` behind its header. */
export function clearFrame(type: FrameType, body: Uint8Array): Bytes {
  return concat(headerBytes({ type, flags: 0, sequence: 0, length: body.length }), body);
}

/** The body of a HANDSHAKE_RESPONSE; every other header field is fixed. */
export function responseBody(frame: Bytes): Bytes {
  const header = exactHeader(frame);
  if (header.type !== FrameType.HandshakeResponse || header.flags !== 0 || header.sequence !== 0) throw malformed();
  return frame.subarray(HEADER_LEN);
}

function frameLength(header: Header): number {
  return HEADER_LEN + (isSealed(header) ? NONCE_LEN : 0) + header.length;
}

/** What is no frame of the protocol, whatever is wrong with it: a client spends no bytes on words for what no gateway sends. */
function malformed(): RefusedError {
  return new RefusedError('malformed frame');
}

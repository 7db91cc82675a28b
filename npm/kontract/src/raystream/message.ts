// Messages in several frames: the first parts carry MORE, the last one FIN, all one type and sequence number.
import { type Bytes, concat } from './bytes.js';
import { Flag, FrameType } from './frame.js';
import { MESSAGE_LEN_MAX, PART_LEN, PAYLOAD_LEN_MAX } from './limits.js';
import { RefusedError } from './refused.js';
import type { Opened, Session } from './session.js';

/** The frames of a message, which follow on what was sealed before this call. */
export function sealMessage(to: Pick<Session, 'seal'>, type: FrameType, sequence: number, payload: Uint8Array): Promise<Bytes[]> {
  return Promise.all(partsOf(payload).map(([part, flag]) => to.seal(type, sequence, part, flag)));
}

/** The parts of a message, each with its flag. */
export function partsOf(payload: Uint8Array): [part: Uint8Array, flag: number][] {
  if (payload.length <= PAYLOAD_LEN_MAX) return [[payload, 0]];
  const parts: [Uint8Array, number][] = [];
  for (let at = 0; at < payload.length; at += PART_LEN) {
    parts.push([payload.subarray(at, at + PART_LEN), at + PART_LEN < payload.length ? Flag.More : Flag.Fin]);
  }
  return parts;
}

const MAY_HAVE_PARTS: readonly FrameType[] = [FrameType.RpcResponse, FrameType.RpcChunk];

/** Puts the gateway's messages together again: results and chunks may come in parts. */
export class Messages {
  readonly #parts = new Map<number, { readonly type: FrameType; readonly payloads: Bytes[]; length: number }>();

  /** The message, if this frame ends one. */
  take(opened: Opened): Opened | undefined {
    const { type, flags, sequence, payload } = opened;
    const more = (flags & Flag.More) !== 0;
    const last = (flags & Flag.Fin) !== 0;
    const known = this.#parts.get(sequence);
    if (!more && !last && known === undefined) return opened;
    const message = known ?? { type, payloads: [], length: 0 };
    message.length += payload.length;
    const isMessage = MAY_HAVE_PARTS.includes(type) && message.type === type && message.length <= MESSAGE_LEN_MAX;
    if (!isMessage || more === last || (last && known === undefined)) {
      throw new RefusedError('malformed message');
    }
    message.payloads.push(payload);
    this.#parts.set(sequence, message);
    if (more) return undefined;
    this.#parts.delete(sequence);
    return { ...opened, payload: concat(...message.payloads) };
  }
}

// Early data: calls inside of a HANDSHAKE_INIT of mode 1. It can be replayed and has no forward secrecy: nothing that has an
// effect and nothing that is worth stealing belongs in it.
import { type Bytes, concat } from './bytes.js';
import { Flag, FrameType, headerBytes } from './frame.js';
import { EARLY_LEN_MAX } from './limits.js';
import { pad } from './padding.js';

export interface EarlyCall {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** `(header ‖ payload)*`, padded as one; nothing where it is longer than a handshake takes. */
export function encodeEarly(calls: readonly EarlyCall[]): Bytes | undefined {
  const early = pad(concat(
    ...calls.flatMap(({ sequence, payload }) => [
      headerBytes({ type: FrameType.RpcCall, flags: Flag.Early, sequence, length: payload.length }),
      payload,
    ]),
  ));
  return early.length > EARLY_LEN_MAX ? undefined : early;
}

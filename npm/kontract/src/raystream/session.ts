// An established session: seals and opens frames until the first fault.
import { type Bytes, concat, readU64, u64 } from './bytes.js';
import { expand, open, seal } from './crypto.js';
import { Flag, FrameType, HEADER_LEN, type Header, NONCE_LEN, exactHeader, headerBytes, isSealed } from './frame.js';
import { FRAMES_PER_KEY, PAYLOAD_LEN_MAX } from './limits.js';
import { pad, unpad } from './padding.js';
import { RefusedError } from './refused.js';

const TAG_LEN = 16;

/** An opened frame. */
export interface Opened {
  readonly type: FrameType;
  /** `Flag.More` or `Flag.Fin` on a part of a message, among others. */
  readonly flags: number;
  readonly sequence: number;
  /** Its content, without padding. */
  readonly payload: Bytes;
}

/**
 * One direction: its key and the next transaction id. The key's epoch is `txid / FRAMES_PER_KEY`: whoever seals moves to the next key by
 * moving to the next multiple.
 */
export class Direction {
  #key: Bytes;
  readonly #iv: Bytes;
  #nextTxid = 0;

  constructor(prk: Bytes, name: 'c2s' | 's2c', transcript: Bytes) {
    this.#key = expand(prk, `rs1 ${name} key`, transcript, 32);
    this.#iv = expand(prk, `rs1 ${name} iv`, transcript, 12);
  }

  /** Seals one frame, padded; `part` says which part of a message it is, if it is one. */
  seal(type: FrameType, sequence: number, payload: Uint8Array, part = 0): Bytes {
    if (payload.length > PAYLOAD_LEN_MAX) throw new RangeError(`payload is longer than ${PAYLOAD_LEN_MAX} bytes`);
    const txid = this.#nextTxid;
    if (!Number.isSafeInteger(txid)) throw new RefusedError('session is closed');
    const plaintext = pad(payload);
    const flags = part | Flag.Padded | (isOdd(epoch(txid)) ? Flag.KeyPhase : 0);
    const header = headerBytes({ type, flags, sequence, length: plaintext.length + TAG_LEN });
    const nonce = concat(u64(txid), new Uint8Array(4));
    const ciphertext = seal(this.#key, this.#aeadNonce(nonce), header, plaintext);
    this.#advanceTo(txid + 1);
    return concat(header, nonce, ciphertext);
  }

  /** Opens one frame and moves on; its transaction id has to be at least the next one, and of this key or the next. */
  open(frame: Uint8Array, header: Header): Bytes {
    const nonce = frame.subarray(HEADER_LEN, HEADER_LEN + NONCE_LEN);
    const txid = readU64(nonce, 0);
    const isInOrder = txid !== undefined && txid >= this.#nextTxid && epoch(txid) - epoch(this.#nextTxid) <= 1;
    if (!isInOrder || nonce.subarray(8).some((byte) => byte !== 0)) throw new RefusedError('transaction id out of order');
    if (((header.flags & Flag.KeyPhase) !== 0) !== isOdd(epoch(txid))) throw new RefusedError('flag not allowed here');
    this.#advanceTo(txid);
    const ciphertext = frame.subarray(HEADER_LEN + NONCE_LEN);
    const plaintext = open(this.#key, this.#aeadNonce(nonce), frame.subarray(0, HEADER_LEN), ciphertext);
    if (plaintext === undefined) throw new RefusedError('frame does not authenticate');
    this.#advanceTo(txid + 1);
    return plaintext;
  }

  /** Uses the next key from the next frame on. */
  rekey(): void {
    this.#advanceTo((epoch(this.#nextTxid) + 1) * FRAMES_PER_KEY);
  }

  /** Overwrites the key; nothing can be sealed or opened any more. */
  wipe(): void {
    this.#key.fill(0);
    this.#nextTxid = Infinity;
  }

  #advanceTo(txid: number): void {
    if (epoch(txid) > epoch(this.#nextTxid)) {
      const next = expand(this.#key, 'rs1 rekey', u64(epoch(txid)), 32);
      this.#key.fill(0);
      this.#key = next;
    }
    this.#nextTxid = txid;
  }

  #aeadNonce(wire: Uint8Array): Bytes {
    return this.#iv.map((byte, index) => byte ^ (wire[index] ?? 0));
  }
}

/** The client's end of a session, over an ordered transport. */
export class Session {
  readonly #c2s: Direction;
  readonly #s2c: Direction;
  #isClosed = false;

  constructor(c2s: Direction, s2c: Direction) {
    this.#c2s = c2s;
    this.#s2c = s2c;
  }

  seal(type: FrameType, sequence: number, payload: Uint8Array, part = 0): Bytes {
    if (this.#isClosed) throw new RefusedError('session is closed');
    return this.#c2s.seal(type, sequence, payload, part);
  }

  /** Opens one frame. Anything but an authentic frame in its order closes the session. */
  open(frame: Uint8Array): Opened {
    if (this.#isClosed) throw new RefusedError('session is closed');
    try {
      return this.#open(frame);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Uses a new key for what is sealed from here on. */
  rekey(): void {
    this.#c2s.rekey();
  }

  close(): void {
    this.#isClosed = true;
    this.#c2s.wipe();
    this.#s2c.wipe();
  }

  #open(frame: Uint8Array): Opened {
    const header = exactHeader(frame);
    if (!isSealed(header)) throw new RefusedError('frame type not allowed here');
    if ((header.flags & Flag.Early) !== 0) throw new RefusedError('flag not allowed here');
    const plaintext = this.#s2c.open(frame, header);
    const payload = (header.flags & Flag.Padded) !== 0 ? unpad(plaintext) : plaintext;
    return { type: header.type, flags: header.flags, sequence: header.sequence, payload };
  }
}

function epoch(txid: number): number {
  return Math.floor(txid / FRAMES_PER_KEY);
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

// An established session: seals and opens frames until the first fault.
import { type Bytes, concat, readU64, u64 } from './bytes.js';
import { type Cipher, cipher, expand } from './crypto.js';
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
 *
 * Frames take their turns: one is sealed or opened whole before the next begins, in the order of the calls, so that transaction ids and
 * results have that order too.
 */
export class Direction {
  #key: Bytes;
  /** Absent once the key is overwritten. */
  #cipher: Cipher | undefined;
  readonly #iv: Bytes;
  #nextTxid = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(key: Bytes, aead: Cipher, iv: Bytes) {
    this.#key = key;
    this.#cipher = aead;
    this.#iv = iv;
  }

  static async of(prk: Bytes, name: 'c2s' | 's2c', transcript: Bytes): Promise<Direction> {
    const [key, iv] = await Promise.all([
      expand(prk, `rs1 ${name} key`, transcript, 32),
      expand(prk, `rs1 ${name} iv`, transcript, 12),
    ]);
    return new Direction(key, await cipher(key), iv);
  }

  /** Seals one frame, padded; `part` says which part of a message it is, if it is one. */
  async seal(type: FrameType, sequence: number, payload: Uint8Array, part = 0): Promise<Bytes> {
    if (payload.length > PAYLOAD_LEN_MAX) throw new RangeError('payload is too long for a frame');
    const plaintext = pad(payload);
    return this.#inTurn(async () => {
      const txid = this.#nextTxid;
      const flags = part | Flag.Padded | (isOdd(epoch(txid)) ? Flag.KeyPhase : 0);
      const header = headerBytes({ type, flags, sequence, length: plaintext.length + TAG_LEN });
      const nonce = concat(u64(txid), new Uint8Array(4));
      const ciphertext = await this.#usable().seal(this.#aeadNonce(nonce), header, plaintext);
      await this.#advanceTo(txid + 1);
      return concat(header, nonce, ciphertext);
    });
  }

  /** Opens one frame and moves on; its transaction id has to be at least the next one, and of this key or the next. */
  open(frame: Bytes, flags: number): Promise<Bytes> {
    return this.#inTurn(async () => {
      const nonce = frame.subarray(HEADER_LEN, HEADER_LEN + NONCE_LEN);
      const txid = readU64(nonce, 0);
      const isInOrder = txid !== undefined && txid >= this.#nextTxid && epoch(txid) - epoch(this.#nextTxid) <= 1;
      const isOfItsKey = isInOrder && ((flags & Flag.KeyPhase) !== 0) === isOdd(epoch(txid));
      if (!isOfItsKey || nonce.subarray(8).some((byte) => byte !== 0)) throw new RefusedError('frame out of order');
      await this.#advanceTo(txid);
      const ciphertext = frame.subarray(HEADER_LEN + NONCE_LEN);
      const plaintext = await this.#usable().open(this.#aeadNonce(nonce), frame.subarray(0, HEADER_LEN), ciphertext);
      if (plaintext === undefined) throw new RefusedError('frame does not authenticate');
      await this.#advanceTo(txid + 1);
      return plaintext;
    });
  }

  /** Uses the next key from the next frame on, unless nothing was sealed under this one: a receiver follows one key ahead. */
  rekey(): void {
    const next = async (): Promise<void> => {
      if (this.#nextTxid === 0 || this.#nextTxid % FRAMES_PER_KEY > 0) await this.#advanceTo((epoch(this.#nextTxid) + 1) * FRAMES_PER_KEY);
    };
    // If it fails, the direction is wiped, and what is sealed next says so.
    this.#inTurn(next).catch(() => undefined);
  }

  /** Overwrites the key; nothing can be sealed or opened any more. */
  wipe(): void {
    this.#key.fill(0);
    this.#iv.fill(0);
    this.#cipher = undefined;
  }

  /** Works when all before has; the first fault ends the direction. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      try {
        this.#usable();
        const done = await work();
        this.#usable();
        return done;
      } catch (error) {
        this.wipe();
        throw error;
      }
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #usable(): Cipher {
    if (this.#cipher === undefined) throw new RefusedError('session is closed');
    return this.#cipher;
  }

  async #advanceTo(txid: number): Promise<void> {
    if (epoch(txid) > epoch(this.#nextTxid)) {
      const next = await expand(this.#key, 'rs1 rekey', u64(epoch(txid)), 32);
      const aead = await cipher(next);
      // Wiped meanwhile, it would be a key made of zeros.
      this.#usable();
      this.#key.fill(0);
      this.#key = next;
      this.#cipher = aead;
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

  constructor(c2s: Direction, s2c: Direction) {
    this.#c2s = c2s;
    this.#s2c = s2c;
  }

  /** Seals one frame; calls at once are sealed in their order. */
  seal(type: FrameType, sequence: number, payload: Uint8Array, part?: number): Promise<Bytes> {
    return this.#c2s.seal(type, sequence, payload, part);
  }

  /** Opens one frame. Anything but an authentic frame in its order closes the session. */
  async open(frame: Bytes): Promise<Opened> {
    try {
      const { type, flags, sequence } = sealedHeader(frame);
      const plaintext = await this.#s2c.open(frame, flags);
      return { type, flags, sequence, payload: (flags & Flag.Padded) === 0 ? plaintext : unpad(plaintext) };
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
    this.#c2s.wipe();
    this.#s2c.wipe();
  }
}

/** The header of a sealed frame outside of early data. */
function sealedHeader(frame: Bytes): Header {
  const header = exactHeader(frame);
  if (!isSealed(header) || (header.flags & Flag.Early) !== 0) throw new RefusedError('malformed frame');
  return header;
}

function epoch(txid: number): number {
  return Math.floor(txid / FRAMES_PER_KEY);
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

// Noise NK and NKpsk0, the initiator's side (Noise Protocol Framework, revision 34), as a fixed pattern.
//
//   NK:  <- s   …   -> [psk,] e, es   <- e, ee
//
// Every MixKey resets the cipher's nonce and every message encrypts only its payload, so the nonce is always zero.
import { type Bytes, concat, utf8 } from './bytes.js';
import { type KeyPair, expand, extract, open, seal, sha256 } from './crypto.js';
import { RefusedError } from './refused.js';

const POINT_LEN = 32;
const TAG_LEN = 16;
const ZERO_NONCE = new Uint8Array(12);

export interface NoiseSetup {
  readonly prologue: Uint8Array;
  /** Present exactly in the pattern with a pre-shared key. */
  readonly psk?: Bytes;
  readonly remoteStatic: Uint8Array;
  readonly ephemeral: KeyPair;
}

/** The result of a handshake: two keys and the hash of everything said. */
export interface Split {
  readonly k1: Bytes;
  readonly k2: Bytes;
  readonly hash: Bytes;
}

/** A handshake after message 1. */
export interface AwaitingResponse {
  readonly message: Bytes;
  /** Reads message 2; to be called once. */
  finish(message: Uint8Array): Promise<{ payload: Bytes; split: Split }>;
}

/** Writes message 1. */
export async function initiate(setup: NoiseSetup, payload: Uint8Array): Promise<AwaitingResponse> {
  const { ephemeral } = setup;
  const state = new Symmetric(setup);
  if (setup.psk !== undefined) state.mixKeyAndHash(setup.psk);
  state.mixEphemeral(ephemeral.publicKey);
  state.mixKey(await ephemeral.agree(setup.remoteStatic));
  const message = concat(ephemeral.publicKey, state.encryptAndHash(payload));
  return {
    message,
    finish: async (response) => {
      if (response.length < POINT_LEN + TAG_LEN) throw new RefusedError('truncated');
      const remote = response.subarray(0, POINT_LEN);
      state.mixEphemeral(remote);
      state.mixKey(await ephemeral.agree(remote));
      return { payload: state.decryptAndHash(response.subarray(POINT_LEN)), split: state.split() };
    },
  };
}

/** The SymmetricState of the specification, section 5.2. */
class Symmetric {
  readonly #hasPsk: boolean;
  #chainingKey: Bytes;
  #hash: Bytes;
  #key = new Uint8Array(32);

  constructor({ psk, prologue, remoteStatic }: NoiseSetup) {
    this.#hasPsk = psk !== undefined;
    const name = utf8(this.#hasPsk ? 'Noise_NKpsk0_25519_ChaChaPoly_SHA256' : 'Noise_NK_25519_ChaChaPoly_SHA256');
    this.#hash = name.length === 32 ? name : sha256(name);
    this.#chainingKey = this.#hash;
    this.#mixHash(prologue);
    this.#mixHash(remoteStatic);
  }

  /** The token `e`; in the pattern with a psk it also mixes the key (section 9.2). */
  mixEphemeral(publicKey: Uint8Array): void {
    this.#mixHash(publicKey);
    if (this.#hasPsk) this.mixKey(publicKey);
  }

  mixKey(input: Uint8Array): void {
    const bytes = this.#hkdf(input, 64);
    this.#chainingKey = bytes.slice(0, 32);
    this.#key = bytes.slice(32);
  }

  mixKeyAndHash(input: Uint8Array): void {
    const bytes = this.#hkdf(input, 96);
    this.#chainingKey = bytes.slice(0, 32);
    this.#mixHash(bytes.subarray(32, 64));
    this.#key = bytes.slice(64);
  }

  encryptAndHash(plaintext: Uint8Array): Bytes {
    const ciphertext = seal(this.#key, ZERO_NONCE, this.#hash, plaintext);
    this.#mixHash(ciphertext);
    return ciphertext;
  }

  decryptAndHash(ciphertext: Uint8Array): Bytes {
    const plaintext = open(this.#key, ZERO_NONCE, this.#hash, ciphertext);
    if (plaintext === undefined) throw new RefusedError('handshake does not authenticate');
    this.#mixHash(ciphertext);
    return plaintext;
  }

  split(): Split {
    const bytes = this.#hkdf(new Uint8Array(0), 64);
    return { k1: bytes.slice(0, 32), k2: bytes.slice(32), hash: this.#hash };
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = sha256(this.#hash, data);
  }

  /** Noise's HKDF, which is RFC 5869's with an empty info. */
  #hkdf(input: Uint8Array, length: number): Bytes {
    return expand(extract(this.#chainingKey, input), '', new Uint8Array(0), length);
  }
}

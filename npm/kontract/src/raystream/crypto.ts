// The primitives: WebCrypto's where the platform has them. Where it lacks one, an audited package for just that one is loaded, from a
// file of its own, so that no other platform carries it. Either way it is the same algorithm with the same result.
import { type Bytes, concat, utf8 } from './bytes.js';
import * as native from './native.js';
import { RefusedError } from './refused.js';

/** A source of random bytes: of that length, fresh at every call. */
export type Entropy = (length: number) => Bytes;

/** The platform's own generator. */
export const platformEntropy: Entropy = (length) => crypto.getRandomValues(new Uint8Array(length));

/** SHA-256, and HMAC with it (RFC 2104). */
export interface Hash {
  sha256(data: Bytes): Promise<Bytes>;
  hmac(key: Bytes, data: Bytes): Promise<Bytes>;
}

/** ChaCha20-Poly1305 (RFC 8439) with one key. */
export interface Cipher {
  /** `ciphertext ‖ tag`. */
  seal(nonce: Bytes, associatedData: Bytes, plaintext: Bytes): Promise<Bytes>;
  /** Opens what `seal` made; `undefined` when it does not authenticate. */
  open(nonce: Bytes, associatedData: Bytes, ciphertext: Bytes): Promise<Bytes | undefined>;
}

/** X25519 with one secret (RFC 7748). Throws, or gives zeros, for a point of low order. */
export type Multiply = (point: Bytes) => Promise<Bytes>;

/** A secret for the holder of an ML-KEM-768 key (FIPS 203). */
export interface Encapsulated {
  readonly ciphertext: Bytes;
  readonly secret: Bytes;
}

/** SHA-256 over the concatenation of `parts`. */
export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return (await hash()).sha256(concat(...parts));
}

/** HKDF-Extract with SHA-256 (RFC 5869). */
export async function extract(salt: Bytes, ...ikm: readonly Uint8Array[]): Promise<Bytes> {
  return (await hash()).hmac(salt, concat(...ikm));
}

/** HKDF-Expand with SHA-256 (RFC 5869); `label` and `context` make the info. */
export async function expand(prk: Bytes, label: string, context: Uint8Array, length: number): Promise<Bytes> {
  const { hmac } = await hash();
  const info = concat(utf8(label), context);
  let okm = new Uint8Array(0);
  for (let block = okm, counter = 1; okm.length < length; counter++) {
    block = await hmac(prk, concat(block, info, Uint8Array.of(counter)));
    okm = concat(okm, block);
  }
  return okm.slice(0, length);
}

export async function cipher(key: Bytes): Promise<Cipher> {
  return (isNode() ? undefined : await native.cipher(key)) ?? (await portableCipher()).cipher(key);
}

/** An X25519 key pair of which only the public half can be read. */
export interface KeyPair {
  readonly publicKey: Bytes;
  /** The shared secret. Refuses a result of all zero bytes, which only a point of low order gives. */
  agree(remote: Uint8Array): Promise<Bytes>;
}

const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(31));

/** The key pair of a secret. */
export async function keyPair(secret: Bytes): Promise<KeyPair> {
  const multiply = (await native.multiplier(secret)) ?? (await import('./portable/x25519.js')).multiplier(secret);
  return {
    publicKey: await multiply(BASE_POINT),
    agree: async (remote) => {
      // The implementations refuse a result of zeros themselves, each with an error of its own, or do not.
      const shared = await multiply(Uint8Array.from(remote)).catch(() => undefined);
      if (shared === undefined || shared.every((byte) => byte === 0)) throw new RefusedError('point not allowed');
      return shared;
    },
  };
}

/** A fresh secret, of the platform's own randomness or, for who brings another, of that. */
export async function encapsulate(publicKey: Bytes, entropy: Entropy): Promise<Encapsulated> {
  const encapsulated = entropy === platformEntropy ? await native.encapsulate(publicKey) : undefined;
  return encapsulated ?? (await import('./portable/ml-kem.js')).encapsulate(publicKey, entropy);
}

async function hash(): Promise<Hash> {
  return (isNode() ? undefined : native.hash()) ?? portableHash();
}

/** In Node each call of WebCrypto goes through a pool of threads, which for short inputs takes several times what the packages take. */
function isNode(): boolean {
  return (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined;
}

const portableHash = /*#__PURE__*/ kept(() => import('./portable/hash.js'));
const portableCipher = /*#__PURE__*/ kept(() => import('./portable/chacha.js'));

/** Loads once; what failed is tried again. */
function kept<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: T | undefined;
  return async () => (loaded ??= await load());
}

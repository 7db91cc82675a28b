// The primitives, over WebCrypto where every current platform has them and audited packages for the rest.
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { expand as hkdfExpand, extract as hkdfExtract } from '@noble/hashes/hkdf.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { type Bytes, concat, utf8 } from './bytes.js';
import { RefusedError } from './refused.js';

/** A source of random bytes: of that length, fresh at every call. */
export type Entropy = (length: number) => Bytes;

/** The platform's own generator. */
export const platformEntropy: Entropy = (length) => crypto.getRandomValues(new Uint8Array(length));

/** SHA-256 over the concatenation of `parts`. */
export function sha256(...parts: readonly Uint8Array[]): Bytes {
  return nobleSha256(concat(...parts));
}

/** HKDF-Extract with SHA-256 (RFC 5869). */
export function extract(salt: Uint8Array, ...ikm: readonly Uint8Array[]): Bytes {
  return hkdfExtract(nobleSha256, concat(...ikm), salt);
}

/** HKDF-Expand with SHA-256 (RFC 5869); `label` and `context` make the info. */
export function expand(prk: Uint8Array, label: string, context: Uint8Array, length: number): Bytes {
  return hkdfExpand(nobleSha256, prk, concat(utf8(label), context), length);
}

/** ChaCha20-Poly1305 (RFC 8439): `ciphertext ‖ tag`. */
export function seal(key: Bytes, nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Bytes {
  return chacha20poly1305(key, nonce, associatedData).encrypt(plaintext);
}

/** Opens what `seal` made; `undefined` when it does not authenticate. */
export function open(key: Bytes, nonce: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array): Bytes | undefined {
  try {
    return chacha20poly1305(key, nonce, associatedData).decrypt(ciphertext);
  } catch {
    return undefined;
  }
}

/** An X25519 key pair (RFC 7748) of which only the public half can be read. */
export interface KeyPair {
  readonly publicKey: Bytes;
  /** The shared secret. Refuses a result of all zero bytes, which only a point of low order gives. */
  agree(remote: Uint8Array): Promise<Bytes>;
}

const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(31));
/** DER of a PKCS #8 private key for X25519 up to the 32 secret bytes (RFC 8410, section 7). */
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);

/** The key pair of a secret, in WebCrypto or, on platforms without its X25519, in a package loaded for that. */
export async function keyPair(secret: Bytes): Promise<KeyPair> {
  const multiply = (await nativeMultiply(secret)) ?? (await portableMultiply(secret));
  return {
    publicKey: await multiply(BASE_POINT),
    agree: async (remote) => {
      const shared = await multiply(Uint8Array.from(remote));
      if (shared.every((byte) => byte === 0)) throw new RefusedError('point of low order');
      return shared;
    },
  };
}

type Multiply = (point: Bytes) => Promise<Bytes>;

async function nativeMultiply(secret: Bytes): Promise<Multiply | undefined> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) return undefined;
  const key = await subtle
    .importKey('pkcs8', concat(PKCS8_PREFIX, secret), 'X25519', false, ['deriveBits'])
    .catch(() => undefined);
  if (key === undefined) return undefined;
  return async (point) => {
    const remote = await subtle.importKey('raw', point, 'X25519', false, []);
    try {
      return new Uint8Array(await subtle.deriveBits({ name: 'X25519', public: remote }, key, 256));
    } catch {
      // WebCrypto itself refuses an all-zero result, with an error that differs between platforms.
      throw new RefusedError('point of low order');
    }
  };
}

async function portableMultiply(secret: Bytes): Promise<Multiply> {
  const { x25519 } = await import('@noble/curves/ed25519.js');
  return async (point) => {
    try {
      return x25519.getSharedSecret(secret, point);
    } catch {
      throw new RefusedError('point of low order');
    }
  };
}

// The primitives in WebCrypto. Each is `undefined` where the platform lacks it, which is decided by the platform's answer to the first
// use of a key, not by its name. Must not choose between these and the packages: that is `crypto.ts`.
import { type Bytes, concat } from './bytes.js';
import type { Cipher, Encapsulated, Hash, Multiply } from './crypto.js';

/** The part of WebCrypto that TypeScript's library does not know yet ("Modern Algorithms in the Web Cryptography API"). */
interface ModernSubtle {
  importKey(format: 'pkcs8' | 'raw-secret' | 'raw-public', bytes: Bytes, algorithm: string, isExtractable: boolean, usages: readonly string[]): Promise<CryptoKey>;
  encapsulateBits(algorithm: string, key: CryptoKey): Promise<{ readonly ciphertext: ArrayBuffer; readonly sharedKey: ArrayBuffer }>;
}

/** DER of a PKCS #8 private key for X25519 up to the 32 secret bytes (RFC 8410, section 7). */
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);
const CHACHA = 'ChaCha20-Poly1305';
const ML_KEM = 'ML-KEM-768';
const X25519 = 'X25519';
const HMAC = { name: 'HMAC', hash: 'SHA-256' };

export function hash(): Hash | undefined {
  const subtle = webCrypto();
  return (
    subtle && {
      sha256: async (data) => new Uint8Array(await subtle.digest('SHA-256', data)),
      hmac: async (key, data) =>
        new Uint8Array(await subtle.sign('HMAC', await subtle.importKey('raw', key, HMAC, false, ['sign']), data)),
    }
  );
}

export function cipher(bytes: Bytes): Promise<Cipher | undefined> {
  return withKey('raw-secret', bytes, CHACHA, ['encrypt', 'decrypt'], (subtle, key) => {
    const parameters = (iv: Bytes, additionalData: Bytes): AesGcmParams => ({ name: CHACHA, iv, additionalData, tagLength: 128 });
    return {
      seal: async (nonce, ad, plaintext) => new Uint8Array(await subtle.encrypt(parameters(nonce, ad), key, plaintext)),
      open: async (nonce, ad, ciphertext) => {
        const plaintext = await tried(subtle.decrypt(parameters(nonce, ad), key, ciphertext));
        return plaintext && new Uint8Array(plaintext);
      },
    };
  });
}

export function multiplier(secret: Bytes): Promise<Multiply | undefined> {
  return withKey('pkcs8', concat(PKCS8_PREFIX, secret), X25519, ['deriveBits'], (subtle, key) => async (point) => {
    const remote = await subtle.importKey('raw', point, X25519, false, []);
    return new Uint8Array(await subtle.deriveBits({ name: X25519, public: remote }, key, 256));
  });
}

/** Encapsulates with the platform's own randomness: WebCrypto takes no other. */
export function encapsulate(publicKey: Bytes): Promise<Encapsulated | undefined> {
  return withKey('raw-public', publicKey, ML_KEM, ['encapsulateBits'], async (subtle, key) => {
    const { ciphertext, sharedKey } = await subtle.encapsulateBits(ML_KEM, key);
    return { ciphertext: new Uint8Array(ciphertext), secret: new Uint8Array(sharedKey) };
  });
}

type Subtle = SubtleCrypto & ModernSubtle;

/** Absent from pages that came without TLS, unless they are the developer's own machine's. */
function webCrypto(): Subtle | undefined {
  return globalThis.crypto?.subtle as Subtle | undefined;
}

/** What `use` makes of a key, if the platform takes such keys. */
async function withKey<T>(
  format: 'pkcs8' | 'raw-secret' | 'raw-public',
  bytes: Bytes,
  algorithm: string,
  usages: readonly string[],
  use: (subtle: Subtle, key: CryptoKey) => T,
): Promise<Awaited<T> | undefined> {
  const subtle = webCrypto();
  const key = await tried((subtle as ModernSubtle | undefined)?.importKey(format, bytes, algorithm, false, usages));
  return subtle && key && (await use(subtle, key));
}

async function tried<T>(work: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await work;
  } catch {
    return undefined;
  }
}

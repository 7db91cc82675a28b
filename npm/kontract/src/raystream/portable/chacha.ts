// ChaCha20-Poly1305 for platforms whose WebCrypto lacks it.
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import type { Cipher } from '../crypto.js';

/** Refers to `key`, and works within the call: who overwrites the key afterwards has overwritten all of it. */
export function cipher(key: Uint8Array): Cipher {
  return {
    seal: async (nonce, ad, plaintext) => chacha20poly1305(key, nonce, ad).encrypt(plaintext),
    open: async (nonce, ad, ciphertext) => {
      try {
        return chacha20poly1305(key, nonce, ad).decrypt(ciphertext);
      } catch {
        return undefined;
      }
    },
  };
}

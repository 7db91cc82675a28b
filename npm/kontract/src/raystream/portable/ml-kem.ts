// ML-KEM-768 for platforms whose WebCrypto lacks it.
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { Encapsulated, Entropy } from '../crypto.js';

export function encapsulate(publicKey: Uint8Array, entropy: Entropy): Encapsulated {
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, entropy(32));
  return { ciphertext: Uint8Array.from(cipherText), secret: Uint8Array.from(sharedSecret) };
}

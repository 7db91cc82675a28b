// X25519 for platforms whose WebCrypto lacks it.
import { x25519 } from '@noble/curves/ed25519.js';
import type { Multiply } from '../crypto.js';

export function multiplier(secret: Uint8Array): Multiply {
  return async (point) => x25519.getSharedSecret(secret, point);
}

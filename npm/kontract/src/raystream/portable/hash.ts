// SHA-256 and HMAC for where WebCrypto has none, or is slow to reach.
import { hmac as nobleHmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import type { Hash } from '../crypto.js';

export const sha256: Hash['sha256'] = async (data) => nobleSha256(data);

export const hmac: Hash['hmac'] = async (key, data) => nobleHmac(nobleSha256, key, data);

// The platform's own primitives beside the packages that stand in for them: the same bytes, in both directions. Runs in Node, workerd
// and browsers, so it knows none of them.
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { type Bytes, equal } from '../raystream/bytes.js';
import { type Cipher, platformEntropy } from '../raystream/crypto.js';
import * as native from '../raystream/native.js';
import * as portableChacha from '../raystream/portable/chacha.js';
import * as portableHash from '../raystream/portable/hash.js';
import * as portableX25519 from '../raystream/portable/x25519.js';

/** What was found for each primitive: `same`, `absent` where the platform has none, or what differs. */
export type Findings = Record<'hash' | 'chacha' | 'x25519' | 'mlKem', string>;

export async function compare(): Promise<Findings> {
  return { hash: await compareHash(), chacha: await compareChacha(), x25519: await compareX25519(), mlKem: await compareMlKem() };
}

/** Around the blocks of SHA-256 and of the cipher, and past what one of them does at once. */
const LENGTHS = [0, 1, 15, 16, 17, 31, 32, 33, 55, 56, 63, 64, 65, 119, 120, 1000, 70_000];

async function compareHash(): Promise<string> {
  const hash = native.hash();
  if (hash === undefined) return 'absent';
  for (const length of LENGTHS) {
    const data = random(length);
    if (!equal(await hash.sha256(data), await portableHash.sha256(data))) return `SHA-256 of ${length} bytes`;
    // A key of the protocol is never empty, which WebCrypto would refuse.
    for (const key of [random(1), random(32), random(64), random(65)]) {
      if (!equal(await hash.hmac(key, data), await portableHash.hmac(key, data))) return `HMAC of ${length} bytes`;
    }
  }
  return 'same';
}

async function compareChacha(): Promise<string> {
  for (const length of LENGTHS) {
    const key = random(32);
    const own = await native.cipher(key);
    if (own === undefined) return 'absent';
    const stand = portableChacha.cipher(key);
    for (const adLength of [0, 16, 32]) {
      const [nonce, ad, plaintext] = [random(12), random(adLength), random(length)];
      const sealed = await own.seal(nonce, ad, plaintext);
      if (!equal(sealed, await stand.seal(nonce, ad, plaintext))) return `${length} bytes sealed`;
      for (const cipher of [own, stand]) {
        const opened = await cipher.open(nonce, ad, sealed);
        if (opened === undefined || !equal(opened, plaintext)) return `${length} bytes opened`;
        if (!(await refuses(cipher, nonce, ad, sealed))) return `${length} altered bytes`;
      }
    }
  }
  return 'same';
}

/** Whether an altered ciphertext, tag, nonce and associated data, and what is too short for a tag, are not opened. */
async function refuses(cipher: Cipher, nonce: Bytes, ad: Bytes, sealed: Bytes): Promise<boolean> {
  const altered = [
    cipher.open(nonce, ad, flipped(sealed, 0)),
    cipher.open(nonce, ad, flipped(sealed, sealed.length - 1)),
    cipher.open(flipped(nonce, 11), ad, sealed),
    cipher.open(nonce, ad.length === 0 ? random(1) : flipped(ad, 0), sealed),
    cipher.open(nonce, ad, sealed.slice(0, 15)),
    cipher.open(nonce, ad, sealed.slice(0, -1)),
  ];
  return (await Promise.all(altered)).every((opened) => opened === undefined);
}

async function compareX25519(): Promise<string> {
  for (let pair = 0; pair < 8; pair++) {
    const [secret, point] = [random(32), random(32)];
    const own = await native.multiplier(secret);
    if (own === undefined) return 'absent';
    const stand = portableX25519.multiplier(secret);
    for (const remote of [Uint8Array.of(9, ...new Uint8Array(31)), point]) {
      if (!equal(await own(remote), await stand(remote))) return 'a product';
    }
  }
  return 'same';
}

/** WebCrypto encapsulates with randomness of its own: what it made is opened by the package. */
async function compareMlKem(): Promise<string> {
  for (let pair = 0; pair < 8; pair++) {
    const { publicKey, secretKey } = ml_kem768.keygen();
    const encapsulated = await native.encapsulate(Uint8Array.from(publicKey));
    if (encapsulated === undefined) return 'absent';
    const { ciphertext, secret } = encapsulated;
    if (ciphertext.length !== 1088 || !equal(ml_kem768.decapsulate(ciphertext, secretKey), secret)) return 'a secret';
  }
  return 'same';
}

/** `getRandomValues` gives 65,536 bytes at most. */
function random(length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) bytes.set(platformEntropy(Math.min(65_536, length - at)), at);
  return bytes;
}

function flipped(bytes: Bytes, at: number): Bytes {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}

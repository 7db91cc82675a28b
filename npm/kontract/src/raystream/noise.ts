// Noise NK and NKpsk0, the initiator's side (Noise Protocol Framework, revision 34), as a fixed pattern.
//
//   NK:  <- s   …   -> [psk,] e, es   <- e, ee
//
// Every MixKey resets the cipher's nonce and every message encrypts only its payload, so the nonce is always zero.
import { type Bytes, concat, utf8 } from './bytes.js';
import { type KeyPair, cipher, expand, extract, sha256 } from './crypto.js';
import { RefusedError } from './refused.js';

const POINT_LEN = 32;
const TAG_LEN = 16;
const ZERO_NONCE = new Uint8Array(12);
const EMPTY = new Uint8Array(0);

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
  finish(message: Bytes): Promise<{ payload: Bytes; split: Split }>;
}

/** Writes message 1. */
export async function initiate({ prologue, psk, remoteStatic, ephemeral }: NoiseSetup, payload: Bytes): Promise<AwaitingResponse> {
  // The SymmetricState of the specification, section 5.2.
  const name = utf8(`Noise_NK${psk === undefined ? '' : 'psk0'}_25519_ChaChaPoly_SHA256`);
  let hash = name.length === 32 ? name : await sha256(name);
  let chainingKey = hash;
  let key = hash;

  const mixHash = async (data: Uint8Array): Promise<void> => {
    hash = await sha256(hash, data);
  };
  /** HKDF with as many outputs as it is asked for; Noise's is RFC 5869's with an empty info. */
  const hkdf = async (input: Uint8Array, outputs: number): Promise<Bytes[]> => {
    const bytes = await expand(await extract(chainingKey, input), '', EMPTY, 32 * outputs);
    return Array.from({ length: outputs }, (_, place) => bytes.slice(32 * place, 32 * (place + 1)));
  };
  const mixKey = async (input: Uint8Array): Promise<void> => {
    [chainingKey, key] = (await hkdf(input, 2)) as [Bytes, Bytes];
  };
  /** The token `e`; in the pattern with a psk it also mixes the key (section 9.2). */
  const mixEphemeral = async (point: Uint8Array): Promise<void> => {
    await mixHash(point);
    if (psk !== undefined) await mixKey(point);
  };

  await mixHash(prologue);
  await mixHash(remoteStatic);
  if (psk !== undefined) {
    // MixKeyAndHash.
    const [first, second, third] = (await hkdf(psk, 3)) as [Bytes, Bytes, Bytes];
    chainingKey = first;
    await mixHash(second);
    key = third;
  }
  await mixEphemeral(ephemeral.publicKey);
  await mixKey(await ephemeral.agree(remoteStatic));
  const sealed = await (await cipher(key)).seal(ZERO_NONCE, hash, payload);
  await mixHash(sealed);
  return {
    message: concat(ephemeral.publicKey, sealed),
    finish: async (response) => {
      if (response.length < POINT_LEN + TAG_LEN) throw new RefusedError('malformed frame');
      const remote = response.subarray(0, POINT_LEN);
      await mixEphemeral(remote);
      await mixKey(await ephemeral.agree(remote));
      const ciphertext = response.subarray(POINT_LEN);
      const opened = await (await cipher(key)).open(ZERO_NONCE, hash, ciphertext);
      if (opened === undefined) throw new RefusedError('handshake does not authenticate');
      await mixHash(ciphertext);
      const [k1, k2] = (await hkdf(EMPTY, 2)) as [Bytes, Bytes];
      return { payload: opened, split: { k1, k2, hash } };
    },
  };
}

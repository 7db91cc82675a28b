// A vector of one suite, and what a client makes of it; knows no file system.
import type { Entropy } from '../raystream/crypto.js';
import type { Identity, ServerKey } from '../raystream/handshake.js';
import { unhex } from './hex.js';

export interface ResumeVector {
  readonly clientEntropy: string;
  readonly init: string;
  readonly callPayload: string;
  readonly call: string;
  readonly response: string;
  readonly answerPayload: string;
  readonly answer: string;
  readonly renewedExpiresAt: number | null;
}

/** A handshake with calls inside, from the same random bytes as the one without. */
export interface EarlyVector {
  readonly calls: readonly { sequence: number; payload: string }[];
  readonly earlyData: string;
  readonly init: string;
  readonly response: string;
  readonly answers: readonly string[];
}

export interface SuiteVector {
  readonly suite: 1 | 2;
  readonly buildId: string;
  readonly routeHash: string;
  readonly x25519: string;
  readonly mlKem: string;
  readonly clientEntropy: string;
  readonly init: string;
  readonly response: string;
  readonly early: EarlyVector;
  readonly sessionId: string;
  readonly expiresAt: number;
  readonly resume: ResumeVector;
  readonly renewal: ResumeVector;
  readonly frames: readonly { sequence: number; rekey: boolean; payload: string; call: string; answer: string }[];
}

export function identityOf({ suite, buildId, routeHash }: SuiteVector): Identity {
  return { suite, buildId: unhex(buildId), routeHash: unhex(routeHash) };
}

export function serverKeyOf({ x25519, mlKem }: SuiteVector): ServerKey {
  return { x25519: unhex(x25519), mlKem: unhex(mlKem) };
}

/** Entropy that gives the bytes of a vector one after the other, and fails when they run out. */
export function fixedEntropy(text: string): Entropy {
  let rest = unhex(text);
  return (length) => {
    if (rest.length < length) throw new Error('the vector has no more entropy');
    const bytes = rest.slice(0, length);
    rest = rest.slice(length);
    return bytes;
  };
}

// The vectors that both ends read; `runtime/raystream/tests/it/vectors.rs` and `tests/raysim` write them.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
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

export interface PaddingVector {
  readonly payloadLen: number;
  readonly plaintextLen: number;
}

export interface NoiseVector {
  readonly protocol: string;
  readonly prologue: string;
  readonly psk: string | null;
  readonly initiatorEphemeral: string;
  readonly responderStaticPublic: string;
  readonly handshakeHash: string | null;
  readonly messages: readonly { payload: string; ciphertext: string }[];
}

export interface RefusedVector {
  readonly name: string;
  readonly frame: string;
  /** The words that both ends have for it. */
  readonly fault: string;
}

export interface TicketVector {
  readonly suite: 1 | 2;
  readonly stek: string;
  readonly associatedData: string;
  readonly ticket: string;
  readonly resumption: string;
  readonly sessionId: string;
  readonly expiresAt: number;
  readonly buildId: string;
}

export const suites = ['suite1', 'suite2'].map((name) => load<SuiteVector>(name));
export const paddings = load<PaddingVector[]>('padding');
export const refusals = load<RefusedVector[]>('refused');
export const tickets = load<TicketVector[]>('tickets');
export const noises = load<{ vectors: NoiseVector[] }>('noise').vectors;

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

function load<T>(name: string): T {
  const path = resolve('../../fixtures/vectors/raystream', `${name}.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

// The vectors that both ends read; `runtime/raystream/tests/it/vectors.rs` and `tests/raysim` write them.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SuiteVector } from './vector.js';

export { type ResumeVector, type SuiteVector, fixedEntropy, identityOf, serverKeyOf } from './vector.js';

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

function load<T>(name: string): T {
  const path = resolve('../../fixtures/vectors/raystream', `${name}.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

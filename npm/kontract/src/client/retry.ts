// Retries: exponential backoff with full jitter, for failures that another try may mend.
import { HttpError } from '../errors.js';
import { NetworkError } from './network-error.js';
import type { Platform } from './platform.js';

const TRIES_MAX = 3;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 10_000;

/** Runs `attempt` until it succeeds, fails for good, or has failed three times. */
export async function withRetries<T>(attempt: () => Promise<T>, platform: Platform, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === TRIES_MAX || !isTransient(error)) throw error;
    }
    const ceiling = Math.min(BACKOFF_FIRST_MS * 2 ** (tries - 1), BACKOFF_MAX_MS);
    await platform.wait(platform.random() * ceiling, signal);
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof HttpError && error.status >= 500);
}

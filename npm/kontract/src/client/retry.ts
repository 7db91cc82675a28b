// Retries: exponential backoff with full jitter, for failures that another try may mend, within a budget of all calls.
import { HttpError } from '../errors.js';
import { NetworkError } from './network-error.js';
import type { Platform } from './platform.js';
import type { StreamIo } from './types.js';

const TRIES_MAX = 3;
const BACKOFF_FIRST_MS = 100;

/** What a retry takes from the budget, and a call that succeeds gives back one of: when the server is down for everybody, one call in ten is repeated. */
const BUDGET_PER_RETRY = 10;
/** Ten retries, with which a client begins. */
const BUDGET_MAX = 100;

/** The retries of all calls of a client: where most calls fail, repeating each makes it worse. */
export class RetryBudget {
  #left = BUDGET_MAX;

  succeeded(): void {
    this.#left = Math.min(this.#left + 1, BUDGET_MAX);
  }

  /** Whether another retry is within the budget, which it is then taken from. */
  take(): boolean {
    if (this.#left < BUDGET_PER_RETRY) return false;
    this.#left -= BUDGET_PER_RETRY;
    return true;
  }
}

/** Runs `attempt` until it succeeds, fails for good, or has failed three times. A stream that has begun is not begun again. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  platform: Platform,
  budget: RetryBudget,
  signal: AbortSignal,
  io?: StreamIo,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      const result = await attempt();
      budget.succeeded();
      return result;
    } catch (error) {
      if (tries === TRIES_MAX || io?.isStarted === true || !isTransient(error) || !budget.take()) throw error;
    }
    await platform.wait(platform.random() * BACKOFF_FIRST_MS * 2 ** (tries - 1), signal);
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof HttpError && error.status >= 500);
}

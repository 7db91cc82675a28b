// What the client takes from its surroundings, all of it replaceable: the clock, chance, waiting, the network.
import { type Entropy, platformEntropy } from '../raystream/crypto.js';
import type { Configuration, TokenStorage, WebSocketLike } from './types.js';

/** Time and chance. Tests bring their own. */
export interface Platform {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 up to but not including 1. */
  readonly random: () => number;
  readonly entropy: Entropy;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Calls `run` every `ms` until what it returns is called. */
  readonly every: (ms: number, run: () => void) => () => void;
}

export const realPlatform: Platform = {
  now: () => Date.now(),
  random: () => Math.random(),
  entropy: platformEntropy,
  wait: (ms, signal) => abortable(signal, new Promise((resolve) => setTimeout(resolve, ms))),
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};

/** Stops waiting when the signal says so; the work itself goes on. */
export function abortable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason as Error);
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}

/** A configuration with its defaults filled in. */
export interface Settings {
  /** The gateway's address without a slash at its end. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly WebSocket: (new (url: string) => WebSocketLike) | undefined;
  readonly transport: 'post' | 'websocket' | 'both';
  readonly storage: TokenStorage;
}

/** Fills in the defaults of where this code runs. */
export function settle(configuration: Configuration): Settings {
  const pageOrigin = originOfPage();
  const url = configuration.url ?? pageOrigin ?? urlOfEnvironment();
  if (url === undefined) {
    throw new Error('where is the gateway? pass its url to kontract.configure, or set KONTRACT_URL');
  }
  const WebSocket = configuration.WebSocket ?? globalThis.WebSocket;
  return {
    url: url.replace(/\/+$/, ''),
    fetch: configuration.fetch ?? globalThis.fetch.bind(globalThis),
    WebSocket,
    transport: transportOf(configuration, pageOrigin !== undefined && WebSocket !== undefined),
    storage: configuration.storage ?? browserStorage() ?? memoryStorage(),
  };
}

function transportOf({ transport = 'auto' }: Configuration, hasPageAndSocket: boolean): Settings['transport'] {
  if (transport !== 'auto') return transport;
  return hasPageAndSocket ? 'both' : 'post';
}

function originOfPage(): string | undefined {
  const origin = globalThis.location?.origin;
  return origin === undefined || origin === 'null' ? undefined : origin;
}

function urlOfEnvironment(): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.['KONTRACT_URL'] || undefined;
}

function browserStorage(): TokenStorage | undefined {
  // Reading the property itself throws where the user has turned storage off.
  try {
    return originOfPage() === undefined ? undefined : globalThis.localStorage;
  } catch {
    return undefined;
  }
}

function memoryStorage(): TokenStorage {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

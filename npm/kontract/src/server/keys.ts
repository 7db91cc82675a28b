// The Durable Object that keeps raystream's ticket keys: random, replaced each hour, the one before kept, older ones
// destroyed. What was sealed into a ticket two hours ago can be opened by nobody.

import { DurableObject } from "cloudflare:workers";

import type { Bindings } from "./platform.js";

const ROTATION_MS = 60 * 60 * 1000;

/** How long a Worker may use ticket keys before it asks for them again. */
export const TICKET_KEYS_FRESH_MS = 60 * 1000;

interface StoredKeys {
  current: Uint8Array;
  previous: Uint8Array | undefined;
  since: number;
}

/** Storage of a Durable Object, as far as it is used here. */
interface Storage {
  get<T>(key: string): Promise<T | undefined>;
  put(key: string, value: unknown): Promise<void>;
  transaction<T>(body: (storage: Storage) => Promise<T>): Promise<T>;
}

/** The one object of this class is named `keys`. */
export class KontractKeys extends DurableObject<Bindings> {
  /** The current key and, after the first hour, the previous one, 32 bytes each. */
  async tickets(): Promise<Uint8Array> {
    const storage = this.ctx.storage as Storage;
    return storage.transaction(async (inside) => {
      const stored = await inside.get<StoredKeys>("tickets");
      const now = Date.now();
      if (stored !== undefined && now - stored.since < ROTATION_MS) return joined(stored);
      // A key that has lain unused for more than a rotation is not carried on.
      const previous = stored !== undefined && now - stored.since < 2 * ROTATION_MS ? stored.current : undefined;
      const next: StoredKeys = { current: crypto.getRandomValues(new Uint8Array(32)), previous, since: now };
      await inside.put("tickets", next);
      return joined(next);
    });
  }
}

function joined({ current, previous }: StoredKeys): Uint8Array {
  if (previous === undefined) return current;
  const both = new Uint8Array(64);
  both.set(current);
  both.set(previous, 32);
  return both;
}

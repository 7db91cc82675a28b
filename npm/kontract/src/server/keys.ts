// The Durable Object that keeps raystream's ticket keys: random, replaced each hour, the one before kept, older ones
// deleted, by an alarm also where nobody calls. What the platform's storage remembers of what was deleted, it remembers of these
// (docs/security.md).

import { DurableObject } from "cloudflare:workers";

import type { Bindings } from "./platform.js";
import { type TicketKeys, aged, nextLook, rotated } from "./rotation.js";

/** How long a Worker may use ticket keys before it asks for them again. */
export const TICKET_KEYS_FRESH_MS = 60 * 1000;

/** Storage of a Durable Object, as far as it is used here. */
interface Storage {
  get<T>(key: string): Promise<T | undefined>;
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<boolean>;
  setAlarm(at: number): Promise<void>;
  transaction<T>(body: (storage: Storage) => Promise<T>): Promise<T>;
}

/** The one object of this class is named `keys`. */
export class KontractKeys extends DurableObject<Bindings> {
  /** The current key and, after the first hour, the previous one, 32 bytes each. */
  async tickets(): Promise<Uint8Array> {
    const storage = this.ctx.storage as Storage;
    return storage.transaction(async (inside) => {
      const kept = await inside.get<TicketKeys>("tickets");
      const keys = rotated(kept, Date.now(), () => crypto.getRandomValues(new Uint8Array(32)));
      if (keys !== kept) await keep(inside, keys);
      return joined(keys);
    });
  }

  async alarm(): Promise<void> {
    await (this.ctx.storage as Storage).transaction(async (inside) => {
      const kept = await inside.get<TicketKeys>("tickets");
      const keys = kept && aged(kept, Date.now());
      if (keys === undefined) await inside.delete("tickets");
      else await keep(inside, keys);
    });
  }
}

async function keep(storage: Storage, keys: TicketKeys): Promise<void> {
  await storage.put("tickets", keys);
  await storage.setAlarm(nextLook(keys));
}

function joined({ current, previous }: TicketKeys): Uint8Array {
  if (previous === undefined) return current;
  const both = new Uint8Array(64);
  both.set(current);
  both.set(previous, 32);
  return both;
}

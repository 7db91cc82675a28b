// How long a call waits for a database that it lost: as long as a server takes to start again, and no longer.

import type { GatewayModule } from "./platform.js";

/** Losses that one call waits out. With the pauses of `runtime/mvcc/src/retry.rs` that takes six seconds, twelve at most. */
const LOSSES_MAX = 14;

/** The losses of one call, whatever its transactions are. */
export class Patience {
  #losses = 0;

  constructor(private readonly gateway: Pick<GatewayModule, "backoffMs">) {}

  /** Whether to try again, after a pause. The first time comes at once: most connections are lost while they were idle. */
  async again(): Promise<boolean> {
    this.#losses += 1;
    if (this.#losses === 1) return true;
    if (this.#losses > LOSSES_MAX) return false;
    const pause = this.gateway.backoffMs(this.#losses - 1, crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
    if (pause === undefined) return false;
    await new Promise((resolve) => setTimeout(resolve, pause));
    return true;
  }
}

// Garbage collection beside the calls, a step at a time, on the connection that serves them: the database sees to it that one
// step runs at a time, whoever starts it, and that no call waits for it.

/** Time between two collections of one connection. */
const PAUSE_MS = 10_000;

/** Collects for as long as the connection is used; who writes nothing leaves no garbage. */
export class Collector {
  #collecting = false;
  #last = -Infinity;

  /** `step` runs one step and says what it came to, as JSON of the statement's results. */
  constructor(private readonly step: () => Promise<string>) {}

  /** To be called with each batch; does nothing most of the time, and never rejects. */
  async collect(): Promise<void> {
    // A clock that was set back ends the pause.
    if (this.#collecting || Math.abs(Date.now() - this.#last) < PAUSE_MS) return;
    this.#collecting = true;
    try {
      while (hasMore(await this.step()));
    } catch {
      // The connection was lost, which it has reported itself. The next collection finds what this one left.
    } finally {
      this.#collecting = false;
      this.#last = Date.now();
    }
  }
}

/** Whether another step would find more; a step that the database refused would be refused again. */
function hasMore(results: string): boolean {
  const [result] = JSON.parse(results) as { rows?: (string | null)[][] }[];
  return result?.rows?.[0]?.[1] === "true";
}

// Calls that conflict over one row, or one table, go on one after the other: together they would meet again, and again.
//
// What calls have met over has a line, for as long as somebody stands in it. Whoever reads that then joins the line first, and goes
// on when the one before has sent its commit: over the same connection, so that its read follows that commit at once. Only
// calls of this isolate know of each other, which costs nothing; whatever meets in spite of it is retried as before.
// A request of workerd's may resolve a promise that another one waits for, which then goes on as itself.

/** Time after which a call goes on anyway: whoever is before it may wait for something slow, or be gone. */
const WAIT_MS_MAX = 500;

const lines = new Map<string, Turn[]>();

/** Whether calls have met over this, and some still stand in line. */
export function isContested(what: string): boolean {
  return lines.has(what);
}

/** One call's place in a line; in one at a time, or two calls could wait for each other. */
export class Turn {
  #what: string | undefined;
  #goOn: () => void = () => undefined;

  /** What it stands in line for. */
  get what(): string | undefined {
    return this.#what;
  }

  /** Goes to the end of a line, out of any other, and waits for those before it. Says whether there were any. */
  async come(what: string): Promise<boolean> {
    this.leave();
    let line = lines.get(what);
    if (line === undefined) lines.set(what, (line = []));
    line.push(this);
    this.#what = what;
    if (line[0] === this) return false;
    let limit: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
      limit = setTimeout(resolve, WAIT_MS_MAX);
    });
    clearTimeout(limit);
    return true;
  }

  /** To be called when the commit is on its way, and when the call has ended, whether it stands in a line or not. */
  leave(): void {
    const what = this.#what;
    if (what === undefined) return;
    this.#what = undefined;
    const line = lines.get(what) ?? [];
    line.splice(line.indexOf(this), 1);
    const [next] = line;
    if (next === undefined) lines.delete(what);
    else next.#goOn();
  }
}

// Calls that met a conflict go on one after the other, for each endpoint: together they would meet again, and again.
//
// Only calls of this isolate know of each other, which costs nothing; whatever meets in spite of it is retried as before.

/** How often a call looks whether it is its turn. A promise of another request's would bind the two in workerd. */
const LOOK_EVERY_MS = 2;

/** Looks before it goes on anyway: whoever is before it may wait for something slow. */
const LOOKS_MAX = 250;

const waiting = new Map<number, Turn[]>();

/** One call's place among those of its endpoint that met a conflict. */
export class Turn {
  constructor(private readonly route: number) {}

  /** Waits for those who met a conflict before; at once for a call that has waited already. */
  async come(): Promise<boolean> {
    let queue = waiting.get(this.route);
    if (queue === undefined) waiting.set(this.route, (queue = []));
    if (queue.includes(this)) return false;
    queue.push(this);
    for (let looks = 0; queue[0] !== this && looks < LOOKS_MAX; looks += 1) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return true;
  }

  /** To be called when the call has ended, whether it waited or not. */
  leave(): void {
    const queue = waiting.get(this.route);
    const place = queue?.indexOf(this) ?? -1;
    if (queue === undefined || place < 0) return;
    queue.splice(place, 1);
    if (queue.length === 0) waiting.delete(this.route);
  }
}

// raystream's ticket keys as time passes: each is current for an hour and previous for another one.

/** How long a key is the current one. */
export const ROTATION_MS = 60 * 60 * 1000;

/** The keys, and since when the current one is that, in milliseconds since 1970. */
export interface TicketKeys {
  readonly current: Uint8Array;
  readonly previous: Uint8Array | undefined;
  readonly since: number;
}

/** The keys for a call at `now`. A key that has lain unused for a rotation is not carried on. */
export function rotated(kept: TicketKeys | undefined, now: number, random: () => Uint8Array): TicketKeys {
  if (kept !== undefined && now - kept.since < ROTATION_MS) return kept;
  const previous = kept !== undefined && now - kept.since < 2 * ROTATION_MS ? kept.current : undefined;
  return { current: random(), previous, since: now };
}

/** What is left at `now` of keys that nobody has called for. */
export function aged(kept: TicketKeys, now: number): TicketKeys | undefined {
  if (now - kept.since >= 2 * ROTATION_MS) return undefined;
  return now - kept.since >= ROTATION_MS ? { ...kept, previous: undefined } : kept;
}

/** When these keys are to be looked at again. */
export function nextLook({ previous, since }: TicketKeys): number {
  return since + (previous === undefined ? 2 : 1) * ROTATION_MS;
}

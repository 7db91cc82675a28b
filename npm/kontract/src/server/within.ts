// How long something is waited for.

/** Turns of the microtask queue in which a call ends that waits for nothing outside: some 15, and one for each `await` of its endpoint's. */
const TURNS_MAX = 32;

/**
 * Whether the work ends, either way, before it waits for anything outside. Looking costs less than a timer of workerd's, which is
 * more than most such work.
 */
export async function isDoneAtOnce(work: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  const done = (): void => void (isDone = true);
  work.then(done, done);
  for (let turns = 0; !isDone && turns < TURNS_MAX; turns += 1) await undefined;
  return isDone;
}

/** Whether the work was done in that time. It rejects as the work does. */
export async function isDoneWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

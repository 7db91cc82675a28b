// The frames of one POST body: every call that is in them, and their answers.

import type { Bytes } from "../raystream/bytes.js";
import { run } from "./call.js";
import { type Taken, take } from "./frames.js";
import { seal } from "./outcome.js";
import type { Call, Channel } from "./platform.js";
import type { Runtime } from "./runtime.js";

/**
 * Takes every frame before the first call runs, so that a body with a bad frame has no effect, and seals no answer before
 * the last call is done: frames have to arrive in the order in which they were sealed. What the gateway answered by
 * itself was sealed while the frames were taken, and comes first.
 */
export async function exchange(runtime: Runtime, channel: Channel, frames: readonly Bytes[]): Promise<Bytes[]> {
  const taken = takeAll(runtime, channel, frames);
  const replies = taken.flatMap(({ reply }) => reply ?? []);
  const calls = taken.flatMap(({ call }) => call ?? []).map((call) => ({ call, sequence: call.sequence }));
  const outcomes = await Promise.all(calls.map(async ({ call, sequence }) => ({ sequence, outcome: await run(runtime, call) })));
  return [...replies, ...outcomes.map(({ sequence, outcome }) => seal(channel, sequence, outcome))];
}

function takeAll(runtime: Runtime, channel: Channel, frames: readonly Bytes[]): Taken[] {
  const taken: Taken[] = [];
  try {
    for (const frame of frames) taken.push(take(channel.receive(runtime.gateway, frame)));
    return taken;
  } catch (error) {
    taken.flatMap(({ call }) => call ?? []).forEach((call: Call) => call.free());
    throw error;
  }
}

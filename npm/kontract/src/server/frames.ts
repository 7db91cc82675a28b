// Frames as they come in: where one ends and the next begins, and what the gateway made of one. It checks the limits.

import type { Bytes } from "../raystream/bytes.js";
import { textOf } from "./outcome.js";
import type { Build, Call, Incoming } from "./platform.js";

/** What a frame led to, as values. */
export interface Taken {
  /** To be run; whoever runs it frees it. */
  readonly call: Call | undefined;
  /** A sealed frame to send. */
  readonly reply: Bytes | undefined;
  /** Whether the peer ended the session. */
  readonly closed: boolean;
}

/** Takes a received frame apart and frees it. */
export function take(incoming: Incoming): Taken {
  try {
    const { reply, closed } = incoming;
    return { reply, closed, call: incoming.takeCall() };
  } finally {
    incoming.free();
  }
}

/** The frames of a body, as views into it. */
export function splitFrames(build: Build, body: Bytes): Bytes[] {
  const ends = build.gateway.splitFrames(body);
  let start = 0;
  return Array.from(ends, (end) => {
    const frame = body.subarray(start, end);
    start = end;
    return frame;
  });
}

/** Logs what is not the peer's fault. What is, the gateway throws as `refused`, and there is nothing to say about it. */
export function reportFault(error: unknown): void {
  if (error instanceof Error && error.message === "refused") return;
  console.error(`kontract: a request failed: ${textOf(error)}`);
}

// Where one frame of a body ends and the next begins. The gateway checks the limits.

import type { Bytes } from "../raystream/bytes.js";
import type { Build } from "./platform.js";

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
  console.error(`kontract: a request failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
}

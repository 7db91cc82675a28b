// Frames as they come in: where one ends and the next begins, and what the gateway made of one. It checks the limits.

import type { Bytes } from "../raystream/bytes.js";
import { textOf } from "./outcome.js";
import type { Build, Call, Incoming, StreamChunk } from "./platform.js";

/** What is said of a stream of a call: without data and credit, that it ends. */
export type TakenChunk = Omit<StreamChunk, "free">;

/** What a frame led to, as values. */
export interface Taken {
  /** To be run; whoever runs it frees it. */
  readonly call: Call | undefined;
  /** A sealed frame to send. */
  readonly reply: Bytes | undefined;
  /** The number of a call that is not wanted any more. */
  readonly cancelled: number | undefined;
  /** A piece of an argument, its end, or leave to send more of the result. */
  readonly chunk: TakenChunk | undefined;
  /** Whether the peer ended the session. */
  readonly closed: boolean;
}

/** Takes a received frame apart and frees it. */
export function take(incoming: Incoming): Taken {
  try {
    const { reply, closed, cancelled } = incoming;
    return { reply, closed, cancelled, call: incoming.takeCall(), chunk: chunkOf(incoming) };
  } finally {
    incoming.free();
  }
}

function chunkOf(incoming: Incoming): TakenChunk | undefined {
  const chunk = incoming.takeChunk();
  if (chunk === undefined) return undefined;
  try {
    const { sequence, stream, data, credit } = chunk;
    return { sequence, stream, data, credit };
  } finally {
    chunk.free();
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

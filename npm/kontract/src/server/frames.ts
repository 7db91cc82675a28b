// Frames as they come in, and what the gateway made of one.

import type { Bytes } from "../raystream/bytes.js";
import { textOf } from "./outcome.js";
import type { Call, Channel, Gateway, Incoming, StreamChunk } from "./platform.js";

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

/** What the calls in a handshake's early data led to, in their order. */
export function* takeEarly(channel: Channel, gateway: Gateway): Generator<Taken> {
  for (let early = channel.takeEarly(gateway); early !== undefined; early = channel.takeEarly(gateway)) yield take(early);
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

/** Logs what is not the peer's fault, and whether it was. What is, the gateway throws as `refused`, and there is nothing to say about it. */
export function reportFault(error: unknown): boolean {
  if (error instanceof Error && error.message === "refused") return false;
  console.error(`kontract: a request failed: ${textOf(error)}`);
  return true;
}

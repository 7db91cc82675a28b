// The frames of one POST body: every call that is in them, and their answers.

import type { Bytes } from "../raystream/bytes.js";
import { Answer } from "./answer.js";
import { run } from "./call.js";
import { HttpError } from "../index.js";
import { type Taken, take, takeEarly } from "./frames.js";
import { Inbox } from "./inbox.js";
import { type Outcome, seal } from "./outcome.js";
import { BodyPeer, type Peer, PlainPeer } from "./peer.js";
import type { Call, Channel } from "./platform.js";
import { MAX_BYTES, type Runtime } from "./runtime.js";
import { isDoneAtOnce, isDoneWithin } from "./within.js";

/**
 * Takes every frame before the first call runs, so that a body with a bad frame has no effect, and seals no answer before
 * the last call is done: frames have to arrive in the order in which they were sealed. What the gateway answered by
 * itself was sealed while the frames were taken, and comes first.
 *
 * A call with a streamed result or argument has the body to itself. Its answer is sent while it runs, and what follows
 * it in the body is read as it reads. Any other answer is sent so when it is late, so that a caller that leaves is noticed.
 *
 * A request that is safe in the sense of HTTP (RFC 9110, section 9.2.1), because anything on the way may make it again, carries
 * calls that only read.
 */
export async function exchange(
  runtime: Runtime,
  channel: Channel,
  frames: Frames,
  gone: () => AbortSignal,
  isSafe = false,
): Promise<Bytes[] | Streaming> {
  const { replies, calls, upload } = await takeAll(runtime, channel, frames, isSafe);
  const [only, ...others] = calls;
  const entry = only && runtime.build.routes[only.call.route];
  const answer = new Answer(gone, () => channel.heartbeat());
  if (only !== undefined && others.length === 0 && (upload || entry?.stream === true)) {
    return stream(runtime, channel, replies, only, answer, upload ? frames : undefined);
  }
  const running = runAll(runtime, calls, new PlainPeer(answer));
  const sealed = async (): Promise<Bytes[]> => (await running).map(({ sequence, outcome }) => seal(channel, sequence, outcome));
  if ((await isDoneAtOnce(running)) || (await isDoneWithin(WHOLE_MS_MAX, running))) return [...replies, ...(await sealed())];
  return sent(channel, answer, replies, async () => {
    for (const frames of await sealed()) if (!answer.signal.aborted) answer.write(frames);
  });
}

/** Runs calls, so many at a time, and begins them in their order. */
async function runAll(runtime: Runtime, calls: readonly Numbered[], peer: Peer): Promise<Ended[]> {
  const ended: Ended[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let numbered = calls[next]; numbered !== undefined; numbered = calls[next]) {
      const place = next++;
      const { call, sequence } = numbered;
      ended[place] = { sequence, outcome: await run(runtime, call, peer) };
    }
  };
  await Promise.all(calls.slice(0, CALLS_AT_A_TIME_MAX).map(lane));
  return ended;
}

/** The answer as a stream: the handshake's response, what was answered already, and what `work` writes. */
function sent(channel: Channel, answer: Answer, replies: readonly Bytes[], work: () => Promise<void>): Streaming {
  const body = answer.open();
  const write = async (): Promise<void> => {
    try {
      if (!answer.signal.aborted) for (const frames of [channel.takeResponse(), ...replies]) answer.write(frames);
      await work();
      answer.close();
    } catch (error) {
      answer.fail(error);
      throw error;
    } finally {
      channel.free();
    }
  };
  return { body, done: write() };
}

/** Frames as they arrive. */
export interface Frames {
  next(): Promise<Bytes | undefined>;
  cancel(): void;
  /** Reads what is left and drops it. */
  drain(): Promise<void>;
}

/** An answer that is sent while its call runs. */
export interface Streaming {
  readonly body: ReadableStream<Uint8Array>;
  /** Settles when the call has ended, whether its caller read to the end or not. */
  readonly done: Promise<void>;
}

function stream(
  runtime: Runtime,
  channel: Channel,
  replies: readonly Bytes[],
  { call, sequence }: Numbered,
  answer: Answer,
  rest: Frames | undefined,
): Streaming {
  const { maxBytes = MAX_BYTES } = runtime.build.routes[call.route] ?? {};
  const peer = new BodyPeer(answer, (item) => channel.data(sequence, 0, item), new Inbox(undefined, maxBytes));
  return sent(channel, answer, replies, async () => {
    const feeding = rest && new Feeding(runtime, channel, rest, peer.inbox);
    try {
      const outcome = await run(runtime, call, peer);
      feeding?.stop();
      if (!answer.signal.aborted) answer.write(seal(channel, sequence, outcome));
      await feeding?.done;
    } finally {
      rest?.cancel();
    }
  });
}

/** Hands the chunks of a body to the call that reads them. */
class Feeding {
  /** Settles when the body is at its end or given up. Never rejects: what is wrong with it, the call is told. */
  readonly done: Promise<void>;
  #isStopped = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly channel: Channel,
    private readonly frames: Frames,
    private readonly inbox: Inbox,
  ) {
    this.done = this.#feed();
  }

  /** The call is over: the rest of the body is dropped. */
  stop(): void {
    this.#isStopped = true;
    this.inbox.fail(new Error("the call is over"));
  }

  async #feed(): Promise<void> {
    try {
      for (let frame = await this.frames.next(); !this.#isStopped; frame = await this.frames.next()) {
        if (frame === undefined) throw new Error("the body ended within a stream");
        const { call, chunk } = take(this.channel.receive(this.runtime.gateway, frame));
        call?.free();
        if (chunk === undefined || chunk.credit !== undefined) throw new Error("refused");
        await this.inbox.take(chunk.stream, chunk.data);
      }
      await this.frames.drain();
    } catch (error) {
      this.inbox.fail(new HttpError(400, "INVALID_REQUEST", textOfFault(error)));
    }
  }
}

function textOfFault(error: unknown): string {
  return error instanceof Error && error.message !== "refused" ? error.message : "the body is not what was announced";
}

interface Numbered {
  readonly call: Call;
  readonly sequence: number;
}

interface Ended {
  readonly sequence: number;
  readonly outcome: Outcome;
}

interface TakenBody {
  readonly replies: Bytes[];
  readonly calls: Numbered[];
  /** Whether the rest of the body belongs to the one call. */
  readonly upload: boolean;
}

async function takeAll(runtime: Runtime, channel: Channel, frames: Frames, isSafe: boolean): Promise<TakenBody> {
  const replies: Bytes[] = [];
  const calls: Numbered[] = [];
  let [count, length, isClosed] = [0, 0, false];
  const keep = ({ reply, call, cancelled }: Taken): void => {
    if (reply !== undefined) replies.push(reply);
    // A call that its caller gives up in the same body does not begin.
    const given = calls.findIndex(({ sequence }) => sequence === cancelled);
    for (const { call } of given < 0 ? [] : calls.splice(given, 1)) call.free();
    if (call === undefined) return;
    calls.push({ call, sequence: call.sequence });
    if (isSafe && runtime.build.routes[call.route]?.readOnly !== true) throw new Error("refused");
  };
  try {
    for (const taken of takeEarly(channel, runtime.gateway)) keep(taken);
    for (let frame = await frames.next(); frame !== undefined; frame = await frames.next()) {
      count += 1;
      length += frame.length;
      if (count > FRAMES_PER_BODY_MAX || length > BODY_LEN_MAX) throw new Error("refused");
      if (isClosed) throw new Error("refused");
      const taken = take(channel.receive(runtime.gateway, frame));
      isClosed = taken.closed;
      keep(taken);
      if (taken.call === undefined || runtime.build.routes[taken.call.route]?.uploads === undefined) continue;
      if (calls.length > 1) throw new Error("refused");
      return { replies, calls, upload: true };
    }
    // A body that ends within a call.
    if (channel.waiting) throw new Error("refused");
    return { replies, calls, upload: false };
  } catch (error) {
    for (const { call } of calls) call.free();
    throw error;
  }
}

/** Limits of a body without streams, as `docs/raystream.md` has them. */
const FRAMES_PER_BODY_MAX = 256;
const BODY_LEN_MAX = 20 << 20;

/** Calls of a body that run at the same time. */
const CALLS_AT_A_TIME_MAX = 16;

/** How long an answer is waited for that is then sent whole, in milliseconds. */
const WHOLE_MS_MAX = 1_000;

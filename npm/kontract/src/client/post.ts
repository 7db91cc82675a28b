// The POST transport: every request is a handshake and its frames, every answer likewise; nothing lives between them.
import { HttpError } from '../errors.js';
import { type Bytes, concat } from '../raystream/bytes.js';
import { FrameType, frames } from '../raystream/frame.js';
import { type Established, type Identity, type Resumption, type ServerKey, startFull, startResume, ticketOf } from '../raystream/handshake.js';
import { Messages, sealMessage } from '../raystream/message.js';
import { RefusedError } from '../raystream/refused.js';
import type { Opened } from '../raystream/session.js';
import type { Io } from './io.js';
import { NetworkError } from './network-error.js';
import type { Platform, Settings } from './platform.js';
import type { Tickets } from './tickets.js';

export interface PostOptions {
  readonly settings: Settings;
  readonly platform: Platform;
  readonly tickets: Tickets;
  readonly identity: Identity;
  readonly keys: readonly ServerKey[];
}

/** What a full handshake brought: a ticket, and the answers to its early data. */
export interface Shaken {
  readonly resumption: Resumption;
  readonly answers: readonly Opened[];
}

/** A full handshake: afterwards `tickets` holds a ticket. Tries the pinned keys in their order. */
export async function handshake(options: PostOptions, signal: AbortSignal, early?: Bytes): Promise<Shaken> {
  let refusal = new RefusedError('the build pins no key');
  for (const key of options.keys) {
    try {
      return await handshakeWith(key, options, signal, early);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

async function handshakeWith(key: ServerKey, options: PostOptions, signal: AbortSignal, early?: Bytes): Promise<Shaken> {
  const { identity, platform, tickets } = options;
  const full = await startFull(identity, key, platform.entropy, early);
  const [response, ticket, ...rest] = await exchange(full.init, options, signal);
  if (response === undefined || ticket === undefined) throw new RefusedError('no ticket');
  const established = await full.finish(response);
  const { session, sessionId } = established;
  const resumption = ticketOf(await session.open(ticket), established);
  tickets.synchronize(sessionId);
  tickets.keep(resumption);
  return { resumption, answers: await answersIn(rest, established, tickets) };
}

/** The messages in the frames behind a handshake's answer. */
async function answersIn(frames: readonly Bytes[], established: Established, tickets: Tickets): Promise<Opened[]> {
  const messages = new Messages();
  const opened = await Promise.all(frames.map((frame) => openOrKeep(frame, established, tickets)));
  return opened.map((frame) => frame && messages.take(frame)).filter((message) => message !== undefined);
}

/** The answer to the call of that sequence number. */
export function answerTo(sequence: number, answers: readonly Opened[]): Opened {
  const answer = answers.find((opened) => opened.sequence === sequence);
  if (answer === undefined) throw new RefusedError('no answer to the call');
  return answer;
}

/** One call under a ticket. */
export async function call(
  resumption: Resumption,
  sequence: number,
  payload: Uint8Array,
  options: PostOptions,
  signal: AbortSignal,
  io?: Io,
): Promise<Opened> {
  const resume = await startResume(resumption, options.platform.entropy);
  if (io !== undefined) return io.post(resume, sequence, payload, options, signal);
  const body = concat(resume.init, ...(await sealMessage(resume, FrameType.RpcCall, sequence, payload)));
  const [response, ...rest] = await exchange(body, options, signal);
  if (response === undefined) throw new RefusedError('empty answer');
  return answerTo(sequence, await answersIn(rest, await resume.finish(response), options.tickets));
}

/** Opens a frame; a ticket is kept and not passed on. */
export async function openOrKeep(frame: Bytes, established: Established, tickets: Tickets): Promise<Opened | undefined> {
  const opened = await established.session.open(frame);
  if (opened.type !== FrameType.HandshakeResponse) return opened;
  tickets.keep(ticketOf(opened, established));
  return undefined;
}

async function exchange(body: Bytes, options: PostOptions, signal: AbortSignal): Promise<Bytes[]> {
  const response = await request(body, options, signal);
  return frames(new Uint8Array(await reached(signal, () => response.arrayBuffer())));
}

/** Sends a body; the answer's body is still to be read. */
export async function request(body: Bytes | Blob | ReadableStream<Uint8Array>, { settings }: PostOptions, signal: AbortSignal): Promise<Response> {
  const response = await reached(signal, () =>
    settings.fetch(`${settings.url}/raystream`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body,
      signal,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    } as RequestInit),
  );
  const { status } = response;
  if (status === 200) return response;
  if (status === 400) throw new RefusedError('HTTP 400');
  const message = `the gateway answered HTTP ${status}`;
  throw status >= 500 ? new NetworkError(message) : new HttpError(status, 'UNEXPECTED_STATUS', message);
}

/** What the platform throws when the network fails is a different class everywhere. */
export async function reached<T>(signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (cause) {
    signal.throwIfAborted();
    throw new NetworkError('the gateway cannot be reached', { cause });
  }
}

// Server-sent events: how a streamed result that only reads travels where there is no WebSocket. Something on the way may hold the
// answer of a POST back until it is whole; it lets events through, and a silent stream shows that it lives.
import { type Bytes, fromBase64Url, toBase64Url } from '../raystream/bytes.js';
import { RefusedError } from '../raystream/refused.js';
import { NetworkError } from './network-error.js';
import { type PostOptions, reached } from './post.js';

/** Longest request, in characters; the same number as in `../server/events.ts`. */
const REQUEST_LEN_MAX = 6_144;

/** After events did not come through, POST carries streams for this long. */
const PAUSE_MS = 5 * 60_000;

/** The gateway shows itself every 15 s: without a sign of it for so many times as long, the connection is dead. */
const SIGN_MS = 15_000;
const SIGNS_MISSED_MAX = 3;

/** When events did not come through, for each connection to a gateway. */
const pauses = new WeakMap<PostOptions, number>();

/** Sends frames in a header and gives those of the answer, as they arrive. Nothing where that is not possible here. */
export async function events(
  body: Uint8Array,
  options: PostOptions,
  signal: AbortSignal,
): Promise<AsyncGenerator<Bytes> | undefined> {
  const { settings, platform } = options;
  // Whoever wants POST has nothing on the way that holds answers back.
  if (settings.transport === 'post') return undefined;
  const request = toBase64Url(body);
  if (request.length > REQUEST_LEN_MAX || isPaused(options)) return undefined;
  const headers = { accept: 'text/event-stream', raystream: request };
  const response = await settings.fetch(`${settings.url}/stream`, { headers, signal, cache: 'no-store' }).catch(() => undefined);
  signal.throwIfAborted();
  const isStream = response?.status === 200 && response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (isStream) return framesOf(response, options, signal);
  pauses.set(options, platform.now());
  void response?.body?.cancel().catch(() => undefined);
  return undefined;
}

/** A clock that was set back ends the pause. */
function isPaused(options: PostOptions): boolean {
  const since = pauses.get(options);
  return since !== undefined && Math.abs(options.platform.now() - since) < PAUSE_MS;
}

/** The frames of events: one in each line `data: BASE64URL`. */
async function* framesOf({ body }: Response, { platform }: PostOptions, signal: AbortSignal): AsyncGenerator<Bytes> {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let [isReading, missed] = [false, 0];
  let isSilent = false;
  const stop = platform.every(SIGN_MS, () => {
    missed = isReading ? missed + 1 : 0;
    if (missed < SIGNS_MISSED_MAX) return;
    isSilent = true;
    void reader?.cancel().catch(() => undefined);
  });
  try {
    for (;;) {
      [isReading, missed] = [true, 0];
      const read = await reached(signal, async () => reader?.read());
      isReading = false;
      if (isSilent) throw new NetworkError('the stream is silent');
      if (read?.value === undefined) return;
      const lines = (rest + read.value).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('data: ')) yield frameOf(line.slice('data: '.length));
    }
  } finally {
    stop();
    void reader?.cancel().catch(() => undefined);
  }
}

function frameOf(text: string): Bytes {
  try {
    return fromBase64Url(text);
  } catch {
    throw new RefusedError('not a frame');
  }
}

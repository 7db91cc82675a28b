// The client: endpoints as functions, over a link with an identity, with retries.
import { HttpError, UnauthorizedError } from '../errors.js';
import { fromBase64Url, utf8 } from '../raystream/bytes.js';
import { FrameType } from '../raystream/frame.js';
import { RefusedError } from '../raystream/refused.js';
import type { Opened } from '../raystream/session.js';
import { ANONYMOUS, Auth, TOKEN_REFUSED } from './auth.js';
import { NO_KEY, decodeError, encodeCall, idempotencyKey } from './envelope.js';
import type { Io } from './io.js';
import { Link } from './link.js';
import { type Platform, abortable, realPlatform, settle } from './platform.js';
import { RetryBudget, withRetries } from './retry.js';
import { Tickets } from './tickets.js';
import type { CallOptions, Configuration, EndpointSpec, Identity, Kontract, Pins, Rpc, StreamIo, StreamRpc, StreamSpec } from './types.js';

const TIMEOUT_MS = 30_000;

/** A client of the build with these pins. Does nothing until the first call. */
export function createClient(pins: Pins, platform: Platform = realPlatform): Kontract {
  let configuration: Configuration = {};
  let connection: Connection | undefined;
  const connected = (): Connection => (connection ??= new Connection(pins, configuration, platform));
  const refresh = async (): Promise<Identity> => connected().refresh();
  const close = (): void => {
    connection?.close();
    connection = undefined;
  };
  return {
    endpoint: ((spec: EndpointSpec<readonly unknown[], unknown>) => endpoint(spec, connected)) as Kontract['endpoint'],
    configure: (given) => {
      configuration = { ...configuration, ...given };
      close();
    },
    auth: { anonymous: refresh, refresh },
    close,
  };
}

function endpoint<A extends readonly unknown[], R>(
  spec: EndpointSpec<A, R> | StreamSpec<A, R>,
  connected: () => Connection,
): Rpc<A, R> | StreamRpc<A, R> {
  if ('stream' in spec) return spec.stream(spec, async (args, options, io) => connected().call(spec, args, options, io));
  const bound =
    (options: CallOptions) =>
    async (...args: A): Promise<R> => {
      const sent = spec.upload?.(args);
      const encoded = spec.encode(sent?.args ?? args);
      return spec.decode(await connected().call(spec, encoded, options, sent?.io));
    };
  return Object.assign(bound({}), { with: bound });
}

type Target = Pick<EndpointSpec<readonly unknown[], unknown>, 'route' | 'readOnly'>;

/** Everything that ends with `close`. */
class Connection {
  readonly auth: Auth;
  readonly #platform: Platform;
  readonly #link: Link;
  readonly #closing = new AbortController();
  readonly #budget = new RetryBudget();

  constructor(pins: Pins, configuration: Configuration, platform: Platform) {
    const settings = settle(configuration);
    const tickets = new Tickets(platform.now);
    const { suite, buildId, routeHash, keys } = pins;
    this.#platform = platform;
    this.#link = new Link(
      {
        settings,
        platform,
        tickets,
        identity: { suite, buildId: fromBase64Url(buildId), routeHash: fromBase64Url(routeHash) },
        keys: keys.map((key) => ({ x25519: fromBase64Url(key.x25519), mlKem: fromBase64Url(key.mlkem) })),
      },
      this.#closing.signal,
    );
    this.auth = new Auth(settings, tickets, () => this.#link.ready(), (route, args) => this.#callBuiltIn(route, args));
  }

  /** One call with everything that may be needed around it: session, identity, renewal, retries. */
  async call(target: Target, args: Uint8Array, options: CallOptions, io?: StreamIo): Promise<Uint8Array> {
    const key = target.readOnly ? NO_KEY : await idempotencyKey(options.idempotencyKey, this.#platform.entropy);
    const signal = this.#signal(options, io && Infinity);
    let mayRefresh = true;
    let sentBy: string | undefined;
    let mayBeEarly = target.readOnly && io === undefined;
    const attempt = async (): Promise<Uint8Array> => {
      const early = mayBeEarly && this.#link.mayIntroduce && this.auth.mayIntroduce;
      mayBeEarly = false;
      const answer = early ? await abortable(signal, this.#callEarly(target.route, args)) : undefined;
      if (answer !== undefined) return resultOf(answer);
      // Other first calls take the session and the identity that this one brings.
      await abortable(signal, this.auth.introduced ?? Promise.resolve());
      const token = await abortable(signal, this.#link.ready().then((sessionId) => this.auth.token(sessionId)));
      // The server knows a repetition by its owner as well: as somebody else's, it would be another change.
      if (!target.readOnly && (sentBy ?? token?.owner) !== token?.owner) {
        throw new UnauthorizedError('the identity was lost while a change was under way');
      }
      try {
        return await this.#callOnce(target.route, token?.text ?? '', key, args, signal, io as Io | undefined);
      } catch (error) {
        // Only the gateway's own refusal, which comes before anything runs; an endpoint's 401 is an answer.
        // A stream whose reading has begun cannot be sent again: its rest would arrive as if it were all.
        if (!mayRefresh || io?.isStarted === true || !(error instanceof HttpError) || error.code !== TOKEN_REFUSED) {
          sentBy = token?.owner;
          throw error;
        }
        mayRefresh = false;
        this.auth.reject(token);
        return attempt();
      }
    };
    return withRetries(this.#renewing(attempt, io), this.#platform, this.#budget, signal, io);
  }

  close(): void {
    this.#closing.abort(new DOMException('the client was closed', 'AbortError'));
    this.#link.close();
  }

  /** Renews the identity, or begins one. */
  refresh(): Promise<Identity> {
    return withRetries(() => this.auth.refresh(), this.#platform, this.#budget, this.#signal({}));
  }

  /** Without retries of its own: it is part of attempts that have theirs. */
  #callBuiltIn(route: number, args: Uint8Array): Promise<Uint8Array> {
    const signal = this.#signal({});
    return this.#renewing(() => this.#callOnce(route, '', NO_KEY, args, signal))();
  }

  async #callOnce(
    route: number,
    token: string,
    key: Uint8Array,
    args: Uint8Array,
    signal: AbortSignal,
    io?: Io,
  ): Promise<Uint8Array> {
    return resultOf(await this.#link.call(encodeCall({ route, token, idempotencyKey: key, args }), signal, io));
  }

  /** A first visitor's read: one round trip brings session, identity and answer. Nothing where it has to be made as usual. */
  async #callEarly(route: number, args: Uint8Array): Promise<Opened | undefined> {
    const early = { token: '', idempotencyKey: NO_KEY };
    const introduction = encodeCall({ ...early, route: ANONYMOUS, args: utf8('{}') });
    const call = encodeCall({ ...early, route, args });
    let answer: Opened | undefined;
    await this.auth.introduce(async () => {
      const introduced = this.#link.mayIntroduce ? await this.#link.introduce([introduction, call]) : undefined;
      const [identity] = introduced?.answers ?? [];
      if (introduced === undefined || identity === undefined) return undefined;
      answer = introduced.answers[1];
      return { sessionId: introduced.sessionId, identity: resultOf(identity) };
    });
    return answer;
  }

  /** The same attempt, but a refused session is made anew, once; before that, a socket's by its ticket. */
  #renewing<T>(attempt: () => Promise<T>, io?: StreamIo): () => Promise<T> {
    let [mayRenew, mayKeepTicket] = [true, true];
    const again = async (): Promise<T> => {
      const { sessionId, socket } = this.#link;
      try {
        return await attempt();
      } catch (error) {
        if (!mayRenew || io?.isStarted === true || !(error instanceof RefusedError)) throw error;
        mayRenew = this.#link.renew(sessionId, socket, mayKeepTicket);
        mayKeepTicket = false;
        return again();
      }
    };
    return again;
  }

  #signal({ signal, timeoutMs }: CallOptions, timeoutMsDefault = TIMEOUT_MS): AbortSignal {
    const signals = [this.#closing.signal];
    const timeout = timeoutMs ?? timeoutMsDefault;
    // `AbortSignal.timeout` refuses it.
    if (timeout < Infinity) signals.push(AbortSignal.timeout(timeout));
    if (signal !== undefined) signals.push(signal);
    return AbortSignal.any(signals);
  }
}

function resultOf({ type, payload }: Opened): Uint8Array {
  switch (type) {
    case FrameType.RpcResponse:
      return payload;
    case FrameType.RpcError:
      throw decodeError(payload);
    default:
      throw new RefusedError('malformed answer');
  }
}

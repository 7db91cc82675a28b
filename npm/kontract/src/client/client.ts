// The client: endpoints as functions, over a link with an identity, with retries.
import { HttpError } from '../errors.js';
import { fromBase64Url } from '../raystream/bytes.js';
import { FrameType } from '../raystream/frame.js';
import { RefusedError } from '../raystream/refused.js';
import { Auth } from './auth.js';
import { NO_KEY, decodeError, encodeCall, idempotencyKey } from './envelope.js';
import { Link } from './link.js';
import { type Platform, realPlatform, settle } from './platform.js';
import { withRetries } from './retry.js';
import { Tickets } from './tickets.js';
import type { CallOptions, Configuration, EndpointSpec, Kontract, Pins, Rpc } from './types.js';

const TIMEOUT_MS = 30_000;

/** The gateway does not take the access token. */
const TOKEN_REFUSED = 'TOKEN_REFUSED';

/** A client of the build with these pins. Does nothing until the first call. */
export function createClient(pins: Pins, platform: Platform = realPlatform): Kontract {
  let configuration: Configuration = {};
  let connection: Connection | undefined;
  const connected = (): Connection => (connection ??= new Connection(pins, configuration, platform));
  const close = (): void => {
    connection?.close();
    connection = undefined;
  };
  return {
    endpoint: (spec) => endpoint(spec, connected),
    configure: (given) => {
      configuration = { ...configuration, ...given };
      close();
    },
    auth: {
      anonymous: async () => connected().auth.refresh(),
      refresh: async () => connected().auth.refresh(),
    },
    close,
  };
}

function endpoint<A extends readonly unknown[], R>(spec: EndpointSpec<A, R>, connected: () => Connection): Rpc<A, R> {
  const bound =
    (options: CallOptions) =>
    async (...args: A): Promise<R> => {
      const encoded = spec.encode(args);
      return spec.decode(await connected().call(spec, encoded, options));
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
  call(target: Target, args: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    const key = target.readOnly ? NO_KEY : idempotencyKey(options.idempotencyKey, this.#platform.entropy);
    const signal = this.#signal(options);
    let mayRefresh = true;
    const attempt = async (): Promise<Uint8Array> => {
      const token = await abortable(signal, this.#link.ready().then((sessionId) => this.auth.token(sessionId)));
      try {
        return await this.#callOnce(target.route, token, key, args, signal);
      } catch (error) {
        // Only the gateway's own refusal, which comes before anything runs; an endpoint's 401 is an answer.
        if (!mayRefresh || !(error instanceof HttpError) || error.code !== TOKEN_REFUSED) throw error;
        mayRefresh = false;
        this.auth.reject(token);
        return attempt();
      }
    };
    return withRetries(this.#renewing(attempt), this.#platform, signal);
  }

  close(): void {
    this.#closing.abort(new DOMException('the client was closed', 'AbortError'));
    this.#link.close();
  }

  #callBuiltIn(route: number, args: Uint8Array): Promise<Uint8Array> {
    const key = this.#platform.entropy(NO_KEY.length);
    const signal = this.#signal({});
    return withRetries(this.#renewing(() => this.#callOnce(route, '', key, args, signal)), this.#platform, signal);
  }

  async #callOnce(route: number, token: string, key: Uint8Array, args: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { type, payload } = await this.#link.call(encodeCall({ route, token, idempotencyKey: key, args }), signal);
    switch (type) {
      case FrameType.RpcResponse:
        return payload;
      case FrameType.RpcError:
        throw decodeError(payload);
      default:
        throw new RefusedError('frame type not allowed here');
    }
  }

  /** The same attempt, but a refused session is made anew, once. */
  #renewing<T>(attempt: () => Promise<T>): () => Promise<T> {
    let mayRenew = true;
    return async () => {
      const sessionId = this.#link.sessionId;
      try {
        return await attempt();
      } catch (error) {
        if (!mayRenew || !(error instanceof RefusedError)) throw error;
        mayRenew = false;
        this.#link.renew(sessionId);
        return attempt();
      }
    };
  }

  #signal({ signal, timeoutMs = TIMEOUT_MS }: CallOptions): AbortSignal {
    const signals = [this.#closing.signal, AbortSignal.timeout(timeoutMs)];
    return AbortSignal.any(signal === undefined ? signals : [...signals, signal]);
  }
}

/** Stops waiting when the signal says so; the work itself serves other calls too and goes on. */
function abortable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason as Error);
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}

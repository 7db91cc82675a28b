// Identities: access tokens bound to the session, and the refresh token that outlives it.
import { HttpError } from '../errors.js';
import { equal, utf8 } from '../raystream/bytes.js';
import type { Settings } from './platform.js';
import type { Tickets } from './tickets.js';
import type { Identity } from './types.js';

/** A token this close to its end is renewed first. */
const MARGIN_MS = 30_000;

/** The gateway's own routes: the ids of `kontract.auth.anonymous` and `kontract.auth.refresh`, as `runtime/wire/src/route.rs` makes them. */
export const ANONYMOUS = 0x43107330;
export const REFRESH = 0x6e1f59bf;

/** The gateway does not take the token. */
export const TOKEN_REFUSED = 'TOKEN_REFUSED';

/** Calls one of the gateway's own routes with JSON, without a token. */
export type CallBuiltIn = (route: number, args: Uint8Array) => Promise<Uint8Array>;

export interface Token {
  readonly text: string;
  readonly owner: string;
  readonly sessionId: Uint8Array;
  /** Milliseconds on the server's clock. */
  readonly expiresAt: number;
}

interface Granted {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly owner: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

export class Auth {
  readonly #settings: Settings;
  readonly #tickets: Tickets;
  readonly #ready: () => Promise<Uint8Array>;
  readonly #call: CallBuiltIn;
  readonly #storageKey: string;
  #token: Token | undefined;
  /** The refresh token, where the storage is full: for as long as the page lives. */
  #unstored: string | null = null;
  #renewing: Promise<Identity> | undefined;
  #introducing: Promise<void> | undefined;

  constructor(settings: Settings, tickets: Tickets, ready: () => Promise<Uint8Array>, call: CallBuiltIn) {
    this.#settings = settings;
    this.#tickets = tickets;
    this.#ready = ready;
    this.#call = call;
    this.#storageKey = `kontract.refresh:${settings.url}`;
  }

  /** An access token for the session, made if needed. */
  async token(sessionId: Uint8Array): Promise<Token | undefined> {
    const held = this.#token;
    const isGood = held !== undefined && equal(held.sessionId, sessionId) && held.expiresAt - MARGIN_MS > this.#tickets.serverNow();
    if (!isGood) await this.refresh();
    return this.#token;
  }

  /** Whether there is no access token, and none on its way. */
  get mayIntroduce(): boolean {
    return this.#token === undefined && this.#renewing === undefined;
  }

  /**
   * Becomes anonymous by what a handshake brought along; `mayIntroduce` comes before it. Where `bring` gives nothing, or there is
   * a refresh token, perhaps of another tab, the identity is made as usual.
   */
  introduce(bring: () => Promise<{ readonly sessionId: Uint8Array; readonly identity: Uint8Array } | undefined>): Promise<Identity> {
    const introducing = exclusively(this.#storageKey, async () => {
      const brought = this.#refreshToken === null ? await bring() : undefined;
      return brought === undefined ? this.#refresh() : this.#accept(brought.sessionId, brought.identity);
    });
    this.#renewing = introducing.finally(() => (this.#renewing = this.#introducing = undefined));
    this.#introducing = this.#renewing.then(
      () => undefined,
      () => undefined,
    );
    return this.#renewing;
  }

  /** Resolves when a handshake that brings an identity is over, however it ends. */
  get introduced(): Promise<void> | undefined {
    return this.#introducing;
  }

  /** Gives up a token that the server refused. */
  reject(token: Token | undefined): void {
    if (this.#token === token) this.#token = undefined;
  }

  /** Renews the access token; without a refresh token, or with one that is no longer good, becomes anonymous. One at a time. */
  refresh(): Promise<Identity> {
    this.#renewing ??= exclusively(this.#storageKey, () => this.#refresh()).finally(() => (this.#renewing = undefined));
    return this.#renewing;
  }

  get #refreshToken(): string | null {
    return this.#settings.storage.getItem(this.#storageKey) ?? this.#unstored;
  }

  async #refresh(): Promise<Identity> {
    const refreshToken = this.#refreshToken;
    if (refreshToken === null) return this.#grant(ANONYMOUS, {});
    try {
      return await this.#grant(REFRESH, { refreshToken });
    } catch (error) {
      // Only the gateway can say that, and what is on the way cannot: an identity that is given up is lost for good.
      if (!(error instanceof HttpError) || error.code !== TOKEN_REFUSED) throw error;
      this.#settings.storage.removeItem(this.#storageKey);
      return this.#grant(ANONYMOUS, {});
    }
  }

  async #grant(route: number, args: object): Promise<Identity> {
    const sessionId = await this.#ready();
    return this.#accept(sessionId, await this.#call(route, utf8(JSON.stringify(args))));
  }

  #accept(sessionId: Uint8Array, identity: Uint8Array): Identity {
    const granted = parseGranted(identity);
    try {
      this.#settings.storage.setItem(this.#storageKey, granted.refreshToken);
    } catch {
      this.#unstored = granted.refreshToken;
    }
    const expiresAt = granted.expiresAt * 1000;
    this.#token = { text: granted.accessToken, owner: granted.owner, sessionId, expiresAt };
    // It is new: where it seems over, the clock was set meanwhile.
    this.#tickets.notAfter(expiresAt - 2 * MARGIN_MS);
    return { owner: granted.owner, expiresAt: new Date(expiresAt) };
  }
}

/** Two tabs that refreshed with one token at once would look like a thief: a lock shared by all tabs keeps them apart. */
async function exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  return locks === undefined ? work() : locks.request(name, work);
}

function parseGranted(bytes: Uint8Array): Granted {
  const granted = JSON.parse(new TextDecoder().decode(bytes)) as Granted;
  // The gateway is authentic and of this build: what has an end has the rest.
  if (!(granted.expiresAt > 0)) throw new TypeError('the gateway answered no identity');
  return granted;
}


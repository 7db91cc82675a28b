// Both handshakes, the client's side: full (mode 1) and resumed (mode 3).
import { type Bytes, concat, readU64, u16, utf8 } from './bytes.js';
import { type Entropy, encapsulate, expand, extract, keyPair, sha256 } from './crypto.js';
import { FrameType, clearFrame, responseBody } from './frame.js';
import { initiate } from './noise.js';
import { RefusedError } from './refused.js';
import { Direction, type Opened, Session } from './session.js';

const NOTHING = new Uint8Array(0);
const TICKET_LEN = 112;
const SESSION_ID_LEN = 16;

/** What a build pins, in bytes. */
export interface Identity {
  readonly suite: 1 | 2;
  readonly buildId: Bytes;
  readonly routeHash: Bytes;
}

/** A server's static key, public halves. */
export interface ServerKey {
  readonly x25519: Bytes;
  readonly mlKem: Bytes;
}

/** A session that a handshake established. Its ticket, if any, comes as the next frame; see `ticketOf`. */
export interface Established {
  readonly session: Session;
  readonly sessionId: Bytes;
  /** The secret of the ticket that comes with this handshake. */
  readonly ticketSecret: Bytes;
}

/** A ticket and its secret. */
export interface Resumption {
  readonly ticket: Bytes;
  readonly secret: Bytes;
  readonly sessionId: Bytes;
  /** Seconds since 1970 on the server's clock. */
  readonly expiresAt: number;
}

/** A handshake after its HANDSHAKE_INIT. */
export interface Handshake {
  /** The HANDSHAKE_INIT frame. */
  readonly init: Bytes;
  /** Reads the HANDSHAKE_RESPONSE frame; to be called once. */
  finish(response: Bytes): Promise<Established>;
}

/** A resume after its HANDSHAKE_INIT: calls can be sealed at once. */
export interface Resume extends Handshake {
  /** As a session's. */
  seal(type: FrameType, sequence: number, payload: Uint8Array, part?: number): Promise<Bytes>;
}

/** Begins a full handshake; `early` is made by `encodeEarly`. */
export async function startFull(identity: Identity, server: ServerKey, entropy: Entropy, early: Bytes = NOTHING): Promise<Handshake> {
  const { kemCt, psk } = identity.suite === 2 ? await pskOf(server.mlKem, entropy) : NO_KEM;
  const keyId = await keyIdOf(server);
  const suite = u16(identity.suite);
  const { buildId, routeHash } = identity;
  const prologue = concat(utf8('raystream/1\0'), suite, buildId, routeHash, keyId, await sha256(kemCt));
  const setup = { prologue, remoteStatic: server.x25519, ephemeral: await keyPair(entropy(32)), ...(psk && { psk }) };
  const noise = await initiate(setup, early);
  const body = concat(Uint8Array.of(1), suite, buildId, keyId, u16(kemCt.length), kemCt, noise.message);
  return {
    init: clearFrame(FrameType.HandshakeInit, body),
    finish: async (response) => {
      const { payload, split } = await noise.finish(responseBody(response));
      if (payload.length !== SESSION_ID_LEN + 8) throw new RefusedError('malformed frame');
      const prk = await extract(split.hash, split.k1, split.k2);
      const session = new Session(await Direction.of(prk, 'c2s', split.hash), await Direction.of(prk, 's2c', split.hash));
      const ticketSecret = await expand(prk, 'rs1 resumption', split.hash, 32);
      for (const secret of [prk, split.k1, split.k2]) secret.fill(0);
      return { session, sessionId: payload.slice(0, SESSION_ID_LEN), ticketSecret };
    },
  };
}

/** Begins a resume. */
export async function startResume(resumption: Resumption, entropy: Entropy): Promise<Resume> {
  const clientRandom = entropy(32);
  const { ticket, secret, sessionId } = resumption;
  const init = clearFrame(FrameType.HandshakeInit, concat(Uint8Array.of(3), u16(ticket.length), ticket, clientRandom));
  const prk = await extract(clientRandom, secret);
  const transcript = await sha256(init);
  const c2s = await Direction.of(prk, 'c2s', transcript);
  return {
    init,
    seal: c2s.seal.bind(c2s),
    finish: async (response) => {
      const serverRandom = responseBody(response);
      if (serverRandom.length !== 32) throw new RefusedError('malformed frame');
      const whole = await sha256(transcript, serverRandom);
      const session = new Session(c2s, await Direction.of(prk, 's2c', whole));
      const ticketSecret = await expand(prk, 'rs1 resumption', whole, 32);
      // Whoever sealed with it keeps this closure for as long as its socket lives.
      prk.fill(0);
      return { session, sessionId, ticketSecret };
    },
  };
}

/** The ticket that a frame of type HANDSHAKE_RESPONSE carries. */
export function ticketOf(opened: Opened, { sessionId, ticketSecret }: Established): Resumption {
  const { type, payload } = opened;
  const expiresAt = payload.length === 8 + TICKET_LEN ? readU64(payload, 0) : undefined;
  if (type !== FrameType.HandshakeResponse || expiresAt === undefined) throw new RefusedError('not a ticket');
  return { ticket: payload.slice(8), secret: ticketSecret, sessionId, expiresAt };
}

/** `SHA256(x25519 ‖ ML-KEM key)[..8]`. */
async function keyIdOf(server: ServerKey): Promise<Bytes> {
  return (await sha256(server.x25519, server.mlKem)).slice(0, 8);
}

interface PreShared {
  readonly kemCt: Bytes;
  readonly psk?: Bytes;
}

const NO_KEM: PreShared = { kemCt: new Uint8Array(0) };

async function pskOf(mlKem: Bytes, entropy: Entropy): Promise<PreShared> {
  const { ciphertext, secret } = await encapsulate(mlKem, entropy);
  const prk = await extract(await sha256(ciphertext), secret);
  return { kemCt: ciphertext, psk: await expand(prk, 'rs1 pq-psk', new Uint8Array(0), 32) };
}

// The Durable Object behind a WebSocket: one raystream session, one frame for each binary message.
//
// Its keys and counters live in memory only. After hibernation they are gone, so the first frame that then arrives is
// refused and the client opens a new epoch with its ticket.

import { DurableObject } from "cloudflare:workers";

import type { Bytes } from "../raystream/bytes.js";
import { frames as framesOf } from "../raystream/frame.js";
import { SocketPeer } from "./peer.js";
import type { Bindings, Build, Call, Channel } from "./platform.js";
import { Inbox } from "./inbox.js";
import { MAX_BYTES, type Runtime, runtimeOf } from "./runtime.js";
import { run } from "./call.js";
import { reportFault, take, takeEarly } from "./frames.js";
import { seal } from "./outcome.js";

/** "Policy violation" (RFC 6455, section 7.4.1): the one close code for everything that is refused. */
const CLOSE_REFUSED = 1008;
const CLOSE_NORMAL = 1000;
/** "Internal error": ours, and worth another try. */
const CLOSE_FAULT = 1011;

declare const WebSocketPair: new () => { 0: WebSocket; 1: WebSocket };

interface Opened {
  readonly runtime: Runtime;
  readonly channel: Channel;
  /** The callers of what runs, by the sequence of their calls. */
  readonly peers: Map<number, SocketPeer>;
  /** What runs. */
  readonly calls: Set<Promise<void>>;
}

/** Bytes of answers that a peer may leave unread. Whoever reads nothing and calls on has the gateway keep them all. */
const UNREAD_LEN_MAX = 64 << 20;

/**
 * Time for a HANDSHAKE_INIT after the socket was opened, and for the rest of a call that comes in parts. workerd waits as long for
 * the next message before an object may hibernate, so that this keeps none awake.
 */
const REST_MS_MAX = 10_000;

interface SocketState {
  acceptWebSocket(socket: WebSocket): void;
}

/** Makes the class for a build. */
export function sessionObject(build: Build): new (state: unknown, bindings: Bindings) => object {
  return class extends DurableObject<Bindings> {
    /** Frames that arrive while the channel is being opened wait for it, in their order. */
    #channels = new WeakMap<WebSocket, Promise<Opened>>();
    readonly #timers = new WeakMap<WebSocket, ReturnType<typeof setTimeout>>();

    async fetch(): Promise<Response> {
      const { 0: client, 1: server } = new WebSocketPair();
      (this.ctx as unknown as SocketState).acceptWebSocket(server);
      this.#await(server);
      return new Response(null, { status: 101, webSocket: client } as ResponseInit);
    }

    async webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): Promise<void> {
      try {
        if (typeof message === "string") throw new Error("refused");
        const frame = new Uint8Array(message);
        const opening = this.#channels.get(socket);
        if (opening === undefined) return await this.#open(socket, frame);
        const opened = await opening;
        if (this.#channels.get(socket) === opening) await this.#receive(opened, socket, frame);
      } catch (error) {
        this.#end(socket, reportFault(error) ? CLOSE_FAULT : CLOSE_REFUSED);
      }
    }

    /** A Close is answered with one (RFC 6455, section 5.5.1); workerd does not do so for sockets that may hibernate. */
    async webSocketClose(socket: WebSocket): Promise<void> {
      this.#end(socket, CLOSE_NORMAL);
    }

    /** What is no WebSocket's frame, or is longer than workerd takes, comes here and not there. */
    async webSocketError(socket: WebSocket): Promise<void> {
      this.#drop(socket);
    }

    async #open(socket: WebSocket, init: Bytes): Promise<void> {
      this.#stopWaiting(socket);
      const opening = this.#accept(init);
      this.#channels.set(socket, opening);
      const opened = await opening;
      const { channel, runtime } = opened;
      for (const response of framesOf(channel.takeResponse())) socket.send(response);
      const early = [...takeEarly(channel, runtime.gateway)];
      for (const { reply } of early) if (reply !== undefined) socket.send(reply);
      await Promise.all(early.map(({ call }) => call && this.#run(opened, socket, call)));
    }

    async #accept(init: Bytes): Promise<Opened> {
      const runtime = await runtimeOf(build, this.env);
      return { runtime, channel: runtime.gateway.accept(init, runtime.tickets), peers: new Map(), calls: new Set() };
    }

    async #receive(opened: Opened, socket: WebSocket, frame: Bytes): Promise<void> {
      const { runtime, channel, peers } = opened;
      const { call, reply, cancelled, chunk, closed } = take(channel.receive(runtime.gateway, frame));
      if (reply !== undefined) socket.send(reply);
      if (cancelled !== undefined) peers.get(cancelled)?.abort();
      if (chunk !== undefined) peers.get(chunk.sequence)?.take(chunk);
      if (closed) return this.#end(socket, CLOSE_NORMAL);
      this.#watch(opened, socket);
      if (call !== undefined) await this.#run(opened, socket, call);
    }

    async #run(opened: Opened, socket: WebSocket, call: Call): Promise<void> {
      const running = this.#answer(opened, socket, call);
      opened.calls.add(running);
      try {
        await running;
      } finally {
        opened.calls.delete(running);
      }
    }

    async #answer({ runtime, channel, peers }: Opened, socket: WebSocket, call: Call): Promise<void> {
      const { sequence } = call;
      const write = (frames: Bytes): void => {
        for (const frame of framesOf(frames)) socket.send(frame);
        if (socket.bufferedAmount > UNREAD_LEN_MAX) this.#end(socket, CLOSE_FAULT);
      };
      const { maxBytes = MAX_BYTES } = build.routes[call.route] ?? {};
      const inbox = new Inbox((stream, bytes) => write(channel.credit(sequence, stream, bytes)), maxBytes);
      const peer = new SocketPeer((item) => write(channel.data(sequence, 0, item)), inbox);
      // The gateway refuses the number of a call that runs; one that was given up may still be ending.
      peers.set(sequence, peer);
      const outcome = await run(runtime, call, peer);
      if (peers.get(sequence) === peer) peers.delete(sequence);
      // The peer may have gone or given up while the endpoint ran.
      if (this.#channels.has(socket) && !peer.isGone) write(seal(channel, sequence, outcome));
    }

    /** Half a call is not kept for ever. */
    #watch({ channel }: Opened, socket: WebSocket): void {
      this.#stopWaiting(socket);
      if (channel.waiting) this.#await(socket);
    }

    /** Ends a socket whose peer keeps what it owes. */
    #await(socket: WebSocket): void {
      this.#timers.set(socket, setTimeout(() => this.#end(socket, CLOSE_REFUSED), REST_MS_MAX));
    }

    #stopWaiting(socket: WebSocket): void {
      const timer = this.#timers.get(socket);
      if (timer === undefined) return;
      clearTimeout(timer);
      this.#timers.delete(socket);
    }

    #end(socket: WebSocket, code: number): void {
      this.#drop(socket);
      socket.close(code);
    }

    #drop(socket: WebSocket): void {
      const opening = this.#channels.get(socket);
      this.#channels.delete(socket);
      this.#stopWaiting(socket);
      opening?.then(
        async ({ channel, peers, calls }) => {
          for (const peer of peers.values()) peer.abort();
          await Promise.allSettled(calls);
          // The keys are wiped, and no longer when the garbage collector finds the time.
          channel.free();
        },
        () => undefined,
      );
    }
  };
}

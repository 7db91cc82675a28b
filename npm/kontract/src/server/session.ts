// The Durable Object behind a WebSocket: one raystream session, one frame for each binary message.
//
// Its keys and counters live in memory only. After hibernation they are gone, so the first frame that then arrives is
// refused and the client opens a new epoch with its ticket.

import { DurableObject } from "cloudflare:workers";

import type { Bytes } from "../raystream/bytes.js";
import type { Bindings, Build, Channel } from "./platform.js";
import { type Runtime, runtimeOf } from "./runtime.js";
import { run } from "./call.js";
import { reportFault, splitFrames, take } from "./frames.js";
import { seal } from "./outcome.js";

/** "Policy violation" (RFC 6455, section 7.4.1): the one close code for everything that is refused. */
const CLOSE_REFUSED = 1008;
const CLOSE_NORMAL = 1000;

declare const WebSocketPair: new () => { 0: WebSocket; 1: WebSocket };

interface Opened {
  readonly runtime: Runtime;
  readonly channel: Channel;
}

interface SocketState {
  acceptWebSocket(socket: WebSocket): void;
}

/** Makes the class for a build. */
export function sessionObject(build: Build): new (state: unknown, bindings: Bindings) => object {
  return class extends DurableObject<Bindings> {
    /** Frames that arrive while the channel is being opened wait for it, in their order. */
    #channels = new WeakMap<WebSocket, Promise<Opened>>();

    async fetch(): Promise<Response> {
      const { 0: client, 1: server } = new WebSocketPair();
      (this.ctx as unknown as SocketState).acceptWebSocket(server);
      return new Response(null, { status: 101, webSocket: client } as ResponseInit);
    }

    async webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): Promise<void> {
      try {
        if (typeof message === "string") throw new Error("refused");
        const frame = new Uint8Array(message);
        const opening = this.#channels.get(socket);
        if (opening === undefined) await this.#open(socket, frame);
        else await this.#receive(await opening, socket, frame);
      } catch (error) {
        reportFault(error);
        this.#drop(socket);
        socket.close(CLOSE_REFUSED);
      }
    }

    async webSocketClose(socket: WebSocket): Promise<void> {
      this.#drop(socket);
    }

    async #open(socket: WebSocket, init: Bytes): Promise<void> {
      const opening = this.#accept(init);
      this.#channels.set(socket, opening);
      const { channel } = await opening;
      for (const response of splitFrames(build, channel.takeResponse())) socket.send(response);
    }

    async #accept(init: Bytes): Promise<Opened> {
      const runtime = await runtimeOf(build, this.env);
      return { runtime, channel: runtime.gateway.accept(init, runtime.tickets) };
    }

    async #receive({ runtime, channel }: Opened, socket: WebSocket, frame: Bytes): Promise<void> {
      const { call, reply, closed } = take(channel.receive(runtime.gateway, frame));
      if (reply !== undefined) socket.send(reply);
      if (call !== undefined) {
        const { sequence } = call;
        const outcome = await run(runtime, call);
        // The peer may have gone while the endpoint ran; its result was committed all the same.
        if (this.#channels.has(socket)) socket.send(seal(channel, sequence, outcome));
      }
      if (closed) {
        this.#drop(socket);
        socket.close(CLOSE_NORMAL);
      }
    }

    #drop(socket: WebSocket): void {
      this.#channels.delete(socket);
    }
  };
}

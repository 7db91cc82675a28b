// The Durable Object behind a WebSocket: one raystream session, one frame for each binary message.
//
// Its keys and counters live in memory only. After hibernation they are gone, so the first frame that then arrives is
// refused and the client opens a new epoch with its ticket.

import { DurableObject } from "cloudflare:workers";

import type { Bindings, Build, Channel } from "./platform.js";
import { type Runtime, runtimeOf } from "./runtime.js";
import { splitFrames } from "./frames.js";
import { answer } from "./call.js";

/** "Policy violation" (RFC 6455, section 7.4.1): the one close code for everything that is refused. */
const CLOSE_REFUSED = 1008;
const CLOSE_NORMAL = 1000;

declare const WebSocketPair: new () => { 0: WebSocket; 1: WebSocket };

interface SocketState {
  acceptWebSocket(socket: WebSocket): void;
}

/** Makes the class for a build. */
export function sessionObject(build: Build): new (state: unknown, bindings: Bindings) => object {
  return class extends DurableObject<Bindings> {
    #channels = new WeakMap<WebSocket, Channel>();

    async fetch(): Promise<Response> {
      const { 0: client, 1: server } = new WebSocketPair();
      (this.ctx as unknown as SocketState).acceptWebSocket(server);
      return new Response(null, { status: 101, webSocket: client } as ResponseInit);
    }

    async webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): Promise<void> {
      try {
        if (typeof message === "string") throw new Error("refused");
        await this.#receive(await runtimeOf(build, this.env), socket, new Uint8Array(message));
      } catch {
        this.#drop(socket);
        socket.close(CLOSE_REFUSED);
      }
    }

    async webSocketClose(socket: WebSocket): Promise<void> {
      this.#drop(socket);
    }

    async #receive(runtime: Runtime, socket: WebSocket, frame: Uint8Array): Promise<void> {
      const channel = this.#channels.get(socket);
      if (channel === undefined) {
        const opened = runtime.gateway.accept(frame, runtime.tickets);
        this.#channels.set(socket, opened);
        for (const response of splitFrames(build, opened.takeResponse())) socket.send(response);
        return;
      }
      const incoming = channel.receive(runtime.gateway, frame);
      const { reply, closed } = incoming;
      const call = incoming.takeCall();
      incoming.free();
      if (reply !== undefined) socket.send(reply);
      if (call !== undefined) {
        const sealed = await answer(runtime, channel, call);
        // The peer may have gone while the endpoint ran; its result was committed all the same.
        if (this.#channels.get(socket) === channel) socket.send(sealed);
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

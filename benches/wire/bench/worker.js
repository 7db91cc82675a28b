// Runs one peer in workerd, as often as the request says.
import { messages, peers } from './codecs.js';

export default {
  async fetch(request) {
    const { peer, message, op, count } = await request.json();
    const codecs = peers[peer][message];
    const value = messages[message];
    const made = codecs.encode(value);
    const bytes = typeof made === 'string' ? made : Uint8Array.from(made);
    const run = { encode: () => codecs.encode(value), decode: () => codecs.decode(bytes), sum: () => codecs.sum(bytes), page: () => codecs.page(bytes) }[op];
    let sink = 0;
    for (let i = 0; i < count; i++) if (run() !== undefined) sink++;
    return Response.json({ size: bytes.length, sink });
  },
};

// A Worker that tells what `compare` and `replay` find on workerd.
import { compare } from './primitives.js';
import { replay } from './replay.js';
import type { SuiteVector } from './vector.js';

export default {
  async fetch(request: Request): Promise<Response> {
    const vectors = (await request.json()) as SuiteVector[];
    return Response.json({ findings: await compare(), said: await Promise.all(vectors.map(replay)) });
  },
};

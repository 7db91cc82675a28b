// A client that says what a vector says: handshake, ticket, frames and resumes, as text. Knows no file system, so that it also runs in
// workerd and browsers.
import { FrameType, frames } from '../raystream/frame.js';
import { startFull, startResume, ticketOf } from '../raystream/handshake.js';
import { hex, unhex } from './hex.js';
import { type SuiteVector, fixedEntropy, identityOf, serverKeyOf } from './vector.js';

/** Everything that a client of this vector sends or learns, in the order of the vector. */
export async function replay(vector: SuiteVector): Promise<string[]> {
  const full = await startFull(identityOf(vector), serverKeyOf(vector), fixedEntropy(vector.clientEntropy));
  const [clear, ticket] = frames(unhex(vector.response));
  if (clear === undefined || ticket === undefined) throw new Error('the vector has no ticket');
  const { session, ...rest } = await full.finish(clear);
  const resumption = ticketOf(await session.open(ticket), { session, ...rest });
  const said = [hex(full.init), hex(rest.sessionId)];
  for (const { sequence, rekey, payload, answer } of vector.frames) {
    if (rekey) session.rekey();
    said.push(hex(await session.seal(FrameType.RpcCall, sequence, unhex(payload))), hex((await session.open(unhex(answer))).payload));
  }
  for (const { clientEntropy, callPayload, response, answer } of [vector.resume, vector.renewal]) {
    const resume = await startResume(resumption, fixedEntropy(clientEntropy));
    said.push(hex(resume.init), hex(await resume.seal(FrameType.RpcCall, 1, unhex(callPayload))));
    const [first, renewed] = frames(unhex(response));
    if (first === undefined) throw new Error('the vector has no response');
    const established = await resume.finish(first);
    if (renewed !== undefined) await established.session.open(renewed);
    said.push(hex((await established.session.open(unhex(answer))).payload));
  }
  return said;
}

/** What it has to be. */
export function expected(vector: SuiteVector): string[] {
  return [
    vector.init,
    vector.sessionId,
    ...vector.frames.flatMap(({ call, payload }) => [call, payload]),
    ...[vector.resume, vector.renewal].flatMap(({ init, call, answerPayload }) => [init, call, answerPayload]),
  ];
}

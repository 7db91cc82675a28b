// What a call came to, and the sealed frame that says so.
//
// Running and sealing are apart because a channel numbers its frames when it seals them: whoever sends several decides
// their order.

import { HttpError } from "../index.js";
import type { Bytes } from "../raystream/bytes.js";
import type { Channel } from "./platform.js";

/** An endpoint's result, encoded, or the error that its caller is told. */
export type Outcome = { readonly result: Bytes } | Failure;

/** An error as it travels. */
export interface Failure {
  /** 400 to 599. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Limits of an error's text, in UTF-16 units; the gateway cuts to the same numbers of bytes (`runtime/wire/src/limits.rs`). */
const CODE_LEN_MAX = 64;
const MESSAGE_LEN_MAX = 4096;

/**
 * The frame that carries an outcome. An outcome that cannot be sealed becomes a plain error, so that this throws only
 * where the channel itself is dead.
 */
export function seal(channel: Channel, sequence: number, outcome: Outcome): Bytes {
  try {
    if ("result" in outcome) return channel.respond(sequence, outcome.result);
    return channel.fail(sequence, outcome.status, outcome.code, outcome.message);
  } catch (error) {
    console.error(`kontract: an answer could not be sealed: ${textOf(error)}`);
    return channel.fail(sequence, 500, "INTERNAL", "the answer could not be sent");
  }
}

/** What the caller may see of whatever was thrown. What is not meant for callers stays in the log, under an id. Never throws. */
export function failureOf(name: string, error: unknown): Failure {
  try {
    if (error instanceof HttpError) return outward(error);
    const id = crypto.randomUUID();
    console.error(`kontract: ${name} failed, error ${id}: ${textOf(error)}`);
    return { status: 500, code: "INTERNAL", message: `internal error ${id}` };
  } catch {
    return { status: 500, code: "INTERNAL", message: "internal error" };
  }
}

/** Text for the log. Values without any, such as `Object.create(null)`, can be thrown too. */
export function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? (error.stack ?? error.message) : error);
  } catch {
    return "a value that has no text";
  }
}

/** The fields may hold anything: types do not stop JavaScript. */
function outward({ status, code, message }: HttpError): Failure {
  const isError = Number.isInteger(status) && status >= 400 && status <= 599;
  return { status: isError ? status : 500, code: cut(String(code), CODE_LEN_MAX), message: cut(String(message), MESSAGE_LEN_MAX) };
}

/** A cut between the halves of a surrogate pair moves before it. */
function cut(text: string, lenMax: number): string {
  return text.length <= lenMax ? text : text.slice(0, lenMax).replace(/[\ud800-\udbff]$/, "");
}

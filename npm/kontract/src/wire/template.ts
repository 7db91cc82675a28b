/** Template literal types: text of one form, as TypeScript itself decides it. */

import type { PathPart } from './error.js';
import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

/** Whether a text is of a template literal type. */
export type Pattern = (text: string) => boolean;

/**
 * The pattern of `` `${texts[0]}${kinds[0]}${texts[1]}…` ``. A kind is `s` for a string, `n` for a number, `b` for a bigint.
 *
 * As in TypeScript, what stands for a placeholder ends where the next text first occurs, or after one character if there
 * is none; nothing is tried again, so that it takes time linear in the text.
 */
export function pattern(texts: readonly string[], kinds: string): Pattern {
  const last = texts.length - 1;
  const head = texts[0] as string;
  const tail = texts[last] as string;
  return (text) => {
    const end = text.length - tail.length;
    if (end < head.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
    let from = head.length;
    for (let i = 1; i <= last; i++) {
      const next = texts[i] as string;
      let to = end;
      if (i < last) to = next === '' ? from + 1 : text.indexOf(next, from);
      if (to < from || to > end || !PLACEHOLDERS[kinds[i - 1] as 's' | 'n' | 'b'](text.slice(from, to))) return false;
      from = to + next.length;
    }
    return true;
  };
}

/** Writes a text of a pattern. */
export function putText(w: Writer, at: number, value: unknown, test: Pattern, name: PathPart): void {
  w.string(at, value, name);
  if (!test(value as string)) throw w.error(name, UNLIKE);
}

/** Reads a text of a pattern. */
export function getText(r: Reader, at: number, test: Pattern, name: PathPart): string {
  const text = r.string(at, name);
  if (!test(text)) throw r.error(name, UNLIKE);
  return text;
}

const PLACEHOLDERS = {
  s: () => true,
  n: (text: string) => text !== '' && Number.isFinite(Number(text)),
  b: (text: string) => /^-?(?:\d+|0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/u.test(text),
};

const UNLIKE = 'text of another form';

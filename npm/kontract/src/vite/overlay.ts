// Diagnostics as Vite's errors: in the page's overlay, in the terminal, out of a build.

import { resolve } from 'node:path';

import type { Diagnostic } from './compiler.js';

/** What Vite and Rollup take as an error. */
export interface Shown {
  readonly plugin: string;
  readonly message: string;
  readonly stack: string;
  readonly frame: string;
  readonly id?: string;
  readonly loc?: { readonly file: string; readonly line: number; readonly column: number };
}

/** The first diagnostic with its place, and below it all of them with frame, reason and fix: as the stack, because the overlay
 * shows no frames but those of its own form. */
export function shown(project: string, diagnostics: readonly Diagnostic[]): Shown {
  const [first] = diagnostics;
  const frame = diagnostics.map(({ rendered }) => rendered.trimEnd()).join('\n\n');
  const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : '';
  const message = first === undefined ? 'kontract: the project has errors' : `${first.code}: ${first.message}${more}`;
  const label = first?.labels[0];
  if (label === undefined) return { plugin: PLUGIN, message, stack: frame, frame };
  const file = resolve(project, label.file);
  // Vite counts columns from 0.
  return { plugin: PLUGIN, message, stack: frame, frame, id: file, loc: { file, line: label.line, column: label.column - 1 } };
}

/** An error without a place. */
export function plain(message: string): Shown {
  return { plugin: PLUGIN, message, stack: '', frame: '' };
}

/** The plugin's name in messages. */
export const PLUGIN = 'kontract';

// The `kontract` program as a child: where it is, what it says, how it ends. Knows nothing of Vite.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

/** A diagnostic as `--json` prints it. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly why: string | null;
  readonly help: string | null;
  readonly labels: readonly { readonly file: string; readonly line: number; readonly column: number; readonly text: string }[];
  /** The whole of it with the frame of the source, as people read it. */
  readonly rendered: string;
}

/** A line of `kontract … --json`, as far as it matters here. */
export type CompilerEvent =
  | { readonly event: 'ready'; readonly url: string }
  | { readonly event: 'rebuilt' | 'completed'; readonly changed: readonly string[] }
  | { readonly event: 'diagnostics'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly event: 'error'; readonly message: string }
  | { readonly event: 'built' | 'stopped' };

/** Finds the program: the option, `KONTRACT_BIN`, `node_modules/.bin` from the project upwards, `PATH`. */
export function locate(project: string, option: string | undefined): string {
  const given = option ?? process.env['KONTRACT_BIN'];
  if (given !== undefined && given !== '') return given;
  const found = [...nodeModules(project), ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')]
    .map((folder) => join(folder, process.platform === 'win32' ? 'kontract.exe' : 'kontract'))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error('the program `kontract` was not found; install it, set KONTRACT_BIN, or name it: kontract({ binary: … })');
}

function nodeModules(folder: string): string[] {
  const above = dirname(folder);
  return [join(folder, 'node_modules/.bin'), ...(above === folder ? [] : nodeModules(above))];
}

/** A command that runs until it has done its work or is asked to stop. */
export class Compiler {
  readonly #child: ChildProcess;
  /** Its exit code; `null` when a signal ended it. */
  readonly ended: Promise<number | null>;

  constructor(binary: string, args: readonly string[], input: string | undefined, heard: (event: CompilerEvent) => void) {
    const child = spawn(binary, [...args, '--json'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => heard(JSON.parse(line) as CompilerEvent));
    const read = new Promise<void>((resolve) => lines.once('close', resolve));
    this.ended = new Promise((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`${binary} cannot be run: ${error.message}`)));
      child.once('exit', (code) => void read.then(() => resolve(code)));
    });
    // A program that ends before it has read everything says why by itself.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  }

  /** Asks it to stop and waits until it and its children have. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.ended;
  }

  /** Asks it to stop, where nothing can be waited for any more. */
  abandon(): void {
    this.#child.kill('SIGTERM');
  }
}

/** Runs a command to its end; what it found if it failed because of the project. */
export async function run(binary: string, args: readonly string[], input?: string): Promise<readonly Diagnostic[]> {
  const found: Diagnostic[] = [];
  let words = '';
  const compiler = new Compiler(binary, args, input, (event) => {
    if (event.event === 'diagnostics') found.push(...event.diagnostics.filter(({ severity }) => severity === 'error'));
    if (event.event === 'error') words = event.message;
  });
  const code = await compiler.ended;
  if (code === 0) return [];
  if (found.length > 0) return found;
  throw new Error(words === '' ? `kontract ${args[0]} ended with ${code}; its words are above` : words);
}

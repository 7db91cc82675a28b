// Where the frontend ends, as the compiler has it in `.kontract/modules.json`. Knows nothing of Vite.

import { readFileSync, realpathSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';

/** What a file of the project is to a frontend. */
export type Standing = { readonly kind: 'stub'; readonly path: string } | { readonly kind: 'server' } | { readonly kind: 'open' };

interface Listed {
  /** Sources with endpoints, and the names of their stubs below `.kontract/client`. */
  readonly stubs: Readonly<Record<string, string>>;
  /** Other sources that only the server can run. */
  readonly server: readonly string[];
  /** Calls in sources of both sides that give what endpoints use. */
  readonly pure: Readonly<Record<string, PureCalls>>;
  /** Sources of both sides that make what endpoints use. */
  readonly making: readonly string[];
}

/** Where calls begin in a text of this length, in UTF-16 units. */
interface PureCalls {
  readonly length: number;
  readonly starts: readonly number[];
}

const NOTHING: Listed = { stubs: {}, server: [], pure: {}, making: [] };

/** The modules of one project. */
export class Modules {
  /** The project's folder, without links: bundlers name files so. */
  readonly project: string;
  #listed: Listed = NOTHING;
  #server = new Set<string>();
  #making = new Set<string>();

  constructor(project: string) {
    this.project = realpathSync(project);
    this.read();
  }

  /** Reads the compiler's list again; before the first build there is none. */
  read(): void {
    try {
      this.#listed = JSON.parse(readFileSync(join(this.project, '.kontract/modules.json'), 'utf8')) as Listed;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      this.#listed = NOTHING;
    }
    this.#server = new Set(this.#listed.server);
    this.#making = new Set(this.#listed.making);
  }

  /** The file that `@/client`, `@/client/<module>` means; `undefined` for every other specifier. */
  client(specifier: string): string | undefined {
    const [, rest] = /^@\/client(?:\/(.+))?$/u.exec(specifier) ?? [];
    if (rest === undefined) return specifier === '@/client' ? this.generated('index.js') : undefined;
    return this.generated(rest.endsWith('.js') ? rest : `${rest}.js`);
  }

  /** A file below `.kontract/client`, spelt as bundlers do. */
  generated(name: string): string {
    return posix.join(this.project.split(sep).join('/'), '.kontract/client', name);
  }

  /** What a file, an absolute path without a query, is to the frontend. */
  standing(file: string): Standing {
    const path = relative(this.project, file).split(sep).join('/');
    const stub = Object.hasOwn(this.#listed.stubs, path) ? this.#listed.stubs[path] : undefined;
    if (stub !== undefined) return { kind: 'stub', path: this.generated(stub) };
    return this.#server.has(path) ? { kind: 'server' } : { kind: 'open' };
  }

  /** Whether a file is of both sides, and makes what a page may have no use for. */
  makes(file: string): boolean {
    return this.#making.has(this.shown(file));
  }

  /** The text of a file in which calls are marked that a bundler may leave out; nothing where there are none. */
  marked(file: string, text: string): string | undefined {
    const path = relative(this.project, file).split(sep).join('/');
    const pure = Object.hasOwn(this.#listed.pure, path) ? this.#listed.pure[path] : undefined;
    // Another plugin may have changed it already.
    if (pure?.length !== text.length) return undefined;
    return [...pure.starts].reverse().reduce((marked, at) => `${marked.slice(0, at)}/*#__PURE__*/ ${marked.slice(at)}`, text);
  }

  /** Every stub that takes a module's place. */
  get stubs(): string[] {
    return Object.values(this.#listed.stubs).map((stub) => this.generated(stub));
  }

  /** A file as people name it. */
  shown(file: string): string {
    return relative(this.project, file).split(sep).join('/');
  }
}

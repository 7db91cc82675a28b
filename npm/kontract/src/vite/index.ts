// `kontract/vite`: a frontend built by Vite, with endpoints behind it.
//
// Only adapts: what is server code, what is wrong and what leaks is the compiler's to say.

import { resolve } from 'node:path';
import type { Plugin, PluginOption } from 'vite';

import { locate, run } from './compiler.js';
import { guard, trim } from './guard.js';
import { Modules } from './modules.js';
import { shown } from './overlay.js';
import { proof } from './proof.js';
import { serve } from './serve.js';

/** How the plugin finds what it works with. */
export interface KontractOptions {
  /** Folder with kontract.json; Vite's root if not given. */
  readonly project?: string;
  /** The program `kontract`; otherwise `KONTRACT_BIN`, `node_modules/.bin`, `PATH`. */
  readonly binary?: string;
  /** Administrator's URL of a PostgreSQL database for `vite dev`, in place of the embedded one. */
  readonly databaseUrl?: string;
}

/** The plugins of a frontend. `vite dev` runs the server as well; `vite build` compiles it first. */
export function kontract(options: KontractOptions = {}): PluginOption[] {
  let opened: Modules | undefined;
  const modules = (): Modules => {
    if (opened === undefined) throw new Error('kontract/vite: used before Vite resolved its configuration');
    return opened;
  };
  const binary = (): string => locate(modules().project, options.binary);
  const open: Plugin = {
    name: 'kontract',
    enforce: 'pre',
    // Workers have plugins of their own.
    config: () => ({ worker: { plugins: () => [guard(modules), trim(modules)] } }),
    configResolved(config) {
      opened ??= new Modules(resolve(config.root, options.project ?? '.'));
    },
  };
  const dev = (): { binary: string; args: string[] } => {
    const database = options.databaseUrl === undefined ? [] : ['--database-url', options.databaseUrl];
    return { binary: binary(), args: ['dev', '--port', '0', '--no-frontend', '--project', modules().project, ...database] };
  };
  return [open, compile(modules, binary), guard(modules), trim(modules), proof(modules, binary), serve(modules, dev)];
}

/** Compiles before a build, once, unless `kontract build` is what runs it. */
function compile(modules: () => Modules, binary: () => string): Plugin {
  let compiled: Promise<Awaited<ReturnType<typeof run>>> | undefined;
  return {
    name: 'kontract:compile',
    apply: 'build',
    async buildStart() {
      if (process.env['KONTRACT_COMPILED'] !== undefined) return;
      compiled ??= run(binary(), ['build', '--no-frontend', '--project', modules().project]);
      const errors = await compiled;
      if (errors.length > 0) this.error(shown(modules().project, errors));
      modules().read();
    },
  };
}

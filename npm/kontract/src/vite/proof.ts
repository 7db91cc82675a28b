// The search of what a build emitted, as the compiler searches what it writes itself.

import { readFileSync } from 'node:fs';
import type { Plugin, Rolldown } from 'vite';

import { run } from './compiler.js';
import { cut } from './guard.js';
import type { Modules } from './modules.js';
import { shown } from './overlay.js';

/** Fails a build for clients that holds anything of the server's. */
export function proof(modules: () => Modules, binary: () => string): Plugin {
  return {
    name: 'kontract:proof',
    apply: 'build',
    applyToEnvironment: (environment) => environment.config.consumer === 'client',
    generateBundle: {
      order: 'post',
      async handler(_options, bundle) {
        const given: string[] = [];
        for (const id of this.getModuleIds()) {
          const [file] = cut(id);
          if (modules().standing(file).kind !== 'open') {
            this.error(`\`${modules().shown(file)}\` is server code, and became part of a page`);
          }
          given.push(this.getModuleInfo(id)?.code ?? '', textOf(file));
        }
        const files = Object.fromEntries(Object.values(bundle).map((output) => [output.fileName, contents(modules(), output)]));
        const input = JSON.stringify({ given, files });
        const leaks = await run(binary(), ['leak-check', '--project', modules().project], input);
        if (leaks.length > 0) this.error(shown(modules().project, leaks));
      },
    },
  };
}

function contents(modules: Modules, output: Rolldown.OutputAsset | Rolldown.OutputChunk): string {
  if (output.type === 'chunk') return output.code + (output.map === null ? '' : output.map.toString());
  const copied = output.originalFileNames.find((file) => modules.standing(`${modules.project}/${file}`).kind !== 'open');
  if (copied !== undefined) throw new Error(`\`${copied}\` is server code, and was copied to \`${output.fileName}\``);
  return typeof output.source === 'string' ? output.source : Buffer.from(output.source).toString('latin1');
}

/** A module as it was before plugins changed it; those without a file have no other text. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

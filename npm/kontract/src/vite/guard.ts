// What a frontend may reach: stubs in the place of modules with endpoints, and no other server code, however it is asked for.

import { dirname, resolve } from 'node:path';
import type { Plugin } from 'vite';

import type { Modules } from './modules.js';

/** Queries that give a file itself in place of what it exports. */
const AS_FILE = /[?&](?:raw|url|inline|init|worker|sharedworker)(?:[&=]|$)/u;

/** `new URL('./x', import.meta.url)`, which bundlers copy without asking plugins. */
const ASSET = /\bnew\s+URL\s*\(\s*(?:'([^']+)'|"([^"]+)"|`([^`$]+)`)\s*,\s*import\.meta\.url/gu;

/** Resolves `@/client` and endpoints to stubs, and refuses what else is the server's. */
export function guard(modules: () => Modules): Plugin {
  return {
    name: 'kontract:guard',
    enforce: 'pre',

    resolveId: {
      order: 'pre',
      async handler(source, importer, options) {
        const [specifier, query] = cut(source);
        const client = modules().client(specifier);
        if (client !== undefined) return client + query;
        if (source.startsWith('\0') || importer?.includes('/node_modules/') === true) return null;
        const found = await this.resolve(source, importer, { ...options, skipSelf: true });
        // In development there is no such field.
        if (found === null || (found.external ?? false) !== false) return found;
        const [file] = cut(found.id);
        const standing = modules().standing(file);
        if (standing.kind === 'open') return found;
        if (standing.kind === 'server' || AS_FILE.test(found.id)) this.error(refusal(modules(), file, importer));
        return standing.path;
      },
    },

    // Other plugins may hand out an id by themselves.
    load: {
      order: 'pre',
      handler(id) {
        const [file] = cut(id);
        if (modules().standing(file).kind !== 'open') this.error(refusal(modules(), file, undefined));
        return null;
      },
    },

    transform: {
      order: 'pre',
      handler(code, id) {
        if (!code.includes('import.meta.url') || id.includes('/node_modules/')) return null;
        const [importer] = cut(id);
        for (const [, ...spellings] of code.matchAll(ASSET)) {
          const file = resolve(dirname(importer), spellings.find((spelling) => spelling !== undefined) ?? '');
          if (modules().standing(file).kind !== 'open') this.error(refusal(modules(), file, importer));
        }
        return null;
      },
    },
  };
}

/** Lets a build leave out what only endpoints use of a module of both sides, such as a connection. */
export function trim(modules: () => Modules): Plugin {
  return {
    name: 'kontract:trim',
    apply: 'build',
    enforce: 'pre',
    applyToEnvironment: (environment) => environment.config.consumer === 'client',
    transform: {
      order: 'pre',
      handler(code, id) {
        const [file, query] = cut(id);
        const marked = query === '' ? modules().marked(file, code) : undefined;
        return marked === undefined ? null : { code: marked, map: null };
      },
    },
  };
}

function refusal(modules: Modules, file: string, importer: string | undefined): string {
  const by = importer === undefined ? 'the page' : `\`${modules.shown(cut(importer)[0])}\``;
  return `${by} asks for \`${modules.shown(file)}\`, which is server code; import endpoints by their names, and move what both sides need to a module of its own`;
}

/** An id as the path of a file, and its query. */
export function cut(id: string): [string, string] {
  const at = id.search(/[?#]/u);
  return at === -1 ? [id, ''] : [id.slice(0, at), id.slice(at)];
}

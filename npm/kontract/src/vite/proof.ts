// The search of what a build emitted, as the compiler searches what it writes itself.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
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
      async handler(options, bundle) {
        hideSources(modules(), bundle, options.dir ?? '.');
        const given: string[] = [];
        const shared: Record<string, string[]> = {};
        for (const id of this.getModuleIds()) {
          const [file] = cut(id);
          if (modules().standing(file).kind !== 'open') {
            this.error(`\`${modules().shown(file)}\` is server code, and became part of a page`);
          }
          const asked = id === file && modules().makes(file) ? await askedOf(this, id) : undefined;
          if (asked !== undefined) shared[modules().shown(file)] = asked;
          else given.push(this.getModuleInfo(id)?.code ?? '', textOf(file));
        }
        const files = Object.fromEntries(Object.values(bundle).map((output) => [output.fileName, contents(modules(), output)]));
        const input = JSON.stringify({ given, shared, files });
        const leaks = await run(binary(), ['leak-check', '--project', modules().project], input);
        if (leaks.length > 0) this.error(shown(modules().project, leaks));
      },
    },
  };
}

/** Takes the texts of modules of which pages are to have no more than they use out of source maps, which have them whole. */
function hideSources(modules: Modules, bundle: Rolldown.OutputBundle, folder: string): void {
  for (const output of Object.values(bundle)) {
    const at = dirname(resolve(folder, output.fileName));
    const shown = (text: string): string[] | undefined => textsShown(modules, at, text);
    if (output.type === 'asset') {
      const texts = output.fileName.endsWith('.map') ? shown(String(output.source)) : undefined;
      if (texts !== undefined) output.source = JSON.stringify({ ...JSON.parse(String(output.source)), sourcesContent: texts });
      continue;
    }
    const texts = output.map === null ? undefined : shown(output.map.toString());
    if (texts !== undefined) output.map!.sourcesContent = texts;
    const inline = inlineMap(output.code);
    const inside = inline === undefined ? undefined : shown(inline.text);
    if (inline === undefined || inside === undefined) continue;
    const map = Buffer.from(JSON.stringify({ ...JSON.parse(inline.text), sourcesContent: inside }));
    output.code = `${output.code.slice(0, inline.start)}${map.toString('base64')}${output.code.slice(inline.end)}`;
  }
}

/** The texts that a map may have; nothing where it has no others. */
function textsShown(modules: Modules, folder: string, text: string): string[] | undefined {
  const { sources, sourcesContent = [] } = JSON.parse(text) as { sources: string[]; sourcesContent?: string[] };
  const hidden = sources.map((source) => modules.makes(resolve(folder, source)));
  return hidden.includes(true) ? sourcesContent.map((content, index) => (hidden[index] === true ? '' : content)) : undefined;
}

/** A map at the end of a script, and where its base64 stands. */
function inlineMap(code: string): { text: string; start: number; end: number } | undefined {
  const found = INLINE_MAP.exec(code);
  if (found?.[1] === undefined) return undefined;
  const start = found.index + found[0].indexOf(',') + 1;
  return { text: Buffer.from(found[1], 'base64').toString(), start, end: start + found[1].length };
}

const INLINE_MAP = /\/\/# sourceMappingURL=data:application\/json[^,\n]*;base64,([\w+/]+=*)\s*$/u;

/** The exports of a module that other modules of a page ask for; nothing where that may be all of them. */
async function askedOf(context: Rolldown.PluginContext, id: string): Promise<string[] | undefined> {
  const { importers = [], dynamicImporters = [] } = context.getModuleInfo(id) ?? {};
  if (dynamicImporters.length > 0) return undefined;
  const asked = new Set<string>();
  for (const importer of importers) {
    for (const { source, names } of takenBy(context, importer)) {
      if ((await context.resolve(source, importer))?.id !== id) continue;
      if (names === undefined) return undefined;
      for (const name of names) asked.add(name);
    }
  }
  return [...asked];
}

/** What a module imports and passes on of each source; without names, everything. */
function takenBy(context: Rolldown.PluginContext, id: string): { source: string; names: string[] | undefined }[] {
  const { body } = context.parse(context.getModuleInfo(id)?.code ?? '');
  return body.flatMap((item) => {
    if (item.type === 'ExportAllDeclaration') return [{ source: item.source.value, names: undefined }];
    if (item.type !== 'ImportDeclaration' && (item.type !== 'ExportNamedDeclaration' || item.source === null)) return [];
    const names = item.specifiers.map((specifier) => {
      if (specifier.type === 'ImportNamespaceSpecifier') return undefined;
      if (specifier.type === 'ImportDefaultSpecifier') return 'default';
      const name = specifier.type === 'ImportSpecifier' ? specifier.imported : specifier.local;
      return name.type === 'Literal' ? name.value : name.name;
    });
    const whole = names.includes(undefined);
    return [{ source: item.source!.value, names: whole ? undefined : (names as string[]) }];
  });
}

function contents(modules: Modules, output: Rolldown.OutputAsset | Rolldown.OutputChunk): string {
  if (output.type === 'chunk') return output.code + (inlineMap(output.code)?.text ?? '') + (output.map === null ? '' : output.map.toString());
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

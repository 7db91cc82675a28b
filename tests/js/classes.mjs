// What a module's `run` gives: as the split wrote it, and as TypeScript compiles it under the same options.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript5';

const [source, options, written] = process.argv.slice(2);
const { compilerOptions } = JSON.parse(readFileSync(options, 'utf8'));
const { options: given } = ts.convertCompilerOptionsFromJson(compilerOptions, '.');
const transpiled = ts.transpileModule(readFileSync(source, 'utf8'), {
  compilerOptions: { ...given, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
}).outputText;
const folder = mkdtempSync(path.join(tmpdir(), 'classes-'));
const result = async (name, text) => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  const module = await import(pathToFileURL(file).href);
  return [module.run(), Object.keys(new module.default())];
};
try {
  const ours = await result('ours.mjs', readFileSync(written, 'utf8'));
  const theirs = await result('theirs.mjs', transpiled);
  process.stdout.write(JSON.stringify({ ours, theirs }));
} finally {
  rmSync(folder, { recursive: true });
}

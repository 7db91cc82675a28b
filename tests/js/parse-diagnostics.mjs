// What TypeScript's own parser says about texts.
//
// node parse-diagnostics.mjs <file>   the file: [{ path, text }]
// Prints for each text null, or its first syntax error: { start, end, code, message }, in bytes of UTF-8.
import { readFileSync } from 'node:fs';
import ts from 'typescript5';

const texts = JSON.parse(readFileSync(process.argv[2], 'utf8'));
console.log(JSON.stringify(texts.map(firstError)));

function firstError({ path, text }) {
  const options = { languageVersion: ts.ScriptTarget.ESNext, impliedNodeFormat: ts.ModuleKind.ESNext };
  const file = ts.createSourceFile(path, text, options, false);
  const [first] = [...file.parseDiagnostics].sort((a, b) => a.start - b.start);
  if (first === undefined) return null;
  const offset = (at) => Buffer.byteLength(text.slice(0, at));
  return {
    start: offset(first.start),
    end: offset(first.start + first.length),
    code: first.code,
    message: ts.flattenDiagnosticMessageText(first.messageText, ' '),
  };
}

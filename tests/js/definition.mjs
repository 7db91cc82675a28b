// What an editor says at places of a project: the language service of TypeScript 5, as VS Code runs it.
// Arguments: the project's folder, the file, and words of it; prints for each what hovering shows and where its definition is.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript5';

const [project, file, ...words] = process.argv.slice(2);
const config = ts.getParsedCommandLineOfConfigFile(join(project, 'tsconfig.json'), {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (d) => { throw new Error(String(d.messageText)); } });
const root = join(project, file);

// The editor's server maps declarations to sources; the plain service does not, so the same session is asked.
const host = {
  ...ts.sys,
  setTimeout, clearTimeout, setImmediate, clearImmediate,
  watchFile: () => ({ close() {} }),
  watchDirectory: () => ({ close() {} }),
  write() {},
};
const logger = { close() {}, hasLevel: () => false, loggingEnabled: () => false, perftrc() {}, info() {}, startGroup() {}, endGroup() {}, msg() {}, getLogFileName: () => undefined };
const session = new ts.server.Session({
  host, logger, cancellationToken: ts.server.nullCancellationToken, useSingleInferredProject: false,
  useInferredProjectPerProjectRoot: false, typingsInstaller: ts.server.nullTypingsInstaller, byteLength: Buffer.byteLength,
  hrtime: process.hrtime, canUseEvents: false,
});
const ask = (command, args) => session.executeCommand({ seq: 0, type: 'request', command, arguments: args }).response;
ask('open', { file: root });
const text = readFileSync(root, 'utf8');
if (!config.fileNames.includes(root)) throw new Error(`${file} is not of the project`);
const answers = words.map((word) => {
  const before = text.slice(0, text.indexOf(word)).split('\n');
  const place = { file: root, line: before.length, offset: before.at(-1).length + 1 + word.length - /\w+$/.exec(word)[0].length };
  const [definition] = ask('definition', place);
  const line = readFileSync(definition.file, 'utf8').split('\n')[definition.start.line - 1];
  const { displayString, documentation } = ask('quickinfo', place);
  return { word, shown: displayString, documentation, file: relative(project, definition.file), at: line.slice(definition.start.offset - 1) };
});
console.log(JSON.stringify(answers));

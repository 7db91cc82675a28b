// What TypeScript says of the aliases that modules export, and of what their functions return, in the normal form of
// `src/parse/types/text.rs`: everything the modules declare is taken apart, `^n` is the n-th object or union type around.
import path from 'node:path';
import ts from 'typescript5';

const [root, ...given] = process.argv.slice(2);
// `--project=PATH`: whose types are in force says that tsconfig; otherwise nobody's are.
const configured = given.filter((word) => word.startsWith('--project='))[0]?.slice('--project='.length);
const files = given.filter((word) => !word.startsWith('--'));
const options = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.Preserve,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ['lib.esnext.d.ts', 'lib.dom.d.ts'],
  types: [],
  esModuleInterop: true,
  paths: { kontract: [path.join(root, 'npm/kontract/src/index.ts')] },
};
if (configured) {
  const { config } = ts.readConfigFile(configured, ts.sys.readFile);
  const own = ts.convertCompilerOptionsFromJson(config.compilerOptions, path.dirname(configured)).options;
  const { types, typeRoots, rootDirs } = own;
  Object.assign(options, { types, typeRoots, rootDirs, configFilePath: configured });
}
const program = ts.createProgram(files, options);
const checker = program.getTypeChecker();
const TYPE_DEPTH_MAX = 12;

const problems = ts.getPreEmitDiagnostics(program);
for (const problem of problems.filter((problem) => problem.code !== 2456 && problem.code !== 2310)) {
  const at = problem.file ? `${problem.file.fileName}:${problem.file.getLineAndCharacterOfPosition(problem.start).line + 1}: ` : '';
  console.error(`${at}${ts.flattenDiagnosticMessageText(problem.messageText, '\n')}`);
}

const answer = {};
for (const file of files.filter((file) => !file.endsWith('.d.ts'))) {
  const source = program.getSourceFile(file);
  const symbol = checker.getSymbolAtLocation(source);
  const forms = {};
  for (const exported of symbol ? checker.getExportsOfModule(symbol) : []) {
    const of = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    if (of.flags & ts.SymbolFlags.Function) {
      const signatures = checker.getSignaturesOfType(checker.getTypeOfSymbol(of), ts.SignatureKind.Call);
      forms[exported.name] = normal(checker.getReturnTypeOfSignature(signatures[0]), []);
    } else if (of.flags & ts.SymbolFlags.TypeAlias && !of.declarations[0].typeParameters) {
      forms[exported.name] = normal(checker.getDeclaredTypeOfSymbol(of), []);
    }
  }
  answer[path.basename(file)] = forms;
}
process.stdout.write(JSON.stringify(answer));
process.exitCode = problems.some((problem) => problem.code !== 2456 && problem.code !== 2310) ? 1 : 0;

function isLibrary(symbol) {
  return symbol?.declarations?.some((declaration) => {
    const file = declaration.getSourceFile();
    return program.isSourceFileDefaultLibrary(file);
  });
}

function normal(type, stack) {
  const flags = type.flags;
  const is = (flag) => (flags & flag) !== 0;
  if (stack.length > TYPE_DEPTH_MAX) return '…';
  if (is(ts.TypeFlags.Any)) return 'any';
  if (is(ts.TypeFlags.Unknown)) return 'unknown';
  if (is(ts.TypeFlags.Never)) return 'never';
  if (is(ts.TypeFlags.Void)) return 'void';
  if (is(ts.TypeFlags.Undefined)) return 'undefined';
  if (is(ts.TypeFlags.Null)) return 'null';
  if (is(ts.TypeFlags.EnumLiteral) && !is(ts.TypeFlags.Union)) return enumText(type);
  if (is(ts.TypeFlags.Enum)) return enumText(type);
  if (is(ts.TypeFlags.StringLiteral)) return JSON.stringify(type.value);
  if (is(ts.TypeFlags.NumberLiteral)) return String(type.value);
  if (is(ts.TypeFlags.BigIntLiteral)) return `${type.value.negative ? '-' : ''}${type.value.base10Value}n`;
  if (is(ts.TypeFlags.BooleanLiteral)) return type.intrinsicName;
  if (is(ts.TypeFlags.String)) return 'string';
  if (is(ts.TypeFlags.Number)) return 'number';
  if (is(ts.TypeFlags.Boolean)) return 'boolean';
  if (is(ts.TypeFlags.BigInt)) return 'bigint';
  if (is(ts.TypeFlags.ESSymbolLike)) return 'symbol';
  if (is(ts.TypeFlags.NonPrimitive)) return 'object';
  if (is(ts.TypeFlags.TemplateLiteral)) {
    return `\`${type.texts[0]}${type.types.map((of, i) => `\${${normal(of, stack)}}${type.texts[i + 1]}`).join('')}\``;
  }
  if (is(ts.TypeFlags.StringMapping)) return `${type.symbol.name}<${normal(type.type, stack)}>`;
  if (is(ts.TypeFlags.Union)) {
    const key = identity(type);
    const at = stack.indexOf(key);
    if (at >= 0) return `^${at}`;
    stack.push(key);
    const text = union(type, stack);
    stack.pop();
    return text;
  }
  if (is(ts.TypeFlags.Intersection)) return intersection(type, stack);
  if (is(ts.TypeFlags.Object)) return object(type, stack);
  if (is(ts.TypeFlags.TypeParameter)) return type.symbol.name;
  return `?${flags}`;
}

function enumText(type) {
  const parent = type.symbol.parent;
  return type.symbol.flags & ts.SymbolFlags.EnumMember && parent ? `${parent.name}.${type.symbol.name}` : type.symbol.name;
}

function union(type, stack) {
  let members = type.types;
  const texts = [];
  const truths = members.filter((member) => member.flags & ts.TypeFlags.BooleanLiteral);
  if (truths.length === 2) {
    members = members.filter((member) => !(member.flags & ts.TypeFlags.BooleanLiteral));
    texts.push('boolean');
  }
  for (const member of members) {
    const text = normal(member, stack);
    texts.push(text.includes('=>') && !text.startsWith('{') ? `(${text})` : text);
  }
  return [...new Set(texts)].sort(byBytes).join(' | ');
}

function byBytes(a, b) {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function intersection(type, stack) {
  const objects = type.types.filter((part) => part.flags & ts.TypeFlags.Object);
  const contradicts = objects.some((part) => checker.getPropertiesOfType(part).length > 0);
  if (contradicts && checker.getPropertiesOfType(type).length === 0) return 'never';
  const parts = type.types.filter((part) => !(part.flags & ts.TypeFlags.Object)).map((part) => normal(part, stack));
  parts.sort(byBytes);
  if (type.types.some((part) => part.flags & ts.TypeFlags.Object)) {
    const key = identity(type);
    const at = stack.indexOf(key);
    if (at >= 0) parts.push(`^${at}`);
    else {
      stack.push(key);
      const whole = parts.length === 0 ? type : objects.length === 1 ? objects[0] : type;
      parts.push(members(whole, stack));
      stack.pop();
    }
  }
  return parts.join(' & ');
}

function object(type, stack) {
  if (checker.isArrayType(type)) {
    const name = type.symbol.name === 'ReadonlyArray' ? 'ReadonlyArray' : 'Array';
    return `${name}<${normal(checker.getTypeArguments(type)[0], stack)}>`;
  }
  if (checker.isTupleType(type)) return tuple(type, stack);
  const named = type.objectFlags & (ts.ObjectFlags.Reference | ts.ObjectFlags.ClassOrInterface);
  if (named && isLibrary(type.symbol)) {
    const shown = { Uint8Array: 0, Iterable: 1, IterableIterator: 1, AsyncIterable: 1, AsyncIterableIterator: 1, Iterator: 1, AsyncIterator: 1 };
    const args = checker.getTypeArguments(type).slice(0, shown[type.symbol.name] ?? 9).map((of) => normal(of, stack));
    const own = args.slice(0, type.target?.typeParameters?.length ?? args.length);
    return own.length > 0 ? `${type.symbol.name}<${own.join(', ')}>` : type.symbol.name;
  }
  const key = identity(type);
  const at = stack.indexOf(key);
  if (at >= 0) return `^${at}`;
  stack.push(key);
  const text = members(type, stack);
  stack.pop();
  return text;
}

// References that TypeScript resolves late, and unions made here, are the same as others without being the same object.
function identity(type) {
  if (type.flags & ts.TypeFlags.Union) return `|${type.types.map((of) => of.id).sort().join()}`;
  const reference = type.objectFlags & ts.ObjectFlags.Reference && type.target;
  return reference ? `${type.target.id}<${checker.getTypeArguments(type).map((of) => of.id).join()}>` : `${type.id}`;
}

function tuple(type, stack) {
  const flags = type.target.elementFlags;
  const elements = checker.getTypeArguments(type).map((of, i) => {
    const optional = (flags[i] & ts.ElementFlags.Optional) !== 0;
    const text = normal(optional ? withoutUndefined(of) : of, stack);
    if (flags[i] & (ts.ElementFlags.Rest | ts.ElementFlags.Variadic)) return `...${text}[]`;
    return optional ? `${text}?` : text;
  });
  return `${type.target.readonly ? 'readonly ' : ''}[${elements.join(', ')}]`;
}

function withoutUndefined(type) {
  if (type.flags & ts.TypeFlags.Undefined) return checker.getNeverType();
  if (!(type.flags & ts.TypeFlags.Union) || type.flags & ts.TypeFlags.Boolean) return type;
  const kept = type.types.filter((member) => !(member.flags & ts.TypeFlags.Undefined));
  if (kept.length === type.types.length) return type;
  // A union made by hand is only read by `normal`.
  if (kept.length === 1) return kept[0];
  const truths = kept.filter((member) => member.flags & ts.TypeFlags.BooleanLiteral);
  if (kept.length === 2 && truths.length === 2) return checker.getBooleanType();
  return { flags: ts.TypeFlags.Union, types: kept };
}

function members(type, stack) {
  const calls = checker.getSignaturesOfType(type, ts.SignatureKind.Call);
  const constructs = checker.getSignaturesOfType(type, ts.SignatureKind.Construct);
  const indexes = checker.getIndexInfosOfType(type);
  const props = checker.getPropertiesOfType(type).filter((prop) => {
    const hidden = ts.getDeclarationModifierFlagsFromSymbol(prop) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected);
    return !hidden && prop.name !== 'prototype' && !prop.name.startsWith('__@') && !prop.name.startsWith('#');
  });
  if (calls.length === 1 && constructs.length === 0 && indexes.length === 0 && props.length === 0) {
    return signature(calls[0], stack);
  }
  const parts = calls.map((call) => signature(call, stack));
  parts.push(...constructs.map((construct) => `new ${signature(construct, stack)}`));
  for (const index of indexes) {
    parts.push(`${index.isReadonly ? 'readonly ' : ''}[${normal(index.keyType, stack)}]: ${normal(index.type, stack)}`);
  }
  for (const prop of [...props].sort((a, b) => byBytes(a.name, b.name))) {
    const optional = (prop.flags & ts.SymbolFlags.Optional) !== 0;
    const of = checker.getTypeOfSymbol(prop);
    const readonly = isReadonly(prop) ? 'readonly ' : '';
    parts.push(`${readonly}${prop.name}${optional ? '?' : ''}: ${normal(optional ? withoutUndefined(of) : of, stack)}`);
  }
  return parts.length === 0 ? '{}' : `{ ${parts.join('; ')} }`;
}

function isReadonly(prop) {
  const READONLY_CHECK_FLAG = 8;
  if (ts.getCheckFlags(prop) & READONLY_CHECK_FLAG) return true;
  if (prop.flags & ts.SymbolFlags.EnumMember) return true;
  if (ts.getDeclarationModifierFlagsFromSymbol(prop) & ts.ModifierFlags.Readonly) return true;
  return (prop.flags & ts.SymbolFlags.Accessor) !== 0 && !(prop.flags & ts.SymbolFlags.SetAccessor);
}

function signature(of, stack) {
  const params = of.parameters.map((param) => {
    const declaration = param.valueDeclaration;
    const type = checker.getTypeOfSymbol(param);
    const rest = (declaration && ts.isParameter(declaration) && declaration.dotDotDotToken) || ts.getCheckFlags(param) & 32768;
    if (rest) return `...${normal(type, stack)}`;
    const optional = declaration && ts.isParameter(declaration) ? checker.isOptionalParameter(declaration) : (ts.getCheckFlags(param) & 16384) !== 0;
    return optional ? `${normal(withoutUndefined(type), stack)}?` : normal(type, stack);
  });
  return `(${params.join(', ')}) => ${normal(checker.getReturnTypeOfSignature(of), stack)}`;
}

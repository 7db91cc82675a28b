// The source maps of a built frontend as one text: those in files of their own, and those at the ends of scripts.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const [folder] = process.argv.slice(2);
const maps = readdirSync(folder, { recursive: true }).flatMap((name) => {
  if (name.endsWith('.map')) return [readFileSync(path.join(folder, name), 'utf8')];
  if (!name.endsWith('.js')) return [];
  const [, inline] = /sourceMappingURL=data:[^,]*;base64,([\w+/=]+)/u.exec(readFileSync(path.join(folder, name), 'utf8')) ?? [];
  return inline === undefined ? [] : [Buffer.from(inline, 'base64').toString()];
});
console.log(JSON.stringify(maps.join('\n')));

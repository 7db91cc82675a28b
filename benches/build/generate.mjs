// An app like those that people write: ten files for a feature, two endpoints in one of them, and a frontend that is most of
// it. The same numbers always give the same bytes.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const PER_FEATURE = 10;
const KEYS = { KONTRACT_KEY: 1, KONTRACT_BACKUP_KEY: 2, KONTRACT_IDENTITY_KEY: 3 };

/** Writes an app of that many source files. */
export function generate(folder, files) {
  const put = (path, text) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const features = Math.ceil(files / PER_FEATURE);
  put("kontract.json", JSON.stringify({ name: "generated", cookbook: false, plan: "none" }));
  put(
    "tsconfig.json",
    JSON.stringify({
      compilerOptions: {
        strict: true, target: "es2024", module: "esnext", moduleResolution: "bundler", jsx: "react-jsx", noEmit: true,
        paths: { "@/client": ["./.kontract/client/index"], "@/client/*": ["./.kontract/client/*"] },
      },
    }),
  );
  put(".dev.vars", Object.entries(KEYS).map(([name, byte]) => `${name}=${Buffer.alloc(32, byte).toString("base64url")}\n`).join(""));
  put("src/middleware.ts", MIDDLEWARE);
  for (let feature = 0; feature < features; feature += 1) {
    const random = new Random(feature + 1);
    put(`src/api/f${feature}.ts`, api(feature, random));
    put(`src/model/f${feature}.ts`, model(feature, random));
    put(`src/server/f${feature}.ts`, logic("step", random));
    for (let place = 0; place < 2; place += 1) put(`src/lib/f${feature}/l${place}.ts`, logic(`part${place}`, random));
    for (let place = 0; place < 5; place += 1) put(`src/ui/f${feature}/View${place}.tsx`, view(feature, place, random));
  }
  const all = Array.from({ length: features }, (_, feature) => feature);
  put("src/main.tsx", main(all));
  // What a project without a compiler would have: every endpoint behind one table, and pages that call them directly.
  put("plain/server.ts", `export const modules = {\n${all.map((f) => `  f${f}: () => import('../src/api/f${f}'),\n`).join("")}};\n`);
  put("plain/client.ts", all.map((f) => `export { load${f}_0 } from '../src/api/f${f}';\n`).join(""));
  return { features, endpoints: features * 2 };
}

const MIDDLEWARE = `import { defineMiddleware, mwfilter } from 'kontract';

export default defineMiddleware([
  mwfilter({ egroup: 'timed' }, async (_ctx, next) => {
    const began = Date.now();
    try {
      return await next();
    } finally {
      if (Date.now() - began > 1000) console.warn('slow');
    }
  }),
]);
`;

const main = (all) => `import { createRoot } from 'react-dom/client';
${all.map((f) => `import { View0 as View${f} } from './ui/f${f}/View0';`).join("\n")}

createRoot(document.body).render(
  <main>
${all.map((f) => `    <View${f} items={[]} depth={0} />`).join("\n")}
  </main>,
);
`;

const api = (feature, random) => `import { backend, perms } from 'kontract';
import type { Item${feature}, Query${feature} } from '../model/f${feature}';
import { step0, step1 } from '../server/f${feature}';

const SECRET = 'key-of-${feature}-${random.below(1_000_000)}';
${[0, 1]
  .map(
    (number) => `
/** Reads page ${number} of feature ${feature}. */
export const load${feature}_${number} = backend(
  { perm: perms.R__${number === 0 ? ", egroup: 'timed'" : ""} },
  async (query: Query${feature}, limit: number = ${random.below(100)}): Promise<Item${feature}[]> => {
    const rows: Item${feature}[] = [];
    if (step0(limit, query.text.length) > step1(SECRET.length, ${number})) return rows;
    return rows.slice(0, limit);
  },
);
`,
  )
  .join("")}
${body("local", 2_500, random)}`;

const model = (feature, random) => `/** What feature ${feature} is about. */
export interface Item${feature} {
  id: string;
${Array.from({ length: 8 }, (_, field) => `  field${field}: ${["string", "number", "boolean", "string[]", "Date"][random.below(5)]};`).join("\n")}
}

export interface Query${feature} {
  text: string;
  page?: number;
}

${body("model", 3_000, random)}`;

const logic = (name, random) => `/** Steps. */\n${body(name, 4_000, random)}`;

function view(feature, place, random) {
  const child = place < 4 ? `import { View${place + 1} } from './View${place + 1}';\n` : "";
  const call = place === 0 ? `import { load${feature}_0 } from '@/client';\n` : "";
  return `import type { Item${feature} } from '../../model/f${feature}';
import { part0 as measure } from '../../lib/f${feature}/l${place % 2}';
${child}${call}
interface Props {
  items: Item${feature}[];
  depth: number;
  title?: string;
}

export function View${place}({ items, depth, title = 'none' }: Props) {
  const shown = items.filter((item) => item.id.length > measure(depth, ${random.below(50)}));
  ${place === 0 ? `const load = () => void load${feature}_0({ text: title }, 10);` : "const load = () => undefined;"}
  return (
    <section className={\`view-\${depth}\`} onClick={load}>
      <h2>{title}: {shown.length} of {items.length}</h2>
      {shown.map((item) => <p key={item.id}>{item.id} &amp; more</p>)}
      ${place < 4 ? `<View${place + 1} items={items} depth={depth + 1} />` : "<hr />"}
    </section>
  );
}

${body("helper", 3_000, random)}`.replace("part0 as", `part${place % 2}0 as`);
}

/** Functions and tables, up to a length in bytes. */
function body(name, length, random) {
  let text = "";
  for (let number = 0; text.length < length; number += 1) {
    const [a, b, c] = [random.below(1000), random.below(1000), random.below(9) + 1];
    text +=
      number < 3 || number % 2 === 0
        ? `export function ${name}${number}(left: number, right: number): number {
  let total = ${a};
  for (let index = 0; index < right; index += ${c}) {
    // Every so often.
    if (index % ${c} === 0 && left > ${b}) {
      total += Math.max(left, index) * ${c};
    } else {
      total -= index ?? ${a};
    }
  }
  return total;
}

`
        : `const table${number} = {
  name: 'entry ${a}',
  size: ${b},
  tags: ['a${a}', \`b\${${b}}\`, "c${c}"],
  nested: { on: true, ratio: ${c}.5, pattern: /^[a-z]+${a}\\/x$/u },
} as const;

export const look${number} = (key: keyof typeof table${number}): unknown => table${number}[key];

`;
  }
  return text;
}

/** Numbers that look random (xorshift). */
class Random {
  #state;

  constructor(seed) {
    this.#state = BigInt(seed) * 0x9e3779b97f4a7c15n & 0xffffffffffffffffn;
  }

  below(bound) {
    this.#state ^= (this.#state << 13n) & 0xffffffffffffffffn;
    this.#state ^= this.#state >> 7n;
    this.#state ^= (this.#state << 17n) & 0xffffffffffffffffn;
    return Number((this.#state >> 33n) % BigInt(bound));
  }
}

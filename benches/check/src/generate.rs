//! A project like those that people write: endpoints, the types they speak, helpers of theirs, and a frontend that is most
//! of it. The same numbers always give the same bytes.

use std::fmt::Write as _;
use std::io::Result;
use std::path::Path;

/// Writes a project of that many source files, about 6 kB each.
pub fn project(folder: &Path, files: usize) -> Result<()> {
    configuration(folder)?;
    let mut random = Random(0x5eed);
    let features = files.div_ceil(PER_FEATURE);
    for feature in 0..features {
        let here = PER_FEATURE.min(files - feature * PER_FEATURE);
        for place in 0..here {
            let (path, text) = match place {
                0 => (format!("src/api/f{feature}.ts"), api(feature, &mut random)),
                1 => (format!("src/model/f{feature}.ts"), model(feature, &mut random)),
                2 => (format!("src/server/f{feature}.ts"), logic(&format!("server{feature}"), &mut random)),
                3..=5 => {
                    (format!("src/lib/f{feature}/l{place}.ts"), logic(&format!("l{place}"), &mut random))
                }
                _ => (format!("src/ui/f{feature}/View{place}.tsx"), view(feature, place, here, &mut random)),
            };
            put(folder, &path, &text)?;
        }
    }
    Ok(())
}

/// Writes a project that has only endpoints, their types and their helpers: [`SERVER_FILES`] files for each feature.
pub fn server(folder: &Path, features: usize) -> Result<()> {
    configuration(folder)?;
    let mut random = Random(0x5eed);
    for feature in 0..features {
        put(folder, &format!("src/api/f{feature}.ts"), &api(feature, &mut random))?;
        put(folder, &format!("src/model/f{feature}.ts"), &model(feature, &mut random))?;
        let helpers = logic(&format!("server{feature}"), &mut random);
        put(folder, &format!("src/server/f{feature}.ts"), &helpers)?;
    }
    Ok(())
}

/// Copies a file, and makes the folders it lies in.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::copy(from, to).map(drop)
}

fn configuration(folder: &Path) -> Result<()> {
    put(folder, "kontract.json", "{ \"name\": \"generated\" }\n")?;
    put(folder, "tsconfig.json", TSCONFIG)
}

fn put(folder: &Path, path: &str, text: &str) -> Result<()> {
    let path = folder.join(path);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, text)
}

/// Endpoints and the one thing they keep on the server.
fn api(feature: usize, random: &mut Random) -> String {
    let mut text = format!(
        "import {{ backend, perms }} from 'kontract';\n\
         import type {{ Item{feature}, Query{feature} }} from '@/model/f{feature}';\n\
         import {{ step0, step1 }} from '../server/f{feature}';\n\n\
         const SECRET = 'key-of-{feature}-{}';\n\n",
        random.below(1_000_000)
    );
    for number in 0..2 {
        let _: std::fmt::Result = write!(
            text,
            "/**\n * Reads page {number} of feature {feature}.\n *\n * @param query - what to look for\n */\n\
             export const load{feature}_{number} = backend({{ perm: perms.RW_ }}, async (query: Query{feature}, \
             limit: number = {}): Promise<Item{feature}[]> => {{\n  const rows: Item{feature}[] = [];\n  if \
             (step0(limit, query.text.length) > step1(SECRET.length, {number})) {{\n    return rows;\n  }}\n  return \
             rows.slice(0, limit);\n}});\n\n",
            random.below(100)
        );
    }
    text + &body("api", 4_000, random)
}

fn model(feature: usize, random: &mut Random) -> String {
    let mut text = format!(
        "/** What feature {feature} is about. */\nexport interface Item{feature} {{\n  id: string;\n"
    );
    for field in 0..12 {
        let ty = ["string", "number", "boolean", "string[]", "Date"][random.below(5)];
        let _: std::fmt::Result = writeln!(text, "  /** Field {field}. */\n  field{field}: {ty};");
    }
    let _: std::fmt::Result = write!(
        text,
        "}}\n\nexport interface Query{feature} {{\n  text: string;\n  page?: number;\n}}\n\n\
         export type Kind{feature} = 'small' | 'large' | 'other';\n\n"
    );
    text + &body("model", 4_500, random)
}

fn logic(name: &str, random: &mut Random) -> String {
    format!("/** Steps of {name}. */\n") + &body("step", 5_700, random)
}

fn view(feature: usize, place: usize, here: usize, random: &mut Random) -> String {
    let child = place + 1;
    let mut text = format!(
        "import type {{ Item{feature} }} from '@/model/f{feature}';\n\
         import {{ step0, step2 as measure }} from '@/lib/f{feature}/l{}';\n",
        3 + random.below(3)
    );
    if place == 6 {
        let _: std::fmt::Result =
            writeln!(text, "import {{ load{feature}_0 }} from '@/client/api/f{feature}';");
    }
    let nested = if child < here {
        let _: std::fmt::Result = writeln!(text, "import {{ View{child} }} from './View{child}';");
        format!("<View{child} items={{items}} depth={{depth + 1}} />")
    } else {
        "<hr />".to_owned()
    };
    let call =
        if place == 6 { format!("void load{feature}_0({{ text: title }}, 10);") } else { String::new() };
    let _: std::fmt::Result = write!(
        text,
        "\ninterface Props {{\n  items: Item{feature}[];\n  depth: number;\n  title?: string;\n}}\n\n\
         export function View{place}({{ items, depth, title = 'none' }}: Props) {{\n  const shown = items.filter((item) \
         => item.id.length > step0(depth, {}));\n  {call}\n  return (\n    <section className={{`view-${{depth}}`}} \
         onClick={{() => measure(depth, shown.length)}}>\n      <h2>{{title}}: it's {{shown.length}} of \
         {{items.length}}</h2>\n      {{shown.map((item) => (\n        <p key={{item.id}}>{{item.id}} &amp; \
         more</p>\n      ))}}\n      {nested}\n    </section>\n  );\n}}\n\n",
        random.below(50)
    );
    text + &body("helper", 4_600, random)
}

/// Functions of every kind, up to a length in bytes.
fn body(name: &str, len: usize, random: &mut Random) -> String {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < len {
        let (a, b, c) = (random.below(1000), random.below(1000), random.below(9) + 1);
        let written = match (number, number % 4) {
            (0..=2, _) | (_, 0) => write!(
                text,
                "export function {name}{number}(left: number, right: number): number {{\n  let total = {a};\n  for (let \
                 index = 0; index < right; index += {c}) {{\n    // Every so often.\n    if (index % {c} === 0 && left > \
                 {b}) {{\n      total += Math.max(left, index) * {c};\n    }} else {{\n      total -= index ?? {a};\n    \
                 }}\n  }}\n  return total;\n}}\n\n"
            ),
            (_, 1) => write!(
                text,
                "const table{number} = {{\n  name: 'entry {a}',\n  size: {b},\n  tags: ['a{a}', `b${{{b}}}`, \
                 \"c{c}\"],\n  nested: {{ on: true, ratio: {c}.5, pattern: /^[a-z]+{a}\\/x$/u }},\n}} as const;\n\n"
            ),
            (_, 2) => write!(
                text,
                "/** Groups what it is given. */\nasync function group{number}<T extends {{ id: string }}>(entries: \
                 readonly T[]): Promise<Map<string, T[]>> {{\n  const groups = new Map<string, T[]>();\n  for (const entry \
                 of entries) {{\n    const key = entry.id.slice(0, {c});\n    groups.set(key, [...(groups.get(key) ?? []), \
                 entry]);\n  }}\n  return groups;\n}}\n\n"
            ),
            _ => write!(
                text,
                "class Counter{number} {{\n  #count = {a};\n\n  constructor(private readonly step: number = {c}) \
                 {{}}\n\n  next(): number {{\n    this.#count += this.step;\n    return this.#count > {b} ? 0 : \
                 this.#count;\n  }}\n}}\n\n"
            ),
        };
        let _: std::fmt::Result = written;
        number += 1;
    }
    text
}

/// Numbers that look random (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }
}

/// What [`server`] writes for each feature.
pub const SERVER_FILES: usize = 3;
const PER_FEATURE: usize = 25;
const TSCONFIG: &str = "{ \"compilerOptions\": { \"strict\": true, \"jsx\": \"preserve\", \"paths\": { \"@/*\": [\"./src/*\"] } } }\n";

//! The proof that client output holds nothing of the server's: the files that go out are searched, not the plan.
//!
//! ```text
//! evidence   strings, template parts, names, imports of server code, JSON that it imports, and what it reads of `env.vars`
//! public     client statements as written, the contract's public part, the words of the generator
//! leak       what evidence has, public has not, and a file below dist/client has
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aho_corasick::{AhoCorasick, Match};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde_json::json;
use swc_common::{Span, Spanned};
use swc_ecma_ast::{BigInt, Ident, IdentName, ModuleDecl, ModuleItem, Number, Regex, Str, TplElement};
use swc_ecma_visit::{Visit, VisitWith, noop_visit_type};

use super::parts::{Part, Parts};
use super::passing::{Origin, passed_on};
use super::reach::{Reach, is_for_both, uses_injected};
use super::said::{Said, specifiers};
use super::{ClientModule, diagnostics, numbers};
use crate::contract::Contract;
use crate::diag::Diagnostic;
use crate::parse::module::ParsedModule;
use crate::parse::types::flat::FlatModule;
use crate::parse::{ModuleGraph, in_parallel};
use crate::source::Location;

/// Client files that were searched for server-only text. Made by [`Evidence::prove`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeakFree<T>(T);

impl<T> LeakFree<T> {
    /// The value, out of its proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// What occurs in server code, and the text in which some of it may occur as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// String literals, template parts, patterns and big integers.
    texts: BTreeMap<String, Location>,
    /// Numbers that nobody writes by chance, as JavaScript prints them.
    numbers: BTreeMap<String, Location>,
    /// Names of any kind.
    names: BTreeMap<String, Location>,
    /// Packages and modules it imports.
    imports: BTreeMap<String, Location>,
    /// What clients may know.
    public: String,
}

impl Evidence {
    pub(super) fn gather(graph: &ModuleGraph, contract: &Contract, parts: &Parts<'_>, reach: &Reach) -> Self {
        let modules: Vec<&ParsedModule> = graph.modules().collect();
        let of_module = |module: &&ParsedModule| Self::of_module(graph, contract, parts, reach, module);
        let pieces: Vec<Self> = in_parallel(|| modules.par_iter().map(of_module).collect());
        let mut evidence = Self { public: public_text(contract), ..Self::default() };
        pieces.into_iter().for_each(|piece| evidence.join(piece));
        evidence
    }

    fn of_module(
        graph: &ModuleGraph,
        contract: &Contract,
        parts: &Parts<'_>,
        reach: &Reach,
        module: &ParsedModule,
    ) -> Self {
        let mut evidence = Self::default();
        // Not taken from the plan: what endpoints use is the server's, whatever the plan makes of it.
        let used = &reach.used;
        let own = |index: usize| reach.client.contains(&(module.file, index));
        let published = contract.endpoints.iter().any(|endpoint| endpoint.binding.file == module.file)
            || (0..parts.module(module.file).len()).any(own);
        if published {
            evidence.public.push_str(&format!("\n{}", module.path));
        }
        for passed in passed_on(graph, parts, &reach.client, &reach.present, module.file) {
            passed.names().for_each(|name| evidence.give(name));
            if let Origin::Outside(file, named) = &passed.from {
                evidence.give(&format!("'{named}'"));
                let said = Said::by(graph, *file, named).unwrap_or_default();
                said.texts.iter().chain(&said.numbers).for_each(|text| evidence.give(text));
            }
        }
        for (index, part) in parts.module(module.file).iter().enumerate() {
            let id = (module.file, index);
            let shared = is_for_both(parts, &reach.server_only, module.file);
            let servers =
                (used.contains(&id) && !(shared && reach.client.contains(&id))) || uses_injected(part);
            if reach.client.contains(&id) && !servers {
                evidence.add_client_part(graph, module, part);
            } else if servers || reach.server_modules.contains(&module.file) {
                evidence.add_server_part(module, part);
                evidence.add_server_data(graph, module, part);
            }
        }
        evidence
    }

    /// Takes what another module has; of what both have, this one's place.
    fn join(&mut self, other: Self) {
        let maps = [
            (&mut self.texts, other.texts),
            (&mut self.numbers, other.numbers),
            (&mut self.names, other.names),
            (&mut self.imports, other.imports),
        ];
        for (own, others) in maps {
            for (what, at) in others {
                own.entry(what).or_insert(at);
            }
        }
        self.public.push_str(&other.public);
    }

    /// Lets clients know the names in the declarations of what they have.
    pub(super) fn publish(&mut self, declarations: &FlatModule) {
        declarations.names().for_each(|name| self.give(name));
    }

    /// Lets whoever is searched know a text.
    pub(super) fn give(&mut self, text: &str) {
        self.public.push('\n');
        self.public.push_str(text);
    }

    fn add_client_part(&mut self, graph: &ModuleGraph, module: &ParsedModule, part: &Part<'_>) {
        let imports = part.refers.iter().filter_map(|name| module.import(name));
        let imports: Vec<&str> = imports.map(|import| import.from.text.as_str()).collect();
        for said in imports.iter().filter_map(|specifier| Said::by(graph, module.file, specifier)) {
            let written = said.texts.iter().chain(&said.numbers);
            written.for_each(|text| self.public.push_str(&format!("\n{text}")));
        }
        let imports: Vec<String> = imports.iter().map(|specifier| format!("'{specifier}'")).collect();
        let declaration = graph.sources().slice(module.location(part.node.span()));
        let exported: Vec<&str> = part.declares.iter().flat_map(|name| module.export_names(name)).collect();
        for text in [declaration, &imports.join("\n"), &exported.join("\n")] {
            self.public.push('\n');
            self.public.push_str(text);
        }
        // Escapes are written in more ways than one.
        let mut found = Found::default();
        part.node.visit_with(&mut found);
        let written = found.texts.iter().chain(&found.numbers);
        written.for_each(|(text, _)| self.public.push_str(&format!("\n{text}")));
    }

    fn add_server_part(&mut self, module: &ParsedModule, part: &Part<'_>) {
        let (source, whole) = match &*part.node {
            ModuleItem::ModuleDecl(ModuleDecl::Import(import)) => (Some(&*import.src), true),
            ModuleItem::ModuleDecl(ModuleDecl::ExportAll(export)) => (Some(&*export.src), true),
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) => (export.src.as_deref(), false),
            ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => (None, false),
        };
        if let Some(source) = source {
            let specifier = source.value.to_string_lossy().into_owned();
            self.imports.entry(specifier).or_insert_with(|| module.location(source.span));
        }
        if whole {
            return;
        }
        let mut found = Found::default();
        part.node.visit_with(&mut found);
        // Where names come from is an import's text.
        found.texts.retain(|(_, span)| source.is_none_or(|source| source.span != *span));
        for (text, span) in found.texts {
            self.add_text(text, module.location(span));
        }
        for (number, span) in found.numbers {
            self.numbers.entry(number).or_insert_with(|| module.location(span));
        }
        for (name, span) in found.names.into_iter().filter(|(name, _)| name.chars().count() >= NAME_CHARS_MIN)
        {
            self.names.entry(name).or_insert_with(|| module.location(span));
        }
    }

    /// What the JSON files say that a server's part imports.
    fn add_server_data(&mut self, graph: &ModuleGraph, module: &ParsedModule, part: &Part<'_>) {
        for (specifier, span) in specifiers(part) {
            let Some(said) = Said::by(graph, module.file, &specifier) else { continue };
            let at = module.location(span);
            said.texts.into_iter().for_each(|text| self.add_text(text, at));
            for number in said.numbers {
                self.numbers.entry(number).or_insert(at);
            }
        }
    }

    fn add_text(&mut self, text: String, at: Location) {
        if text.trim().chars().count() >= TEXT_CHARS_MIN {
            self.texts.entry(text).or_insert(at);
        }
    }

    /// Searches statements before any file is made of them, so that a check finds what a build would.
    pub(super) fn search_modules(&self, modules: &BTreeMap<String, ClientModule>) -> Vec<Diagnostic> {
        let unique = self.unique(&[]);
        let texts = modules.iter().map(|(path, module)| (path.as_str(), module.statements.as_str()));
        texts.flat_map(|(path, text)| unique.search(path, text)).collect()
    }

    /// Searches the files that go to clients. `vocabulary` are the words that their generator writes by itself; whatever
    /// occurs there is not unique to the server.
    ///
    /// # Errors
    /// Everything of the server's that was found.
    pub fn prove(
        &self,
        files: BTreeMap<String, Vec<u8>>,
        vocabulary: &[&str],
    ) -> Result<LeakFree<ClientFiles>, Vec<Diagnostic>> {
        let unique = self.unique(vocabulary);
        // The same files lie in more than one folder.
        let contents: BTreeMap<&[u8], &String> =
            files.iter().rev().map(|(path, bytes)| (bytes.as_slice(), path)).collect();
        let mut contents: Vec<(&String, &[u8])> =
            contents.into_iter().map(|(bytes, path)| (path, bytes)).collect();
        contents.sort_unstable();
        let leaks: Vec<Diagnostic> = contents
            .par_iter()
            .flat_map_iter(|(path, bytes)| unique.search(path, &String::from_utf8_lossy(bytes)))
            .collect();
        if !leaks.is_empty() {
            return Err(leaks);
        }
        let searched: BTreeMap<&String, usize> =
            files.iter().map(|(path, bytes)| (path, bytes.len())).collect();
        let report = json!({
            "searchedFor": {
                "texts": unique.texts,
                "numbers": unique.numbers,
                "names": unique.names.len(),
                "imports": unique.imports,
                "always": NEVER_PUBLIC,
            },
            "files": searched,
            "found": 0,
        });
        Ok(LeakFree(ClientFiles { files, report: format!("{report:#}\n") }))
    }

    /// What only the server has.
    fn unique(&self, vocabulary: &[&str]) -> Unique<'_> {
        let public: Vec<&str> = vocabulary.iter().copied().chain([self.public.as_str()]).collect();
        let known: HashSet<&str> = public.iter().flat_map(|text| words(text)).collect();
        let texts = self.texts.iter().map(|(text, at)| (text.clone(), Wanted::Text(text, *at)));
        let imports = self.imports.iter().flat_map(|(specifier, at)| {
            quoted(specifier).map(|quoted| (quoted, Wanted::Import(specifier, *at)))
        });
        let numbers = self.numbers.iter().flat_map(|(number, at)| {
            numbers::spellings(number).into_iter().map(move |spelt| (spelt, Wanted::Number(number, *at)))
        });
        let all = Patterns::of(texts.chain(imports).chain(numbers));
        let mut seen: BTreeSet<Wanted<'_>> = BTreeSet::new();
        for text in &public {
            let known = all.hits(text).filter(|(hit, wanted)| match wanted {
                Wanted::Text(..) | Wanted::Import(..) => true,
                Wanted::Number(..) => numbers::stands_alone(text, hit.range()),
            });
            seen.extend(known.map(|(_, wanted)| wanted));
        }
        let unseen: BTreeSet<Wanted<'_>> =
            all.wanted.iter().map(|(_, wanted)| *wanted).filter(|wanted| !seen.contains(wanted)).collect();
        let counts = |kind: fn(&Wanted<'_>) -> bool| unseen.iter().filter(|wanted| kind(wanted)).count();
        let texts = counts(|wanted| matches!(wanted, Wanted::Text(..)));
        let imports = counts(|wanted| matches!(wanted, Wanted::Import(..)));
        let numbers = counts(|wanted| matches!(wanted, Wanted::Number(..)));
        let patterns = Patterns::of(unseen.into_iter().flat_map(|wanted| {
            let spelt: Vec<String> = match wanted {
                Wanted::Text(text, _) => spellings(text).into_iter().collect(),
                Wanted::Number(number, _) => numbers::spellings(number),
                Wanted::Import(specifier, _) => quoted(specifier).into(),
            };
            spelt.into_iter().map(move |text| (text, wanted))
        }));
        let names = self.names.iter().filter(|(name, _)| !known.contains(name.as_str()));
        let mut names: HashMap<&str, Option<Location>> =
            names.map(|(name, at)| (name.as_str(), Some(*at))).collect();
        names.extend(NEVER_PUBLIC.iter().map(|name| (*name, None)));
        Unique { patterns, texts, numbers, imports, names, anywhere: self.somewhere() }
    }

    /// A place for what no source has.
    fn somewhere(&self) -> Option<Location> {
        self.names.values().chain(self.texts.values()).next().copied()
    }
}

/// Files of clients, and what was searched in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFiles {
    /// By path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// `leak-report.json`
    pub report: String,
}

/// What is searched for.
struct Unique<'e> {
    patterns: Patterns<'e>,
    /// How many different texts, numbers and imports that are.
    texts: usize,
    numbers: usize,
    imports: usize,
    names: HashMap<&'e str, Option<Location>>,
    anywhere: Option<Location>,
}

/// A text of the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted<'e> {
    Text(&'e str, Location),
    Number(&'e str, Location),
    Import(&'e str, Location),
}

/// Texts that are searched for at once, each for the sake of something.
struct Patterns<'e> {
    search: Option<AhoCorasick>,
    wanted: Vec<(String, Wanted<'e>)>,
}

impl<'e> Patterns<'e> {
    fn of(wanted: impl Iterator<Item = (String, Wanted<'e>)>) -> Self {
        let wanted: Vec<(String, Wanted<'e>)> = wanted.collect();
        Self { search: automaton(wanted.iter().map(|(text, _)| text.as_str())), wanted }
    }

    /// Every place of a text in which one occurs, overlapping ones as well.
    fn hits<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (Match, Wanted<'e>)> + 't {
        let found = self.search.iter().flat_map(move |search| search.find_overlapping_iter(text));
        found.filter_map(|hit| Some((hit, self.wanted.get(hit.pattern().as_usize())?.1)))
    }
}

impl Unique<'_> {
    fn search(&self, path: &str, text: &str) -> Vec<Diagnostic> {
        let mut leaks: BTreeMap<(String, Option<Location>), Diagnostic> = BTreeMap::new();
        let mut found = |what: String, at: Option<Location>| {
            let leak = diagnostics::leaked(path, &what, at.or(self.anywhere));
            leaks.entry((what, at)).or_insert(leak);
        };
        for (hit, wanted) in self.patterns.hits(text) {
            match wanted {
                Wanted::Text(_, at) => {
                    let certain = text[hit.range()].chars().count() >= CERTAIN_CHARS_MIN;
                    if certain || stands_alone(text, hit.start(), hit.end()) {
                        found("a string".to_owned(), Some(at));
                    }
                }
                Wanted::Number(_, at) => {
                    if numbers::stands_alone(text, hit.range()) {
                        found("a number".to_owned(), Some(at));
                    }
                }
                Wanted::Import(specifier, at) => {
                    found(format!("the import of `{specifier}`"), Some(at));
                }
            }
        }
        for word in words(text) {
            if let Some(at) = self.names.get(word) {
                found(format!("the name `{word}`"), *at);
            }
        }
        leaks.into_values().collect()
    }
}

/// A specifier as it stands in an import.
fn quoted(specifier: &str) -> [String; 2] {
    [format!("'{specifier}'"), format!("\"{specifier}\"")]
}

/// Overlapping matches are found by the standard kind only; `None` when there is nothing to search for, or too much.
fn automaton<'t>(texts: impl Iterator<Item = &'t str>) -> Option<AhoCorasick> {
    let texts: Vec<&str> = texts.collect();
    if texts.is_empty() {
        return None;
    }
    Some(AhoCorasick::new(texts).expect("invariant: the texts of a project fit into 31 bits"))
}

/// Whether a range is no piece of a longer word: `User` of `encodeUserRequest` is.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let joined =
        |before: Option<char>, after: Option<char>| before.is_some_and(part) && after.is_some_and(part);
    let inside = &text[start..end];
    !joined(text[..start].chars().next_back(), inside.chars().next())
        && !joined(inside.chars().next_back(), text[end..].chars().next())
}

/// A text as it is, and as printers and minifiers escape it: for each kind of quotes, and in ASCII alone.
fn spellings(text: &str) -> BTreeSet<String> {
    let json = serde_json::Value::from(text).to_string();
    let double = json[1..json.len() - 1].to_owned();
    let single = double.replace("\\\"", "\"").replace('\'', "\\'");
    let template = double.replace("\\\"", "\"").replace('`', "\\`").replace("${", "\\${");
    let short = |c: char| match u32::from(c) {
        code if code < 0x80 => c.to_string(),
        code if code < 0x100 => format!("\\x{code:02X}"),
        code if code < 0x1_0000 => format!("\\u{code:04X}"),
        code => format!("\\u{{{code:X}}}"),
    };
    let units = |c: char| -> String {
        if c.is_ascii() {
            return c.to_string();
        }
        c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
    };
    let ascii = [double.chars().map(short).collect(), double.chars().map(units).collect()];
    ascii.into_iter().chain([text.to_owned(), double, single, template]).collect()
}

/// Runs of what identifiers are made of.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).filter(|word| !word.is_empty())
}

/// What a contract tells clients: signatures, types and documentation; not who may call or what wraps a call.
fn public_text(contract: &Contract) -> String {
    let endpoints = contract.endpoints.iter().map(|endpoint| {
        format!(
            // A package may have the endpoint's name, and that is a text in the stub.
            "{:?} {} {:?} {:?} {:?}\n{}\n",
            endpoint.name,
            endpoint.binding.path(),
            endpoint.params,
            endpoint.returns,
            endpoint.doc,
            endpoint.doc.text
        )
    });
    let types =
        contract.types.iter().map(|(name, object)| format!("{name} {object:?}\n{}\n", object.doc.text));
    let enums = contract.enums_of_clients().into_iter().filter_map(|key| contract.enums.get(&key));
    let enums = enums.map(|declared| format!("{declared:?}\n"));
    endpoints.chain(types).chain(enums).collect()
}

/// Texts and names of a part.
#[derive(Default)]
pub(super) struct Found {
    pub(super) texts: Vec<(String, Span)>,
    pub(super) numbers: Vec<(String, Span)>,
    pub(super) names: Vec<(String, Span)>,
}

impl Visit for Found {
    noop_visit_type!();

    fn visit_str(&mut self, text: &Str) {
        self.texts.push((text.value.to_string_lossy().into_owned(), text.span));
    }

    fn visit_tpl_element(&mut self, element: &TplElement) {
        if let Some(cooked) = &element.cooked {
            self.texts.push((cooked.to_string_lossy().into_owned(), element.span));
        }
        self.texts.push((element.raw.to_string(), element.span));
    }

    fn visit_regex(&mut self, regex: &Regex) {
        self.texts.push((regex.exp.to_string(), regex.span));
    }

    fn visit_number(&mut self, number: &Number) {
        self.numbers.extend(numbers::telling(number.value).map(|text| (text, number.span)));
    }

    fn visit_big_int(&mut self, number: &BigInt) {
        self.texts.push((number.value.to_string(), number.span));
    }

    fn visit_ident(&mut self, ident: &Ident) {
        self.names.push((ident.sym.to_string(), ident.span));
    }

    fn visit_ident_name(&mut self, name: &IdentName) {
        self.names.push((name.sym.to_string(), name.span));
    }
}

/// Shorter strings occur everywhere.
const TEXT_CHARS_MIN: usize = 4;
/// A text of this length is found within longer words as well.
const CERTAIN_CHARS_MIN: usize = 12;
/// Shorter names occur everywhere.
const NAME_CHARS_MIN: usize = 4;
/// Names that no client has, whether server code uses them or not.
const NEVER_PUBLIC: &[&str] =
    &["DATABASE_URL", "KONTRACT_BACKUP_KEY", "KONTRACT_IDENTITY_KEY", "KONTRACT_KEY"];

#[cfg(test)]
mod tests {
    use super::Evidence;
    use crate::source::{Location, SourceFile, Sources};
    use std::collections::BTreeMap;

    #[test]
    fn texts_names_and_imports_of_the_server_are_found_in_files() {
        let sources = Sources::new([SourceFile { path: "a.ts".to_owned(), text: String::new().into() }]);
        let file = sources.id("a.ts").expect("given above");
        let at = Location { file, start: 0, end: 0 };
        let all = |texts: &[&str]| -> BTreeMap<String, Location> {
            texts.iter().map(|text| ((*text).to_owned(), at)).collect()
        };
        let evidence = Evidence {
            texts: all(&[
                "sk-live-1",
                "shared text",
                "a\"b\nc",
                "generated",
                "schlüssel",
                "it's ${k} `x`",
                "🔑 of all",
            ]),
            numbers: all(&["483920", "0.0472931", "731920000"]),
            names: all(&["dbPool", "shared", "encode"]),
            imports: all(&["pg"]),
            public: "export const label = 'shared text', n = 731920000;".to_owned(),
        };
        let leaks = |code: &str| {
            let files = BTreeMap::from([("a.js".to_owned(), code.as_bytes().to_vec())]);
            evidence.prove(files, &["fn generated() { encode }"]).err().map_or(0, |leaks| leaks.len())
        };
        assert_eq!(leaks("export const label = 'shared text';"), 0);
        assert_eq!(leaks("export const x = encode('generated');"), 0);
        assert_eq!(leaks("export const x = 'sk-live-1';"), 1);
        assert_eq!(leaks("// sk-live-1"), 1);
        assert_eq!(leaks("x.sk-live-12"), 0);
        assert_eq!(leaks("export const x = `a\\\"b\\nc`;"), 1);
        assert_eq!(leaks("export const x = dbPool.query();"), 1);
        assert_eq!(leaks("export const x = dbPools.$dbPool;"), 0);
        assert_eq!(leaks("import { Pool } from 'pg';"), 1);
        assert_eq!(leaks("export const url = env.DATABASE_URL;"), 1);
        for found in [
            "const pin = 483920;",
            "f(-483920)",
            "case 0x76250:",
            "483_920",
            "'483920'",
            ".0472931*x",
            "0.0472931",
        ] {
            assert_eq!(leaks(found), 1, "{found}");
        }
        for other in
            ["1483920", "48392", "#483920", "1.483920", "483920.5", "a483920", "731920000", "73192e4"]
        {
            assert_eq!(leaks(other), 0, "{other}");
        }
    }
}

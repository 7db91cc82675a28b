//! The book: which pages there are, and what is on the page of an endpoint.

use super::diagnostics::Warning;
use super::index::index_text;
use super::markdown::{code, code_block, prose, summary, table};
use crate::artifact::Artifacts;
use crate::contract::signature::{Numbers, endpoint_object_keys, params_text, quoted, ty_text};
use crate::contract::{CheckedContract, Contract, Doc, Endpoint, ObjectType, Perms, Ty};
use crate::source::Sources;
use std::collections::BTreeSet;

/// How pages are made.
#[derive(Debug, Clone, Copy, Default)]
pub struct BookOptions<'a> {
    /// Where the project's sources can be read, ending with `/`; without it, pages name files and lines as text.
    pub source_url: Option<&'a str>,
}

/// Pages of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// One page for each endpoint, in the order of names.
    pub pages: Vec<Page>,
    /// What a reader would miss.
    pub warnings: Vec<Warning>,
}

/// The page of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The endpoint.
    pub endpoint: String,
    /// Name of the file, without `.md`.
    pub file: String,
    /// First paragraph of its documentation, as markdown.
    pub summary: String,
    /// The source file that holds the endpoint.
    pub source: String,
    /// Permission bits.
    pub perm: Perms,
    /// Group of its callers.
    pub ugroup: Option<String>,
    /// The page.
    pub text: String,
}

impl Book {
    /// The book of a contract.
    pub fn of(contract: &CheckedContract, sources: &Sources, options: &BookOptions<'_>) -> Self {
        let contract = contract.contract();
        let mut endpoints: Vec<&Endpoint> = contract.endpoints.iter().collect();
        endpoints.sort_by(|a, b| a.name.cmp(&b.name));
        let mut taken = BTreeSet::from([INDEX.to_owned()]);
        let pages = endpoints.iter().map(|endpoint| Page {
            endpoint: endpoint.name.clone(),
            file: file_name(&endpoint.name, &mut taken),
            summary: prose(&summary(&endpoint.doc.text)),
            source: sources.file(endpoint.location.file).path.clone(),
            perm: endpoint.options.perm,
            ugroup: endpoint.options.ugroup.clone(),
            text: page_text(contract, sources, options, endpoint),
        });
        let warnings = endpoints.iter().flat_map(|endpoint| warnings(endpoint));
        Self { pages: pages.collect(), warnings: warnings.collect() }
    }

    /// The pages as files below `folder`, such as `docs/api`.
    pub fn artifacts(&self, folder: &str) -> Artifacts {
        let page = |page: &Page| (format!("{folder}/{}.md", page.file), page.text.clone().into_bytes());
        let mut artifacts: Artifacts = self.pages.iter().map(page).collect();
        artifacts.insert(format!("{folder}/{INDEX}.md"), index_text(&self.pages).into_bytes());
        artifacts
    }
}

/// Front matter for VitePress; a JSON string is a YAML string.
pub(super) fn front_matter(title: &str, description: &str) -> String {
    format!("---\ntitle: {}\ndescription: {}\n---\n\n", quoted(title), quoted(description))
}

/// What permission bits allow, in words.
pub(super) fn perm_text(perm: Perms) -> String {
    let words = [(Perms::R, "read"), (Perms::W, "write"), (Perms::X, "delete")];
    let allowed: Vec<&str> =
        words.iter().filter(|(bit, _)| perm.contains(*bit)).map(|(_, word)| *word).collect();
    if allowed.is_empty() {
        format!("{} (no storage)", code(&perm.to_string()))
    } else {
        format!("{} ({})", code(&perm.to_string()), allowed.join(", "))
    }
}

fn page_text(
    contract: &Contract,
    sources: &Sources,
    options: &BookOptions<'_>,
    endpoint: &Endpoint,
) -> String {
    let (name, doc) = (&endpoint.name, &endpoint.doc);
    let mut page = front_matter(name, &summary(&doc.text));
    page.push_str(&format!("# {}\n\n", code(name)));
    if !doc.text.trim().is_empty() {
        page.push_str(&format!("{}\n\n", prose(&doc.text)));
    }
    let params = params_text(endpoint, Numbers::Widths);
    let returns = ty_text(&endpoint.returns, Numbers::Widths);
    page.push_str(&code_block("ts", &format!("{name}({params}): Promise<{returns}>")));
    page.push_str(&parameters_text(endpoint));
    page.push_str(&returns_text(doc, &endpoint.returns));
    page.push_str(&types_text(contract, endpoint));
    page.push_str(&errors_text(doc));
    page.push_str(&examples_text(doc));
    page.push_str(&access_text(endpoint));
    page.push_str(&format!("\nSource: {}\n", source_text(sources, options, endpoint)));
    page
}

fn parameters_text(endpoint: &Endpoint) -> String {
    if endpoint.params.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = endpoint
        .params
        .iter()
        .map(|param| {
            let described = endpoint.doc.params.iter().find(|(name, _)| *name == param.name);
            let description = described.map_or("", |(_, text)| text);
            vec![
                code(&param.name),
                code(&ty_text(&param.ty, Numbers::Widths)),
                yes_no(!param.optional).to_owned(),
                prose(without_dash(description)),
            ]
        })
        .collect();
    format!("\n## Parameters\n\n{}", table(&["Name", "Type", "Required", "Description"], &rows))
}

fn returns_text(doc: &Doc, returns: &Ty) -> String {
    let ty = code(&ty_text(returns, Numbers::Widths));
    match &doc.returns {
        Some(text) => format!("\n## Returns\n\n{ty}: {}\n", prose(without_dash(text))),
        None if *returns == Ty::Void => "\n## Returns\n\nNothing.\n".to_owned(),
        None => format!("\n## Returns\n\n{ty}\n"),
    }
}

fn types_text(contract: &Contract, endpoint: &Endpoint) -> String {
    let keys = endpoint_object_keys(contract, endpoint);
    let objects = keys.iter().filter_map(|key| Some((key, contract.types.get(key)?)));
    let texts: String = objects.map(|(key, object)| type_text(key, object)).collect();
    if texts.is_empty() { texts } else { format!("\n## Types\n{texts}") }
}

fn type_text(key: &str, object: &ObjectType) -> String {
    let mut text = format!("\n### {}\n\n", code(key));
    if !object.doc.text.trim().is_empty() {
        text.push_str(&format!("{}\n\n", prose(&object.doc.text)));
    }
    let row = |field: &crate::contract::Field| {
        vec![
            code(&field.name),
            code(&ty_text(&field.ty, Numbers::Widths)),
            yes_no(!field.optional).to_owned(),
            prose(&field.doc.text),
        ]
    };
    let rows: Vec<Vec<String>> = object.fields.iter().map(row).collect();
    text.push_str(&table(&["Field", "Type", "Required", "Description"], &rows));
    text
}

fn errors_text(doc: &Doc) -> String {
    if doc.throws.is_empty() {
        return String::new();
    }
    let item = |text: &String| format!("- {}\n", prose(text).replace('\n', "\n  "));
    format!("\n## Errors\n\n{}", doc.throws.iter().map(item).collect::<String>())
}

fn examples_text(doc: &Doc) -> String {
    if doc.examples.is_empty() {
        return String::new();
    }
    let example = |text: &String| {
        if text.contains("```") { format!("{}\n", prose(text)) } else { code_block("ts", text) }
    };
    let examples: Vec<String> = doc.examples.iter().map(example).collect();
    format!("\n## Examples\n\n{}", examples.join("\n"))
}

fn access_text(endpoint: &Endpoint) -> String {
    let options = &endpoint.options;
    let mut rows = vec![
        vec!["Permission".to_owned(), perm_text(options.perm)],
        vec![
            "Callers".to_owned(),
            options
                .ugroup
                .as_ref()
                .map_or("every session".to_owned(), |group| format!("group {}", code(group))),
        ],
    ];
    if let Some(egroup) = &options.egroup {
        rows.push(vec!["Endpoint group".to_owned(), code(egroup)]);
    }
    format!("\n## Access\n\n{}", table(&["", ""], &rows))
}

fn source_text(sources: &Sources, options: &BookOptions<'_>, endpoint: &Endpoint) -> String {
    let path = &sources.file(endpoint.location.file).path;
    let line = sources.line_column(endpoint.location).line;
    let place = code(&format!("{path}:{line}"));
    match options.source_url {
        Some(url) => format!("[{place}]({}#L{line})", url_text(&format!("{url}{path}"))),
        None => place,
    }
}

/// What would end a link's address is encoded (RFC 3986, 2.1).
fn url_text(url: &str) -> String {
    let encoded = |c: char| match c {
        ' ' | '(' | ')' | '<' | '>' | '[' | ']' | '"' | '`' | '{' | '}' | '\\' | '|' => {
            format!("%{:02X}", u32::from(c))
        }
        _ => c.to_string(),
    };
    url.chars().map(encoded).collect()
}

fn warnings(endpoint: &Endpoint) -> Vec<Warning> {
    let (name, location) = (&endpoint.name, endpoint.location);
    let mut warnings = Vec::new();
    if endpoint.doc.text.trim().is_empty() {
        warnings.push(Warning::Undocumented { endpoint: name.clone(), location });
    }
    for (param, _) in &endpoint.doc.params {
        if endpoint.params.iter().all(|known| known.name != *param) {
            warnings.push(Warning::UnknownParam { endpoint: name.clone(), param: param.clone(), location });
        }
    }
    warnings
}

/// A file name that differs from the others also where case does not count, and that Windows can open.
fn file_name(endpoint: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String = endpoint
        .chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '_' | '$') { c } else { '-' })
        .collect();
    let is_device = DEVICES.contains(&plain.to_lowercase().trim_end_matches(|c: char| c.is_ascii_digit()));
    let base = if is_device { format!("{plain}-endpoint") } else { plain };
    let candidates = std::iter::once(base.clone()).chain((2..).map(|n: u32| format!("{base}-{n}")));
    let free = candidates.into_iter().find(|name| !taken.contains(&name.to_lowercase()));
    let name = free.expect("invariant: the candidates do not end");
    taken.insert(name.to_lowercase());
    name
}

/// The text behind the dash of `@param name - text`.
fn without_dash(text: &str) -> &str {
    text.trim().strip_prefix("- ").unwrap_or(text)
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// The first page.
const INDEX: &str = "index";

/// Names of devices, with or without a number.
const DEVICES: &[&str] = &["aux", "com", "con", "lpt", "nul", "prn"];

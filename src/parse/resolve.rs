//! Where an import's specifier leads inside of the project: relative paths, and tsconfig's `paths` and `baseUrl`.
//! What packages have is found by `packages`.

use std::cmp::Reverse;

use crate::project::PathAlias;
use crate::source::{FileId, Sources, normalize_path};

/// What a specifier names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// A file of the project.
    File(FileId),
    /// A package, a virtual module, or a file that is not source code.
    External,
    /// A source file that does not exist.
    Missing,
}

/// Resolves a specifier written in the file at `importer`, a path relative to the project. Bundlers take a query such as
/// `?raw` off, and read a leading `/` as the project's folder.
pub fn resolve(sources: &Sources, aliases: &[PathAlias], importer: &str, specifier: &str) -> Resolution {
    let specifier = specifier.split('?').next().unwrap_or(specifier);
    if let Some(rooted) = specifier.strip_prefix('/') {
        let file = normalize_path(rooted).and_then(|path| file_at(sources, &path));
        return file.map_or(Resolution::External, Resolution::File);
    }
    if specifier.starts_with("./") || specifier.starts_with("../") || specifier == "." || specifier == ".." {
        let folder = importer.rsplit_once('/').map_or("", |(folder, _)| folder);
        return match normalize_path(&format!("{folder}/{specifier}")).and_then(|path| file_at(sources, &path))
        {
            Some(file) => Resolution::File(file),
            None if names_other_content(specifier) => Resolution::External,
            None => Resolution::Missing,
        };
    }
    alias_paths(aliases, specifier)
        .into_iter()
        .find_map(|path| file_at(sources, &path))
        .map_or(Resolution::External, Resolution::File)
}

/// The paths that a specifier means by `paths` and `baseUrl`, those of the pattern with the longest prefix first.
pub(super) fn alias_paths(aliases: &[PathAlias], specifier: &str) -> Vec<String> {
    let mut matching: Vec<(&PathAlias, Vec<String>)> =
        aliases.iter().filter_map(|alias| Some((alias, alias.paths(specifier)?))).collect();
    matching.sort_by_key(|(alias, _)| (alias.suffix.is_some(), Reverse(alias.prefix.len())));
    matching.into_iter().flat_map(|(_, paths)| paths).collect()
}

/// The file a path means, with TypeScript's rules for leaving out or writing `.js` as the extension.
fn file_at(sources: &Sources, path: &str) -> Option<FileId> {
    if let Some(file) = sources.id(path) {
        return Some(file);
    }
    let mut tried = String::new();
    let mut at = |parts: [&str; 4]| {
        tried.clear();
        tried.extend(parts);
        sources.id(&tried)
    };
    for (written, meant) in WRITTEN_EXTENSIONS {
        let stem = path.strip_suffix(written);
        if let Some(file) = stem.and_then(|stem| at([stem, meant, "", ""])) {
            return Some(file);
        }
    }
    let slash = if path.is_empty() { "" } else { "/" };
    let endings = [("", ""), (slash, "index")].into_iter();
    endings
        .flat_map(|ending| IMPLIED_EXTENSIONS.iter().map(move |extension| (ending, extension)))
        .find_map(|((slash, index), extension)| at([path, slash, index, extension]))
}

/// Whether a specifier names a stylesheet, an image or the like, which bundlers know.
fn names_other_content(specifier: &str) -> bool {
    let name = specifier.rsplit('/').next().unwrap_or(specifier);
    let extension =
        name.split(['?', '#']).next().unwrap_or(name).rsplit_once('.').map(|(_, extension)| extension);
    name.contains('?')
        || extension.is_some_and(|extension| {
            !matches!(extension, "ts" | "tsx" | "mts" | "js" | "jsx" | "mjs")
                && OTHER_CONTENT.contains(&extension)
        })
}

const WRITTEN_EXTENSIONS: &[(&str, &str)] =
    &[(".js", ".ts"), (".js", ".tsx"), (".jsx", ".tsx"), (".mjs", ".mts")];
const IMPLIED_EXTENSIONS: &[&str] = &[".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs"];
const OTHER_CONTENT: &[&str] = &[
    "css", "scss", "sass", "less", "styl", "svg", "png", "jpg", "jpeg", "gif", "webp", "avif", "ico", "json",
    "txt", "md", "woff", "woff2", "ttf", "otf", "mp3", "mp4", "webm", "wasm", "html", "vue", "svelte",
    "astro", "graphql", "sql",
];

#[cfg(test)]
mod tests {
    use super::{Resolution, resolve};
    use crate::project::PathAlias;
    use crate::source::{SourceFile, Sources};

    #[test]
    fn specifiers_lead_where_typescript_says() {
        let paths = ["src/a.ts", "src/lib/index.ts", "src/ui/page.tsx"];
        let sources =
            Sources::new(paths.map(|path| SourceFile { path: path.to_owned(), text: String::new().into() }));
        let alias = PathAlias::new("@/*", vec!["src/*".to_owned()]);
        let closer = PathAlias::new("@/ui/*", vec!["src/lib/*".to_owned()]);
        let base = PathAlias::new("*", vec!["src/*".to_owned()]);
        let aliases = [base, alias, closer];
        let to = |specifier: &str| match resolve(&sources, &aliases, "src/ui/page.tsx", specifier) {
            Resolution::File(file) => sources.file(file).path.clone(),
            other => format!("{other:?}"),
        };
        assert_eq!(to("../a"), "src/a.ts");
        assert_eq!(to("../a.js"), "src/a.ts");
        assert_eq!(to("../lib"), "src/lib/index.ts");
        assert_eq!(to("@/lib"), "src/lib/index.ts");
        assert_eq!(to("./page.js"), "src/ui/page.tsx");
        assert_eq!(to("@/ui/index"), "src/lib/index.ts");
        assert_eq!(to("@/ui/page"), "src/ui/page.tsx");
        assert_eq!(to("ui/page"), "src/ui/page.tsx");
        assert_eq!(to("../a.ts?raw"), "src/a.ts");
        assert_eq!(to("/src/a"), "src/a.ts");
        assert_eq!(to("/logo.svg"), "External");
        assert_eq!(to("../b"), "Missing");
        assert_eq!(to("../../../../b"), "Missing");
        assert_eq!(to("./page.css"), "External");
        assert_eq!(to("react"), "External");
        assert_eq!(to("@/client"), "External");
    }
}

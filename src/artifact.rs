//! What a compilation makes: a map from path to bytes. Knows no file system; `cli::write` puts it on disk.

use std::collections::BTreeMap;

/// Generated files by their path relative to the project folder, `/`-separated.
pub type Artifacts = BTreeMap<String, Vec<u8>>;

/// The relative specifier by which a module imports another; both are paths below one root.
///
/// `routes/api/entries.js`, `codecs.js` → `../../codecs.js`
pub fn specifier(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').collect();
    let to: Vec<&str> = to.split('/').collect();
    let folders = from.len().saturating_sub(1);
    let same = from.iter().zip(&to).take(folders).take_while(|(a, b)| a == b).count();
    let ups = folders - same;
    let start = if ups == 0 { "./".to_owned() } else { "../".repeat(ups) };
    format!("{start}{}", to[same..].join("/"))
}

#[cfg(test)]
mod tests {
    use super::specifier;

    #[test]
    fn specifiers_climb_to_the_common_folder() {
        assert_eq!(specifier("routes.js", "routes/a.js"), "./routes/a.js");
        assert_eq!(specifier("routes/api/a.js", "codecs.js"), "../../codecs.js");
        assert_eq!(specifier("routes/api/a.js", "src/api/a.js"), "../../src/api/a.js");
        assert_eq!(specifier("src/api/a.js", "src/b.js"), "../b.js");
        assert_eq!(specifier("a/b", "a/b"), "./b");
    }
}

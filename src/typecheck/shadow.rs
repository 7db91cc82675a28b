//! The tree: which of its files are not links to the user's.

use std::collections::BTreeMap;

use super::TsConfig;
use super::config::MARK;
use crate::artifact::Artifacts;

/// A mirror of the folder that holds the project and all that its configuration may refer to.
#[derive(Debug, Clone)]
pub struct Shadow {
    /// The project's path in the tree, empty at its top.
    project: String,
    files: Artifacts,
    configs: Vec<String>,
    blanked: BTreeMap<String, String>,
}

impl Shadow {
    /// The tree without declarations. `blanked` are texts by their paths in the project, `source` is its source folder.
    pub fn new(
        project: &str,
        source: &str,
        blanked: &BTreeMap<String, String>,
        configs: &[TsConfig],
    ) -> Self {
        let mut shadow = Self {
            project: project.to_owned(),
            files: Artifacts::new(),
            configs: configs.iter().map(TsConfig::checked_path).collect(),
            blanked: BTreeMap::new(),
        };
        for (path, text) in blanked {
            let path = shadow.path(path);
            shadow.files.insert(path.clone(), text.clone().into_bytes());
            shadow.blanked.insert(path, text.clone());
        }
        for (index, config) in configs.iter().enumerate() {
            let info = format!("{}/../{index}.tsbuildinfo", up_to_root(&config.path));
            shadow.files.insert(config.checked_path(), config.checked_text(source, &info).into_bytes());
        }
        shadow
    }

    /// Puts the declarations among `artifacts`, all of which have paths in the project, in place of those before.
    pub fn declare(&mut self, artifacts: &Artifacts) {
        let own = self.path(DECLARED) + "/";
        self.files.retain(|path, _| !path.starts_with(&own));
        for (path, bytes) in artifacts.iter().filter(|(path, _)| is_declaration(path)) {
            self.files.insert(self.path(path), bytes.clone());
        }
    }

    /// Files of the tree that are no links, by their paths in it.
    pub fn files(&self) -> &Artifacts {
        &self.files
    }

    /// Whether a folder of the tree has only [`files`](Self::files), and no link beside them.
    pub fn is_sealed(&self, folder: &str) -> bool {
        folder.split('/').any(|part| part == DECLARED)
    }

    /// The configurations to check, by their paths in the tree.
    pub fn configs(&self) -> &[String] {
        &self.configs
    }

    /// The project's path in the tree.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The text that TypeScript read in place of the user's file.
    pub(super) fn blanked(&self, path: &str) -> Option<&str> {
        self.blanked.get(path).map(String::as_str)
    }

    /// A path of the project in the tree.
    pub fn path(&self, path: &str) -> String {
        if self.project.is_empty() { path.to_owned() } else { format!("{}/{path}", self.project) }
    }
}

/// Whether an artifact is what TypeScript knows of generated code.
pub fn is_declaration(path: &str) -> bool {
    path == ".kontract/types.d.ts" || (path.starts_with(".kontract/client/") && path.ends_with(".d.ts"))
}

/// The user's name for a path or a text that names a configuration of the tree.
pub(super) fn unmarked(text: &str) -> String {
    text.replace(MARK, "")
}

/// From a file's folder to the top of the tree: `..` for each folder.
pub(super) fn up_to_root(path: &str) -> String {
    let folders = path.matches('/').count();
    if folders == 0 { ".".to_owned() } else { vec![".."; folders].join("/") }
}

/// The folder of generated code.
const DECLARED: &str = ".kontract";

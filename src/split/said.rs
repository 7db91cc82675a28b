//! What JSON files say that code imports: texts and numbers, which tell as much as if they were written in it.
//!
//! ```text
//! { "user": "admin", "pin": [483920] }   →   texts user, admin   numbers 483920
//! ```

use serde_json::Value;

use super::numbers;
use super::parts::Part;
use crate::parse::ModuleGraph;
use crate::source::FileId;
use swc_common::Span;
use swc_ecma_ast::{ModuleDecl, ModuleItem};

/// Texts and numbers, keys among them.
#[derive(Default)]
pub(super) struct Said {
    pub(super) texts: Vec<String>,
    pub(super) numbers: Vec<String>,
}

impl Said {
    /// Those of the JSON file that a specifier means in a file, if it means one of the project's.
    pub(super) fn by(graph: &ModuleGraph, file: FileId, specifier: &str) -> Option<Self> {
        let path = specifier.split('?').next().unwrap_or(specifier);
        let text = &graph.sources().file(graph.data(file, path)?).text;
        if text.len() > DATA_BYTES_MAX {
            return None;
        }
        let mut said = Self::default();
        said.add(&serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?);
        Some(said)
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => self.numbers.extend(number.as_f64().and_then(numbers::telling)),
            Value::String(text) => self.texts.push(text.clone()),
            Value::Array(values) => values.iter().for_each(|value| self.add(value)),
            Value::Object(values) => {
                for (key, value) in values {
                    self.texts.push(key.clone());
                    self.add(value);
                }
            }
        }
    }
}

/// The specifiers by which a part takes values from other files, itself or in what it does, and where they stand.
pub(super) fn specifiers(part: &Part<'_>) -> impl Iterator<Item = (String, Span)> {
    let source = match &*part.node {
        ModuleItem::ModuleDecl(ModuleDecl::Import(import)) if !import.type_only => Some(&*import.src),
        ModuleItem::ModuleDecl(ModuleDecl::ExportAll(export)) if !export.type_only => Some(&*export.src),
        ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) if !export.type_only => export.src.as_deref(),
        ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => None,
    };
    let source = source.map(|source| (source.value.to_string_lossy().into_owned(), source.span));
    source.into_iter().chain(part.dynamic_imports.iter().cloned())
}

/// Larger files are data, whose every word cannot be searched for.
const DATA_BYTES_MAX: usize = 1 << 20;

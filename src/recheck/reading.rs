//! How a check reads: modules in parallel, and texts that were compared by their stamps only.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::Scope;

use super::{Module, Run, Seen};
use crate::cache::{Hash, hash};
use crate::parse;
use crate::project::Project;
use crate::source::{FileId, Reader, Sources};
use crate::system::{System, SystemError};

/// All modules, on their way from texts to summaries. Where it is known soon enough that a tree will be asked for, it is kept.
pub(super) struct Reading<'a, 'r> {
    pub(super) run: &'a Run<'r>,
    pub(super) sources: &'a Sources,
    pub(super) project: &'a Project,
    pub(super) seen: &'a HashMap<String, Seen>,
    pub(super) files: &'a [FileId],
    /// For each of the files, whether somebody has begun to read it.
    pub(super) begun: &'a [AtomicBool],
    pub(super) found: Mutex<Vec<Module<'r>>>,
}

impl<'a> Reading<'a, '_> {
    pub(super) fn read<'s>(&'s self, file: FileId, is_wanted: bool, scope: &Scope<'s>)
    where
        'a: 's,
    {
        let Ok(place) = self.files.binary_search(&file) else { return };
        if self.begun[place].swap(true, Ordering::Relaxed) {
            return;
        }
        let Some(module) = self.run.module(file, self.sources, self.seen, is_wanted) else { return };
        let wanted = module.read.iter().flat_map(|read| read.summary.wanted(is_wanted));
        let wanted = wanted.filter_map(|used| parse::target(self.sources, self.project, file, used));
        for file in wanted {
            // At once, before another thread comes by; what these want in turn may be half of the project.
            match is_wanted {
                false => self.read(file, true, scope),
                true => scope.spawn(move |scope| self.read(file, true, scope)),
            }
        }
        self.found.lock().unwrap_or_else(PoisonError::into_inner).push(module);
    }
}

/// Reading the project is no answer to note, because files are compared by themselves; what packages say is.
pub(super) struct Loading<'r>(pub(super) &'r Run<'r>);

impl System for Loading<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, SystemError> {
        self.0.system.read(path)
    }

    fn list(&self, folder: &str, skip: &[&str]) -> Result<Vec<String>, SystemError> {
        self.0.system.list(folder, skip)
    }

    fn packages(&self) -> Arc<dyn Reader> {
        self.0.traced.packages()
    }
}

/// Reads texts again, or those that have been compared by their stamps only.
pub(super) struct Expected {
    pub(super) texts: Arc<dyn Reader>,
    pub(super) content: Arc<OnceLock<Hash>>,
    pub(super) deceived: Arc<AtomicBool>,
}

impl Reader for Expected {
    fn read(&self, path: &str) -> Option<String> {
        let text = self.texts.read(path);
        let is_expected = |text: &String| {
            let content = hash(text.as_bytes());
            *self.content.get_or_init(|| content) == content
        };
        if !text.as_ref().is_some_and(is_expected) {
            self.deceived.store(true, Ordering::Relaxed);
        }
        text
    }

    fn real(&self, path: &str) -> Option<String> {
        self.texts.real(path)
    }

    fn folders(&self, path: &str) -> Vec<String> {
        self.texts.folders(path)
    }
}

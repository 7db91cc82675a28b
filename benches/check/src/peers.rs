//! Parsers that do nothing but parse, on all processors: the least that any compiler has to do.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use oxc_allocator::Allocator;
use oxc_span::SourceType;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use swc_common::BytePos;
use swc_common::input::StringInput;
use swc_ecma_ast::EsVersion;
use swc_ecma_parser::{Lexer, Parser, Syntax, TsSyntax};

/// Every TypeScript file below a folder, in order.
pub fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry
                .path()
                .extension()
                .is_some_and(|extension| SOURCES.iter().any(|known| extension == *known))
            {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// swc as kontract configures it.
pub fn swc(folder: &Path) -> Result<()> {
    parse(folder, is_parsed_by_swc)
}

/// Parses one file and drops the tree.
pub fn is_parsed_by_swc(path: &Path, text: &str) -> bool {
    let tsx = path.extension().is_some_and(|extension| extension == "tsx");
    let syntax = Syntax::Typescript(TsSyntax { tsx, decorators: true, ..TsSyntax::default() });
    let end = BytePos(1 + u32::try_from(text.len()).unwrap_or(u32::MAX));
    let input = StringInput::new(text, BytePos(1), end);
    let mut parser = Parser::new_from(Lexer::new(syntax, EsVersion::latest(), input, None));
    parser.parse_module().is_ok() && parser.take_errors().is_empty()
}

/// oxc, its arena thrown away with each file.
pub fn oxc(folder: &Path) -> Result<()> {
    parse(folder, |path, text| {
        let allocator = Allocator::default();
        let kind = SourceType::from_path(path).unwrap_or_default();
        !oxc_parser::Parser::new(&allocator, text, kind).parse().panicked
    })
}

fn parse(folder: &Path, parser: impl Fn(&Path, &str) -> bool + Sync) -> Result<()> {
    let files = sources(folder)?;
    let failed = AtomicUsize::new(0);
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES).build().map_err(Error::other)?;
    pool.install(|| {
        files.par_iter().try_for_each(|path| {
            let text = std::fs::read_to_string(path)?;
            if !parser(path, &text) {
                failed.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        })
    })
    .map_err(|error: Error| error)?;
    println!("{} files, {} failed", files.len(), failed.into_inner());
    Ok(())
}

const SOURCES: &[&str] = &["ts", "tsx", "mts"];
const STACK_BYTES: usize = 64 * 1024 * 1024;

//! Sources that npm packages of many styles ship: what TypeScript reads is read, printed back and left alone.

mod decorators;
mod packages;
mod places;
mod syntax;
pub(crate) mod tree;
pub(crate) mod typescript;
pub(crate) mod workers;

use kontract::emit::print::print;
use kontract::parse::inspect::inspect;
use packages::CorpusFile;
pub(crate) use packages::files;

#[test]
fn real_sources_are_read_and_printed_back() {
    let files = files();
    assert!(files.len() >= FILES_MIN, "only {} files", files.len());
    let found = workers::map(files, |_, file| examine(file));
    let refused: Vec<(&CorpusFile, usize)> =
        files.iter().zip(&found).filter_map(|(file, found)| Some((file, *found.as_ref().err()?))).collect();
    let expected = typescript::first_errors(refused.iter().map(|(file, _)| (file.path(), file.text())));
    let mut wrong: Vec<String> = Vec::new();
    for ((file, at), expected) in refused.iter().zip(expected) {
        if expected.as_ref().map(|error| error.start) != Some(*at) {
            wrong.push(format!("{} is refused at {at}, TypeScript says {expected:?}", file.path()));
        }
    }
    wrong.extend(found.into_iter().flatten().flatten());
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

/// Where the file is refused, or else what is wrong with how it was read.
fn examine(file: &CorpusFile) -> Result<Option<String>, usize> {
    let read = match inspect(&file.sources, file.id) {
        Ok(read) => read,
        Err(errors) => {
            let starts = errors
                .iter()
                .filter_map(|error| error.labels.first())
                .map(|label| label.location.start as usize);
            return Err(starts.min().unwrap_or(usize::MAX));
        }
    };
    let path = file.path();
    if read.text.trim_start() != file.text().trim_start_matches('\u{feff}').trim_start()
        || !read.decorators.is_empty()
    {
        return Ok(Some(format!("{path}: a file without kontract's forms was changed")));
    }
    let printed = print(&read.module, &read.source_map, None);
    let problem = match tree::parse(path, &printed) {
        Err(error) => format!("{path}: what is printed does not parse: {error}"),
        Ok(again) if tree::same(read.module.clone(), again.clone()) => return Ok(None),
        Ok(again) => {
            format!("{path}: printed, it is another program:\n  {}", tree::difference(read.module, again))
        }
    };
    Ok(Some(problem))
}

const FILES_MIN: usize = 5_000;

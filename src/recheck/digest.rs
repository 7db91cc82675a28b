//! The hash by which a check knows that nothing but texts has changed since another one.

use xxhash_rust::xxh3::Xxh3;

use super::Module;
use crate::cache::{Hash, hash};
use crate::project::Loaded;

/// Of what an answer depends on, but for texts, places, and other answers that it was made from.
/// `kept` may have links of before an edit.
pub(super) fn digest<'l>(
    loaded: &Loaded,
    modules: &[Module<'_>],
    kept: &dyn Fn(&Module<'_>) -> Option<&'l [u8]>,
) -> Hash {
    let mut links = Xxh3::new();
    links.update(format!("{:?} {:?}", loaded.project, loaded.diagnostics).as_bytes());
    for (_, source) in loaded.sources.iter() {
        links.update(source.path.as_bytes());
        links.update(&[0]);
    }
    for module in modules {
        match &module.summary {
            Ok(summary) => {
                let known = kept(module);
                links.update(&hash(known.unwrap_or(&summary.links)).to_le_bytes());
            }
            Err(_) => links.update(&module.content.to_le_bytes()),
        }
    }
    links.digest128()
}

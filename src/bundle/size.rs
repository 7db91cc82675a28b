//! How large a Worker is, and how large it may be.
//!
//! Cloudflare counts the modules after gzip, without source maps ("Workers: Limits", Worker size).

use crate::diag::{Code, Diagnostic};
use crate::project::Plan;
use flate2::{Compression, write::GzEncoder};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use std::collections::BTreeMap;
use std::io::Write as _;

/// A Worker's size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerSize {
    /// As it is.
    pub raw: u64,
    /// After gzip, module by module.
    pub gzip: u64,
}

impl WorkerSize {
    /// Counts the modules among the files of `dist/server`.
    pub fn of(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let modules = files.par_iter().filter(|(name, _)| name.ends_with(".js") || name.ends_with(".wasm"));
        let sizes = modules.map(|(_, bytes)| Self { raw: bytes.len() as u64, gzip: gzip_len(bytes) });
        sizes.reduce(
            || Self { raw: 0, gzip: 0 },
            |sum, size| Self { raw: sum.raw + size.raw, gzip: sum.gzip.saturating_add(size.gzip) },
        )
    }

    /// What is wrong with it on `plan`; `parts` are the modules, from which the largest are named.
    pub fn judged(self, plan: Plan, parts: &BTreeMap<String, Vec<u8>>) -> Option<Diagnostic> {
        let (max, unit) = match plan {
            Plan::None => return None,
            _ if self.raw > RAW_MAX => (RAW_MAX, "before compression"),
            Plan::Free if self.gzip > FREE_MAX => (FREE_MAX, "after gzip, on the free plan"),
            Plan::Paid if self.gzip > PAID_MAX => (PAID_MAX, "after gzip"),
            Plan::Free | Plan::Paid => return None,
        };
        let mut largest: Vec<(&str, usize)> = parts
            .iter()
            .filter(|(name, _)| name.ends_with(".js") || name.ends_with(".wasm"))
            .map(|(name, bytes)| (name.as_str(), bytes.len()))
            .collect();
        largest.sort_by_key(|(_, len)| std::cmp::Reverse(*len));
        let largest: Vec<String> =
            largest.iter().take(5).map(|(name, len)| format!("{name} {}", kilobytes(*len as u64))).collect();
        Some(
            Diagnostic::error(Code::KT0801, format!("the Worker is too large: {self}"))
                .why(format!(
                    "Cloudflare takes {} {unit}; the largest modules are {}",
                    kilobytes(max),
                    largest.join(", ")
                ))
                .help("use smaller packages on the server, or say in kontract.json which `plan` you have"),
        )
    }
}

impl std::fmt::Display for WorkerSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} gzip", kilobytes(self.raw), kilobytes(self.gzip))
    }
}

/// Bytes after gzip.
pub fn gzip_len(bytes: &[u8]) -> u64 {
    let mut encoder = GzEncoder::new(Counter(0), Compression::default());
    // A counter takes everything.
    let counted = encoder.write_all(bytes).and_then(|()| encoder.finish());
    counted.map_or(u64::MAX, |counter| counter.0)
}

/// Bytes in decimal kilobytes, as Cloudflare and npm count them.
pub fn kilobytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

struct Counter(u64);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Of all modules, before compression.
const RAW_MAX: u64 = 64 * 1024 * 1024;
const PAID_MAX: u64 = 10 * 1024 * 1024;
const FREE_MAX: u64 = 3 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn maps_do_not_count_and_plans_differ() {
        let len = 4 * 1024 * 1024;
        let files = BTreeMap::from([
            ("worker.js".to_owned(), noise(len)),
            ("worker.js.map".to_owned(), noise(len)),
            ("workerd.capnp".to_owned(), noise(10)),
        ]);
        let size = WorkerSize::of(&files);
        assert_eq!(size.raw, len as u64);
        assert!(size.gzip >= size.raw, "noise cannot be compressed");
        assert!(size.judged(Plan::Paid, &files).is_none());
        let refused = size.judged(Plan::Free, &files).expect("too large for the free plan");
        assert_eq!(refused.code, Code::KT0801);
        assert!(refused.why.expect("says what is large").contains("worker.js 4.1 MB"));
        assert!(size.judged(Plan::None, &files).is_none());
    }
}

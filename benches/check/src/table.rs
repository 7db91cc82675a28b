//! The table: every contender over the same files in one run, in turns, so that a busy moment of the machine hits all.

use std::io::{Error, Result, Write as _};
use std::path::{Path, PathBuf};

use crate::measure::{Run, run as measure};
use crate::{generate, peers};

/// Measures and prints.
pub fn run(kontract: &Path, esbuild: &Path) -> Result<()> {
    let folder = std::env::temp_dir().join("kontract-bench-check");
    for files in SIZES {
        let project = folder.join(files.to_string());
        if project.exists() {
            std::fs::remove_dir_all(&project)?;
        }
        generate::project(&project, *files)?;
        size(&project, kontract, esbuild)?;
    }
    Ok(())
}

fn size(project: &Path, kontract: &Path, esbuild: &Path) -> Result<()> {
    let sources = peers::sources(&project.join("src"))?;
    let bytes: u64 = sources.iter().map(|path| path.metadata().map_or(0, |meta| meta.len())).sum();
    println!("\n### {} files, {:.1} MB\n", sources.len(), bytes as f64 / 1e6);
    println!("| whole process | median ms | least | most | peak MB |\n|---|---|---|---|---|");
    let text = |path: &Path| path.display().to_string();
    let own = text(&std::env::current_exe()?);
    let check = vec![text(kontract), "check".to_owned(), "--project".to_owned(), text(project)];
    let peer = |name: &str| vec![own.clone(), name.to_owned(), text(&project.join("src"))];
    let outdir = format!("--outdir={}", text(&project.join("esbuild")));
    let transpile = [text(esbuild), outdir, "--log-level=error".to_owned()];
    let transpile = transpile.into_iter().chain(sources.iter().map(|path| text(path))).collect();
    let cache = project.join(".kontract/cache");
    let find = |name: &str| {
        let found = sources.iter().find(|path| path.ends_with(name)).cloned();
        found.ok_or_else(|| Error::other(format!("{name} is not there")))
    };
    let (view, api) = (find("ui/f7/View9.tsx")?, find("api/f7.ts")?);
    let contenders: Vec<Contender<'_>> = vec![
        Contender { name: "kontract check, cold", command: check.clone(), before: Before::Remove(&cache) },
        Contender { name: "kontract check, warm", command: check.clone(), before: Before::Nothing },
        Contender { name: "kontract check, a page edited", command: check.clone(), before: Before::Edit(&view) },
        Contender { name: "kontract check, an endpoint edited", command: check, before: Before::Edit(&api) },
        Contender { name: "bare swc parsing", command: peer("swc"), before: Before::Nothing },
        Contender { name: "bare oxc parsing", command: peer("oxc"), before: Before::Nothing },
        Contender { name: "esbuild transpile", command: transpile, before: Before::Nothing },
    ];
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); contenders.len()];
    for _ in 0..ROUNDS {
        for (contender, runs) in contenders.iter().zip(&mut runs) {
            contender.before.apply()?;
            runs.push(measure(&contender.command)?);
        }
    }
    for (contender, runs) in contenders.iter().zip(&runs) {
        let mut times: Vec<f64> = runs.iter().map(|run| run.milliseconds).collect();
        times.sort_by(f64::total_cmp);
        let peak = runs.iter().map(|run| run.kilobytes).max().unwrap_or(0) / 1024;
        let (least, most) = (times[0], times[times.len() - 1]);
        println!("| {} | {:.0} | {least:.0} | {most:.0} | {peak} |", contender.name, times[times.len() / 2]);
    }
    Ok(())
}

struct Contender<'p> {
    name: &'static str,
    command: Vec<String>,
    before: Before<'p>,
}

/// What happens to the project before a run, unmeasured.
enum Before<'p> {
    Nothing,
    Remove(&'p Path),
    Edit(&'p PathBuf),
}

impl Before<'_> {
    fn apply(&self) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Remove(path) if path.exists() => std::fs::remove_dir_all(path),
            Self::Remove(_) => Ok(()),
            Self::Edit(path) => {
                let mut file = std::fs::OpenOptions::new().append(true).open(path)?;
                writeln!(file, "// An edit.")
            }
        }
    }
}

const SIZES: &[usize] = &[1_250, 2_500, 5_000];
const ROUNDS: usize = 7;

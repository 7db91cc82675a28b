//! The tables: every contender over the same files in one run, in turns, so that a busy moment of the machine hits all.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use crate::measure::{Run, run as measure};
use crate::{generate, peers, real};

/// Measures and prints the tables of those names, or all.
pub fn run([kontract, esbuild, corpus]: [&Path; 3], names: &[&str]) -> Result<()> {
    let folder = std::env::temp_dir().join("kontract-bench-check");
    for (name, files, kind) in PROJECTS.iter().filter(|(name, ..)| names.is_empty() || names.contains(name)) {
        let project = folder.join(name);
        if project.exists() {
            std::fs::remove_dir_all(&project)?;
        }
        match kind {
            Kind::Generated => generate::project(&project, *files)?,
            Kind::Real => real::project(&project, corpus, *files)?,
        }
        table(name, &project, *kind, [kontract, esbuild])?;
    }
    Ok(())
}

fn table(name: &str, project: &Path, kind: Kind, [kontract, esbuild]: [&Path; 2]) -> Result<()> {
    let sources = peers::sources(&project.join("src"))?;
    let bytes: u64 = sources.iter().map(|path| path.metadata().map_or(0, |meta| meta.len())).sum();
    println!("\n### {name}: {} files, {:.1} MB\n", sources.len(), bytes as f64 / 1e6);
    println!("| whole process | runs | least ms | median ms | most ms | processor ms | peak MB |");
    println!("|---|---|---|---|---|---|---|");
    let contenders = contenders(project, kind, &sources, [kontract, esbuild])?;
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); contenders.len()];
    for round in 0..ROUNDS {
        for (contender, runs) in contenders.iter().zip(&mut runs) {
            if round < contender.rounds {
                contender.before.apply(round)?;
                runs.push(measure(&contender.command)?);
            }
        }
    }
    for (contender, runs) in contenders.iter().zip(&runs) {
        let times = sorted(runs.iter().map(|run| run.milliseconds));
        let spent = sorted(runs.iter().map(|run| run.processor_milliseconds));
        let peak = runs.iter().map(|run| run.kilobytes).max().unwrap_or(0) / 1024;
        let (least, most) = (times[0], times[times.len() - 1]);
        let (median, spent) = (times[times.len() / 2], spent[spent.len() / 2]);
        println!(
            "| {} | {} | {least:.0} | {median:.0} | {most:.0} | {spent:.0} | {peak} |",
            contender.name,
            times.len()
        );
    }
    Ok(())
}

fn contenders<'p>(
    project: &Path,
    kind: Kind,
    sources: &'p [PathBuf],
    [kontract, esbuild]: [&Path; 2],
) -> Result<Vec<Contender<'p>>> {
    let text = |path: &Path| path.display().to_string();
    let own = text(&std::env::current_exe()?);
    let check: Vec<String> =
        [&text(kontract), "check", "--no-types", "--project", &text(project)].map(str::to_owned).into();
    let peer = |name: &str| vec![own.clone(), name.to_owned(), text(&project.join("src"))];
    let outdir = format!("--outdir={}", text(&project.join("esbuild")));
    // Some of the real files decorate parameters.
    let options = "--tsconfig-raw={\"compilerOptions\":{\"experimentalDecorators\":true}}".to_owned();
    let transpile = [text(esbuild), outdir, "--log-level=error".to_owned(), options];
    let transpile: Vec<String> = transpile.into_iter().chain(sources.iter().map(|path| text(path))).collect();
    let find = |name: &str| {
        let found = sources.iter().find(|path| path.ends_with(name));
        found.ok_or_else(|| Error::other(format!("{name} is not there")))
    };
    let contender = |name, command: &[String], before| Contender {
        name,
        command: command.to_vec(),
        before,
        rounds: ROUNDS,
    };
    let api = find("api/f7.ts")?;
    let mut all = vec![
        contender("kontract check, cold", &check, Before::Remove(project.join(".kontract/cache"))),
        contender("kontract check, nothing edited", &check, Before::Nothing),
    ];
    if let Kind::Generated = kind {
        let view = find("ui/f7/View9.tsx")?;
        let inside = "const shown = ";
        all.push(contender("kontract check, a page edited", &check, Before::Insert(view, inside)));
        all.push(contender("kontract check, an import more in a page", &check, Before::Import(view)));
    }
    all.push(contender("kontract check, an endpoint edited", &check, Before::Insert(api, "return rows;")));
    all.push(contender("kontract check, a parameter more", &check, Before::Parameter(api)));
    all.push(contender("bare swc parsing", &peer("swc"), Before::Nothing));
    all.push(contender("bare oxc parsing", &peer("oxc"), Before::Nothing));
    all.push(Contender { rounds: 1, ..contender("esbuild transpile", &transpile, Before::Nothing) });
    Ok(all)
}

fn sorted(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

struct Contender<'p> {
    name: &'static str,
    command: Vec<String>,
    before: Before<'p>,
    rounds: usize,
}

/// What happens to the project before a run, unmeasured.
enum Before<'p> {
    Nothing,
    Remove(PathBuf),
    /// A statement more in front of such a text.
    Insert(&'p Path, &'static str),
    /// An import more, which moves everything behind it.
    Import(&'p Path),
    /// A parameter more of the first function.
    Parameter(&'p Path),
}

impl Before<'_> {
    fn apply(&self, round: usize) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Remove(path) if path.exists() => std::fs::remove_dir_all(path),
            Self::Remove(_) => Ok(()),
            Self::Insert(path, place) => {
                let text = std::fs::read_to_string(path)?;
                let statement = format!("void {round};\n  {place}");
                std::fs::write(path, text.replacen(place, &statement, 1))
            }
            Self::Import(path) => {
                let text = std::fs::read_to_string(path)?;
                std::fs::write(path, format!("import 'package-{round}';\n{text}"))
            }
            Self::Parameter(path) => {
                let text = std::fs::read_to_string(path)?;
                let behind = "): Promise<";
                std::fs::write(path, text.replacen(behind, &format!(", more{round}?: number{behind}"), 1))
            }
        }
    }
}

/// What a project is made of.
#[derive(Clone, Copy)]
enum Kind {
    Generated,
    Real,
}

/// Projects by name, each with its number of files.
const PROJECTS: &[(&str, usize, Kind)] = &[
    ("generated-1000", 1_000, Kind::Generated),
    ("generated-5000", 5_000, Kind::Generated),
    ("generated-10000", 10_000, Kind::Generated),
    ("real-5000", 5_000, Kind::Real),
];
const ROUNDS: usize = 7;

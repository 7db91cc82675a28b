//! The repository's own rules: which module and which crate may use which (ARCHITECTURE.md), how long files are, how
//! they open, and that none names a folder of somebody's machine.
//!
//! Rules are read from the text; `scan` knows how. A rule and the page that explains it change together.

mod scan;

use scan::{Rust, TreeFile};

/// What a module of the compiler may use besides the standard library and itself.
struct ModuleRule {
    module: &'static str,
    /// Other modules of package kontract.
    modules: &'static [&'static str],
    /// The watched crates, see [`WATCHED_CRATES`].
    crates: &'static [&'static str],
}

/// The modules that see a file system, an environment or a terminal are free; everything else has a row.
const MODULE_RULES: &[ModuleRule] = &[
    ModuleRule { module: "allocator", modules: &[], crates: &[] },
    ModuleRule { module: "source", modules: &[], crates: &[] },
    ModuleRule { module: "diag", modules: &["source"], crates: &["miette"] },
    ModuleRule { module: "system", modules: &["source", "diag"], crates: &[] },
    ModuleRule { module: "gist", modules: &["cache", "parse", "split"], crates: &[] },
    ModuleRule { module: "cache", modules: &["source", "diag", "system", "artifact"], crates: &[] },
    ModuleRule { module: "project", modules: &["source", "diag", "system"], crates: &[] },
    ModuleRule { module: "artifact", modules: &["source", "diag"], crates: &[] },
    ModuleRule { module: "contract", modules: &["source", "diag"], crates: &["kontract_wire"] },
    ModuleRule {
        module: "parse",
        modules: &["source", "diag", "contract", "system", "project"],
        crates: &["kontract_wire", "swc"],
    },
    ModuleRule {
        module: "split",
        modules: &["source", "diag", "contract", "parse", "emit", "artifact"],
        crates: &["kontract_wire", "swc"],
    },
    ModuleRule {
        module: "stubgen",
        modules: &["source", "diag", "contract", "parse", "emit", "artifact"],
        crates: &["kontract_wire", "swc"],
    },
    ModuleRule {
        module: "cookbook",
        modules: &["source", "diag", "contract", "artifact"],
        crates: &["kontract_wire"],
    },
    ModuleRule {
        module: "migrate",
        modules: &["source", "diag", "contract", "artifact"],
        crates: &["kontract_wire"],
    },
    ModuleRule { module: "typecheck", modules: &["source", "diag", "artifact"], crates: &[] },
    ModuleRule { module: "emit", modules: &["source", "artifact"], crates: &["swc"] },
];

/// The only homes of the file system, the environment, processes and printing; and the root, which names everything.
const FREE_MODULES: &[&str] =
    &["main", "lib", "recheck", "cli", "dev", "bundle", "migrate/connect", "migrate/run"];

/// Crates that only some modules may use. `swc` stands for every crate of that family.
const WATCHED_CRATES: &[&str] = &[
    "swc",
    "miette",
    "kontract_wire",
    "kontract_auth",
    "kontract_mvcc",
    "kontract_raystream",
    "postgres",
    "notify",
    "clap",
    "signal_hook",
];

/// What reaches outside of the program.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "std::thread",
    "SystemTime::now",
    "Instant::now",
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
];

/// Further things that a sans-IO core does without.
const OUTSIDE_CORE: &[&str] = &["async fn", ".await", "thread_local!", "OsRng", "getrandom::", "static mut"];

/// The crates of `runtime/` and which of ours each may depend on.
const CORE_RULES: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("raystream", &[]),
    ("auth", &[]),
    ("mvcc", &["wire"]),
    ("gateway", &["auth", "raystream", "wire"]),
];

const LINES_MAX: usize = 600;

#[test]
fn compiler_modules_use_only_what_their_phase_may() {
    let mut breaches = Vec::new();
    for file in scan::tree().iter().filter(|file| file.path.starts_with("src/") && file.extension() == "rs") {
        let module = scan::module_of(&file.path);
        if FREE_MODULES.iter().any(|free| module == *free || module.starts_with(&format!("{free}/"))) {
            continue;
        }
        let phase = module.split('/').next().unwrap_or_default();
        match MODULE_RULES.iter().find(|rule| rule.module == phase) {
            Some(rule) => breaches.extend(breaches_of(rule, &module, file)),
            None => breaches.push(format!("{}: module `{phase}` has no row in MODULE_RULES", file.path)),
        }
    }
    assert_none(&breaches);
}

fn breaches_of(rule: &ModuleRule, module: &str, file: &TreeFile) -> Vec<String> {
    let code = Rust::product(&file.text);
    let foreign_modules = code
        .root_names(scan::depth(module, &file.path))
        .into_iter()
        .filter(|name| name != rule.module && !rule.modules.contains(&name.as_str()))
        .map(|name| format!("{}: `{}` must not use `crate::{name}`", file.path, rule.module));
    let foreign_crates = WATCHED_CRATES
        .iter()
        .filter(|name| !rule.crates.contains(name) && code.uses_crate(name))
        .map(|name| format!("{}: `{}` must not use crate `{name}`", file.path, rule.module));
    let outside = OUTSIDE
        .iter()
        .filter(|name| code.mentions(name))
        .map(|name| format!("{}: `{}` must not use `{name}`", file.path, rule.module));
    foreign_modules.chain(foreign_crates).chain(outside).collect()
}

/// The command line derives keys, mints nothing, and installs mvcc's SQL; [`MODULE_RULES`] keep these crates out of the
/// compiler.
#[test]
fn the_package_depends_on_the_runtime_crates_that_its_commands_need() {
    let manifest = scan::read("Cargo.toml");
    let mut dependencies = scan::own_dependencies(&manifest);
    dependencies.sort();
    assert_eq!(dependencies, ["auth", "mvcc", "raystream", "wire"]);
}

#[test]
fn runtime_crates_depend_in_one_direction() {
    let mut breaches = Vec::new();
    for (name, may) in CORE_RULES {
        let manifest = scan::read(&format!("runtime/{name}/Cargo.toml"));
        for dependency in scan::own_dependencies(&manifest) {
            if !may.contains(&dependency.as_str()) {
                breaches.push(format!("runtime/{name} must not depend on {dependency}"));
            }
        }
    }
    assert_none(&breaches);
}

#[test]
fn cores_are_safe_and_reach_nothing_outside() {
    let mut breaches = Vec::new();
    let files = scan::tree();
    for (name, _) in CORE_RULES {
        let folder = format!("runtime/{name}/src/");
        let root = scan::read(&format!("{folder}lib.rs"));
        if !root.contains("#![forbid(unsafe_code)]") {
            breaches.push(format!("{folder}lib.rs: a core forbids unsafe code"));
        }
        for file in files.iter().filter(|file| file.path.starts_with(&folder) && file.extension() == "rs") {
            let code = Rust::product(&file.text);
            let found = OUTSIDE.iter().chain(OUTSIDE_CORE).filter(|name| code.mentions(name));
            breaches.extend(found.map(|name| format!("{}: a core must not use `{name}`", file.path)));
        }
    }
    assert_none(&breaches);
}

#[test]
fn rust_files_open_with_what_they_own() {
    let breaches: Vec<String> = scan::tree()
        .iter()
        .filter(|file| file.extension() == "rs" && !file.text.starts_with("//! "))
        .map(|file| format!("{}: opens without `//!`", file.path))
        .collect();
    assert_none(&breaches);
}

#[test]
fn files_stay_short() {
    let breaches: Vec<String> = scan::tree()
        .iter()
        .filter(|file| ["rs", "ts", "tsx", "js", "mjs", "sql"].contains(&file.extension()))
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(file, lines)| format!("{}: {lines} lines, {LINES_MAX} is the most", file.path))
        .collect();
    assert_none(&breaches);
}

#[test]
fn files_name_no_folder_of_a_machine() {
    let breaches: Vec<String> = scan::tree()
        .iter()
        .flat_map(|file| {
            scan::machine_paths(&file.text)
                .into_iter()
                .map(|(line, found)| format!("{}:{line}: {found}", file.path))
        })
        .collect();
    assert_none(&breaches);
}

#[test]
fn the_files_that_rules_speak_of_are_seen() {
    let files = scan::tree();
    for path in ["Cargo.toml", "src/contract/ty.rs", "runtime/wire/src/lib.rs", "xtask/src/main.rs"] {
        assert!(files.iter().any(|file| file.path == path), "{path} is not found");
    }
}

fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

//! raystream's long tests: the fuzzer, the simulator over many seeds, and whether the simulator finds broken protocols.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::process::{self, CARGO, RUSTC, step};
use crate::tree::Tree;

/// The fuzzer's targets, as `tests/raysim/src/fuzz` names them.
pub(crate) const TARGETS: [&str; 5] = ["header", "sealed", "handshake", "ticket", "body"];
/// Its target in `runtime/wire`.
pub(crate) const ENVELOPE: &str = "envelope";
/// What cargo-fuzz passes, of which none needs a nightly compiler.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// A protocol that is broken on purpose: a file of `runtime/raystream/src`, what is there, and what is put in its place.
struct Mutant {
    name: &'static str,
    file: &'static str,
    original: &'static str,
    broken: &'static str,
}

const MUTANTS: [Mutant; 14] = [
    Mutant {
        name: "replayed frames are taken",
        file: "schedule.rs",
        original: "if txid < self.next_txid || epoch(txid) - epoch(self.next_txid) > 1 {",
        broken: "if epoch(txid).saturating_sub(epoch(self.next_txid)) > 1 {",
    },
    Mutant {
        name: "the nonce's counter stands still",
        file: "schedule.rs",
        original: "        self.advance_to(next_txid);\n        Some([&header",
        broken: "        let _ = next_txid;\n        Some([&header",
    },
    Mutant {
        name: "a resume's answer does not depend on the server's random bytes",
        file: "schedule.rs",
        original: "let transcript = sha256(&[&self.transcript, server_random]);",
        broken: "let (transcript, _) = (sha256(&[&self.transcript]), server_random);",
    },
    Mutant {
        name: "a new epoch keeps its key",
        file: "schedule.rs",
        original: "if epoch(txid) > epoch(self.next_txid) {",
        broken: "if epoch(txid) > epoch(self.next_txid) && txid == 0 {",
    },
    Mutant {
        name: "both directions share their keys",
        file: "schedule.rs",
        original: "let key = prk.expand(&[b\"rs1 \", name.as_bytes(), b\" key\", transcript]);",
        broken: "let key = prk.expand(&[b\"rs1 \", b\"c2s\", b\" key\", transcript]);",
    },
    Mutant {
        name: "the nonce has no secret half",
        file: "schedule.rs",
        original: "wire[index] ^ self.iv.expose()[index]",
        broken: "wire[index] ^ (self.iv.expose()[index] & 0)",
    },
    Mutant {
        name: "a refusal does not close the session",
        file: "session.rs",
        original: "if opened.is_err() {",
        broken: "if opened.is_err() && self.id.as_bytes()[0] == 0xff {",
    },
    Mutant {
        name: "tickets do not expire",
        file: "ticket.rs",
        original: "if expires_at <= now {",
        broken: "if expires_at.0 == now.0 && now.0 == 0 {",
    },
    Mutant {
        name: "tickets share a nonce",
        file: "ticket.rs",
        original: "let nonce = random::<NONCE_LEN>(entropy);",
        broken: "let (nonce, _) = ([0; NONCE_LEN], random::<NONCE_LEN>(entropy));",
    },
    Mutant {
        name: "the psk does not depend on the key encapsulation",
        file: "kem.rs",
        original: "Prk::extract(&sha256(&[ciphertext]), &[shared.expose()])",
        broken: "Prk::extract(&sha256(&[ciphertext]), &[&[shared.expose()[0] & 0][..]])",
    },
    Mutant {
        name: "early data may change something",
        file: "../../gateway/src/early.rs",
        original: "Some(policy) if policy.is_read_only() => {",
        broken: "Some(policy) if policy.max_bytes > 0 => {",
    },
    Mutant {
        name: "early data needs no identity",
        file: "../../gateway/src/early.rs",
        original: "!= Some(Builtin::Anonymous) {",
        broken: "== Some(Builtin::Refresh) {",
    },
    Mutant {
        name: "the calls of early data lose their numbers",
        file: "early.rs",
        original: "sequence: header.sequence,",
        broken: "sequence: header.sequence & 1,",
    },
    Mutant {
        name: "the padding's marker is not looked for",
        file: "padding.rs",
        original: "    plaintext.truncate(marker);",
        broken: "    plaintext.truncate(marker.saturating_sub(1));",
    },
];

/// Fuzzes each of these targets for so many seconds, from the committed corpora on. What is found is left beside them.
///
/// # Errors
/// With the first target that found something, or when the fuzzer does not build.
pub(crate) fn fuzz(tree: &Tree, targets: &[&str], seconds: &str) -> Result<(), Error> {
    seconds.parse::<u32>().map_err(|_| Error::Usage(format!("`{seconds}` is not a number of seconds")))?;
    let target_dir = tree.target.join("rayfuzz");
    // Named, so that build scripts run without the instrumentation.
    let host = process::output(RUSTC, &["--print", "host-tuple"], &tree.root)?;
    step("build the fuzzer", || {
        let mut command = Command::new(CARGO.name);
        command
            .args(["build", "--profile", "fuzz", "--locked", "--target", &host, "--target-dir"])
            .arg(&target_dir)
            .env("RUSTFLAGS", COVERAGE)
            .current_dir(tree.root.join("tests/rayfuzz"));
        process::finish(CARGO, command)
    })?;
    let program = target_dir.join(&host).join("fuzz/kontract-rayfuzz");
    for target in targets {
        step(&format!("fuzz {target} for {seconds} s"), || one_target(tree, &program, target, seconds))?;
    }
    Ok(())
}

fn one_target(tree: &Tree, program: &Path, target: &str, seconds: &str) -> Result<(), Error> {
    // New inputs go to the first folder; the committed ones are only read.
    let found = tree.target.join("rayfuzz/corpora").join(target);
    fs::create_dir_all(&found).map_err(|cause| file("create", &found, cause))?;
    let mut command = Command::new(program);
    command
        .arg(&found)
        .arg(tree.root.join("fixtures/fuzz-raystream").join(target))
        .args([format!("-max_total_time={seconds}"), "-max_len=4096".to_owned(), "-timeout=30".to_owned()])
        .arg(format!("-artifact_prefix={}/found-{target}-", tree.target.join("rayfuzz").display()))
        .args(["-print_final_stats=1", "-verbosity=0"])
        .env("KONTRACT_FUZZ_TARGET", target);
    process::finish(FUZZER, command)
}

/// So many seeds, and then every mutant, which the simulator or the fuzzer's models have to find.
///
/// # Errors
/// When a seed fails, or a mutant does not.
pub(crate) fn check(tree: &Tree, seeds: &str) -> Result<(), Error> {
    step(&format!("{seeds} seeds"), || {
        let mut command = Command::new(CARGO.name);
        command.args(["test", "--release", "-p", "kontract-raysim", "--lib", "--", "seeds", "--nocapture"]);
        command.env("KONTRACT_RAYSIM_SEEDS", seeds).current_dir(&tree.root);
        process::finish(CARGO, command)
    })?;
    step("the flood", || {
        let mut command = Command::new(CARGO.name);
        command.args(["test", "-p", "kontract", "--test", "it", "--", "apps::flood", "--nocapture"]);
        command.env("KONTRACT_FLOOD_HANDSHAKES", "100000").current_dir(&tree.root);
        process::finish(CARGO, command)
    })?;
    let copy = tree.target.join("mutants");
    // What fails unbroken says nothing about what is broken.
    if !passes(tree, &copy, None)? {
        return Err(Error::Survivors("anything: its copy fails as it is".to_owned()));
    }
    let mut survivors = Vec::new();
    for mutant in &MUTANTS {
        if step(&format!("mutant: {}", mutant.name), || passes(tree, &copy, Some(mutant)))? {
            survivors.push(mutant.name);
        }
    }
    if survivors.is_empty() { Ok(()) } else { Err(Error::Survivors(survivors.join("; "))) }
}

/// Whether the simulator and the fuzzer's models have nothing to say about a copy, broken or not.
fn passes(tree: &Tree, copy: &Path, mutant: Option<&Mutant>) -> Result<bool, Error> {
    workspace_of_two(tree, copy)?;
    if let Some(mutant) = mutant {
        let path = copy.join("runtime/raystream/src").join(mutant.file);
        let source = read(&path)?;
        if source.matches(mutant.original).count() != 1 {
            return Err(Error::Usage(format!("mutant `{}` has no place in {}", mutant.name, mutant.file)));
        }
        write(&path, &source.replace(mutant.original, mutant.broken))?;
    }
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(CARGO.name);
        command.args(["test", "-q", "-p", "kontract-raysim", "--lib"]).args(arguments);
        command.current_dir(copy).env("CARGO_TARGET_DIR", copy.join("target"));
        command
    };
    process::finish(CARGO, cargo(&["--no-run"]))?;
    let run = cargo(&["--", "tests::seeds", "tests::the_fuzzers"]).output();
    let run = run.map_err(|cause| file("run", copy, cause))?;
    let words = String::from_utf8_lossy(&run.stdout);
    let reason = words.lines().find(|line| line.contains("unreachable code") || line.contains("assertion"));
    eprintln!("   {}", if run.status.success() { "passes" } else { reason.unwrap_or("fails") });
    Ok(run.status.success())
}

/// The simulator and what it simulates, copied: the mutants must not touch the sources.
fn workspace_of_two(tree: &Tree, copy: &Path) -> Result<(), Error> {
    let manifest = read(&tree.root.join("Cargo.toml"))?;
    let (_, tables) = manifest.split_once("[workspace.package]").unwrap_or_default();
    let (tables, _) = tables.split_once("\n[package]").unwrap_or_default();
    let members = ["runtime/wire", "runtime/auth", "runtime/raystream", "runtime/gateway", "tests/raysim"];
    // The other dependencies that are paths are not members here and are left out.
    let tables: String = tables
        .lines()
        .filter(|line| !line.contains("runtime/mvcc"))
        .map(|line| format!("{line}\n"))
        .collect();
    for member in members {
        copy_changed(&tree.root.join(member), &copy.join(member))?;
    }
    copy_changed(&tree.root.join("fixtures/fuzz-raystream"), &copy.join("fixtures/fuzz-raystream"))?;
    copy_changed(&tree.root.join("fixtures/vectors/raystream"), &copy.join("fixtures/vectors/raystream"))?;
    let lock = copy.join("Cargo.lock");
    fs::copy(tree.root.join("Cargo.lock"), &lock).map_err(|cause| file("copy", &lock, cause))?;
    let speed = "[profile.dev.package.\"*\"]\nopt-level = 2\n";
    write(
        &copy.join("Cargo.toml"),
        &format!(
            "[workspace]\nmembers = {members:?}\nresolver = \"3\"\n\n[workspace.package]{tables}\n{speed}"
        ),
    )
}

fn copy_changed(from: &Path, into: &Path) -> Result<(), Error> {
    fs::create_dir_all(into).map_err(|cause| file("create", into, cause))?;
    for entry in fs::read_dir(from).map_err(|cause| file("read", from, cause))? {
        let path = entry.map_err(|cause| file("read", from, cause))?.path();
        let target: PathBuf = into.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_changed(&path, &target)?;
            continue;
        }
        let bytes = fs::read(&path).map_err(|cause| file("read", &path, cause))?;
        if fs::read(&target).ok().as_ref() != Some(&bytes) {
            fs::write(&target, bytes).map_err(|cause| file("write", &target, cause))?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|cause| file("read", path, cause))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|cause| file("write", path, cause))
}

fn file(action: &'static str, path: &Path, cause: std::io::Error) -> Error {
    Error::File { action, path: path.to_owned(), cause }
}

const FUZZER: process::Program =
    process::Program { name: "kontract-rayfuzz", fix: "it is built by `cargo xtask fuzz raystream`" };

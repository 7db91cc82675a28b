//! `cargo xtask`: prepares the machine, builds what the product consists of and runs every test.
//!
//! ```text
//! setup   machine → wasm32 target, npm packages, what the tests need
//! build   sources → npm/kontract, target/gateway (WebAssembly and its JavaScript), the `kontract` program
//! dev     build, then `kontract dev`
//! fuzz    broken programs through the compiler, broken messages through the decoders
//! test    build, then formatting, lints and every test
//! bench   the program as it ships, and the codecs it generates, side by side with others
//! ci      test, and the tree must be as committed
//! raystream-check  many seeds of the simulator, a flood of handshakes, and broken protocols that have to be found
//! storage-check  many concurrent transactions with faults → whether they had a serial order
//! ```
//!
//! What users of kontract need belongs to `kontract` itself and not here.

mod bench;
mod build;
mod dev;
mod error;
mod fuzz;
mod gateway;
mod npm;
mod process;
mod python;
mod raystream;
mod system;
mod test;
mod tree;

use std::process::ExitCode;

use crate::build::Profile;
use crate::error::Error;
use crate::tree::Tree;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.exit_code()
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Error> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(Error::Usage("a command is missing".to_owned()));
    };
    match (command.as_str(), rest) {
        ("help" | "--help" | "-h", _) => {
            println!("{USAGE}");
            Ok(())
        }
        ("setup", []) => setup(&Tree::find()?),
        ("build", []) => build::build(&Tree::find()?, Profile::Dev).map(drop),
        ("build", [flag]) if flag == "--release" => build::build(&Tree::find()?, Profile::Release).map(drop),
        ("dev", [project, passed @ ..]) => dev::dev(project, passed),
        ("dev", []) => Err(Error::Usage("dev needs a project folder, such as examples/guestbook".to_owned())),
        ("bench", [what]) if what == "check" => bench::check(&Tree::find()?),
        ("bench", [what]) if what == "storage" => bench::storage(&Tree::find()?, "beside_others"),
        ("bench", [what]) if what == "bloat" => bench::storage(&Tree::find()?, "bloat"),
        ("bench", [what]) if what == "raystream" => bench::raystream(&Tree::find()?),
        ("bench", [what]) if what == "build" => bench::build_beside_bundlers(&Tree::find()?),
        ("bench", [what]) if what == "start" => bench::start(&Tree::find()?),
        ("bench", [what]) if what == "wire" => bench::wire(&Tree::find()?),
        ("bench", _) => Err(Error::Usage(
            "bench needs what to measure: check, build, storage, bloat, raystream, start or wire".to_owned(),
        )),
        ("fuzz", [what, flag, seconds]) if flag == "--seconds" => fuzz(what, seconds, None),
        ("fuzz", [what, flag, seconds, seed_flag, seed]) if flag == "--seconds" && seed_flag == "--seed" => {
            fuzz(what, seconds, Some(seed))
        }
        ("fuzz", _) => Err(Error::Usage(FUZZ_USAGE.to_owned())),
        ("test", []) => test::test(&Tree::find()?),
        ("ci", []) => test::ci(&Tree::find()?),
        ("raystream-check", []) => raystream::check(&Tree::find()?, "10000"),
        ("raystream-check", [flag, count]) if flag == "--seeds" && count.parse::<u32>().is_ok() => {
            raystream::check(&Tree::find()?, count)
        }
        ("storage-check", []) => test::storage_check(&Tree::find()?, "100000"),
        ("storage-check", [flag, count]) if flag == "--transactions" && count.parse::<u32>().is_ok() => {
            test::storage_check(&Tree::find()?, count)
        }
        ("setup" | "build" | "test" | "ci" | "raystream-check" | "storage-check", [first, ..]) => {
            Err(Error::Usage(format!("`{command}` does not take `{first}`")))
        }
        (unknown, _) => Err(Error::Usage(format!("there is no command `{unknown}`"))),
    }
}

fn fuzz(what: &str, seconds: &str, seed: Option<&String>) -> Result<(), Error> {
    let first = seed.map_or("1", String::as_str);
    match (what, seed) {
        ("compiler", _) => fuzz::compiler(&Tree::find()?, seconds, first),
        ("wire", _) => fuzz::wire(&Tree::find()?, seconds, first),
        ("raystream", None) => raystream::fuzz(&Tree::find()?, &raystream::TARGETS, seconds),
        _ => Err(Error::Usage(FUZZ_USAGE.to_owned())),
    }
}

fn setup(tree: &Tree) -> Result<(), Error> {
    gateway::require_target(tree)?;
    npm::install(tree)?;
    system::install_packages(tree)?;
    python::install(tree)
}

const FUZZ_USAGE: &str =
    "fuzz needs `compiler --seconds N [--seed N]`, `raystream --seconds N` or `wire --seconds N [--seed N]`";

/// What `cargo xtask help` prints; usage errors repeat it.
const USAGE: &str = "\
cargo xtask <command>

  setup                 install the wasm32 target, npm packages and what the tests need
  build [--release]     build npm/kontract, the gateway and the kontract program
  dev DIR [ARGUMENTS]   build, then run `kontract dev --project DIR ARGUMENTS`
  bench check           measure `kontract check` beside parsers and esbuild
  bench build           measure `kontract build` and `dev` beside esbuild and Vite
  bench storage         measure storage beside plain SQL, Prisma and Drizzle
  bench bloat           measure how tables grow under a million updates
  bench raystream       measure encrypted calls beside plain ones through the same workerd
  bench start           measure how long Workers take to start, lazily and eagerly
  bench wire            measure encoding and decoding beside JSON and others
  fuzz compiler --seconds N [--seed N]
                        broken programs through the compiler's check, for so long
  fuzz raystream --seconds N
                        raystream's parsers and ends, guided by coverage, each target for so long
  fuzz wire --seconds N [--seed N]
                        broken messages through both decoders, each for so long
  test                  build, check formatting and lints, run every test
  ci                    test, then fail when files differ from what is committed
  raystream-check [--seeds N]
                        the long check of raystream: the simulator (10000), a flood of handshakes, broken protocols
  storage-check [--transactions N]
                        the long check of storage's guarantees (100000), on every PostgreSQL of the tests, with faults";

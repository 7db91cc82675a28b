//! Runs generated JavaScript in node, against the wire runtime of `npm/kontract`, whose types are taken off here.

use super::expect::root;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use swc_common::{GLOBALS, Globals, Mark, SourceMap, sync::Lrc};
use swc_ecma_ast::{EsVersion, Program};
use swc_ecma_parser::{Syntax, TsSyntax, parse_file_as_module};
use tempfile::TempDir;

/// A folder with generated files in which node finds `kontract/wire`.
pub(crate) struct Sandbox(TempDir);

impl Sandbox {
    pub(crate) fn new() -> Self {
        let sandbox = Self(TempDir::new().expect("a temporary folder"));
        let package = "node_modules/kontract";
        sandbox.write("package.json", br#"{ "type": "module" }"#);
        let exports = br#"{ "type": "module", "exports": { "./wire": "./wire/index.js" } }"#;
        sandbox.write(&format!("{package}/package.json"), exports);
        for entry in fs::read_dir(root().join("npm/kontract/src/wire")).expect("the wire runtime") {
            let path = entry.expect("the folder can be read").path();
            let stem = path.file_stem().expect("a file").to_string_lossy().into_owned();
            sandbox.write(&format!("{package}/wire/{stem}.js"), without_types(&path).as_bytes());
        }
        sandbox
    }

    /// Puts a module of the npm package's sources into the folder.
    pub(crate) fn module(&self, source: &str, name: &str) {
        let text = without_types(&root().join("npm/kontract/src").join(source));
        self.write(name, text.as_bytes());
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("the sandbox itself is above"))
            .expect("the folder can be made");
        fs::write(path, bytes).expect("the file can be written");
    }

    /// Writes a TypeScript file of the repository without its types.
    pub(crate) fn write_module(&self, name: &str, source: &str) {
        self.write(name, without_types(&root().join(source)).as_bytes());
    }

    /// Runs a script of `fixtures/` and gives what it prints; fails with what it says otherwise.
    pub(crate) fn run(&self, script: &str) -> String {
        let text = fs::read(root().join("fixtures").join(script)).expect("the script");
        self.write("script.mjs", &text);
        let mut node = Command::new("node");
        node.arg("script.mjs").current_dir(self.path());
        finished(script, node.output().expect("node is installed (https://nodejs.org, 20 or newer)"))
    }

    /// Runs flatc.
    pub(crate) fn flatc(&self, args: &[&str]) -> String {
        let mut flatc = Command::new("flatc");
        flatc.args(args).current_dir(self.path());
        finished("flatc", flatc.output().expect("flatc is missing: apt-get install flatbuffers-compiler"))
    }
}

fn finished(what: &str, output: Output) -> String {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("programs write UTF-8");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{what} failed\n{stdout}{stderr}");
    stdout
}

fn without_types(path: &Path) -> String {
    let source_map: Lrc<SourceMap> = Lrc::default();
    let file = source_map.load_file(path).expect("the runtime's source can be read");
    let syntax = Syntax::Typescript(TsSyntax::default());
    let module = parse_file_as_module(&file, syntax, EsVersion::latest(), None, &mut Vec::new());
    let program = Program::Module(module.expect("the runtime parses"));
    GLOBALS.set(&Globals::new(), || {
        let (unresolved, top_level) = (Mark::new(), Mark::new());
        let program = program
            .apply(swc_ecma_transforms_base::resolver(unresolved, top_level, true))
            .apply(swc_ecma_transforms_typescript::strip(unresolved, top_level))
            .apply(swc_ecma_transforms_base::fixer::fixer(None));
        let module = program.expect_module();
        kontract::emit::print::print(&module, &source_map, None)
    })
}

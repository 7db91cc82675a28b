//! Bad files, read from a real folder: each is named by a clear error, and none is waited for.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use kontract::cli::os_system::OsSystem;
use kontract::diag::Code;
use kontract::project;
use kontract::system::FILE_BYTES_MAX;

#[test]
fn bad_files_are_named() {
    check(&[Code::KT0001], |src| write(src, "a.ts", b"const a = '\xff';"));
    check(&[Code::KT0001], |src| write(src, "a.ts", b"\xff\xfec\0o\0n\0s\0t\0"));
    check(&[Code::KT0002], |src| {
        let file = fs::File::create(src.join("a.ts")).expect("a file");
        file.set_len(FILE_BYTES_MAX + 1).expect("a sparse file");
    });
    check(&[Code::KT0003], |src| {
        let made = Command::new("mkfifo").arg(src.join("a.ts")).status().expect("coreutils");
        assert!(made.success(), "a pipe");
    });
    check(&[], |src| write(src, "a.ts", "\u{feff}export const a = 1;".as_bytes()));
    check(&[Code::KT0004], |src| write(src, "a.ts", b"const a = 1;\0\0"));
}

#[test]
fn links_are_followed_once_and_never_out_of_the_project() {
    // A folder that contains itself.
    check(&[], |src| {
        write(src, "a.ts", b"export {};");
        symlink(src, src.join("again")).expect("a link");
    });
    // Links that lead to each other, to nothing, and out.
    check(&[Code::KT0003], |src| {
        symlink(src.join("b.ts"), src.join("a.ts")).expect("a link");
        symlink(src.join("a.ts"), src.join("b.ts")).expect("a link");
    });
    check(&[Code::KT0003], |src| symlink(src.join("none.ts"), src.join("a.ts")).expect("a link"));
    check(&[Code::KT0003], |src| symlink("/etc/hostname", src.join("a.ts")).expect("a link"));
    check(&[Code::KT0003], |src| symlink("/etc", src.join("outside")).expect("a link"));
}

/// The codes that a project reports whose source folder was filled so.
fn check(expected: &[Code], fill: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    let src = folder.path().join("src");
    fs::create_dir(&src).expect("a folder");
    write(folder.path(), "kontract.json", b"{ \"name\": \"files\" }");
    fill(&src);
    let system = OsSystem::new(folder.path()).expect("it is a folder");
    let outcome = kontract::check(&system, &project::load(&system));
    let mut codes: Vec<Code> = outcome.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.dedup();
    assert_eq!(codes, expected, "{:?}", outcome.diagnostics);
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    fs::write(folder.join(name), content).expect("a writable folder");
}

//! Where the `syndic` program is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The repository's root.
#[must_use]
pub fn repository() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let tests =
            std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        tests
            .parent()
            .expect("tests/ lies in the repository")
            .canonicalize()
            .unwrap()
    })
}

/// The program under test: `SYNDIC_BIN` if set, else the one that lies beside the running test. It is built first if it
/// is missing or older than the sources, so that no test ever speaks to yesterday's node.
#[must_use]
pub fn syndic() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(path) = std::env::var_os("SYNDIC_BIN") {
            return Path::new(&path).canonicalize().expect("SYNDIC_BIN names a file");
        }
        let program = profile_folder().join("syndic");
        build(
            &program,
            &["vc", "registry", "node"],
            &["--package", "syndic-node", "--bin", "syndic"],
        );
        program
    })
}

/// An example of examples/, built in the same way.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    let program = profile_folder().join("examples").join(name);
    build(
        &program,
        &["vc", "examples"],
        &["--package", "syndic-examples", "--example", name],
    );
    program
}

/// `target/<profile>`: the test itself is in its `deps`.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors()
        .nth(2)
        .expect("a test lies in target/<profile>/deps")
        .to_owned()
}

/// Has cargo build a program, unless it is newer than the packages it is made of.
fn build(program: &Path, packages: &[&str], what: &[&str]) {
    if !is_older_than_sources(program, packages) {
        return;
    }
    let profile_folder = profile_folder();
    let folder = profile_folder.file_name().unwrap().to_string_lossy();
    let profile = if folder == "debug" { "dev" } else { folder.as_ref() };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .arg("build")
        .args(what)
        .args(["--profile", profile, "--target-dir"])
        .arg(profile_folder.parent().unwrap())
        .current_dir(repository())
        .status()
        .expect("cargo can be run");
    assert!(
        status.success() && program.exists(),
        "cargo built no {}",
        program.display()
    );
}

fn is_older_than_sources(program: &Path, packages: &[&str]) -> bool {
    let Ok(built) = std::fs::metadata(program).and_then(|metadata| metadata.modified()) else {
        return true;
    };
    packages
        .iter()
        .any(|package| newest(&repository().join(package)) > built)
}

/// When a file, or the newest source below a folder, was written.
fn newest(path: &Path) -> SystemTime {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        return entries
            .map(|entry| newest(&entry.path()))
            .fold(SystemTime::UNIX_EPOCH, SystemTime::max);
    }
    let is_source = path
        .extension()
        .is_some_and(|extension| extension == "rs" || extension == "toml");
    let written = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    written.ok().filter(|_| is_source).unwrap_or(SystemTime::UNIX_EPOCH)
}

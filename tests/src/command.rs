//! Running a program to its end, within a time.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How a program ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Finished {
    /// Itself, if it ended well.
    ///
    /// # Panics
    /// It did not; its output is shown.
    #[must_use]
    pub fn expect_success(self, what: &str) -> Self {
        assert_eq!(
            self.code,
            Some(0),
            "{what} failed\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The JSON document it printed.
    ///
    /// # Panics
    /// It printed something else.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not one JSON document ({error}):\n{}\n{}", self.stdout, self.stderr))
    }
}

/// Runs a program to its end; kills it, and all it started, when the time is over.
///
/// # Panics
/// It cannot be started, or needs longer than `limit`; its output is shown.
#[must_use]
pub fn run(command: &mut Command, limit: Duration) -> Finished {
    let began = Instant::now();
    let shown = format!("{command:?}");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
    let (stdout, stderr) = (
        collect(child.stdout.take().unwrap()),
        collect(child.stderr.take().unwrap()),
    );
    let mut late = false;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > limit {
            late = true;
            let _killed = Command::new("kill")
                .args(["-9", "--", &format!("-{}", child.id())])
                .status();
            break child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let finished = Finished {
        code: status.code(),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
        took: began.elapsed(),
    };
    assert!(
        !late,
        "{shown} took longer than {limit:?}\n--- stdout\n{}\n--- stderr\n{}",
        finished.stdout, finished.stderr
    );
    finished
}

fn collect(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ended = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits until something holds.
///
/// # Panics
/// It does not hold within `limit`; `what` is said together with what `check` found last.
pub fn eventually<T>(what: &str, limit: Duration, mut check: impl FnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match check() {
            Ok(value) => return value,
            Err(found) if began.elapsed() > limit => panic!("{what}: not within {limit:?}; last: {found}"),
            Err(_) => std::thread::sleep(Duration::from_millis(25)),
        }
    }
}

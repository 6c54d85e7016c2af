//! One organization's node: a data folder, and a process while it runs.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::command::{self, Finished};
use crate::http::Listener;
use crate::ports::Ports;
use crate::program;

/// Opens the keys of every node of the tests.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// The engine that `syndic init` chooses.
pub const DEFAULT_ENGINE: &str = "redb";

/// A node must be ready within this time; opening its keys takes a third of a second by design, and several may start
/// at once on a slow machine.
const READY: Duration = Duration::from_secs(30);

/// A node, running or not.
#[derive(Debug)]
pub struct Node {
    /// The organization's name.
    pub name: String,
    /// The organization's DID.
    pub did: String,
    /// The data folder.
    pub data: PathBuf,
    /// Where it listens.
    pub ports: Ports,
    token: String,
    public: Listener,
    admin: Listener,
    process: Option<Process>,
    starts: u32,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// When this pipe closes, because it is dropped or because the test died, the node stops.
    stdin: Option<ChildStdin>,
    stderr: PathBuf,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Node {
    /// `syndic init` into a new folder, with free ports.
    ///
    /// # Panics
    /// It fails.
    #[must_use]
    pub fn init(data: &Path, name: &str, engine: &str) -> Self {
        let ports = Ports::free();
        let at = |port: u16| format!("127.0.0.1:{port}");
        let report = syndic(
            data,
            &[
                "init",
                "--json",
                "--name",
                name,
                "--engine",
                engine,
                "--public",
                &at(ports.public),
                "--admin",
                &at(ports.admin),
                "--peer",
                &at(ports.peer),
            ],
        )
        .expect_success("syndic init")
        .json();
        let token = std::fs::read_to_string(data.join("admin.token"))
            .unwrap()
            .trim()
            .to_owned();
        Self {
            name: name.to_owned(),
            did: report["did"].as_str().unwrap().to_owned(),
            data: data.to_owned(),
            ports,
            public: Listener::new(ports.public, None),
            admin: Listener::new(ports.admin, Some(token.clone())),
            token,
            process: None,
            starts: 0,
        }
    }

    /// The public listener.
    #[must_use]
    pub fn public(&self) -> &Listener {
        &self.public
    }

    /// The admin listener, with the token.
    #[must_use]
    pub fn admin(&self) -> &Listener {
        &self.admin
    }

    /// The admin token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Runs `syndic` with arguments on this node's data folder.
    #[must_use]
    pub fn syndic(&self, arguments: &[&str]) -> Finished {
        syndic(&self.data, arguments)
    }

    /// Replaces a line of the configuration.
    ///
    /// # Panics
    /// The configuration has no such text.
    pub fn configure(&self, from: &str, to: &str) {
        let path = self.data.join("config.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from:?} is not in\n{text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }

    /// `syndic run`, until it is ready.
    ///
    /// # Panics
    /// It does not become ready; what it wrote to standard error is shown.
    pub fn start(&mut self) {
        self.try_start().unwrap_or_else(|error| panic!("{error}"));
    }

    /// `syndic run`, until it is ready.
    ///
    /// # Errors
    /// It ended, or did not become ready; what it wrote to standard error.
    pub fn try_start(&mut self) -> Result<(), String> {
        self.spawn();
        self.wait_ready()
    }

    /// `syndic run`, without waiting.
    ///
    /// # Panics
    /// The program cannot be started.
    pub fn spawn(&mut self) {
        assert!(self.process.is_none(), "{} runs already", self.name);
        self.starts += 1;
        let log = |stream: &str| self.data.with_extension(format!("{}.{stream}", self.starts));
        let stderr = log("stderr");
        let mut child = Command::new(program::syndic())
            .args(["run", "--exit-with-stdin", "--data"])
            .arg(&self.data)
            .env("SYNDIC_PASSPHRASE", PASSPHRASE)
            .env_remove("SYNDIC_PASSPHRASE_FILE")
            .stdin(Stdio::piped())
            .stdout(File::create(log("stdout")).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .expect("the syndic program can be started");
        let stdin = child.stdin.take();
        self.process = Some(Process { child, stdin, stderr });
    }

    /// Waits until the node says that it is ready.
    ///
    /// # Errors
    /// It ended, or did not become ready; what it wrote to standard error.
    pub fn wait_ready(&mut self) -> Result<(), String> {
        let began = Instant::now();
        let process = self.process.as_mut().ok_or("it was not started")?;
        loop {
            let complaint = || std::fs::read_to_string(&process.stderr).unwrap_or_default();
            if let Some(status) = process.child.try_wait().map_err(|error| error.to_string())? {
                let error = format!(
                    "{} ended with {status} before it was ready:\n{}",
                    self.name,
                    complaint()
                );
                self.process = None;
                return Err(error);
            }
            let answer = self.public.try_get("/readyz");
            if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            if began.elapsed() > READY {
                return Err(format!(
                    "{} is not ready after {READY:?}: {answer:?}\n{}",
                    self.name,
                    complaint()
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// SIGKILL: the process has no chance to tidy up.
    ///
    /// # Panics
    /// It is not running.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.child.kill().unwrap();
        process.child.wait().unwrap();
    }

    /// Stops the node the gentle way and returns how it ended.
    ///
    /// # Panics
    /// It is not running, or does not stop.
    pub fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("it runs");
        drop(process.stdin.take());
        command::eventually("the node stops", Duration::from_secs(20), || {
            process
                .child
                .try_wait()
                .unwrap()
                .ok_or_else(|| "it still runs".to_owned())
        })
    }

    /// Whether its process is alive.
    ///
    /// # Panics
    /// The system does not say.
    pub fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.child.try_wait().unwrap().is_none())
    }

    /// What the running or last process wrote to standard error.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.with_extension(format!("{}.stderr", self.starts))).unwrap_or_default()
    }
}

/// Runs `syndic` with arguments on a data folder, with the passphrase of the tests.
#[must_use]
pub fn syndic(data: &Path, arguments: &[&str]) -> Finished {
    syndic_with(data, arguments, PASSPHRASE)
}

/// Runs `syndic` with arguments on a data folder, with a passphrase.
#[must_use]
pub fn syndic_with(data: &Path, arguments: &[&str], passphrase: &str) -> Finished {
    let mut command = Command::new(program::syndic());
    command
        .args(arguments)
        .env("SYNDIC_DATA", data)
        .env("SYNDIC_PASSPHRASE", passphrase)
        .env_remove("SYNDIC_PASSPHRASE_FILE");
    command::run(&mut command, Duration::from_secs(60))
}

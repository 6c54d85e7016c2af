//! The temporary folder and the child processes. On every way out - the end, an error, a panic, ctrl-C - the children
//! are gone and so is the folder. If this process is killed outright, the children notice that their standard input
//! has ended and stop by themselves.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use super::error::DemoError;
use super::wait;
use crate::cli::failure::Exit;
use crate::keys;

/// What a shell expects of a program that was interrupted: 128 and the signal's number.
const INTERRUPTED: i32 = 130;
/// How long a node may take to stop when it is asked to.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How much of each node's log a failed demo shows.
const LOG_TAIL_LINES: usize = 12;

pub(super) struct Stage {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    state: Mutex<State>,
    told_to_stop: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    /// The story is over, and being interrupted is the ordinary end.
    staying: bool,
    actors: Vec<Actor>,
}

struct Actor {
    name: String,
    log: PathBuf,
    child: Child,
}

/// Which child; valid until it is replaced by a restart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(usize);

impl Stage {
    /// Makes the folder and sees to it that signals clean up.
    pub(super) fn open() -> Result<Self, DemoError> {
        let folder = make_folder()?;
        let shared = Arc::new(Shared {
            folder,
            state: Mutex::new(State::default()),
            told_to_stop: Condvar::new(),
        });
        let stage = Self { shared };
        stage
            .watch_signals()
            .map_err(|error| DemoError::new(format!("cannot wait for signals: {error}")))?;
        Ok(stage)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// Starts a child. Its standard input stays open as long as this process lives; its log is appended to `log`.
    pub(super) fn start(&self, name: &str, log: &Path, mut command: Command) -> Result<Place, DemoError> {
        let failed = |error: std::io::Error| DemoError::new(format!("cannot start the node of {name}: {error}"));
        let stderr = log_file(log).map_err(failed)?;
        // A process group of its own: ctrl-C at the terminal is for the demo, which then stops the children.
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(stderr)
            .process_group(0);
        let mut state = self.shared.lock();
        if state.closed {
            return Err(DemoError::new("the demo was told to stop"));
        }
        let child = command.spawn().map_err(failed)?;
        let place = state.actors.iter().position(|actor| actor.log == log);
        let actor = Actor {
            name: name.to_owned(),
            log: log.to_owned(),
            child,
        };
        match place.and_then(|index| state.actors.get_mut(index)) {
            Some(former) => *former = actor,
            None => state.actors.push(actor),
        }
        Ok(Place(place.unwrap_or(state.actors.len() - 1)))
    }

    /// Whether the child has ended by itself.
    pub(super) fn ended(&self, place: Place) -> Option<ExitStatus> {
        let mut state = self.shared.lock();
        state.actors.get_mut(place.0)?.child.try_wait().ok().flatten()
    }

    /// SIGKILL: the node gets no chance to finish anything.
    pub(super) fn kill(&self, place: Place) -> Result<(), DemoError> {
        let mut state = self.shared.lock();
        let Some(actor) = state.actors.get_mut(place.0) else {
            return Ok(());
        };
        kill(&mut actor.child)
            .map_err(|error| DemoError::new(format!("cannot kill the node of {}: {error}", actor.name)))
    }

    /// Ends all children and forgets them, so that the scene can be set anew.
    pub(super) fn clear(&self) {
        let mut state = self.shared.lock();
        for actor in &mut state.actors {
            let _ = kill(&mut actor.child);
        }
        state.actors.clear();
    }

    /// The last lines of every node's log.
    pub(super) fn log_tails(&self) -> Vec<(String, String)> {
        let state = self.shared.lock();
        state
            .actors
            .iter()
            .map(|actor| (actor.name.clone(), tail(&actor.log)))
            .collect()
    }

    /// Blocks until ctrl-C or SIGTERM; the process then ends with exit code 0.
    pub(super) fn wait_until_told_to_stop(&self) {
        let mut state = self.shared.lock();
        state.staying = true;
        while !state.closed {
            state = self
                .shared
                .told_to_stop
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        // The thread that was told to stop ends the process.
        std::thread::sleep(STOP_GRACE);
    }

    fn watch_signals(&self) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let streams = {
            let _inside = runtime.enter();
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal)
        };
        let [interrupt, terminate, hangup] = streams;
        let (mut interrupt, mut terminate, mut hangup) = (interrupt?, terminate?, hangup?);
        let shared = Arc::clone(&self.shared);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hangup.recv() => {} }
            });
            let staying = shared.lock().staying;
            shared.close();
            std::process::exit(if staying {
                i32::from(Exit::Done.code())
            } else {
                INTERRUPTED
            });
        })?;
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Whatever a panicking thread left behind, the children have to be ended.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for actor in &mut state.actors {
            ask_to_stop(&actor.child);
        }
        let all_gone = wait::until(STOP_GRACE, || {
            state
                .actors
                .iter_mut()
                .all(|actor| matches!(actor.child.try_wait(), Ok(Some(_))))
                .then_some(())
        });
        if all_gone.is_none() {
            for actor in &mut state.actors {
                let _ = kill(&mut actor.child);
            }
        }
        state.actors.clear();
        // Nobody is left to tell if this fails; the system clears its temporary folders in the end.
        let _ = std::fs::remove_dir_all(&self.folder);
        self.told_to_stop.notify_all();
    }
}

fn ask_to_stop(child: &Child) {
    // A node that has ended already is what is wanted.
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
}

fn kill(child: &mut Child) -> std::io::Result<()> {
    child.kill()?;
    child.wait().map(drop)
}

fn make_folder() -> Result<PathBuf, DemoError> {
    let random = keys::random_hex::<8>().map_err(|error| DemoError::new(error.to_string()))?;
    let folder = std::env::temp_dir().join(format!("syndic-demo-{random}"));
    DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(|error| DemoError::new(format!("cannot make the folder {}: {error}", folder.display())))?;
    Ok(folder)
}

fn log_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn tail(path: &Path) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LOG_TAIL_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}

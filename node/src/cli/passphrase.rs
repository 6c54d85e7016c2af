//! The passphrase that seals the node's keys: from a file, the environment, or typed at a terminal. Never an argument:
//! other users of the machine can read those.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::failure::Failure;

const VARIABLE: &str = "SYNDIC_PASSPHRASE";

/// Bytes of a passphrase file that are read; more is a mistaken file.
const FILE_BYTES: usize = 4096;

/// Where the passphrase is.
#[derive(Clone, Debug, Args)]
pub struct PassphraseArguments {
    /// File whose first line is the passphrase of the keys; otherwise SYNDIC_PASSPHRASE is used, or it is asked for
    #[arg(long, value_name = "FILE", env = "SYNDIC_PASSPHRASE_FILE", hide_env_values = true)]
    pub passphrase_file: Option<PathBuf>,
}

impl PassphraseArguments {
    /// The passphrase of keys that exist.
    ///
    /// # Errors
    /// There is none, or the file cannot be read.
    pub fn existing(&self) -> Result<Zeroizing<String>, Failure> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => ask("Passphrase: "),
        }
    }

    /// The passphrase for keys to be made; typed ones are asked for twice.
    ///
    /// # Errors
    /// As [`Self::existing`]; the two differ.
    pub fn fresh(&self) -> Result<Zeroizing<String>, Failure> {
        if let Some(passphrase) = self.given()? {
            return Ok(passphrase);
        }
        let first = ask("New passphrase for this node's keys: ")?;
        let second = ask("The same again: ")?;
        if *first != *second {
            return Err(Failure::failed("the two passphrases differ; nothing was changed"));
        }
        Ok(first)
    }

    fn given(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        let passphrase = if let Some(path) = &self.passphrase_file {
            from_file(path)?
        } else {
            match std::env::var(VARIABLE) {
                Ok(passphrase) => Zeroizing::new(passphrase),
                Err(std::env::VarError::NotPresent) => return Ok(None),
                Err(std::env::VarError::NotUnicode(_)) => {
                    return Err(Failure::failed(format!("{VARIABLE} is not valid UTF-8")));
                }
            }
        };
        if passphrase.is_empty() {
            return Err(Failure::failed("the passphrase is empty").advise("choose one of at least 12 characters"));
        }
        Ok(Some(passphrase))
    }
}

fn from_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| Failure::failed(format!("cannot read the passphrase file {}: {error}", path.display())))?;
    if text.len() > FILE_BYTES {
        return Err(Failure::failed(format!(
            "{} is too long for a passphrase file",
            path.display()
        )));
    }
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(
            Failure::failed("the keys need a passphrase, and there is no terminal to ask at")
                .advise(format!("name a file with --passphrase-file, or set {VARIABLE}")),
        );
    }
    let unreadable = |error: std::io::Error| Failure::failed(format!("cannot read the passphrase: {error}"));
    let mut stderr = std::io::stderr();
    stderr
        .write_all(prompt.as_bytes())
        .and_then(|()| stderr.flush())
        .map_err(unreadable)?;
    let hidden = Hidden::begin().map_err(unreadable)?;
    let mut line = Zeroizing::new(String::new());
    let read = stdin.lock().read_line(&mut line);
    drop(hidden);
    // The newline that was typed was not shown.
    let _ = stderr.write_all(b"\n");
    read.map_err(unreadable)?;
    let passphrase = Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned());
    if passphrase.is_empty() {
        return Err(Failure::failed("the passphrase is empty").advise("choose one of at least 12 characters"));
    }
    Ok(passphrase)
}

/// While this lives, the terminal does not show what is typed.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> std::io::Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}

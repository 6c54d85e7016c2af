//! Progress of long commands, for people at a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::output::Output;

/// A bar on standard error; nothing where a program reads along or nobody looks.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar up to so many things.
    #[must_use]
    pub fn of(things: &'static str, count: u64, output: &Output) -> Self {
        let target = if output.is_json() {
            ProgressDrawTarget::hidden()
        } else {
            // Draws nothing where standard error is no terminal.
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(count), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} {msg}, {per_sec}, {eta} left") {
            bar.set_style(style);
        }
        bar.set_message(things);
        Self(bar)
    }

    /// So many are done.
    pub fn at(&self, done: u64) {
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

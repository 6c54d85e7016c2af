//! CPU time, in pairs.

use std::time::Duration;

/// CPU time of this thread.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// CPU seconds of one operation, over about `slice`. The clock is read once in `chunk` operations,
/// because reading it is not free.
fn measure(run: &mut dyn FnMut(), slice: Duration, chunk: u32) -> f64 {
    let (start, mut count) = (cpu(), 0_u32);
    while cpu() - start < slice {
        (0..chunk).for_each(|_| run());
        count += chunk;
    }
    (cpu() - start).as_secs_f64() / f64::from(count)
}

/// CPU seconds of one operation, and how many of it the bare check just before takes: medians.
pub(crate) fn paired(bare: &mut dyn FnMut(), run: &mut dyn FnMut(), chunk: u32) -> (f64, f64) {
    let quick = std::env::args().any(|argument| matches!(argument.as_str(), "--test" | "--list" | "--profile-time"));
    let (rounds, slice) = if quick {
        (1, Duration::from_nanos(1))
    } else {
        (41, Duration::from_millis(10))
    };
    let (mut seconds, mut pairs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let signature = measure(bare, slice, 16);
        let one = measure(run, slice, chunk);
        seconds.push(one);
        pairs.push(signature / one);
    }
    (median(seconds), median(pairs))
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_unstable_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

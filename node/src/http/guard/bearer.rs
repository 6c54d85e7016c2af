//! The token in `Authorization: Bearer`.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::{Extensions, HeaderMap};

use super::super::limits::{ALWAYS_ANSWERED, MAX_ADDRESSES, MAX_TOKEN_FAILURES, TOKEN_FAILURE_WINDOW};
use super::super::problem::Problem;
use super::ledger::Ledger;

type Verify = dyn Fn(&str, &mut Extensions) -> bool + Send + Sync;

/// A token check.
#[derive(Clone)]
pub struct Bearer {
    verify: Arc<Verify>,
    open: Vec<String>,
}

impl Bearer {
    /// `verify` says whether a token is good, in constant time, and may leave who it belongs to in
    /// the request's extensions. `/healthz` and `/readyz` need no token.
    pub fn new(verify: impl Fn(&str, &mut Extensions) -> bool + Send + Sync + 'static) -> Self {
        Self {
            verify: Arc::new(verify),
            open: ALWAYS_ANSWERED.map(str::to_owned).to_vec(),
        }
    }

    /// One more path that needs no token: exactly this one, not what is below it.
    #[must_use]
    pub fn open(mut self, path: &str) -> Self {
        self.open.push(path.to_owned());
        self
    }
}

/// The check and the memory of those who failed it.
pub(super) struct Check {
    bearer: Bearer,
    failures: Mutex<Ledger<Failures>>,
}

#[derive(Default)]
struct Failures {
    since: Option<Instant>,
    count: u32,
}

impl Failures {
    fn over(&self, now: Instant) -> bool {
        self.since
            .is_none_or(|since| now.saturating_duration_since(since) >= TOKEN_FAILURE_WINDOW)
    }
}

impl Check {
    pub(super) fn new(bearer: Bearer) -> Self {
        Self {
            bearer,
            failures: Mutex::new(Ledger::new(MAX_ADDRESSES)),
        }
    }

    /// A request without any token is no guess and counts as no failure, or an image tag in a
    /// foreign page could lock the operator out. For the same reason a good token passes even when
    /// its address has failed too often.
    pub(super) fn check(&self, request: &mut Request, caller: IpAddr, now: Instant) -> Result<(), Problem> {
        let path = request.uri().path();
        if self.bearer.open.iter().any(|open| open == path) {
            return Ok(());
        }
        if !request.headers().contains_key(AUTHORIZATION) {
            let detail = "say Authorization: Bearer <token>; the token is in the data folder";
            return Err(Problem::unauthorized(detail));
        }
        let token = token(request.headers()).map(str::to_owned);
        let good = token.is_some_and(|token| (self.bearer.verify)(&token, request.extensions_mut()));
        if good { Ok(()) } else { Err(self.failed(caller, now)) }
    }

    fn failed(&self, caller: IpAddr, now: Instant) -> Problem {
        let mut ledger = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = ledger.entry(caller, now, |failures| failures.over(now));
        if failures.over(now) {
            *failures = Failures {
                since: Some(now),
                count: 0,
            };
        }
        failures.count = failures.count.saturating_add(1);
        if failures.count <= MAX_TOKEN_FAILURES {
            return Problem::unauthorized("the token is wrong");
        }
        let since = failures.since.unwrap_or(now);
        let wait = TOKEN_FAILURE_WINDOW.saturating_sub(now.saturating_duration_since(since));
        Problem::too_many_requests("too many wrong tokens from this address", wait)
    }
}

/// The token, if there is exactly one `Authorization` and it is of the right kind.
fn token(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return None;
    };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    let right = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty();
    right.then_some(token)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::body::Body;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    const A: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    fn check() -> Check {
        Check::new(Bearer::new(|token, _| token == "right").open("/open"))
    }

    fn status(check: &Check, path: &str, authorization: &[&str], caller: IpAddr, now: Instant) -> u16 {
        let mut request = Request::builder().uri(path);
        for value in authorization {
            request = request.header(AUTHORIZATION, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        check
            .check(&mut request, caller, now)
            .map_or_else(|problem| problem.status.as_u16(), |()| 200)
    }

    #[test]
    fn only_the_right_token_passes() {
        let check = check();
        let now = Instant::now();
        for good in ["Bearer right", "bearer right"] {
            assert_eq!(status(&check, "/x", &[good], A, now), 200);
        }
        for bad in [
            "Bearer wrong",
            "Bearer ",
            "Bearer",
            "Basic right",
            "right",
            "Bearer  right",
        ] {
            assert_eq!(status(&check, "/x", &[bad], A, now), 401, "{bad}");
        }
        assert_eq!(status(&check, "/x", &["Bearer right", "Bearer right"], A, now), 401);
        assert_eq!(status(&check, "/x", &[], A, now), 401);
        assert_eq!(status(&check, "/open", &[], A, now), 200);
        assert_eq!(status(&check, "/open/x", &[], A, now), 401);
        assert_eq!(status(&check, "/healthz", &[], A, now), 200);
    }

    #[test]
    fn wrong_tokens_are_counted_per_address_and_forgotten() {
        let check = check();
        let now = Instant::now();
        for _ in 0..20 {
            assert_eq!(status(&check, "/x", &[], A, now), 401, "no token is no guess");
        }
        for _ in 0..MAX_TOKEN_FAILURES {
            assert_eq!(status(&check, "/x", &["Bearer wrong"], A, now), 401);
        }
        assert_eq!(status(&check, "/x", &["Bearer wrong"], A, now), 429);
        assert_eq!(status(&check, "/x", &["Bearer right"], A, now), 200);
        assert_eq!(status(&check, "/x", &["Bearer wrong"], B, now), 401);
        let later = now + TOKEN_FAILURE_WINDOW - Duration::from_secs(1);
        assert_eq!(status(&check, "/x", &["Bearer wrong"], A, later), 429);
        let later = now + TOKEN_FAILURE_WINDOW;
        assert_eq!(status(&check, "/x", &["Bearer wrong"], A, later), 401);
    }
}

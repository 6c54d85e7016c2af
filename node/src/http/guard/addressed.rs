//! Is the request meant for this listener, and does it come from no foreign page?
//!
//! A page in the operator's browser can send requests here. If it names this listener, the browser
//! adds the page's origin, which is refused. If it makes its own name point here (DNS rebinding),
//! the browser sends that name as the host, which is refused.

use std::collections::BTreeSet;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};

use super::super::problem::Problem;

/// The names this listener answers to.
pub(super) struct Hosts(BTreeSet<String>);

impl Hosts {
    pub(super) fn new(names: &[String]) -> Self {
        let loopback = ["127.0.0.1", "localhost", "[::1]"].map(str::to_owned);
        let more = names.iter().map(|name| name.to_ascii_lowercase());
        Self(loopback.into_iter().chain(more).collect())
    }

    /// The one host the request names, with its port, in lower case.
    pub(super) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<String, Problem> {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            let detail = "a request must have exactly one Host header";
            return Err(Problem::bad_request(detail).closing());
        };
        let host = host
            .to_str()
            .map_err(|_| Problem::bad_request("the Host header is not text").closing())?
            .to_ascii_lowercase();
        // A target in absolute form outranks the header (RFC 9112, 3.2.2): both must be ours.
        let target = uri.authority().map(|named| named.as_str().to_ascii_lowercase());
        let ours = |name: &str| split_port(name).is_some_and(|name| self.0.contains(name));
        if !ours(&host) || target.as_deref().is_some_and(|target| !ours(target)) {
            return Err(Problem::misdirected(
                "this listener does not answer to that host name; call it by one of its own, or \
                 add the name to the configuration",
            ));
        }
        Ok(host)
    }
}

/// The name before a port; `None` if what follows the colon is no port.
fn split_port(host: &str) -> Option<&str> {
    let end = if host.starts_with('[') {
        host.find(']')? + 1
    } else {
        host.find(':').unwrap_or(host.len())
    };
    let (name, port) = host.split_at_checked(end)?;
    let valid = match port.strip_prefix(':') {
        Some(digits) => digits.parse::<u16>().is_ok() && !digits.starts_with('+'),
        None => port.is_empty(),
    };
    valid.then_some(name)
}

/// An `Origin`, if any, must be this listener's own.
pub(super) fn ensure_same_origin(headers: &HeaderMap, scheme: &str, host: &str) -> Result<(), Problem> {
    let own = format!("{scheme}://{host}");
    let same = headers
        .get_all(ORIGIN)
        .iter()
        .all(|origin| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()));
    if same {
        Ok(())
    } else {
        Err(Problem::forbidden("requests from web pages of other sites are refused"))
    }
}

/// Browsers say where a request began even when they send no `Origin`, as for an image.
pub(super) fn ensure_no_foreign_site(headers: &HeaderMap) -> Result<(), Problem> {
    let own = headers
        .get_all("sec-fetch-site")
        .iter()
        .all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    if own {
        Ok(())
    } else {
        Err(Problem::forbidden("requests begun by other sites are refused"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn check(host: &'static str, target: &str) -> Result<String, u16> {
        Hosts::new(&["Registry.Example".to_owned()])
            .check(&headers(&[("host", host)]), &target.parse().unwrap())
            .map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn own_names_pass_with_any_port() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8440",
            "localhost:1",
            "LOCALHOST",
            "[::1]",
            "[::1]:9",
            "registry.example:443",
        ] {
            assert_eq!(check(host, "/"), Ok(host.to_ascii_lowercase()));
        }
        assert!(check("localhost", "http://localhost/x").is_ok());
    }

    #[test]
    fn foreign_names_do_not() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "localhost.",
            "evil@localhost",
            "",
            "127.0.0.1:",
            "127.0.0.1:x",
            "127.0.0.1:+80",
            "127.0.0.1:99999",
            "[::1]x",
            "::1",
            "[::1",
            "127.0.0.1:80:80",
        ] {
            assert_eq!(check(host, "/"), Err(421), "{host}");
        }
        assert_eq!(check("localhost", "http://evil.example/x"), Err(421));
        assert_eq!(check("localhost", "http://evil@localhost/x"), Err(421));
    }

    #[test]
    fn there_is_exactly_one_host() {
        let hosts = Hosts::new(&[]);
        let uri = Uri::from_static("/");
        for list in [&[][..], &[("host", "localhost"), ("host", "localhost")]] {
            let problem = hosts.check(&headers(list), &uri).unwrap_err();
            assert_eq!(problem.status.as_u16(), 400);
        }
    }

    #[test]
    fn only_the_own_origin_passes() {
        let own = "localhost:8440";
        assert!(ensure_same_origin(&headers(&[]), "http", own).is_ok());
        let check = |origin| ensure_same_origin(&headers(&[("origin", origin)]), "http", own);
        assert!(check("http://localhost:8440").is_ok());
        for foreign in [
            "null",
            "http://localhost",
            "https://localhost:8440",
            "http://127.0.0.1:8440",
            "http://localhost:8440.evil.example",
            "http://evil.example",
            "",
        ] {
            assert!(check(foreign).is_err(), "{foreign}");
        }
        let two = headers(&[("origin", "http://localhost:8440"), ("origin", "null")]);
        assert!(ensure_same_origin(&two, "http", own).is_err());
    }
}

//! What stands between a listener and its resources: who is addressed, by which page, how often,
//! and with which token. And what every answer carries.

mod addressed;
mod bearer;
mod ledger;
mod rate;
mod request_id;
mod tidy;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;

pub use bearer::Bearer;
pub use rate::Rate;
pub use request_id::RequestId;

use super::problem::Problem;

/// The guard of one listener. Its parts, in the order in which a request meets them:
/// 1. one `Host`, and of the allowed ones ([`Guard::names`] and this machine's loopback names);
/// 2. an `Origin`, if there is one, equal to the listener itself: there is no CORS;
/// 3. the rate of the caller's address;
/// 4. the token.
///
/// Every answer gets the security headers, an `X-Request-ID`, and, if it is an error, the form of
/// a problem document. A panic becomes a 500.
pub struct Guard {
    /// Which headers answers get.
    pub profile: Profile,
    /// Host names allowed beside `127.0.0.1`, `localhost` and `[::1]`, without a port; any port
    /// goes.
    pub names: Vec<String>,
    /// The rate limit; `None` for no limit.
    pub rate: Option<Rate>,
    /// The token check; `None` for a listener that is open to all.
    pub bearer: Option<Bearer>,
    /// A TLS proxy is in front: the caller is the last entry of `X-Forwarded-For`, which that
    /// proxy wrote, and pages are `https`.
    pub behind_proxy: bool,
}

/// Which headers answers get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// For strangers. Not stored by anyone unless the resource says so.
    Public,
    /// For the organization's own people: a page may load nothing but what this listener serves,
    /// nothing is stored, and no other site may even link a request here.
    Admin,
}

/// The caller's address, in the extensions of a guarded request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

const PUBLIC_HEADERS: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
];

const ADMIN_HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

impl Guard {
    /// For strangers: rate-limited, no token.
    #[must_use]
    pub fn public() -> Self {
        Self {
            profile: Profile::Public,
            names: Vec::new(),
            rate: Some(Rate::default()),
            bearer: None,
            behind_proxy: false,
        }
    }

    /// For the organization's own people and programs: a token, no rate limit.
    #[must_use]
    pub fn admin(bearer: Bearer) -> Self {
        Self {
            profile: Profile::Admin,
            names: Vec::new(),
            rate: None,
            bearer: Some(bearer),
            behind_proxy: false,
        }
    }

    /// Puts the guard before everything in `router`, its fallback included.
    pub fn protect(self, router: Router) -> Router {
        let post = Arc::new(Post {
            profile: self.profile,
            hosts: addressed::Hosts::new(&self.names),
            scheme: if self.behind_proxy { "https" } else { "http" },
            rate: self.rate.map(rate::Buckets::new),
            bearer: self.bearer.map(bearer::Check::new),
            behind_proxy: self.behind_proxy,
        });
        // Around the router and not within it, where `Allow` is not written yet.
        Router::new()
            .fallback_service(router)
            .layer(from_fn_with_state(post, watch))
    }
}

struct Post {
    profile: Profile,
    hosts: addressed::Hosts,
    scheme: &'static str,
    rate: Option<rate::Buckets>,
    bearer: Option<bearer::Check>,
    behind_proxy: bool,
}

async fn watch(State(post): State<Arc<Post>>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let method = request.method().clone();
    request.extensions_mut().insert(id.clone());
    let answer = match post.admit(&mut request) {
        Ok(()) => AssertUnwindSafe(next.run(request)).catch_unwind().await,
        Err(problem) => Ok(problem.into_response()),
    };
    let response = answer.unwrap_or_else(|_panic| {
        tracing::error!(request = %id.as_str(), "a request made its handler panic");
        Problem::internal().into_response()
    });
    let mut response = tidy::tidied(response, &method).await;
    post.dress(response.headers_mut(), &id);
    response
}

impl Post {
    fn admit(&self, request: &mut Request) -> Result<(), Problem> {
        let now = Instant::now();
        let host = self.hosts.check(request.headers(), request.uri())?;
        addressed::ensure_same_origin(request.headers(), self.scheme, &host)?;
        if self.profile == Profile::Admin {
            addressed::ensure_no_foreign_site(request.headers())?;
        }
        let caller = self.caller(request.headers(), request.extensions());
        if let Some(rate) = &self.rate {
            rate.take(caller, now)?;
        }
        request.extensions_mut().insert(ClientAddress(caller));
        match &self.bearer {
            Some(bearer) => bearer.check(request, caller, now),
            None => Ok(()),
        }
    }

    fn caller(&self, headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
        let peer = extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        if !self.behind_proxy {
            return peer;
        }
        headers
            .get_all("x-forwarded-for")
            .iter()
            .next_back()
            .and_then(|list| list.to_str().ok()?.rsplit(',').next()?.trim().parse().ok())
            .unwrap_or(peer)
    }

    fn dress(&self, headers: &mut HeaderMap, id: &RequestId) {
        let fixed: &[(&'static str, &'static str)] = match self.profile {
            Profile::Public => &PUBLIC_HEADERS,
            Profile::Admin => &ADMIN_HEADERS,
        };
        for &(name, value) in fixed {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
            .entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            headers.insert(request_id::HEADER, value);
        }
    }
}

/// What counts as one address: an IPv4 address, or an IPv6 /64, which is what one customer gets.
pub(super) fn address_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_of_one_customer_are_one() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8:0:1::1"), key("2001:db8:0:2::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("::1").to_string(), "::1");
    }
}

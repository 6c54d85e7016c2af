//! The accept loop and what holds for every request, whatever the resource.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderValue, Request};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tower::ServiceExt;

use super::body;
use super::guard::address_key;
use super::limits::{ACCEPT_PAUSE, ALWAYS_ANSWERED, Limits};
use super::problem::Problem;
use super::wire::{REFUSED_PATH, Refusal, Wire};

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The port is taken.
    #[error("port {port} is in use: stop the other process or set [http] {what}")]
    PortInUse {
        /// The port.
        port: u16,
        /// The section of the configuration.
        what: &'static str,
    },
    /// Reachable from other machines, and nothing encrypts.
    #[error(
        "[http] {what} = \"{address}\" can be reached from other machines without TLS: \
         listen on 127.0.0.1, or put a TLS proxy in front and say --behind-proxy"
    )]
    NotLoopback {
        /// The address as configured.
        address: String,
        /// The section of the configuration.
        what: &'static str,
    },
    /// Not an address, or the system refuses it.
    #[error("cannot listen on {address}: {source}; set [http] {what}, such as \"127.0.0.1:8440\"")]
    Address {
        /// The address as configured.
        address: String,
        /// The section of the configuration.
        what: &'static str,
        /// The system's words.
        source: io::Error,
    },
}

/// A listener that is open and not served yet: connections wait.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    what: &'static str,
}

/// Opens a listener on `address` (`host:port`; port 0 takes a free one). `what` names its section
/// of the configuration in errors. An address that other machines can reach is refused unless
/// `allow_nonloopback`, that is, unless something in front encrypts.
pub async fn bind(address: &str, what: &'static str, allow_nonloopback: bool) -> Result<Bound, BindError> {
    let fault = |source: io::Error| BindError::Address {
        address: address.to_owned(),
        what,
        source,
    };
    let candidates: Vec<SocketAddr> = tokio::net::lookup_host(address).await.map_err(fault)?.collect();
    let first = *candidates
        .first()
        .ok_or_else(|| fault(io::ErrorKind::NotFound.into()))?;
    if !allow_nonloopback && candidates.iter().any(|to| !to.ip().is_loopback()) {
        return Err(BindError::NotLoopback {
            address: address.to_owned(),
            what,
        });
    }
    let listener = TcpListener::bind(first).await.map_err(|e| {
        if e.kind() == io::ErrorKind::AddrInUse {
            BindError::PortInUse {
                port: first.port(),
                what,
            }
        } else {
            fault(e)
        }
    })?;
    let address = listener.local_addr().map_err(fault)?;
    Ok(Bound {
        listener,
        address,
        what,
    })
}

impl Bound {
    /// The address, with the real port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves `router` until `shutdown` is done; the task ends when the last answer is out, or
    /// after [`Limits::shutdown_grace`]. Handlers find the peer as `ConnectInfo<SocketAddr>`.
    pub fn serve<F>(self, router: Router, limits: Limits, shutdown: F) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let shared = Arc::new(Shared {
            router,
            in_flight: Semaphore::new(limits.in_flight),
            doors: Arc::new(Doors::new(&limits)),
            limits,
        });
        tokio::spawn(accept_all(self, shared, shutdown))
    }
}

/// What a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Run,
    /// Finish the answer under way.
    Drain,
    /// Close.
    Stop,
}

struct Shared {
    router: Router,
    limits: Limits,
    in_flight: Semaphore,
    doors: Arc<Doors>,
}

async fn accept_all<F>(bound: Bound, shared: Arc<Shared>, shutdown: F)
where
    F: Future<Output = ()> + Send,
{
    let (phase, _) = watch::channel(Phase::Run);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = bound.listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match shared.doors.enter(peer.ip()) {
                Some(seat) => {
                    let shared = Arc::clone(&shared);
                    let phase = phase.subscribe();
                    tokio::spawn(async move {
                        connection(stream, peer, shared, phase).await;
                        drop(seat);
                    });
                }
                None => turn_away(stream),
            },
            Err(error) => {
                tracing::warn!(listener = bound.what, %error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(bound.listener);
    phase.send_replace(Phase::Drain);
    let grace = shared.limits.shutdown_grace;
    if tokio::time::timeout(grace, phase.closed()).await.is_err() {
        phase.send_replace(Phase::Stop);
        phase.closed().await;
    }
}

/// Says 503 to a connection there is no room for, as far as the socket takes it at once.
fn turn_away(stream: TcpStream) {
    let body = Problem::unavailable("too many connections; try again")
        .to_json()
        .to_string();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {}\r\ncontent-length: {}\r\n\
         retry-after: 1\r\nconnection: close\r\n\r\n{body}",
        super::problem::CONTENT_TYPE_PROBLEM,
        body.len(),
    );
    if let Ok(mut stream) = stream.into_std() {
        let _as_far_as_it_goes = stream.write(answer.as_bytes());
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>, mut phase: watch::Receiver<Phase>) {
    let _slower_at_worst = stream.set_nodelay(true);
    let refusal = Refusal::default();
    let wire = Wire::new(stream, &shared.limits, Arc::clone(&refusal));
    let idle = shared.limits.idle_time;
    let service = service_fn(move |request| {
        let (shared, refusal) = (Arc::clone(&shared), Arc::clone(&refusal));
        async move { Ok::<_, Infallible>(shared.answer(request, peer, &refusal).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The wire keeps the time of a head; seen from the library, a head comes all at once, so
        // this is the time in which none begins.
        .header_read_timeout(idle)
        .serve_connection(wire, service);
    let mut connection = std::pin::pin!(connection);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "connection ended early");
                }
                return;
            }
            changed = phase.changed() => {
                let now = *phase.borrow_and_update();
                if changed.is_err() || now == Phase::Stop {
                    return;
                }
                if now == Phase::Drain {
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr, refusal: &Refusal) -> Response {
        if let (Some(problem), REFUSED_PATH) = (refusal.get(), request.uri().path()) {
            return problem.clone().into_response();
        }
        // The wire cannot see where a chunked body ends, so nothing may follow it.
        let last = request.headers().contains_key(TRANSFER_ENCODING);
        let mut response = match self.admitted(request, peer).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        };
        if last {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }

    async fn admitted(&self, request: Request<Incoming>, peer: SocketAddr) -> Result<Response, Problem> {
        let _permit = if ALWAYS_ANSWERED.contains(&request.uri().path()) {
            None
        } else {
            let permit = self.in_flight.try_acquire();
            let busy = |_| Problem::unavailable("too many requests are being answered; try again");
            Some(permit.map_err(busy)?)
        };
        let announced = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.limits.body) {
            return Err(Problem::too_large(self.limits.body));
        }
        let mut request: Request<Body> =
            request.map(|body| body::bounded(body, self.limits.body, self.limits.body_time));
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = AssertUnwindSafe(self.router.clone().oneshot(request)).catch_unwind();
        match tokio::time::timeout(self.limits.request_time, answer).await {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Ok(Err(never))) => match never {},
            Ok(Err(_panic)) => {
                tracing::error!("a request made its handler panic");
                Err(Problem::internal())
            }
            Err(_) => Err(Problem::unavailable(
                "the answer took too long; try again, and ask for less at once",
            )),
        }
    }
}

/// Counts who is inside.
struct Doors {
    most: usize,
    most_per_address: usize,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    all: usize,
    by_address: BTreeMap<IpAddr, usize>,
}

/// A place inside, given back when dropped.
struct Seat {
    doors: Arc<Doors>,
    address: IpAddr,
}

impl Doors {
    fn new(limits: &Limits) -> Self {
        Self {
            most: limits.connections,
            most_per_address: limits.connections_per_address,
            inside: Mutex::default(),
        }
    }

    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let address = address_key(address);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let here = inside.by_address.get(&address).copied().unwrap_or(0);
        if inside.all >= self.most || here >= self.most_per_address {
            return None;
        }
        inside.all += 1;
        inside.by_address.insert(address, here + 1);
        Some(Seat {
            doors: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut inside = self.doors.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.all = inside.all.saturating_sub(1);
        match inside.by_address.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                inside.by_address.remove(&self.address);
            }
        }
    }
}

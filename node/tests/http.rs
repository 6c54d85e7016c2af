//! The server shell, seen from a raw socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use syndic_node::http::guard::{Bearer, ClientAddress, Guard, Rate, RequestId};
use syndic_node::http::limits::Limits;
use syndic_node::http::server::{self, BindError};
use syndic_node::http::strict_json::StrictJson;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_millis(300);
/// A large answer: more than the sockets' buffers on both sides hold.
const LARGE: usize = 64 * 1024 * 1024;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn serve(router: Router, limits: Limits) -> Running {
    let bound = server::bind("127.0.0.1:0", "public", false).await.unwrap();
    let address = bound.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = bound.serve(router, limits, async {
        let _ = stopped.await;
    });
    Running { address, stop, task }
}

fn routes() -> Router {
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/healthz", get(|| async { "ok" }))
        .route("/echo", post(|StrictJson(_, bytes): StrictJson| async move { bytes }))
        .route("/large", get(|| async { vec![b'x'; LARGE] }))
        .route(
            "/who",
            get(
                |ConnectInfo(peer): ConnectInfo<SocketAddr>,
                 axum::Extension(client): axum::Extension<ClientAddress>,
                 axum::Extension(id): axum::Extension<RequestId>| async move {
                    format!("{} {} {}", peer.ip(), client.0, id.as_str())
                },
            ),
        )
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("a secret of the handler")
                }
            }),
        )
}

fn public() -> Router {
    Guard {
        rate: None,
        ..Guard::public()
    }
    .protect(routes())
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The document, after checking that it is a problem that agrees with the status.
    fn problem(&self) -> serde_json::Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let document: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(document["status"], self.status);
        for member in ["type", "title", "detail"] {
            assert!(!document[member].as_str().unwrap().is_empty(), "{document}");
        }
        document
    }
}

struct Client {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Client {
    async fn connect(to: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(to).await.unwrap(),
            seen: Vec::new(),
        }
    }

    async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).await.unwrap();
    }

    async fn more(&mut self) -> bool {
        let mut chunk = [0; 4096];
        let read = timeout(PATIENCE, self.stream.read(&mut chunk)).await;
        let read = read.expect("the server neither answers nor closes");
        let read = read.unwrap_or(0);
        self.seen.extend_from_slice(&chunk[..read]);
        read > 0
    }

    /// The next answer; `None` when the connection is closed instead.
    async fn answer(&mut self) -> Option<Answer> {
        self.answer_to("GET").await
    }

    async fn answer_to(&mut self, method: &str) -> Option<Answer> {
        let end = loop {
            if let Some(at) = self.seen.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await {
                return None;
            }
        };
        let head = String::from_utf8(self.seen.drain(..end).collect()).unwrap();
        let status = head[9..12].parse().unwrap();
        let mut answer = Answer {
            status,
            head,
            body: Vec::new(),
        };
        let length = match answer.header("content-length") {
            Some(length) if method != "HEAD" => length.parse().unwrap(),
            _ => 0,
        };
        while self.seen.len() < length {
            if !self.more().await {
                return None;
            }
        }
        answer.body = self.seen.drain(..length).collect();
        Some(answer)
    }

    async fn is_closed(&mut self) -> bool {
        self.seen.is_empty() && !self.more().await
    }
}

async fn ask(to: SocketAddr, text: impl AsRef<[u8]>) -> Answer {
    let mut client = Client::connect(to).await;
    client.send(text).await;
    client.answer().await.expect("an answer")
}

fn get_with(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

fn post_with(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
}

const JSON: &str = "Content-Type: application/json\r\n";

#[tokio::test]
async fn a_head_that_trickles_is_cut_off_in_time() {
    let limits = Limits {
        head_time: SOON,
        ..Limits::default()
    };
    let running = serve(public(), limits).await;
    let mut client = Client::connect(running.address).await;
    let start = Instant::now();
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: ").await;
    let (mut reader, mut writer) = client.stream.into_split();
    let drip = tokio::spawn(async move {
        while writer.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    });
    let mut answer = Vec::new();
    let _reset_at_worst = timeout(PATIENCE, reader.read_to_end(&mut answer)).await.unwrap();
    let took = start.elapsed();
    assert!(took >= SOON && took < SOON * 4, "{took:?}");
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{answer:?}");
    drop(reader);
    timeout(PATIENCE, drip).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let limits = Limits {
        head_time: SOON,
        idle_time: SOON * 2,
        ..Limits::default()
    };
    let running = serve(public(), limits).await;
    let start = Instant::now();
    let mut silent = Client::connect(running.address).await;
    assert!(silent.is_closed().await);
    assert!(start.elapsed() < SOON * 3);

    let mut idle = Client::connect(running.address).await;
    idle.send(get_with("/", "")).await;
    assert_eq!(idle.answer().await.unwrap().status, 200);
    let start = Instant::now();
    assert!(idle.is_closed().await);
    let took = start.elapsed();
    assert!(took > SOON && took < SOON * 5, "{took:?}");
}

#[tokio::test]
async fn a_later_head_has_its_own_time() {
    let limits = Limits {
        head_time: SOON,
        ..Limits::default()
    };
    let running = serve(public(), limits).await;
    let mut client = Client::connect(running.address).await;
    for _ in 0..3 {
        client.send(get_with("/", "")).await;
        assert_eq!(client.answer().await.unwrap().status, 200);
        sleep(SOON / 2).await;
    }
    client.send("GET / HTTP/1.1\r\n").await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 408);
    answer.problem();
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_off_in_time() {
    let limits = Limits {
        body_time: SOON,
        ..Limits::default()
    };
    let running = serve(public(), limits).await;
    let mut client = Client::connect(running.address).await;
    let head = post_with("/echo", JSON, "").replace("Length: 0", "Length: 100");
    client.send(head).await;
    let start = Instant::now();
    let dripping = async {
        loop {
            let _closed_at_last = client.stream.try_write(b" ");
            sleep(Duration::from_millis(20)).await;
            if client.stream.try_read(&mut [0]).is_ok_and(|n| n == 1) {
                break;
            }
        }
    };
    timeout(PATIENCE, dripping).await.unwrap();
    assert!(start.elapsed() >= SOON && start.elapsed() < SOON * 4);
    client.seen.push(b'H');
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 408);
    answer.problem();
}

#[tokio::test]
async fn heads_over_the_limits_or_malformed_are_refused_with_a_problem() {
    let running = serve(public(), Limits::default()).await;
    let long = get_with("/", &format!("X: {}\r\n", "a".repeat(20_000)));
    let many = get_with("/", &"X: y\r\n".repeat(64));
    let cases = [
        (long, 431),
        (many, 431),
        ("GET / HTTP/1.1\nHost: localhost\n\n".to_owned(), 400),
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("\x16\x03\x01\x02\n".to_owned(), 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400),
        (get_with("/", "Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
        (
            get_with("/", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            400,
        ),
        (
            "CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
            405,
        ),
    ];
    for (case, status) in cases {
        let mut client = Client::connect(running.address).await;
        client.send(&case).await;
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.status, status, "{case:.60}");
        answer.problem();
        assert!(client.is_closed().await, "nothing after {case:.60}");
    }
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused() {
    let running = serve(public(), Limits::default()).await;
    let limit = 1024 * 1024;
    let fits = format!("\"{}\"", "a".repeat(60_000));
    let answer = ask(running.address, post_with("/echo", JSON, &fits)).await;
    assert_eq!((answer.status, answer.body.len()), (200, fits.len()));

    // Announced: refused before it is sent.
    let head = post_with("/echo", JSON, "").replace("Length: 0", &format!("Length: {}", limit + 1));
    let answer = ask(running.address, head).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.problem()["limit"], limit);

    // Sent all the same: the answer still arrives.
    let answer = ask(running.address, post_with("/echo", JSON, &" ".repeat(limit + 1))).await;
    assert_eq!(answer.status, 413);

    // In chunks: found out while reading.
    let head = format!("POST /echo HTTP/1.1\r\nHost: localhost\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let answer = ask(running.address, head.clone() + &chunk.repeat(17) + "0\r\n\r\n").await;
    assert_eq!(answer.status, 413);
    answer.problem();

    let answer = ask(running.address, head + "7\r\n{\"a\":1}\r\n0\r\n\r\n").await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"{\"a\":1}"[..]));
    assert_eq!(answer.header("connection"), Some("close"));
}

#[tokio::test]
async fn a_body_must_be_json_and_say_so() {
    let running = serve(public(), Limits::default()).await;
    for (kind, status) in [
        ("", 415),
        ("Content-Type: text/plain\r\n", 415),
        ("Content-Type: application/x-www-form-urlencoded\r\n", 415),
        ("Content-Type: application/json; charset=utf-16\r\n", 415),
        (
            "Content-Type: application/json\r\nContent-Type: application/json\r\n",
            415,
        ),
        ("Content-Type: application/json\r\nContent-Encoding: gzip\r\n", 415),
        ("Content-Type: application/json; charset=utf-8\r\n", 200),
        ("Content-Type: application/ld+json\r\n", 200),
    ] {
        let answer = ask(running.address, post_with("/echo", kind, "{}")).await;
        assert_eq!(answer.status, status, "{kind}");
        if status != 200 {
            answer.problem();
        }
    }
    for (text, offset) in [("", 0), ("{\"a\":1,\"a\":2}", 7), ("{}x", 2), ("[1.0e400]", 1)] {
        let answer = ask(running.address, post_with("/echo", JSON, text)).await;
        assert_eq!(answer.status, 400, "{text}");
        let problem = answer.problem();
        assert_eq!(problem["offset"], offset, "{text}: {problem}");
        assert_eq!(problem["type"], "https://syndic.example/problems/json-invalid");
    }
}

#[tokio::test]
async fn requests_for_others_or_from_foreign_pages_are_refused() {
    let running = serve(public(), Limits::default()).await;
    let port = running.address.port();
    let raw = |target: &str, headers: &str| format!("GET {target} HTTP/1.1\r\n{headers}\r\n");
    let cases = [
        (raw("/", ""), 400),
        (raw("/", "Host: localhost\r\nHost: localhost\r\n"), 400),
        (raw("/", "Host: evil.example\r\n"), 421),
        (raw("http://evil.example/", "Host: localhost\r\n"), 421),
        (raw("http://localhost/", "Host: localhost\r\n"), 200),
        (raw("/", &format!("Host: 127.0.0.1:{port}\r\n")), 200),
        (raw("/", "Host: [::1]\r\n"), 200),
        (get_with("/", "Origin: http://evil.example\r\n"), 403),
        (get_with("/", "Origin: null\r\n"), 403),
        (get_with("/", "Origin: http://localhost\r\n"), 200),
    ];
    for (case, status) in cases {
        let answer = ask(running.address, &case).await;
        assert_eq!(answer.status, status, "{case}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
        if status != 200 {
            answer.problem();
        }
    }
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_their_order() {
    let running = serve(public(), Limits::default()).await;
    let mut client = Client::connect(running.address).await;
    let row = [
        get_with("/", ""),
        post_with("/echo", JSON, "[1]"),
        get_with("/nothing", ""),
        post_with("/echo", JSON, "[\"\\n\\n\"]"),
        "GET / HTTP/1.1\nHost: localhost\n\n".to_owned(),
        get_with("/", ""),
    ];
    client.send(row.concat()).await;
    for (status, body) in [
        (200, Some("hello")),
        (200, Some("[1]")),
        (404, None),
        (200, Some("[\"\\n\\n\"]")),
        (400, None),
    ] {
        let answer = client.answer().await.unwrap();
        assert_eq!(answer.status, status);
        match body {
            Some(body) => assert_eq!(answer.body, body.as_bytes()),
            None => drop(answer.problem()),
        }
    }
    assert!(client.is_closed().await, "what follows a bad head is not read");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_and_head_and_options_are_sane() {
    let running = serve(public(), Limits::default()).await;
    let mut client = Client::connect(running.address).await;
    client.send(get_with("/nothing", "")).await;
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status, answer.problem()["status"].clone()), (404, 404.into()));

    client.send(get_with("/", "").replace("GET", "DELETE")).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    assert_eq!(answer.problem()["detail"], "this resource answers to GET,HEAD only");

    client.send(get_with("/", "").replace("GET", "OPTIONS")).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("allow"), Some("GET,HEAD,OPTIONS"));

    for (path, status) in [("/", 200), ("/nothing", 404), ("/echo", 405)] {
        client.send(get_with(path, "").replace("GET", "HEAD")).await;
        let answer = client.answer_to("HEAD").await.unwrap();
        assert_eq!(answer.status, status);
    }
    client.send(get_with("/", "")).await;
    assert_eq!(client.answer().await.unwrap().body, b"hello", "no body was left behind");
}

#[tokio::test]
async fn wrong_tokens_are_refused_and_then_slowed() {
    let bearer = Bearer::new(|token, _| token == "right");
    let running = serve(Guard::admin(bearer).protect(routes()), Limits::default()).await;
    let mut client = Client::connect(running.address).await;
    let mut try_token = async |header: &str| {
        client.send(get_with("/", header)).await;
        client.answer().await.unwrap()
    };
    let answer = try_token("").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    answer.problem();
    assert_eq!(try_token("Authorization: Bearer right\r\n").await.status, 200);
    for _ in 0..10 {
        let answer = try_token("Authorization: Bearer wrong\r\n").await;
        assert_eq!(answer.status, 401);
    }
    let answer = try_token("Authorization: Bearer wrong\r\n").await;
    assert_eq!(answer.status, 429);
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert!(
        !String::from_utf8_lossy(&answer.body).contains("wrong\""),
        "no token in answers"
    );
    answer.problem();
    let answer = try_token("Authorization: Bearer right\r\n").await;
    assert_eq!(answer.status, 200, "the operator is not locked out");
    let foreign = "Authorization: Bearer right\r\nSec-Fetch-Site: cross-site\r\n";
    assert_eq!(try_token(foreign).await.status, 403);
    assert_eq!(try_token("Origin: http://evil.example\r\n").await.status, 403);
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_slowed() {
    let guard = Guard {
        rate: Some(Rate {
            per_second: 1,
            burst: 5,
        }),
        ..Guard::public()
    };
    let running = serve(guard.protect(routes()), Limits::default()).await;
    let mut client = Client::connect(running.address).await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        client.send(get_with("/", "")).await;
        let answer = client.answer().await.unwrap();
        if answer.status == 429 {
            assert_eq!(answer.header("retry-after"), Some("1"));
            answer.problem();
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses[..5], [200; 5]);
    assert_eq!(statuses[5..], [429; 3]);
}

#[tokio::test]
async fn behind_a_proxy_the_caller_is_the_one_it_names() {
    let guard = Guard {
        behind_proxy: true,
        names: vec!["registry.example".to_owned()],
        ..Guard::public()
    };
    let running = serve(guard.protect(routes()), Limits::default()).await;
    let headers = "X-Forwarded-For: 198.51.100.1, 192.0.2.7\r\nOrigin: https://registry.example\r\n";
    let request = get_with("/who", headers).replace("localhost", "registry.example");
    let answer = ask(running.address, request).await;
    let body = String::from_utf8(answer.body).unwrap();
    assert!(body.starts_with("127.0.0.1 192.0.2.7 "), "{body}");
}

#[tokio::test]
async fn answers_carry_the_security_headers_and_the_request_id() {
    let bearer = Bearer::new(|_, _| true);
    let public = serve(public(), Limits::default()).await;
    let admin = serve(Guard::admin(bearer).protect(routes()), Limits::default()).await;
    for running in [&public, &admin] {
        for path in ["/", "/nothing", "/panic"] {
            let headers = "X-Request-ID: abc-1\r\nAuthorization: Bearer x\r\n";
            let answer = ask(running.address, get_with(path, headers)).await;
            assert_eq!(answer.header("x-request-id"), Some("abc-1"));
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        }
    }
    let answer = ask(public.address, get_with("/who", "")).await;
    let id = answer.header("x-request-id").unwrap().to_owned();
    assert_eq!(
        String::from_utf8(answer.body).unwrap(),
        format!("127.0.0.1 127.0.0.1 {id}")
    );
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing_and_the_server_lives() {
    let running = serve(public(), Limits::default()).await;
    let answer = ask(running.address, get_with("/panic", "")).await;
    assert_eq!(answer.status, 500);
    let problem = answer.problem().to_string();
    assert!(!problem.contains("secret"), "{problem}");
    assert_eq!(ask(running.address, get_with("/", "")).await.status, 200);
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_gets_its_places_back() {
    let limits = Limits {
        connections_per_address: 4,
        ..Limits::default()
    };
    let running = serve(public(), limits).await;
    let mut inside = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(running.address).await;
        client.send(get_with("/", "")).await;
        assert_eq!(client.answer().await.unwrap().status, 200);
        inside.push(client);
    }
    for _ in 0..20 {
        let mut client = Client::connect(running.address).await;
        if let Some(answer) = client.answer().await {
            assert_eq!(answer.status, 503);
            assert_eq!(answer.header("retry-after"), Some("1"));
            answer.problem();
        }
        assert!(client.is_closed().await);
    }
    drop(inside.pop());
    let start = Instant::now();
    loop {
        let mut client = Client::connect(running.address).await;
        let _refused_at_first = client.stream.write_all(get_with("/", "").as_bytes()).await;
        if client.answer().await.is_some_and(|answer| answer.status == 200) {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "the place was not given back");
        sleep(Duration::from_millis(10)).await;
    }
    for client in &mut inside {
        client.send(get_with("/", "")).await;
        assert_eq!(client.answer().await.unwrap().status, 200, "those inside are served");
    }
}

fn waiting(wake: &Arc<Notify>) -> Router {
    let wake = Arc::clone(wake);
    let wait = move || async move {
        wake.notified().await;
        "done"
    };
    let router = Router::new()
        .route("/wait", get(wait))
        .route("/healthz", get(|| async { "ok" }));
    Guard {
        rate: None,
        ..Guard::public()
    }
    .protect(router)
}

#[tokio::test]
async fn too_much_at_once_is_told_to_come_back_and_health_still_answers() {
    let wake = Arc::new(Notify::new());
    let limits = Limits {
        in_flight: 2,
        ..Limits::default()
    };
    let running = serve(waiting(&wake), limits).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut client = Client::connect(running.address).await;
        client.send(get_with("/wait", "")).await;
        busy.push(client);
    }
    let start = Instant::now();
    loop {
        let mut client = Client::connect(running.address).await;
        client.send(get_with("/wait", "")).await;
        if let Ok(answer) = timeout(Duration::from_millis(100), client.answer()).await {
            let answer = answer.unwrap();
            assert_eq!(answer.status, 503);
            assert_eq!(answer.header("retry-after"), Some("1"));
            answer.problem();
            break;
        }
        assert!(start.elapsed() < PATIENCE);
    }
    assert_eq!(ask(running.address, get_with("/healthz", "")).await.status, 200);
    for client in &mut busy {
        wake.notify_one();
        let _ = client;
    }
    for mut client in busy {
        wake.notify_one();
        assert_eq!(client.answer().await.unwrap().body, b"done");
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let limits = Limits {
        request_time: SOON,
        ..Limits::default()
    };
    let running = serve(waiting(&Arc::default()), limits).await;
    let mut client = Client::connect(running.address).await;
    client.send(get_with("/wait", "")).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 503);
    answer.problem();
    client.send(get_with("/healthz", "")).await;
    assert_eq!(client.answer().await.unwrap().status, 200, "the connection goes on");
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut_off() {
    let limits = Limits {
        write_stall: SOON,
        connections: 1,
        ..Limits::default()
    };
    let running = serve(public(), limits).await;
    let mut stalled = Client::connect(running.address).await;
    stalled.send(get_with("/large", "")).await;
    sleep(SOON * 3).await;
    // The only place is free again.
    assert_eq!(ask(running.address, get_with("/", "")).await.status, 200);
    drop(stalled);
}

#[tokio::test]
async fn stopping_finishes_the_answers_under_way() {
    let wake = Arc::new(Notify::new());
    let running = serve(waiting(&wake), Limits::default()).await;
    let mut busy = Client::connect(running.address).await;
    busy.send(get_with("/wait", "")).await;
    let mut idle = Client::connect(running.address).await;
    idle.send(get_with("/healthz", "")).await;
    assert_eq!(idle.answer().await.unwrap().status, 200);
    running.stop.send(()).unwrap();
    assert!(idle.is_closed().await, "idle connections are closed");
    assert!(TcpStream::connect(running.address).await.is_err(), "no new ones");
    assert!(!running.task.is_finished());
    wake.notify_one();
    let answer = busy.answer().await.unwrap();
    assert_eq!(answer.body, b"done");
    timeout(PATIENCE, running.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let limits = Limits {
        shutdown_grace: SOON,
        ..Limits::default()
    };
    let running = serve(waiting(&Arc::default()), limits).await;
    let mut busy = Client::connect(running.address).await;
    busy.send(get_with("/wait", "")).await;
    sleep(Duration::from_millis(50)).await;
    running.stop.send(()).unwrap();
    timeout(SOON * 5, running.task).await.unwrap().unwrap();
    assert!(busy.answer().await.is_none());
}

#[tokio::test]
async fn listeners_are_refused_with_advice() {
    let first = server::bind("127.0.0.1:0", "admin", false).await.unwrap();
    let port = first.local_addr().port();
    let error = server::bind(&format!("127.0.0.1:{port}"), "admin", false)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("port {port} is in use: stop the other process or set [http] admin")
    );
    let error = server::bind("0.0.0.0:0", "public", false).await.unwrap_err();
    assert!(matches!(error, BindError::NotLoopback { .. }));
    assert!(error.to_string().contains("--behind-proxy"), "{error}");
    server::bind("0.0.0.0:0", "public", true).await.unwrap();
    server::bind("localhost:0", "public", false).await.unwrap();
    for nonsense in ["", "8440", "127.0.0.1", "127.0.0.1:99999"] {
        let error = server::bind(nonsense, "public", false).await.unwrap_err();
        assert!(matches!(error, BindError::Address { .. }), "{nonsense}");
    }
}

//! HTTP as somebody sends it who means no good, or knows no better: any bytes at all.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A request as it goes over the wire.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status; 0 if the connection was closed without one.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// From connecting to the last byte.
    pub took: Duration,
}

impl Request {
    /// A request with `Host` and, for a body, `Content-Type` and `Content-Length`.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// POST of bytes that are said to be JSON.
    #[must_use]
    pub fn post(target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::new("POST", target)
        }
        .with("Content-Type", "application/json")
    }

    /// GET.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// With one more header; of `Host`, `Content-Type` and `Content-Length` the first one given counts.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
        self
    }

    /// The request's bytes.
    #[must_use]
    pub fn bytes(&self, port: u16) -> Vec<u8> {
        let has = |name: &str| self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !has("host") {
            head += &format!("Host: 127.0.0.1:{port}\r\n");
        }
        if self.method != "GET" && self.method != "HEAD" && !has("content-length") && !has("transfer-encoding") {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "Connection: close\r\n\r\n";
        [head.as_bytes(), &self.body].concat()
    }

    /// Sends it to a port of loopback.
    #[must_use]
    pub fn send(&self, port: u16) -> Reply {
        send(port, &self.bytes(port), Ending::Waiting)
    }

    /// Method, target and the beginning of the body, for messages.
    #[must_use]
    pub fn shown(&self) -> String {
        let cut = |text: &str| text.chars().take(160).collect::<String>();
        let body = String::from_utf8_lossy(&self.body);
        format!(
            "{} {} {:?} {}",
            self.method,
            cut(&self.target),
            self.headers,
            cut(&body)
        )
    }
}

/// What the sender does after its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Waits for the answer.
    Waiting,
    /// Says that nothing further will come; a server may take that for "gone".
    HangingUp,
}

/// Sends any bytes to a port of loopback and reads until the other side closes.
///
/// # Panics
/// There is no connection, or no end of the answer within 10 s.
#[must_use]
pub fn send(port: u16, bytes: &[u8], ending: Ending) -> Reply {
    let began = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the listener takes connections");
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    // A server that has seen enough may answer and close before all is written.
    let _refused_early = stream.write_all(bytes);
    if ending == Ending::HangingUp {
        let _gone_already = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        let shown = String::from_utf8_lossy(bytes).chars().take(200).collect::<String>();
        assert!(
            error.kind() == std::io::ErrorKind::ConnectionReset && !answer.is_empty(),
            "no answer to {shown}: {error}"
        );
    }
    parse(&answer, began.elapsed())
}

fn parse(answer: &[u8], took: Duration) -> Reply {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = answer.get(end + 4..).unwrap_or_default();
    let chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked { unchunk(body) } else { body.to_vec() };
    Reply {
        status,
        headers,
        body,
        took,
    }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            break;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 2 + length + 2..];
    }
    body
}

impl Reply {
    /// The value of a header; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(given, _)| given == name)
            .map_or("", |(_, value)| value)
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Status, type and body, for messages.
    #[must_use]
    pub fn shown(&self) -> String {
        format!(
            "{} {} {}",
            self.status,
            self.header("content-type"),
            String::from_utf8_lossy(&self.body)
        )
    }

    /// Why this is not how an error is told, if it is not: a problem document (RFC 9457) that repeats the status, or
    /// a DID resolution result with an error.
    #[must_use]
    pub fn fault_as_error(&self) -> Option<String> {
        let document = self.json();
        match self.header("content-type") {
            "application/problem+json" => {
                let texts = ["type", "title", "detail"];
                if let Some(name) = texts
                    .iter()
                    .find(|name| document[**name].as_str().is_none_or(str::is_empty))
                {
                    return Some(format!("the problem document has no {name}"));
                }
                (document["status"] != self.status).then(|| "the problem document has another status".to_owned())
            }
            "application/did-resolution" => {
                let kind = document["didResolutionMetadata"]["error"]["type"]
                    .as_str()
                    .unwrap_or_default();
                let known = kind.starts_with("https://www.w3.org/ns/did#") && document["didDocument"].is_null();
                (!known).then(|| "it is no resolution error".to_owned())
            }
            other => Some(format!("an error of type {other:?}")),
        }
    }
}

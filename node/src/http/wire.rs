//! The socket as the HTTP library sees it: only whole, strictly judged heads pass.
//!
//! The library would accept a bare LF as a line's end, would let a head trickle in, and would
//! answer nonsense with an empty page. Here a head is collected first, within its bounds of size,
//! lines and time, and judged; how long its body is decides where the next head begins. A head
//! that is refused is replaced by a request of our own making, which the server answers with the
//! problem found: so the answer comes in its turn also when requests were sent in a row.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::{StatusCode, Uri};
use bytes::{Buf, BytesMut};
use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::limits::{LINGER_BYTES, LINGER_TIME, Limits};
use super::problem::Problem;

/// The path of the request that stands for a refused head.
pub(super) const REFUSED_PATH: &str = "/-/refused";
const REFUSED_HEAD: &[u8] = b"GET /-/refused HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
const CHUNK: usize = 8 * 1024;

/// Why the connection's last request was refused; shared with the server that answers.
pub(super) type Refusal = Arc<OnceLock<Problem>>;

/// A socket behind the wall.
pub(super) struct Wire<S> {
    io: S,
    bounds: Bounds,
    /// Arrived and not yet judged.
    raw: BytesMut,
    /// Judged and not yet taken by the library.
    clear: BytesMut,
    state: State,
    scan: Scan,
    refusal: Refusal,
    head_timer: Pin<Box<Sleep>>,
    head_timed: bool,
    write_timer: Option<Pin<Box<Sleep>>>,
    linger: Option<Pin<Box<Sleep>>>,
    discarded: usize,
}

struct Bounds {
    head: usize,
    lines: usize,
    head_time: Duration,
    write_stall: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Collecting a head.
    Head,
    /// So many bytes of a body are to come.
    Body(u64),
    /// A body whose end only the library finds; the server closes the connection after it.
    Rest,
    /// Nothing further is read.
    Refused,
}

/// How far a head has been looked through.
#[derive(Default)]
struct Scan {
    at: usize,
    line_start: usize,
    lines: usize,
    last: u8,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(io: S, limits: &Limits, refusal: Refusal) -> Self {
        Self {
            io,
            bounds: Bounds {
                head: limits.head,
                lines: limits.header_lines,
                head_time: limits.head_time,
                write_stall: limits.write_stall,
            },
            raw: BytesMut::new(),
            clear: BytesMut::new(),
            state: State::Head,
            scan: Scan::default(),
            refusal,
            // The first head's time runs from the connection's beginning.
            head_timer: Box::pin(sleep(limits.head_time)),
            head_timed: true,
            write_timer: None,
            linger: None,
            discarded: 0,
        }
    }

    /// Reads once into `raw`; zero is the end of the stream.
    fn fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut chunk = [0; CHUNK];
        let mut buffer = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
        self.raw.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Moves a complete head to `clear`. False if more of it must come.
    fn judge(&mut self) -> bool {
        match self.scan.run(&mut self.raw, &self.bounds) {
            Ok(None) => false,
            Ok(Some(end)) => {
                let head = self.raw.split_to(end);
                self.scan = Scan::default();
                self.head_timed = false;
                match body_after(&head, self.bounds.lines) {
                    Ok(state) => {
                        self.clear.extend_from_slice(&head);
                        self.state = state;
                    }
                    Err(problem) => self.refuse(problem),
                }
                true
            }
            Err(problem) => {
                self.refuse(problem);
                true
            }
        }
    }

    fn refuse(&mut self, problem: Problem) {
        let _first_stays = self.refusal.set(problem);
        self.clear.extend_from_slice(REFUSED_HEAD);
        self.raw.clear();
        self.state = State::Refused;
    }

    /// One step towards more in `clear`: `Some(true)` to look again, `Some(false)` at the end.
    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        match self.state {
            State::Refused => {
                self.discard(cx);
                return Poll::Pending;
            }
            State::Head => {
                if self.judge() {
                    return Poll::Ready(Ok(true));
                }
                if ready!(self.head_is_late(cx)) {
                    return Poll::Ready(Ok(self.state == State::Refused));
                }
            }
            State::Body(left) if !self.raw.is_empty() => {
                let now = usize::try_from(left).map_or(self.raw.len(), |n| n.min(self.raw.len()));
                self.clear.extend_from_slice(&self.raw.split_to(now));
                self.state = match left.saturating_sub(now as u64) {
                    0 => State::Head,
                    left => State::Body(left),
                };
                return Poll::Ready(Ok(true));
            }
            State::Rest if !self.raw.is_empty() => {
                self.clear.extend_from_slice(&self.raw.split());
                return Poll::Ready(Ok(true));
            }
            State::Body(_) | State::Rest => {}
        }
        let read = ready!(self.fill(cx))?;
        Poll::Ready(Ok(read > 0))
    }

    /// Watches the head's time. Ready(false): go on reading. Ready(true): it is over, and if
    /// anything had arrived, refused.
    fn head_is_late(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.head_timed && !self.raw.is_empty() {
            self.head_timed = true;
            let deadline = tokio::time::Instant::now() + self.bounds.head_time;
            self.head_timer.as_mut().reset(deadline);
        }
        if self.head_timed && self.head_timer.as_mut().poll(cx).is_ready() {
            self.head_timed = false;
            if !self.raw.is_empty() {
                self.refuse(Problem::too_slow("the request's header did not arrive in time"));
            }
            return Poll::Ready(true);
        }
        Poll::Ready(false)
    }

    /// Throws away what arrives.
    fn discard(&mut self, cx: &mut Context<'_>) -> bool {
        while self.discarded < LINGER_BYTES {
            let mut chunk = [0; CHUNK];
            let mut buffer = ReadBuf::new(&mut chunk);
            match Pin::new(&mut self.io).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.discarded += buffer.filled().len();
                }
                Poll::Ready(_) => return true,
                Poll::Pending => return false,
            }
        }
        true
    }

    /// A write that makes no progress for too long is an error.
    fn stalled<T>(&mut self, cx: &mut Context<'_>, write: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.write_timer = None;
            return write;
        }
        let stall = self.bounds.write_stall;
        let timer = self.write_timer.get_or_insert_with(|| Box::pin(sleep(stall)));
        timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Scan {
    /// Where the head in `raw` ends, `None` if it does not yet.
    fn run(&mut self, raw: &mut BytesMut, bounds: &Bounds) -> Result<Option<usize>, Problem> {
        // Empty lines before a request line are to be skipped (RFC 9112, 2.2).
        while self.line_start == 0 && raw.starts_with(b"\r\n") {
            raw.advance(2);
            *self = Self::default();
        }
        for (at, &byte) in raw.iter().enumerate().skip(self.at) {
            if at >= bounds.head {
                break;
            }
            self.at = at + 1;
            if byte == b'\n' {
                if self.last != b'\r' {
                    let detail = "a line of the request's header ends without CR";
                    return Err(Problem::bad_request(detail).closing());
                }
                if at == self.line_start + 1 {
                    return Ok(Some(at + 1));
                }
                self.line_start = at + 1;
                self.lines += 1;
                // The first line is the request's own.
                if self.lines > bounds.lines + 1 {
                    let detail = format!("more than {} header lines", bounds.lines);
                    return Err(header_too_large(detail));
                }
            }
            self.last = byte;
        }
        if raw.len() > bounds.head {
            let detail = format!("the request's header is larger than {} bytes", bounds.head);
            return Err(header_too_large(detail));
        }
        Ok(None)
    }
}

fn header_too_large(detail: String) -> Problem {
    Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "header-too-large", detail).closing()
}

/// What follows a head (RFC 9112, 6), or why it is refused. The parser is the one that the library
/// will use on the same bytes.
fn body_after(head: &[u8], max_lines: usize) -> Result<State, Problem> {
    let bad = |detail: &str| Problem::bad_request(detail).closing();
    let mut headers = vec![httparse::EMPTY_HEADER; max_lines];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(bad("the request's header is incomplete")),
        Err(error) => return Err(bad(&format!("the request's header is malformed: {error}"))),
    }
    if let Some(method @ ("CONNECT" | "TRACE")) = request.method {
        let detail = format!("{method} is never taken here: use GET, POST or OPTIONS");
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail).closing());
    }
    if request.path.is_none_or(|path| Uri::try_from(path).is_err()) {
        return Err(bad("the request's target is not a path or URL"));
    }
    let named = |name: &'static str| {
        request
            .headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value)
    };
    let encodings: Vec<&[u8]> = named("transfer-encoding").collect();
    let lengths: Vec<&[u8]> = named("content-length").collect();
    match (encodings.as_slice(), lengths.as_slice()) {
        ([], []) => Ok(State::Head),
        ([], [length]) => match decimal(length) {
            Some(0) => Ok(State::Head),
            Some(length) => Ok(State::Body(length)),
            None => Err(bad("Content-Length is not a number")),
        },
        ([], _) => Err(bad("more than one Content-Length")),
        (_, [_, ..]) => Err(bad("both Transfer-Encoding and Content-Length")),
        ([encoding], []) if request.version == Some(1) && encoding.eq_ignore_ascii_case(b"chunked") => Ok(State::Rest),
        _ => Err(bad("Transfer-Encoding other than chunked")),
    }
}

fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| digits)?;
    text.parse().ok()
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Read for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.clear.is_empty() {
                let length = this.clear.len().min(buffer.remaining());
                buffer.put_slice(&this.clear.split_to(length));
                return Poll::Ready(Ok(()));
            }
            if !ready!(this.advance(cx))? {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Write for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.stalled(cx, write)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flush = Pin::new(&mut this.io).poll_flush(cx);
        this.stalled(cx, flush)
    }

    /// Closes our side. If the peer may still be sending, its bytes are thrown away for a moment:
    /// closing a socket with unread input would take the answer away with it.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
            if this.state == State::Head && this.raw.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        let timer = this.linger.get_or_insert_with(|| Box::pin(sleep(LINGER_TIME)));
        if timer.as_mut().poll(cx).is_ready() || this.discard(cx) {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = Pin::new(&mut this.io).poll_write_vectored(cx, bytes);
        this.stalled(cx, write)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;
    use tokio::io::{AsyncWriteExt, duplex};

    /// What the library would be given of `input`, in pieces of `step` bytes, and the refusal.
    async fn pass(input: &[u8], step: usize) -> (Vec<u8>, Option<Problem>) {
        let (mut client, server) = duplex(64 * 1024);
        let refusal = Refusal::default();
        let mut wire = Wire::new(server, &Limits::default(), Arc::clone(&refusal));
        let mut seen = Vec::new();
        for piece in input.chunks(step) {
            client.write_all(piece).await.unwrap();
            drain(&mut wire, &mut seen).await;
        }
        (seen, refusal.get().cloned())
    }

    async fn drain(wire: &mut Wire<tokio::io::DuplexStream>, seen: &mut Vec<u8>) {
        std::future::poll_fn(|cx| {
            while let Poll::Ready(Ok(true)) = wire.advance(cx) {
                seen.extend_from_slice(&wire.clear.split());
            }
            Poll::Ready(())
        })
        .await;
    }

    const GET: &str = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    const POST: &str = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe\nlo";
    const CHUNKED: &str = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\n\n\r\n0\r\n\r\n";

    #[tokio::test]
    async fn good_requests_pass_unchanged_however_they_are_cut() {
        let row = format!("{GET}{POST}{GET}{CHUNKED}");
        for step in [1, 2, 3, 7, 1000] {
            let (seen, refusal) = pass(row.as_bytes(), step).await;
            assert_eq!(seen, row.as_bytes(), "in steps of {step}");
            assert!(refusal.is_none());
        }
    }

    #[tokio::test]
    async fn empty_lines_before_a_request_are_dropped() {
        let input = format!("\r\n\r\n{GET}\r\n{GET}");
        for step in [1, 2, 1000] {
            let (seen, refusal) = pass(input.as_bytes(), step).await;
            assert_eq!(seen, format!("{GET}{GET}").as_bytes());
            assert!(refusal.is_none());
        }
    }

    #[tokio::test]
    async fn bad_heads_are_replaced_by_a_refusal() {
        let long = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(17_000));
        let lines = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(65));
        let cases: [(&str, u16); 19] = [
            ("GET / HTTP/1.1\nHost: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\n\n", 400),
            ("\nGET / HTTP/1.1\r\n\r\n", 400),
            ("GET /\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nA : b\r\n\r\n", 400),
            ("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n", 400),
            (
                "GET / HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
                400,
            ),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400),
            ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n", 405),
            (&long, 431),
            (&lines, 431),
        ];
        for (case, status) in cases {
            for step in [1, 1000, 20_000] {
                let input = format!("{GET}{case}");
                let (seen, refusal) = pass(input.as_bytes(), step).await;
                let refusal = refusal.unwrap_or_else(|| panic_on(case));
                assert_eq!(refusal.status.as_u16(), status, "{case:?}: {refusal:?}");
                let expected = [GET.as_bytes(), REFUSED_HEAD].concat();
                assert_eq!(seen, expected, "{case:?}");
            }
        }
    }

    #[allow(clippy::panic)]
    fn panic_on(case: &str) -> Problem {
        panic!("{case:?} was not refused")
    }

    #[tokio::test]
    async fn a_head_at_the_limits_passes() {
        let lines = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(64));
        let mut long = String::from("GET / HTTP/1.1\r\nHost: x\r\nA: ");
        long.push_str(&"a".repeat(16 * 1024 - long.len() - 4));
        long.push_str("\r\n\r\n");
        assert_eq!(long.len(), 16 * 1024);
        for head in [lines, long] {
            let (seen, refusal) = pass(head.as_bytes(), 5000).await;
            assert!(refusal.is_none(), "{refusal:?}");
            assert_eq!(seen, head.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_alike_however_they_are_cut(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("GET / HTTP/1.1"), Just("POST /x HTTP/1.1"), Just("\r\n"), Just("\n"),
                    Just("\r"), Just("Host: a"), Just("Content-Length: 3"), Just("abc"),
                    Just("Transfer-Encoding: chunked"), Just(" "), Just(""), Just("\r\n\r\n"),
                ],
                0..12,
            ),
            step in 1usize..9,
        ) {
            let input = pieces.concat().into_bytes();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let (cut, whole) = runtime.block_on(async {
                (pass(&input, step).await, pass(&input, 10_000).await)
            });
            prop_assert_eq!(cut.1.map(|p| p.detail), whole.1.map(|p| p.detail));
            prop_assert_eq!(cut.0, whole.0);
        }
    }
}

//! A server of plain files, as simple as can be: what it is asked for it looks up in a folder.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};

/// Serves a folder until the test ends.
#[derive(Debug)]
pub struct FileServer {
    url: String,
}

impl FileServer {
    /// Serves this folder on a free port of loopback.
    ///
    /// # Panics
    /// No port is free.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let folder = folder.to_owned();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let folder = folder.clone();
                std::thread::spawn(move || answer(&stream, &folder));
            }
        });
        Self { url }
    }

    /// Its URL, without a final slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// One request, one answer; then the connection closes.
fn answer(mut stream: &TcpStream, folder: &Path) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(request)) = lines.next() else { return };
    // All of the head must be read, or closing resets the connection.
    for line in lines.by_ref() {
        if line.is_ok_and(|line| line.is_empty()) {
            break;
        }
    }
    let target = request.split(' ').nth(1).unwrap_or("/");
    let path = PathBuf::from(decoded(target).trim_start_matches('/'));
    let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    let file = if inside {
        std::fs::read(folder.join(path)).ok()
    } else {
        None
    };
    let (status, body) = match &file {
        Some(bytes) => ("200 OK", bytes.as_slice()),
        None => ("404 Not Found", &[][..]),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _gone = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

fn decoded(target: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = target.bytes();
    while let Some(byte) = rest.next() {
        let escaped = |rest: &mut std::str::Bytes<'_>| {
            let digits = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()
        };
        bytes.push(if byte == b'%' {
            escaped(&mut rest).unwrap_or(b'?')
        } else {
            byte
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

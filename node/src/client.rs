//! A client of a node's HTTP listeners (document 5 of the specifications).
//!
//! It distrusts what it gets as much as the node distrusts its callers: answers are bounded, pass the strict JSON
//! reader, redirects and proxies from the environment are not followed, and a verification counts as allowed only if
//! status code, `verified` and `decision` all say so.

use std::io;
use std::path::Path;
use std::time::Duration;

use syndic_vc::json::{self, Value};
use ureq::tls::{RootCerts, TlsConfig};
use zeroize::Zeroizing;

pub mod decision;
pub mod problem;

use decision::Decision;
use problem::Problem;

use crate::outside::certificates;

/// Bytes of one answer. The largest is a list of all credentials of an organization: about 200 bytes for each, so
/// this is a hundred thousand of them.
pub const ANSWER_BYTES: usize = 32 << 20;
/// Values in one answer; each entry of a list has about six.
const ANSWER_NODES: usize = 1_000_000;
/// Pause before a server that says "too many requests" is asked again.
const BUSY_PAUSE: Duration = Duration::from_millis(500);
/// How often it is asked again.
const BUSY_ATTEMPTS: usize = 60;
/// A node is near or it is not there.
const CONNECT: Duration = Duration::from_secs(3);
/// The node itself gives up on a request after 30 s.
const WHOLE_CALL: Duration = Duration::from_secs(35);

/// Speaks to one listener of one node.
pub struct Client {
    agent: ureq::Agent,
    roots: RootCerts,
    base: String,
    token: Option<Zeroizing<String>>,
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// What came back for a DID URL.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// An answer of the node itself, whatever its status.
    Here(Answer),
    /// The address of a service, which is not called.
    Elsewhere(String),
}

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The address given for the node cannot be used.
    #[error("{url} is not the address of a node: {why}")]
    Address {
        /// The address as given.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file of authorities cannot be used.
    #[error("{0}")]
    Authorities(String),
    /// Nobody answered there. What was asked may have been done if the connection broke on the way.
    #[error("no answer from {url}: {why}")]
    Unreachable {
        /// What was called.
        url: String,
        /// What the system said.
        why: String,
    },
    /// The node said no, in a problem document (RFC 9457).
    #[error("{0}")]
    Refused(Box<Problem>),
    /// Something answered, but not as a node does.
    #[error("{url} does not answer as a Syndic node does: {why}")]
    Strange {
        /// What was called.
        url: String,
        /// What was unexpected.
        why: String,
    },
}

impl Client {
    /// A client of a public listener, such as `http://127.0.0.1:8440` or `https://node.example.org`.
    ///
    /// # Errors
    /// [`CallError::Address`] if the URL is not an `http` or `https` one without query and fragment.
    pub fn public(url: &str) -> Result<Self, CallError> {
        Self::believing(url, None)
    }

    /// The same, believing no authorities but those of a PEM file if one is given.
    ///
    /// # Errors
    /// As [`Client::public`]; [`CallError::Authorities`] if the file holds no certificates.
    pub fn believing(url: &str, ca_file: Option<&Path>) -> Result<Self, CallError> {
        let address = |why| CallError::Address {
            url: url.to_owned(),
            why,
        };
        let rest = ["http://", "https://"]
            .into_iter()
            .find_map(|scheme| url.strip_prefix(scheme));
        let rest =
            rest.ok_or_else(|| address("it must begin with http:// or https://, as in http://127.0.0.1:8440"))?;
        if rest.is_empty() || rest.contains(['?', '#', '@', ' ']) || rest.chars().any(char::is_control) {
            return Err(address("a host and a port are expected, as in http://127.0.0.1:8440"));
        }
        let roots = match ca_file {
            None => RootCerts::WebPki,
            Some(path) => RootCerts::from(certificates(path).map_err(CallError::Authorities)?),
        };
        Ok(Self {
            agent: agent(WHOLE_CALL, &roots),
            roots,
            base: url.trim_end_matches('/').to_owned(),
            token: None,
        })
    }

    /// A client of an admin listener.
    ///
    /// # Errors
    /// As [`Client::public`].
    pub fn admin(url: &str, token: Zeroizing<String>) -> Result<Self, CallError> {
        Ok(Self {
            token: Some(token),
            ..Self::public(url)?
        })
    }

    /// The same client, but each call may take only so long: for asking whether a node is there.
    #[must_use]
    pub fn giving_up_after(&self, limit: Duration) -> Self {
        Self {
            agent: agent(limit, &self.roots),
            roots: self.roots.clone(),
            base: self.base.clone(),
            token: self.token.clone(),
        }
    }

    /// The address, without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `GET`: the body of a 2xx answer. `path` begins with a slash; its variable parts are escaped with [`segment`].
    ///
    /// # Errors
    /// [`CallError`].
    pub fn get(&self, path: &str) -> Result<Value, CallError> {
        self.expect_success(path, self.fetch(path)?)
    }

    /// `POST`: the body of a 2xx answer.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, CallError> {
        self.expect_success(path, self.submit(path, body)?)
    }

    /// `POST` to one of the verification endpoints. `Ok` is a decision, which may well be a refusal.
    ///
    /// # Errors
    /// [`CallError`]; [`CallError::Refused`] when the request itself was bad, so that nothing was decided.
    pub fn decide(&self, path: &str, body: &Value) -> Result<Decision, CallError> {
        let answer = self.submit(path, body)?;
        if answer.body.get("decision").is_none() {
            return Err(match self.expect_success(path, answer) {
                Err(error) => error,
                Ok(_) => self.strange(path, "the answer has no decision"),
            });
        }
        Decision::from_answer(&answer).map_err(|why| self.strange(path, &why))
    }

    /// `GET` with no judgement about the status.
    ///
    /// # Errors
    /// [`CallError::Unreachable`], or [`CallError::Strange`] if the answer is not JSON.
    pub fn fetch(&self, path: &str) -> Result<Answer, CallError> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", bearer(token).as_str());
        }
        self.read(path, request.call())
    }

    /// `GET` of a DID URL in a form: an answer that leads elsewhere is told and not followed.
    ///
    /// # Errors
    /// As [`Client::fetch`].
    pub fn resolve(&self, path: &str, media_type: &str) -> Result<Resolution, CallError> {
        let mut request = self
            .agent
            .get(format!("{}{path}", self.base))
            .header("Accept", media_type);
        if let Some(token) = &self.token {
            request = request.header("Authorization", bearer(token).as_str());
        }
        let result = request.call();
        if let Ok(response) = &result
            && response.status().as_u16() == 303
        {
            let location = response.headers().get("Location").and_then(|place| place.to_str().ok());
            let location = location.ok_or_else(|| self.strange(path, "status 303 without a Location"))?;
            return Ok(Resolution::Elsewhere(location.to_owned()));
        }
        self.read(path, result).map(Resolution::Here)
    }

    /// `GET` of a file of at most so many bytes, as it is; `None` if there is none.
    ///
    /// # Errors
    /// [`CallError`]; [`CallError::Strange`] for any status but 200 and 404, and for a longer file.
    pub fn file(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, CallError> {
        let call = || self.agent.get(format!("{}{path}", self.base)).call();
        let mut response = call().map_err(|error| self.failed(path, error))?;
        // Whoever asks for all the files of a log asks for more than a server gives at once.
        for _ in 0..BUSY_ATTEMPTS {
            if response.status().as_u16() != 429 {
                break;
            }
            std::thread::sleep(BUSY_PAUSE);
            response = call().map_err(|error| self.failed(path, error))?;
        }
        match response.status().as_u16() {
            200 => {}
            404 => return Ok(None),
            status => return Err(self.strange(path, &format!("status {status}"))),
        }
        let body = response.body_mut().with_config().limit(most as u64);
        body.read_to_vec().map(Some).map_err(|error| self.failed(path, error))
    }

    /// `POST` with no judgement about the status.
    fn submit(&self, path: &str, body: &Value) -> Result<Answer, CallError> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .content_type("application/json");
        if let Some(token) = &self.token {
            request = request.header("Authorization", bearer(token).as_str());
        }
        self.read(path, request.send(syndic_vc::canonical::to_bytes(body).as_slice()))
    }

    /// `POST` of a form to an OAuth endpoint, with a DPoP proof if one is given; no judgement about the status. An answer
    /// without a body is `null`.
    ///
    /// # Errors
    /// As [`Client::fetch`].
    pub fn post_form(&self, path: &str, form: &[(&str, &str)], proof: Option<&str>) -> Result<Answer, CallError> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .content_type("application/x-www-form-urlencoded");
        if let Some(token) = &self.token {
            request = request.header("Authorization", bearer(token).as_str());
        }
        if let Some(proof) = proof {
            request = request.header("DPoP", proof);
        }
        let pairs: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{}={}", segment(name), segment(value)))
            .collect();
        let result = request.send(pairs.join("&"));
        match result {
            Ok(response)
                if response
                    .headers()
                    .get("content-length")
                    .is_some_and(|length| length == "0") =>
            {
                Ok(Answer {
                    status: response.status().as_u16(),
                    body: Value::Null,
                })
            }
            other => self.read(path, other),
        }
    }

    fn read(
        &self,
        path: &str,
        result: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Answer, CallError> {
        let mut response = result.map_err(|error| self.failed(path, error))?;
        let status = response.status().as_u16();
        let bytes = response
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES as u64)
            .read_to_vec()
            .map_err(|error| self.failed(path, error))?;
        let body = json::parse_with(&bytes, &answer_limits())
            .map_err(|error| self.strange(path, &format!("status {status}, and the body is not JSON: {error}")))?;
        Ok(Answer { status, body })
    }

    fn expect_success(&self, path: &str, answer: Answer) -> Result<Value, CallError> {
        match answer.status {
            200..=299 => Ok(answer.body),
            400..=599 => Err(Problem::from_answer(answer).map_or_else(
                |status| self.strange(path, &format!("status {status} without a problem document")),
                |problem| CallError::Refused(Box::new(problem)),
            )),
            status => Err(self.strange(path, &format!("status {status}"))),
        }
    }

    fn failed(&self, path: &str, error: ureq::Error) -> CallError {
        let url = format!("{}{path}", self.base);
        match error {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => CallError::Unreachable {
                url,
                why: "nothing listens there".to_owned(),
            },
            ureq::Error::Io(error) => CallError::Unreachable {
                url,
                why: error.to_string(),
            },
            ureq::Error::HostNotFound => CallError::Unreachable {
                url,
                why: "there is no such host".to_owned(),
            },
            error @ (ureq::Error::ConnectionFailed | ureq::Error::Timeout(_) | ureq::Error::BodyStalled) => {
                CallError::Unreachable {
                    url,
                    why: error.to_string(),
                }
            }
            error => CallError::Strange {
                url,
                why: error.to_string(),
            },
        }
    }

    fn strange(&self, path: &str, why: &str) -> CallError {
        CallError::Strange {
            url: format!("{}{path}", self.base),
            why: why.to_owned(),
        }
    }
}

fn agent(limit: Duration, roots: &RootCerts) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .tls_config(TlsConfig::builder().root_certs(roots.clone()).build())
        .proxy(None)
        .timeout_connect(Some(CONNECT.min(limit)))
        .timeout_global(Some(limit))
        .user_agent(concat!("syndic/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

fn bearer(token: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("Bearer {token}"))
}

fn answer_limits() -> json::Limits {
    json::Limits {
        body_bytes: ANSWER_BYTES,
        nodes: ANSWER_NODES,
        // Logs in a decision bundle are texts.
        string_bytes: ANSWER_BYTES,
        ..json::Limits::default()
    }
}

/// Escapes one segment of a path, or one value of a query (RFC 3986 section 2.1). DIDs stay readable.
#[must_use]
pub fn segment(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests;

//! Well-behaved HTTP calls.

use std::time::Duration;

use serde_json::Value;

/// One listener of a node, with or without the admin token.
#[derive(Clone, Debug)]
pub struct Listener {
    base: String,
    token: Option<String>,
    agent: ureq::Agent,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// `Cache-Control`.
    pub cache_control: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Listener {
    /// The listener at a port of loopback.
    #[must_use]
    pub fn new(port: u16, token: Option<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .max_idle_connections_per_host(128)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self {
            base: format!("http://127.0.0.1:{port}"),
            token,
            agent: config.into(),
        }
    }

    /// Its URL, without a final slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    /// GET.
    ///
    /// # Panics
    /// There is no answer.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path)
            .unwrap_or_else(|error| panic!("GET {}{path}: {error}", self.base))
    }

    /// GET, when it is not certain that somebody answers.
    ///
    /// # Errors
    /// There is no answer.
    pub fn try_get(&self, path: &str) -> Result<Answer, String> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        read(request.call())
    }

    /// POST of a JSON document.
    ///
    /// # Panics
    /// There is no answer.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body)
            .unwrap_or_else(|error| panic!("POST {}{path}: {error}", self.base))
    }

    /// POST, when it is not certain that somebody answers.
    ///
    /// # Errors
    /// There is no answer.
    pub fn try_post(&self, path: &str, body: &Value) -> Result<Answer, String> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("Content-Type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        read(request.send(body.to_string()))
    }
}

impl Listener {
    /// POST of a form, with further headers.
    ///
    /// # Errors
    /// There is no answer.
    pub fn try_post_form(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("Content-Type", "application/x-www-form-urlencoded");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.send(form))
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, String> {
    let mut response = answer.map_err(|error| error.to_string())?;
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let (content_type, cache_control) = (header("content-type"), header("cache-control"));
    let status = response.status().as_u16();
    let body = response
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_to_vec()
        .map_err(|error| error.to_string())?;
    Ok(Answer {
        status,
        content_type,
        cache_control,
        body,
    })
}

impl Answer {
    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON body, if the status is the expected one.
    ///
    /// # Panics
    /// It is another one.
    #[must_use]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The codes of the decision's reasons.
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        let decision = &self.json()["decision"]["reasons"];
        let reasons = decision.as_array().cloned().unwrap_or_default();
        reasons
            .iter()
            .filter_map(|reason| reason["code"].as_str().map(str::to_owned))
            .collect()
    }

    /// Asserts that a verification said yes.
    ///
    /// # Panics
    /// It did not.
    pub fn expect_allowed(&self) {
        let body = self.expect(200);
        assert_eq!(body["verified"], true, "{body}");
        assert_eq!(body["decision"]["decision"], "allow", "{body}");
        assert_eq!(body["decision"]["reasons"], serde_json::json!([]), "{body}");
    }

    /// Asserts that a verification said no, first of all for this reason, in the one form of refusals.
    ///
    /// # Panics
    /// It did not.
    pub fn expect_refused(&self, code: &str) {
        let body = self.expect(400);
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(body["verified"], false, "{body}");
        let outcome = if code == "approval-required" {
            "approvalRequired"
        } else {
            "deny"
        };
        assert_eq!(body["decision"]["decision"], outcome, "{body}");
        assert_eq!(self.codes().first().map(String::as_str), Some(code), "{body}");
        let first = &body["problemDetails"][0];
        assert_eq!(first["code"], code, "{body}");
        assert!(
            first["type"].as_str().is_some_and(|kind| kind.starts_with("https://")),
            "{body}"
        );
        assert!(
            first["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{body}"
        );
    }
}

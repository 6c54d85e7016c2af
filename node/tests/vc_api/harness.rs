//! Nodes in this process, and calls to them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use syndic_node::clock;
use syndic_node::run::{self, RunOptions};
use syndic_node::setup::{self, FoundOptions, InitOptions};
use tempfile::TempDir;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

const PASSPHRASE: &str = "correct horse battery staple";
/// What a loaded machine may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const V2: &str = "https://www.w3.org/ns/credentials/v2";
pub(crate) const V1: &str = "https://www.w3.org/2018/credentials/v1";

/// A running node; stops when dropped.
pub(crate) struct Node {
    pub(crate) did: String,
    public: String,
    admin: String,
    token: String,
    agent: ureq::Agent,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) cache_control: String,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert!(self.content_type.contains("json"), "{self:?}");
        serde_json::from_str(&self.text).unwrap()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16, what: &str) -> Value {
        assert_eq!(self.status, status, "{what}: {}", self.text);
        self.json()
    }
}

/// A node with its own consortium. `configure` gets the text of `config.toml`.
pub(crate) fn node(configure: impl Fn(String) -> String) -> Node {
    nodes(&["St. Mary"], configure).remove(0)
}

/// A node as it is set up by `init`.
pub(crate) fn usual() -> Node {
    node(|text| text)
}

/// Nodes of one consortium.
pub(crate) fn nodes(names: &[&str], configure: impl Fn(String) -> String) -> Vec<Node> {
    let folders: Vec<TempDir> = names.iter().map(|_| tempfile::tempdir().unwrap()).collect();
    let passphrase = Zeroizing::new(PASSPHRASE.to_owned());
    for (folder, name) in folders.iter().zip(names) {
        let options = InitOptions {
            name: (*name).to_owned(),
            public: "127.0.0.1:0".to_owned(),
            admin: "127.0.0.1:0".to_owned(),
            peer: format!("127.0.0.1:{}", crate::ports::free()),
            public_url: Some(format!(
                "https://{}.example",
                name.replace(['.', ' '], "").to_lowercase()
            )),
            engine: syndic_node::store::Engine::default(),
        };
        setup::init(folder.path(), options, &passphrase, clock::now()).unwrap();
        let path = folder.path().join("config.toml");
        let text = std::fs::read_to_string(&path)
            .unwrap()
            .replace("requests_per_second = 50", "requests_per_second = 100000")
            .replace("anti_entropy_seconds = 5", "anti_entropy_seconds = 1");
        std::fs::write(&path, configure(text)).unwrap();
    }
    let cards: Vec<PathBuf> = folders.iter().map(|folder| folder.path().join("member.json")).collect();
    let options = FoundOptions {
        name: "Hospitals".to_owned(),
        cards,
        threshold: None,
        endorsements: None,
        witnesses: None,
        max_staleness: None,
    };
    let founded = setup::found(folders[0].path(), options, clock::now()).unwrap();
    for folder in &folders[1..] {
        setup::join(folder.path(), &founded.charter_path).unwrap();
    }
    folders.into_iter().map(start).collect()
}

fn start(folder: TempDir) -> Node {
    let (stop, stopped) = oneshot::channel::<()>();
    let (say, ready) = std::sync::mpsc::channel();
    let path = folder.path().to_owned();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let passphrase = Zeroizing::new(PASSPHRASE.to_owned());
            tokio::select! {
                ended = run::run(&path, passphrase, RunOptions::default(), |listening| {
                    say.send(listening.clone()).unwrap();
                }) => ended.unwrap(),
                _ = stopped => {}
            }
        });
        runtime.shutdown_timeout(Duration::from_secs(5));
    });
    let listening = ready.recv_timeout(PATIENCE).expect("the node starts");
    Node {
        did: listening.organization,
        public: format!("http://{}", listening.public),
        admin: format!("http://{}", listening.admin),
        token: token(folder.path()),
        agent: ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into(),
        stop: Some(stop),
        thread: Some(thread),
        _folder: folder,
    }
}

fn token(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("admin.token")).unwrap();
    text.trim().to_owned()
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn read(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = result.unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    };
    let (content_type, cache_control) = (header("content-type"), header("cache-control"));
    Answer {
        status: response.status().as_u16(),
        content_type,
        cache_control,
        text: response.body_mut().read_to_string().unwrap(),
    }
}

impl Node {
    /// `POST` on the admin listener.
    pub(crate) fn admin(&self, path: &str, body: &Value) -> Answer {
        read(
            self.agent
                .post(format!("{}{path}", self.admin))
                .header("Authorization", format!("Bearer {}", self.token))
                .header("Content-Type", "application/json")
                .send(body.to_string().as_bytes()),
        )
    }

    /// `GET` on the admin listener.
    pub(crate) fn look(&self, path: &str) -> Answer {
        let request = self.agent.get(format!("{}{path}", self.admin));
        read(request.header("Authorization", format!("Bearer {}", self.token)).call())
    }

    /// `POST` on the public listener.
    pub(crate) fn ask(&self, path: &str, body: &Value) -> Answer {
        self.ask_text(path, &body.to_string())
    }

    /// `POST` of any text on the public listener.
    pub(crate) fn ask_text(&self, path: &str, text: &str) -> Answer {
        read(
            self.agent
                .post(format!("{}{path}", self.public))
                .header("Content-Type", "application/json")
                .send(text.as_bytes()),
        )
    }

    /// `GET` on the public listener.
    pub(crate) fn fetch(&self, path: &str, accept: &str) -> Answer {
        read(
            self.agent
                .get(format!("{}{path}", self.public))
                .header("Accept", accept)
                .call(),
        )
    }

    /// The DID that an instance issues as.
    pub(crate) fn issuer(&self, instance: &str) -> String {
        let issuers = self.look("/issuers").expect(200, "issuers");
        let rows = issuers["issuers"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == instance);
        row.unwrap_or_else(|| panic!("no instance {instance}"))["did"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Issues by an instance; the answer must be 201.
    #[track_caller]
    pub(crate) fn issue(&self, instance: &str, credential: Value) -> Value {
        self.issue_with(instance, credential, json!({}))
    }

    /// The same with options.
    #[track_caller]
    pub(crate) fn issue_with(&self, instance: &str, credential: Value, options: Value) -> Value {
        let path = format!("/issuers/{instance}/credentials/issue");
        let body = json!({ "credential": credential, "options": options });
        let mut answer = self.admin(&path, &body).expect(201, instance);
        answer["verifiableCredential"].take()
    }

    /// Has a credential verified.
    pub(crate) fn verify(&self, credential: &Value) -> Answer {
        self.ask("/credentials/verify", &json!({ "verifiableCredential": credential }))
    }
}

/// A credential of VCDM 2.0 without a proof.
pub(crate) fn credential(issuer: &str) -> Value {
    json!({
        "@context": [V2],
        "type": ["VerifiableCredential"],
        "issuer": issuer,
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:alice", "name": "Alice" },
    })
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut check: impl FnMut() -> Result<(), String>) {
    let end = Instant::now() + PATIENCE;
    loop {
        match check() {
            Ok(()) => return,
            Err(last) => assert!(Instant::now() < end, "{what}: {last}"),
        }
        std::thread::sleep(Duration::from_millis(25));
    }
}

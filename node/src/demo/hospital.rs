//! One organization of the demo: its folder, its node, and what it is asked to do, all over HTTP.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use syndic_vc::json::{Object, Value};
use syndic_vc::object;
use zeroize::Zeroizing;

use super::error::DemoError;
use super::ports::Ports;
use super::stage::{Place, Stage};
use super::wait;
use crate::cli::{connect, credential};
use crate::client::decision::Decision;
use crate::client::{Client, segment};
use crate::clock;
use crate::setup::{self, InitOptions};
use crate::store::Engine;

/// How long a node may take to be ready. Opening the keys alone takes up to a second on a slow machine.
const READY: Duration = Duration::from_secs(60);

/// How long one look whether a node is there may take: it is on this machine.
const GLANCE: Duration = Duration::from_secs(2);

pub(super) struct Hospital {
    pub(super) name: String,
    pub(super) did: String,
    pub(super) data: PathBuf,
    pub(super) public: Client,
    pub(super) admin: Client,
    pub(super) card: PathBuf,
    ports: Ports,
    passphrase: Zeroizing<String>,
    place: Option<Place>,
}

/// Why a node did not come up.
pub(super) enum StartError {
    /// Somebody took one of its ports.
    PortTaken,
    /// Anything else.
    Failed(DemoError),
}

impl Hospital {
    /// Sets up a data folder.
    pub(super) fn init(name: &str, data: PathBuf, passphrase: &Zeroizing<String>) -> Result<Self, DemoError> {
        let ports = Ports::hold()?;
        let address = |port: u16| format!("127.0.0.1:{port}");
        let options = InitOptions {
            name: name.to_owned(),
            public: address(ports.public),
            admin: address(ports.admin),
            peer: address(ports.peer),
            public_url: None,
            engine: Engine::default(),
        };
        let made = setup::init(&data, options, passphrase, clock::now())
            .map_err(|error| DemoError::new(error.to_string()).while_doing(name))?;
        let token = connect::token(&made.token_path)?;
        Ok(Self {
            name: name.to_owned(),
            did: made.did,
            public: Client::public(&format!("http://{}", address(ports.public)))?,
            admin: Client::admin(&format!("http://{}", address(ports.admin)), token)?,
            card: made.card_path,
            data,
            ports,
            passphrase: passphrase.clone(),
            place: None,
        })
    }

    /// Starts the node and waits until it is ready.
    pub(super) fn start(&mut self, stage: &Stage) -> Result<(), StartError> {
        self.spawn(stage).map_err(StartError::Failed)?;
        self.wait_until_ready(stage)
    }

    /// Starts the node.
    pub(super) fn spawn(&mut self, stage: &Stage) -> Result<(), DemoError> {
        let program = std::env::current_exe()
            .map_err(|error| DemoError::new(format!("this program does not find itself: {error}")))?;
        let mut command = Command::new(program);
        command.args(["run", "--exit-with-stdin", "--data"]).arg(&self.data);
        command
            .env("SYNDIC_PASSPHRASE", self.passphrase.as_str())
            .env_remove("SYNDIC_PASSPHRASE_FILE");
        self.ports.release();
        self.place = Some(stage.start(&self.name, &self.data.with_extension("log"), command)?);
        Ok(())
    }

    /// Waits until the node says that it is ready.
    pub(super) fn wait_until_ready(&self, stage: &Stage) -> Result<(), StartError> {
        let ended = || self.place.and_then(|place| stage.ended(place));
        let (public, admin) = (self.public.giving_up_after(GLANCE), self.admin.giving_up_after(GLANCE));
        let come_up = wait::until(READY, || {
            if let Some(status) = ended() {
                return Some(Err(status));
            }
            let ready = public.fetch("/readyz").is_ok_and(|answer| answer.status == 200);
            // Whoever else may have taken the ports does not take this node's token.
            (ready && admin.get("/status").is_ok()).then_some(Ok(()))
        });
        match come_up {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) if self.ports.are_taken() => Err(StartError::PortTaken),
            Some(Err(status)) => Err(StartError::Failed(DemoError::new(format!(
                "the node of {} ended with {status}",
                self.name
            )))),
            None => {
                let limit = READY.as_secs();
                let message = format!("the node of {} was not ready after {limit} s", self.name);
                Err(StartError::Failed(DemoError::new(message)))
            }
        }
    }

    /// SIGKILL.
    pub(super) fn kill(&self, stage: &Stage) -> Result<(), DemoError> {
        self.place.map_or(Ok(()), |place| stage.kill(place))
    }

    /// How many other nodes it is connected to.
    pub(super) fn connected(&self) -> Result<usize, DemoError> {
        let status = self.admin.get("/status")?;
        let connected = status
            .get("peer")
            .and_then(|peer| peer.get("connected"))
            .and_then(Value::as_array);
        Ok(connected.map_or(0, <[Value]>::len))
    }

    /// The digest of everything it knows.
    pub(super) fn digest(&self) -> Result<String, DemoError> {
        member(&self.admin.get("/registry/digest")?, "digest").and_then(|digest| as_text(digest, "digest"))
    }

    /// Registers an agent; its DID.
    pub(super) fn register(&self, name: &str, owner: &Value) -> Result<String, DemoError> {
        let answer = self
            .admin
            .post("/agents", &object! { "name": name, "owner": owner.clone() })?;
        as_text(member(member(&answer, "agent")?, "did")?, "agent.did")
    }

    /// Says that another organization's credentials are accepted for something.
    pub(super) fn authorize(&self, entity: &str, action: &str, resource: &str) -> Result<(), DemoError> {
        let body = object! { "entity": entity, "action": action, "resource": resource };
        self.admin.post("/registry/authorize", &body)?;
        Ok(())
    }

    /// Issues a capability credential.
    pub(super) fn issue(&self, agent: &str, grant: Object) -> Result<Value, DemoError> {
        let answer = self
            .admin
            .post(&format!("/agents/{}/credentials", segment(agent)), &grant.into())?;
        Ok(member(&answer, "verifiableCredential")?.clone())
    }

    /// Revokes a credential. When this returns, the revocation is acknowledged.
    pub(super) fn revoke(&self, id: &str) -> Result<(), DemoError> {
        self.admin.post("/credentials/status", &credential::revocation(id))?;
        Ok(())
    }

    /// All credentials it issued.
    pub(super) fn credentials(&self) -> Result<Vec<Listed>, DemoError> {
        let answer = self.admin.get("/credentials")?;
        let rows = answer.get("credentials").and_then(Value::as_array).unwrap_or_default();
        rows.iter()
            .map(|row| {
                Ok(Listed {
                    id: as_text(member(row, "id")?, "id")?,
                    status: as_text(member(row, "status")?, "status")?,
                })
            })
            .collect()
    }

    /// Decides about a credential that somebody showed.
    pub(super) fn verify(&self, credential: &Value) -> Result<Decision, DemoError> {
        Ok(self.public.decide(
            "/credentials/verify",
            &object! { "verifiableCredential": credential.clone() },
        )?)
    }

    /// Asks for a challenge of this organization: the challenge and the domain it is for.
    pub(super) fn challenge(&self) -> Result<(String, String), DemoError> {
        let answer = self.public.post("/challenges", &object! {})?;
        let text = |name| member(&answer, name).and_then(|value| as_text(value, name));
        Ok((text("challenge")?, text("domain")?))
    }

    /// Lets an agent of this organization present a credential to another one, which decides.
    pub(super) fn present_to(&self, agent: &str, credential: &Value, to: &Self) -> Result<Decision, DemoError> {
        let (challenge, domain) = to.challenge()?;
        let body = object! {
            "credentials": vec![credential.clone()],
            "challenge": challenge.as_str(),
            "domain": domain.as_str(),
        };
        let answer = self
            .admin
            .post(&format!("/agents/{}/presentations", segment(agent)), &body)?;
        let request = object! {
            "verifiablePresentation": member(&answer, "verifiablePresentation")?.clone(),
            "options": object! { "challenge": challenge, "domain": domain },
        };
        Ok(to.public.decide("/presentations/verify", &request)?)
    }

    /// Lets an agent of this organization sign an action; what the other side's door takes.
    pub(super) fn sign(&self, agent: &str, action: Object) -> Result<Value, DemoError> {
        Ok(self
            .admin
            .post(&format!("/agents/{}/actions", segment(agent)), &action.into())?)
    }

    /// Decides about a signed action.
    pub(super) fn decide(&self, signed: &Value) -> Result<Decision, DemoError> {
        Ok(self.public.decide("/actions/verify", signed)?)
    }

    /// Decides about a signed action, with what shows the decision to others.
    pub(super) fn decide_and_show(&self, signed: &Value) -> Result<Decision, DemoError> {
        Ok(self.admin.decide("/decisions", signed)?)
    }

    /// For `--json`.
    pub(super) fn to_json(&self) -> Value {
        object! {
            "name": self.name.as_str(),
            "did": self.did.as_str(),
            "public": self.public.base(),
            "admin": self.admin.base(),
            "data": self.data.display().to_string(),
        }
    }

    /// Where its charter is.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }
}

/// One row of a credential list.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) status: String,
}

/// A member that an answer must have.
pub(super) fn member<'v>(value: &'v Value, name: &str) -> Result<&'v Value, DemoError> {
    value
        .get(name)
        .ok_or_else(|| DemoError::new(format!("a node's answer has no {name:?}")))
}

/// A text that an answer must have.
pub(super) fn as_text(value: &Value, name: &str) -> Result<String, DemoError> {
    value
        .as_str()
        .map(ToOwned::to_owned)
        .ok_or_else(|| DemoError::new(format!("{name:?} in a node's answer is no text")))
}

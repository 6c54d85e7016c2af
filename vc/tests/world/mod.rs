//! A small world for tests: who there is, what is known, and documents signed by fixed keys.
#![allow(dead_code, unreachable_pub)] // every test file uses a part of it

pub mod chain;
mod written;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syndic_vc::action::{ActionDraft, Parameters};
use syndic_vc::capability::{Capability, ResourcePattern};
use syndic_vc::constraint::{Approval, ApprovalCondition, Constraint, Decimal, Hours, Range};
use syndic_vc::credential::{CapabilityCredentialDraft, Owner};
use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::document::DidDocument;
use syndic_vc::json::{self, Value};
use syndic_vc::key::{EcdsaSecretKey, KeyKind, PublicKey, SecretKey, Signer};
use syndic_vc::presentation::PresentationDraft;
use syndic_vc::resolve::ResolveError;
use syndic_vc::status::{StatusEntry, StatusPurpose};
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{
    AgentStanding, Counted, Freshness, KeyStanding, Knowledge, OneTime, OneTimeKind, SpendError, Standing, StatusBit,
    Tally, Witness,
};
use syndic_vc::verify::Policy;
use zeroize::Zeroizing;

/// A Tuesday.
pub const NOW: &str = "2026-11-24T12:00:00Z";
pub const LIST: &str = "https://north.example/status/revocation/1";
pub const SUSPENSIONS: &str = "https://north.example/status/suspension/1";
pub const INDEX: u64 = 94_567;
pub const CREDENTIAL_ID: &str = "urn:uuid:6f1c2a3e-8d4b-4c59-9a27-0b3f5d7e9c11";
pub const ACTION_ID: &str = "urn:uuid:b0a7c1de-2f34-4e56-8a9b-1c2d3e4f5a6b";
pub const NONCE: &str = "q83vEjRWeJCrze8SNFZ4kA";
pub const CHALLENGE: &str = "kmZ0vI2cQ1yT5b8Xw3rH9g";
pub const DOMAIN: &str = "south.example";

pub fn now() -> Timestamp {
    at(NOW)
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub fn after(seconds: i64) -> Timestamp {
    now().checked_add_seconds(seconds).unwrap()
}

/// Somebody with a key and the did:key of it.
pub struct Party {
    pub key: SecretKey,
    pub did: Did,
}

impl Party {
    pub fn new(seed: u8) -> Party {
        let key = SecretKey::from_seed(Zeroizing::new([seed; 32]));
        let did = did_key::for_key(key.public_key());
        Party { key, did }
    }

    /// The name of the key.
    pub fn method(&self) -> String {
        format!("{}#{}", self.did, self.did.method_specific_id())
    }

    pub fn signer(&self) -> &dyn Signer {
        &self.key
    }
}

/// Somebody with a key in hardware, and the did:key of it.
pub struct Hardware {
    pub key: EcdsaSecretKey,
    pub did: Did,
}

impl Hardware {
    /// The name of the key.
    pub fn method(&self) -> String {
        format!("{}#{}", self.did, self.did.method_specific_id())
    }
}

/// An issuer with a P-256 or P-384 key.
pub fn hardware(kind: KeyKind) -> Hardware {
    let scalar = vec![7; kind.signature_bytes() / 2];
    let key = EcdsaSecretKey::from_scalar(kind, &Zeroizing::new(scalar)).unwrap();
    let did = did_key::for_key(key.public_key());
    Hardware { key, did }
}

/// The hospital that issues.
pub fn north() -> Party {
    Party::new(1)
}

/// The hospital that verifies.
pub fn south() -> Party {
    Party::new(2)
}

/// The article's agent, CustomerSupportAgent-v2.3.
pub fn agent() -> Party {
    Party::new(3)
}

/// Nobody's friend.
pub fn stranger() -> Party {
    Party::new(4)
}

pub fn policy() -> Policy {
    Policy {
        authority: south().did.to_string(),
        max_staleness_seconds: 300,
        witnesses: 0,
        clock_skew_seconds: 60,
    }
}

/// What is known. By default all is well: north may grant everything and was heard 5 s ago.
pub struct Known {
    /// What each issuer may grant: action and resource, `*` for any action.
    pub authorized: BTreeMap<Did, Vec<(String, ResourcePattern)>>,
    pub frozen: BTreeSet<Did>,
    /// Issuers that are members no longer.
    pub removed: BTreeSet<Did>,
    pub set: BTreeSet<(String, u64)>,
    pub lists: BTreeSet<String>,
    /// Whose agents there are.
    pub agents: BTreeMap<Did, Did>,
    /// Lists of others than north.
    pub other_lists: BTreeMap<String, Did>,
    pub retired: BTreeSet<Did>,
    pub suspended: BTreeSet<Did>,
    /// Verification methods and multikeys.
    pub compromised: BTreeSet<String>,
    /// Digests of documents that are older than all of that.
    pub anchored: BTreeSet<String>,
    pub heard: BTreeMap<Did, Timestamp>,
    /// DIDs whose document is not the one of their key.
    pub documents: BTreeMap<Did, Arc<DidDocument>>,
    /// Who cosigned north's log, of which 17 statements are known. No vector says it.
    pub witnesses: Vec<Witness>,
    /// Whether it is the log of the one who verifies.
    pub own: bool,
    /// How many statements the answers on lists rest on.
    pub grounds: u64,
    /// Questions that cannot be answered now: `document`, `standing`, `status`, `agent`.
    pub down: BTreeSet<String>,
}

impl Known {
    pub fn new() -> Known {
        let everything = vec![("*".to_owned(), ResourcePattern::parse("*").unwrap())];
        Known {
            authorized: BTreeMap::from([(north().did, everything)]),
            frozen: BTreeSet::new(),
            removed: BTreeSet::new(),
            set: BTreeSet::new(),
            lists: BTreeSet::from([LIST.to_owned(), SUSPENSIONS.to_owned()]),
            agents: BTreeMap::new(),
            other_lists: BTreeMap::new(),
            retired: BTreeSet::new(),
            suspended: BTreeSet::new(),
            compromised: BTreeSet::new(),
            anchored: BTreeSet::new(),
            heard: BTreeMap::from([(north().did, after(-5))]),
            documents: BTreeMap::new(),
            witnesses: [after(-4), after(-3)].map(|time| Witness { size: 17, time }).to_vec(),
            own: false,
            grounds: 3,
            down: BTreeSet::new(),
        }
    }
}

impl Known {
    /// Declares a key compromised; only these documents are older.
    pub fn compromise(&mut self, key: &str, anchored: &[String]) {
        self.compromised.insert(key.to_owned());
        self.anchored.extend(anchored.iter().cloned());
    }
}

impl Knowledge for Known {
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        if self.down.contains("document") {
            return Err(ResolveError::Unavailable("down".into()));
        }
        match self.documents.get(did) {
            Some(document) => Ok(document.clone()),
            None => did_key::resolve(did).map(Arc::new),
        }
    }

    fn standing(&self, _: &str, issuer: &Did, action: &str, resource: &str, _: Timestamp) -> Standing {
        if self.down.contains("standing") {
            return Standing::Unavailable("down".into());
        }
        if self.removed.contains(issuer) {
            return Standing::IssuerRemoved;
        }
        if self.frozen.contains(issuer) {
            return Standing::IssuerFrozen;
        }
        let Some(granted) = self.authorized.get(issuer) else {
            return Standing::IssuerUnknown;
        };
        let resource = ResourcePattern::parse(resource).unwrap();
        let covered = |(name, pattern): &(String, ResourcePattern)| {
            (name == "*" || name == action) && pattern.covers_pattern(&resource)
        };
        if granted.iter().any(covered) {
            Standing::Authorized {
                by: south().did.to_string(),
            }
        } else {
            Standing::NotAuthorized
        }
    }

    fn status(&self, issuer: &Did, list: &str, _: StatusPurpose, index: u64) -> StatusBit {
        if self.down.contains("status") {
            return StatusBit::Unknown("down".into());
        }
        let other = self.other_lists.get(list) == Some(issuer);
        if !other && (*issuer != north().did || !self.lists.contains(list)) {
            return StatusBit::Unknown("no such list of this issuer".into());
        }
        if self.set.contains(&(list.to_owned(), index)) {
            StatusBit::Set
        } else {
            StatusBit::Clear
        }
    }

    fn agent(&self, did: &Did, _: Timestamp) -> AgentStanding {
        if self.down.contains("agent") {
            return AgentStanding::Unavailable("down".into());
        }
        if self.suspended.contains(did) {
            return AgentStanding::Suspended { at: after(-3_600) };
        }
        if self.retired.contains(did) {
            return AgentStanding::Retired { at: after(-3_600) };
        }
        self.agents
            .get(did)
            .map_or(AgentStanding::Unknown, |organization| AgentStanding::Active {
                owner: owner().id,
                organization: organization.clone(),
            })
    }

    fn grounds(&self, _: &Did, _: &str) -> u64 {
        self.grounds
    }

    fn key_standing(&self, _: &Did, method: &str, key: &PublicKey, digest: &dyn Fn() -> String) -> KeyStanding {
        if self.down.contains("keys") {
            return KeyStanding::Unavailable("down".into());
        }
        let named = self.compromised.contains(method) || self.compromised.contains(&key.to_multikey());
        if named && !self.anchored.contains(&digest()) {
            return KeyStanding::Compromised { at: after(-5) };
        }
        KeyStanding::Good
    }

    fn freshness(&self, issuer: &Did) -> Option<Freshness> {
        let time = *self.heard.get(issuer)?;
        Some(Freshness {
            organization: issuer.clone(),
            head_size: 17,
            time,
            own: self.own,
            others: 3,
            witnesses: self.witnesses.clone(),
        })
    }
}

/// Single-use values in memory.
pub struct Once {
    /// Challenges that were handed out: `unused`, `used` or `expired`.
    pub challenges: RefCell<BTreeMap<String, &'static str>>,
    pub nonces: RefCell<BTreeSet<String>>,
    /// What counters show.
    pub counters: RefCell<BTreeMap<String, Tally>>,
    pub down: bool,
}

impl Once {
    pub fn new() -> Once {
        Once {
            challenges: RefCell::new(BTreeMap::from([(CHALLENGE.to_owned(), "unused")])),
            nonces: RefCell::new(BTreeSet::new()),
            counters: RefCell::new(BTreeMap::new()),
            down: false,
        }
    }
}

impl OneTime for Once {
    fn spend(&self, kind: OneTimeKind, value: &str, _: Timestamp, _: Timestamp) -> Result<(), SpendError> {
        if self.down {
            return Err(SpendError::Unavailable("disk full".into()));
        }
        match kind {
            OneTimeKind::Challenge => match self.challenges.borrow_mut().get_mut(value) {
                None => Err(SpendError::Unknown),
                Some(state) => match std::mem::replace(state, "used") {
                    "unused" => Ok(()),
                    "used" => Err(SpendError::Used),
                    _ => Err(SpendError::Expired),
                },
            },
            OneTimeKind::ActionNonce => {
                if self.nonces.borrow_mut().insert(value.to_owned()) {
                    Ok(())
                } else {
                    Err(SpendError::Used)
                }
            }
        }
    }

    fn spend_counted(
        &self,
        kind: OneTimeKind,
        value: &str,
        counted: &[Counted],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), SpendError> {
        if self.nonces.borrow().contains(value) {
            return Err(SpendError::Used);
        }
        let mut counters = self.counters.borrow().clone();
        for (index, one) in counted.iter().enumerate() {
            let held = counters.get(&one.counter).copied();
            let tally = one.added_to(held).ok_or(SpendError::Exceeded(index))?;
            counters.insert(one.counter.clone(), tally);
        }
        self.spend(kind, value, now, expires)?;
        *self.counters.borrow_mut() = counters;
        Ok(())
    }
}

pub fn capability(action: &str, resource: &str, scope: &str, constraint: Vec<Constraint>) -> Capability {
    Capability {
        action: action.parse().unwrap(),
        resource: resource.parse().unwrap(),
        scope: (!scope.is_empty()).then(|| scope.parse().unwrap()),
        constraint,
    }
}

pub fn range(parameter: &str, minimum: Option<&str>, maximum: Option<&str>, unit: Option<&str>) -> Constraint {
    let decimal = |text: Option<&str>| text.map(|text| Decimal::parse(text).unwrap());
    Constraint::Range(Range {
        parameter: parameter.to_owned(),
        minimum: decimal(minimum),
        maximum: decimal(maximum),
        unit: unit.map(str::to_owned),
    })
}

pub fn approval_for(parameter: &str, values: &[&str]) -> Constraint {
    Constraint::Approval(Approval {
        approver: owner().id,
        when: Some(ApprovalCondition {
            parameter: parameter.to_owned(),
            values: values.iter().map(|text| (*text).into()).collect(),
        }),
    })
}

pub fn owner() -> Owner {
    Owner {
        id: "https://north.example/people/ana-lima".into(),
        name: Some("Ana Lima".into()),
    }
}

pub fn revocation() -> StatusEntry {
    StatusEntry {
        purpose: StatusPurpose::Revocation,
        list: LIST.into(),
        index: INDEX,
    }
}

pub fn suspension() -> StatusEntry {
    StatusEntry {
        purpose: StatusPurpose::Suspension,
        list: SUSPENSIONS.into(),
        index: INDEX,
    }
}

/// The article's agent, line by line.
pub fn draft() -> CapabilityCredentialDraft {
    let hours = || Constraint::Hours(Hours::always());
    CapabilityCredentialDraft {
        id: CREDENTIAL_ID.into(),
        issuer: north().did,
        valid_from: after(-3_600),
        valid_until: after(82_800),
        status: vec![revocation(), suspension()],
        agent: agent().did,
        agent_name: "CustomerSupportAgent-v2.3".into(),
        owner: owner(),
        capability: vec![
            capability("read", "customer_records", "assigned_tickets_only", vec![hours()]),
            capability(
                "write",
                "ticket_updates",
                "own_tickets",
                vec![approval_for("operation", &["account_closure"]), hours()],
            ),
            capability(
                "call",
                "billing_api",
                "refund_under_100",
                vec![range("amount", None, Some("100"), Some("USD")), hours()],
            ),
            capability("escalate", "to_human", "always", vec![hours()]),
        ],
        max_depth: 0,
        delegated_from: None,
    }
}

pub fn sign(draft: &CapabilityCredentialDraft) -> Value {
    draft.sign(&north().method(), after(-3_600), north().signer()).unwrap()
}

pub fn credential() -> Value {
    sign(&draft())
}

pub fn presentation_draft(credentials: Vec<Value>) -> PresentationDraft {
    PresentationDraft {
        id: None,
        holder: agent().did,
        credentials,
    }
}

pub fn present(credentials: Vec<Value>) -> Value {
    let agent = agent();
    presentation_draft(credentials)
        .sign(CHALLENGE, DOMAIN, &agent.method(), after(-2), agent.signer())
        .unwrap()
}

/// An action of the article's agent: `("call", "billing_api", "refund_under_100", {"amount": ...})`.
pub fn action_draft<'a>(
    credential: &'a Value,
    action: &str,
    resource: &str,
    scope: &str,
    parameters: &str,
) -> ActionDraft<'a> {
    ActionDraft {
        id: ACTION_ID.into(),
        agent: agent().did,
        action: action.parse().unwrap(),
        resource: resource.parse().unwrap(),
        scope: (!scope.is_empty()).then(|| scope.parse().unwrap()),
        parameters: parameters_of(parameters),
        purpose: None,
        audience: south().did,
        created: after(-2),
        expires: after(298),
        nonce: NONCE.into(),
        credential,
    }
}

pub fn parameters_of(text: &str) -> Parameters {
    use syndic_vc::action::Parameter;
    use syndic_vc::json::members::Path;
    let value = json::parse(text.as_bytes()).unwrap();
    let object = value.as_object().unwrap();
    object
        .iter()
        .map(|(name, value)| (name.to_owned(), Parameter::read(value, &Path::ROOT).unwrap()))
        .collect()
}

pub fn sign_action(draft: ActionDraft<'_>) -> Value {
    draft.sign(&agent().method(), agent().signer()).unwrap()
}

pub fn envelope(action: Value, credential: Value) -> Value {
    syndic_vc::object! { "action": action, "credential": credential }
}

/// A refund of 49.99 USD, which is allowed.
pub fn refund() -> Value {
    let credential = credential();
    let draft = action_draft(
        &credential,
        "call",
        "billing_api",
        "refund_under_100",
        r#"{"amount": {"value": "49.99", "unit": "USD"}, "ticket": "T-1001"}"#,
    );
    envelope(sign_action(draft), credential)
}

pub fn text(value: &Value) -> Vec<u8> {
    syndic_vc::canonical::to_bytes(value)
}

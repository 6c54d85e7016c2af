//! What a verification may know: the registry, and what was fetched for it beforehand.
//!
//! Verification itself fetches nothing. Before it runs, [`gather`] looks at who signed and asks the hosts that the
//! configuration allows; what it brings answers only where the registry has no word. Trust comes first, then the
//! request: a host must be on the allow-list, and the status list that a credential names is fetched only after its
//! issuer's proof was verified.

mod named;

use std::collections::BTreeMap;
use std::sync::Arc;

use syndic_vc::credential::Credential;
use syndic_vc::did::{Did, DidUrl};
use syndic_vc::document::DidDocument;
use syndic_vc::json::Value;
use syndic_vc::json::members::Path;
use syndic_vc::key::PublicKey;
use syndic_vc::resolve::ResolveError;
use syndic_vc::status::{StatusList, StatusPurpose};
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{AgentStanding, Freshness, KeyStanding, Knowledge, Standing, StatusBit};
use syndic_vc::verify::{self, Policy};
use syndic_vc::webvh::Which;

use named::Part;

use crate::clock;
use crate::node::Node;
use crate::outside::{Outside, OutsideError};

/// Where knowledge comes from.
pub struct Sources<'a> {
    /// What is known without asking anybody.
    pub registry: Box<dyn Knowledge + 'a>,
    /// Whether a DID is one of the consortium's: about those, only the registry has a word.
    pub is_member: Box<dyn Fn(&Did) -> bool + 'a>,
    /// The way to other hosts.
    pub outside: &'a Outside,
    /// How this organization judges.
    pub policy: Policy,
}

/// The registry's knowledge, and what other hosts said of themselves.
pub struct Known<'a> {
    sources: Sources<'a>,
    documents: BTreeMap<Did, Result<Said<Arc<DidDocument>>, ResolveError>>,
    lists: BTreeMap<String, Result<Said<List>, String>>,
}

/// What was said, and when it was fetched.
struct Said<T> {
    what: T,
    at: Timestamp,
}

/// A status list whose proof holds.
struct List {
    issuer: Did,
    purpose: StatusPurpose,
    bits: StatusList,
}

/// What a node knows, and what it may ask others, to judge a document: a credential, a presentation, or an action with
/// its credential. May wait for other hosts, so not for the asynchronous threads.
#[must_use]
pub fn gather<'a>(node: &'a Node, document: &Value) -> Known<'a> {
    let view = node.view();
    let sources = Sources {
        registry: Box::new(view),
        // By the DID of the charter, or by a did:webvh that both say is the member's.
        is_member: Box::new(move |did| !matches!(view.organization_of(did), Ok(None))),
        outside: &node.outside,
        policy: node.policy(),
    };
    gather_from(sources, document, clock::now())
}

/// The same from other sources.
#[must_use]
pub fn gather_from<'a>(sources: Sources<'a>, document: &Value, now: Timestamp) -> Known<'a> {
    let mut known = Known {
        sources,
        documents: BTreeMap::new(),
        lists: BTreeMap::new(),
    };
    if !known.sources.outside.is_enabled() {
        return known;
    }
    let parts = named::parts(document);
    for did in parts.iter().flat_map(|part| named::signers(&part.opened)) {
        known.learn_document(did);
    }
    for part in &parts {
        known.learn_lists(part, now);
    }
    known
}

impl Known<'_> {
    /// The DIDs and status lists about which another host was asked, whatever it said.
    pub fn learned(&self) -> impl Iterator<Item = &str> {
        let documents = self.documents.keys().map(Did::as_str);
        documents.chain(self.lists.keys().map(String::as_str))
    }

    fn learn_document(&mut self, did: Did) {
        let on_the_web = matches!(did.method(), "web" | "webvh");
        let answered = !is_silent(&self.sources.registry.document(&did));
        if !on_the_web || answered || self.documents.contains_key(&did) || (self.sources.is_member)(&did) {
            return;
        }
        let said = fetch_document(self.sources.outside, &did).map_err(|error| unresolved(error, &did));
        self.documents.insert(did, said);
    }

    /// The lists that a credential names, once its own proof holds.
    fn learn_lists(&mut self, part: &Part, now: Timestamp) {
        let Some(credential) = part
            .opened
            .as_object()
            .and_then(|object| Credential::read(object, &Path::ROOT).ok())
        else {
            return;
        };
        let Ok(issuer) = Did::parse(&credential.issuer) else {
            return;
        };
        if credential.status.is_empty() || (self.sources.is_member)(&issuer) {
            return;
        }
        let proved = verify::proof_only_value(part.given.clone(), &self.sources.policy, &*self, now);
        let is_own = |method: &String| DidUrl::parse(method).is_ok_and(|url| *url.did() == issuer);
        if !proved.is_ok_and(|proved| proved.verification_methods().iter().all(is_own)) {
            return;
        }
        for entry in &credential.status {
            if !self.lists.contains_key(&entry.list) {
                let list = self.fetch_list(&entry.list, &issuer, now);
                self.lists.insert(entry.list.clone(), list);
            }
        }
    }

    /// A status list credential that is its issuer's, and still holds.
    fn fetch_list(&self, url: &str, issuer: &Did, now: Timestamp) -> Result<Said<List>, String> {
        let fetched = self
            .sources
            .outside
            .status_list(url)
            .map_err(|error| error.to_string())?;
        let verified = verify::credential_value(fetched.credential, &self.sources.policy, self, now)
            .map_err(|denied| format!("the status list credential does not hold: {}", denied.first().message))?;
        if verified.issuer() != issuer {
            return Err(format!(
                "the status list is {}'s and not the issuer's",
                verified.issuer()
            ));
        }
        let (purpose, bits) = named::list(verified.document(), url)?;
        Ok(Said {
            what: List {
                issuer: issuer.clone(),
                purpose,
                bits,
            },
            at: fetched.at,
        })
    }

    /// The oldest of what was fetched about an issuer.
    fn oldest(&self, issuer: &Did) -> Option<Timestamp> {
        let document = self.documents.get(issuer).and_then(|said| Some(said.as_ref().ok()?.at));
        let lists = self.lists.values().filter_map(|said| said.as_ref().ok());
        let lists = lists.filter(|said| said.what.issuer == *issuer).map(|said| said.at);
        document.into_iter().chain(lists).min()
    }
}

fn fetch_document(outside: &Outside, did: &Did) -> Result<Said<Arc<DidDocument>>, OutsideError> {
    if did.method() == "web" {
        let found = outside.did_document(did)?;
        return Ok(Said {
            what: Arc::new(found.document),
            at: found.at,
        });
    }
    let (resolved, at) = outside.webvh_version(did, &Which::Latest)?;
    if resolved.metadata.parameters.deactivated {
        return Err(OutsideError::Absent("the DID, which is deactivated,".to_owned()));
    }
    let document = resolved
        .did_document()
        .map_err(|error| OutsideError::Content(error.to_string()))?;
    Ok(Said {
        what: Arc::new(document),
        at,
    })
}

/// Whether the registry has no word about a DID. That it has ended, has forked or cannot be told now is one, and no
/// answer from elsewhere revives it.
const fn is_silent(answer: &Result<Arc<DidDocument>, ResolveError>) -> bool {
    matches!(answer, Err(ResolveError::MethodUnsupported(_) | ResolveError::NotFound))
}

fn unresolved(error: OutsideError, did: &Did) -> ResolveError {
    match error {
        OutsideError::Disabled | OutsideError::HostNotAllowed(_) => {
            ResolveError::MethodUnsupported(did.method().to_owned())
        }
        OutsideError::Identifier(why) => ResolveError::Identifier(why),
        OutsideError::Absent(_) | OutsideError::AddressRefused(_) => ResolveError::NotFound,
        OutsideError::Content(why) => ResolveError::Document(why),
        OutsideError::Unreachable(_) | OutsideError::Busy => ResolveError::Unavailable(error.to_string()),
    }
}

impl Knowledge for Known<'_> {
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        match (self.sources.registry.document(did), self.documents.get(did)) {
            (answer, Some(Ok(said))) if is_silent(&answer) => Ok(said.what.clone()),
            (answer, Some(Err(error))) if is_silent(&answer) => Err(error.clone()),
            (answer, _) => answer,
        }
    }

    fn standing(&self, authority: &str, issuer: &Did, action: &str, resource: &str, at: Timestamp) -> Standing {
        self.sources.registry.standing(authority, issuer, action, resource, at)
    }

    fn status(&self, issuer: &Did, list: &str, purpose: StatusPurpose, index: u64) -> StatusBit {
        if (self.sources.is_member)(issuer) {
            return self.sources.registry.status(issuer, list, purpose, index);
        }
        match self.lists.get(list) {
            None => self.sources.registry.status(issuer, list, purpose, index),
            Some(Err(why)) => StatusBit::Unknown(why.clone()),
            Some(Ok(said)) if said.what.issuer != *issuer => {
                StatusBit::Unknown("the list is another issuer's".to_owned())
            }
            Some(Ok(said)) if said.what.purpose != purpose => {
                StatusBit::Unknown("the list is for another purpose".to_owned())
            }
            Some(Ok(said)) => match said.what.bits.get(index) {
                Ok(false) => StatusBit::Clear,
                Ok(true) => StatusBit::Set,
                Err(error) => StatusBit::Unknown(error.to_string()),
            },
        }
    }

    fn agent(&self, did: &Did, at: Timestamp) -> AgentStanding {
        self.sources.registry.agent(did, at)
    }

    fn key_standing(&self, issuer: &Did, method: &str, key: &PublicKey, digest: &dyn Fn() -> String) -> KeyStanding {
        self.sources.registry.key_standing(issuer, method, key, digest)
    }

    fn grounds(&self, issuer: &Did, list: &str) -> u64 {
        self.sources.registry.grounds(issuer, list)
    }

    /// About one of the consortium's, what the registry says; about anybody else, when it was asked.
    fn freshness(&self, issuer: &Did) -> Option<Freshness> {
        if (self.sources.is_member)(issuer) {
            return self.sources.registry.freshness(issuer);
        }
        self.sources.registry.freshness(issuer).or_else(|| {
            Some(Freshness {
                organization: issuer.clone(),
                head_size: 0,
                time: self.oldest(issuer)?,
                own: false,
                others: 0,
                witnesses: Vec::new(),
            })
        })
    }
}

//! A DID to its document, by whatever this node has: the DID itself, the registry, its own files, and, where the
//! configuration says so, what other hosts serve.

use syndic_registry::view::DidLogError;
use syndic_vc::dereference::Version;
use syndic_vc::did::Did;
use syndic_vc::json::{Object, Value};
use syndic_vc::resolve::ResolveError;
use syndic_vc::trust::Knowledge as _;
use syndic_vc::webvh::{WebvhError, Which};

use crate::clock;
use crate::hosted;
use crate::node::Node;
use crate::outside::OutsideError;

/// What a DID resolves to.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The document as it is shown.
    pub document: Value,
    /// What the method says about it (DID Resolution section 4.3): versions and their times.
    pub metadata: Object,
    /// Whether the DID's subject has ended it.
    pub deactivated: bool,
}

/// Why a DID does not resolve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolutionError {
    /// The DID breaks the rules of its method, or holds no key that is accepted.
    #[error("{0}")]
    Invalid(String),
    /// Nobody here resolves this method.
    #[error("the DID method {0:?} is not resolved here")]
    Method(String),
    /// There is no such DID, as far as this node can know.
    #[error("{0}")]
    NotFound(String),
    /// A version was asked for, and the method has none.
    #[error("documents of did:{0} have no versions")]
    Versions(String),
    /// The DID's subject has ended it.
    #[error("the DID is deactivated")]
    Deactivated,
    /// What was found is not the DID's document.
    #[error("what was found for the DID is not its document: {0}")]
    Document(String),
    /// It cannot be told now.
    #[error("the DID cannot be resolved now: {0}")]
    Unavailable(String),
}

impl Resolved {
    fn current(document: Value) -> Self {
        Self {
            document,
            metadata: Object::new(),
            deactivated: false,
        }
    }
}

/// Resolves a DID. May wait for another host, so not for the asynchronous threads.
///
/// # Errors
/// [`ResolutionError`].
pub fn resolve(node: &Node, did: &Did, version: Option<&Version>) -> Result<Resolved, ResolutionError> {
    match did.method() {
        "web" => {
            no_versions(did, version)?;
            match hosted::document(node) {
                Some(own) if own.id == *did => Ok(Resolved::current(own.to_json())),
                _ => Ok(Resolved::current(node.outside.did_document(did)?.shown.clone())),
            }
        }
        "key" | "jwk" => {
            no_versions(did, version)?;
            Ok(Resolved::current(node.view().document(did)?.to_json()))
        }
        "webvh" => webvh(node, did, version),
        _ => Ok(Resolved::current(node.view().document(did)?.to_json())),
    }
}

fn webvh(node: &Node, did: &Did, version: Option<&Version>) -> Result<Resolved, ResolutionError> {
    let which = match version {
        None => Which::Latest,
        Some(Version::Id(id)) => Which::Id(id.clone()),
        Some(Version::Number(number)) => Which::Number(*number),
        Some(Version::Time(time)) => Which::Time(*time),
    };
    // What the members carry is the whole answer: another host could only serve an older log.
    let registered = node.view().did_log(did);
    let registered = registered.map_err(|error| ResolutionError::Unavailable(error.to_string()))?;
    let resolved = match registered {
        Some(log) => log.resolve(did, &which, clock::now())?,
        None => match node.outside.webvh_version(did, &which) {
            Ok((resolved, _)) => resolved,
            Err(OutsideError::Disabled) => return Err(ResolutionError::Method(did.method().to_owned())),
            Err(error) => return Err(error.into()),
        },
    };
    Ok(Resolved {
        deactivated: resolved.metadata.parameters.deactivated,
        metadata: resolved.metadata.to_json().into_object().unwrap_or_default(),
        document: resolved.document,
    })
}

fn no_versions(did: &Did, version: Option<&Version>) -> Result<(), ResolutionError> {
    version.map_or(Ok(()), |_| Err(ResolutionError::Versions(did.method().to_owned())))
}

impl From<ResolveError> for ResolutionError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::MethodUnsupported(method) => Self::Method(method),
            ResolveError::NotFound => Self::NotFound(error.to_string()),
            ResolveError::Deactivated => Self::Deactivated,
            ResolveError::Document(why) => Self::Document(why),
            ResolveError::Unavailable(why) => Self::Unavailable(why),
            _ => Self::Invalid(error.to_string()),
        }
    }
}

impl From<DidLogError> for ResolutionError {
    fn from(error: DidLogError) -> Self {
        match error {
            DidLogError::Log(WebvhError::NotFound | WebvhError::OtherDid) => Self::NotFound(error.to_string()),
            DidLogError::Log(WebvhError::Did(_)) => Self::Invalid(error.to_string()),
            other => Self::Document(other.to_string()),
        }
    }
}

impl From<OutsideError> for ResolutionError {
    fn from(error: OutsideError) -> Self {
        match error {
            OutsideError::Disabled => Self::Method("web".to_owned()),
            OutsideError::Identifier(why) => Self::Invalid(why),
            OutsideError::HostNotAllowed(_) | OutsideError::AddressRefused(_) | OutsideError::Absent(_) => {
                Self::NotFound(error.to_string())
            }
            OutsideError::Content(why) => Self::Document(why),
            OutsideError::Unreachable(_) | OutsideError::Busy => Self::Unavailable(error.to_string()),
        }
    }
}

//! Presentations: a holder shows credentials to one verifier, in answer to its challenge.

use crate::credential::{CAPABILITY_CONTEXT, CREDENTIALS_CONTEXT, contexts, party, types};
use crate::denial::{DenialCode, Reason};
use crate::did::Did;
use crate::document::Purpose;
use crate::json::members::{Members, Path};
use crate::json::{Object, Value};
use crate::key::Signer;
use crate::limits::{CHALLENGE_BYTES, CREDENTIALS_PRESENTED};
use crate::name::is_url;
use crate::proof::{self, IssueError, ProofOptions, Suite};
use crate::time::Timestamp;

/// The type every presentation has.
pub const PRESENTATION_TYPE: &str = "VerifiablePresentation";

/// A presentation as it stands in a document, nothing checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presentation {
    /// Its own name, a URL.
    pub id: Option<String>,
    /// Who presents: a DID or URL. Only a DID can be verified.
    pub holder: String,
    /// How many credentials it holds.
    pub credentials: usize,
}

impl Presentation {
    /// Reads a presentation; closed. The credentials in it are read each by itself.
    ///
    /// # Errors
    /// The member at fault.
    pub fn read(object: &Object, at: &Path<'_>) -> Result<Self, Reason> {
        let members = Members::of_object(object, at);
        contexts(&members)?;
        types(&members, PRESENTATION_TYPE)?;
        let id = members.optional_str("id")?;
        if id.is_some_and(|id| !is_url(id)) {
            return Err(members.error("id", "a URL").into());
        }
        let credentials = credentials(object).len();
        members.optional("verifiableCredential");
        let here = members.at("verifiableCredential");
        if credentials == 0 {
            return Err(here.error("at least one credential").into());
        }
        if credentials > CREDENTIALS_PRESENTED {
            let text = format!("{credentials} credentials, and at most {CREDENTIALS_PRESENTED} are read");
            return Err(Reason::new(DenialCode::DocumentTooLarge, here.to_string(), text));
        }
        members.optional("proof");
        let presentation = Self {
            id: id.map(str::to_owned),
            holder: party(&members, "holder")?,
            credentials,
        };
        members.finish_closed()?;
        Ok(presentation)
    }
}

/// The credentials of a presentation: one, or those in the array.
pub(crate) fn credentials(object: &Object) -> &[Value] {
    match object.get("verifiableCredential") {
        None => &[],
        Some(Value::Array(items)) => items,
        Some(one) => std::slice::from_ref(one),
    }
}

/// A presentation to be signed.
#[derive(Clone, Debug)]
pub struct PresentationDraft {
    /// Its own name, if it needs one.
    pub id: Option<String>,
    /// Who presents: the subject of every credential.
    pub holder: Did,
    /// The signed credentials; 1 to 16.
    pub credentials: Vec<Value>,
}

impl PresentationDraft {
    /// The unsigned presentation.
    ///
    /// # Errors
    /// Why no verifier would take it.
    pub fn to_document(&self) -> Result<Object, Reason> {
        let mut document = Object::new();
        document.insert("@context", vec![CREDENTIALS_CONTEXT, CAPABILITY_CONTEXT]);
        if let Some(id) = &self.id {
            document.insert("id", id.as_str());
        }
        document.insert("type", vec![PRESENTATION_TYPE]);
        document.insert("holder", &self.holder);
        document.insert("verifiableCredential", Value::Array(self.credentials.clone()));
        Presentation::read(&document, &Path::ROOT)?;
        Ok(document)
    }

    /// Signs the presentation with the holder's key, named by `verification_method`, in answer to
    /// the verifier `domain`'s `challenge`.
    ///
    /// # Errors
    /// [`IssueError::Refused`] when no verifier would take it (and why), [`IssueError::Sign`] when
    /// the key cannot be used.
    pub fn sign(
        &self,
        challenge: &str,
        domain: &str,
        verification_method: &str,
        created: Timestamp,
        signer: &dyn Signer,
    ) -> Result<Value, IssueError> {
        self.sign_in(
            Suite::default(),
            challenge,
            domain,
            verification_method,
            created,
            signer,
        )
    }

    /// The same with a proof of another suite.
    ///
    /// # Errors
    /// As [`Self::sign`]; [`IssueError::Refused`] too when the suite does not take the key or the document.
    pub fn sign_in(
        &self,
        suite: Suite,
        challenge: &str,
        domain: &str,
        verification_method: &str,
        created: Timestamp,
        signer: &dyn Signer,
    ) -> Result<Value, IssueError> {
        for (name, text) in [("challenge", challenge), ("domain", domain)] {
            if text.is_empty() || text.len() > CHALLENGE_BYTES {
                let message = format!("a {name} of 1 to {CHALLENGE_BYTES} bytes is needed: ask the verifier for it");
                return Err(Reason::new(DenialCode::DocumentMalformed, format!("/proof/{name}"), message).into());
            }
        }
        let mut options = ProofOptions::new(Purpose::Authentication, verification_method, created).in_suite(suite);
        options.challenge = Some(challenge.to_owned());
        options.domain = Some(domain.to_owned());
        proof::sign(self.to_document()?, &options, signer)
    }
}

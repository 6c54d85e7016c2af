//! Shapes of decisions that come with what they rest on.

use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use super::{DecisionShape, Document};

/// A body of one of the verification endpoints: a credential, a presentation with its options, or an action with its
/// credential.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// A credential to be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verifiable_credential: Option<Document>,
    /// A presentation to be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verifiable_presentation: Option<Document>,
    /// Challenge and domain of the presentation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Document>,
    /// An action to be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Document>,
    /// The credential that it is done under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<Document>,
}

/// A yes, and what shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllowedWithBundle {
    /// Always true.
    pub verified: bool,
    /// The decision.
    pub decision: DecisionShape,
    /// The bundle (document 9); as a file it is written in canonical form.
    pub bundle: Document,
}

/// A no, and what shows it: a problem document.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeniedWithBundle {
    /// A URL that names the first reason.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code of the first reason.
    pub title: String,
    /// 400.
    pub status: u16,
    /// The first reason, for people.
    pub detail: String,
    /// Always false.
    pub verified: Option<bool>,
    /// Every reason.
    pub problem_details: Option<Vec<Document>>,
    /// The decision.
    pub decision: Option<DecisionShape>,
    /// The bundle (document 9); absent if nothing was decided.
    pub bundle: Option<Document>,
}

/// What `POST /decisions` answers.
#[derive(Debug, IntoResponses)]
pub enum Shown {
    /// It may be acted on.
    #[response(status = 200)]
    Allow(AllowedWithBundle),
    /// It may not, or the request was not understood.
    #[response(status = 400, content_type = "application/problem+json")]
    Deny(DeniedWithBundle),
    /// No bundle can hold what the decision rests on: logs that are too long, or the word of another host.
    #[response(status = 422, content_type = "application/problem+json")]
    Impossible(super::ProblemDocument),
}

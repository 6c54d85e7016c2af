//! `token`: access tokens for services that know OAuth and no credentials.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use multibase::Base;
use syndic_vc::canonical;
use syndic_vc::json::{Object, Value};
use syndic_vc::key::SecretKey;
use syndic_vc::object;
use syndic_vc::token::dpop::ProofDraft;
use zeroize::Zeroizing;

use super::documents::{self, required, text};
use super::failure::{Exit, Failure};
use super::output::{Output, clean};
use super::{Global, connect, present};
use crate::client::Answer;
use crate::data_dir::write_durably;
use crate::tokens::grant::{GRANT_TYPE, PRESENTATION_TYPE};
use crate::tokens::secret_hash;
use crate::{clock, keys};

/// Shown at the end of `syndic token --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic token get --agent CustomerSupportAgent-v2.3 --credential support.json \\
      --to http://127.0.0.1:9440 --audience https://api.example/billing --key dpop.json --out token.txt
  syndic token proof --key dpop.json --method POST --url https://api.example/billing/refunds --token token.txt
  syndic token introspect token.txt";

/// `syndic token ...`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Present credentials to a node and get an access token for a service
    Get(Box<GetArguments>),
    /// Make the DPoP proof that goes with one request
    Proof(ProofArguments),
    /// Ask one's own node whether a token that it made still holds
    Introspect(IntrospectArguments),
    /// End a token early
    Revoke(RevokeArguments),
    /// Make the secret with which a service asks about tokens
    #[command(after_help = "\
Example:
  syndic token secret

The secret is for the service, and printed only now; its hash goes into config.toml, as secret_sha256 of a
[[tokens.services]].")]
    Secret,
}

/// `syndic token get`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic token get --agent CustomerSupportAgent-v2.3 --credential support.json \\
      --to http://127.0.0.1:9440 --audience https://api.example/billing --key dpop.json --scope read:tickets/42

Exit code 3 if the presentation is denied. The token is worth nothing without the key.")]
pub struct GetArguments {
    /// The agent's name or DID; its key must be held by this node
    #[arg(long)]
    pub agent: String,
    /// A credential: its id, or a file; may be repeated
    #[arg(long = "credential", value_name = "ID|FILE", required = true, num_args = 1..)]
    pub credentials: Vec<String>,
    /// Public URL of the node that makes the token
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// The service, as that node's configuration names it
    #[arg(long, value_name = "URL|DID")]
    pub audience: String,
    /// The DPoP key, a private JSON Web Key; made if there is none
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Ask for less: ACTION:RESOURCE, several in one text
    #[arg(long, conflicts_with = "details")]
    pub scope: Option<String>,
    /// Ask for less: authorization details, a JSON array
    #[arg(long, value_name = "JSON")]
    pub details: Option<String>,
    /// What the token is for: a name
    #[arg(long, value_name = "ID")]
    pub task: Option<String>,
    /// What the token is for
    #[arg(long, value_name = "TEXT")]
    pub purpose: Option<String>,
    /// Write the token here
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `syndic token proof`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic token proof --key dpop.json --method GET --url https://api.example/billing/7 --token token.txt

It goes with one request, as the header DPoP, and is good for a minute.")]
pub struct ProofArguments {
    /// The DPoP key, a private JSON Web Key; made if there is none
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The method of the request, such as GET
    #[arg(long)]
    pub method: String,
    /// The URL of the request
    #[arg(long)]
    pub url: String,
    /// The access token that is sent with it, or its file
    #[arg(long, value_name = "TOKEN|FILE")]
    pub token: Option<String>,
    /// The nonce that the server handed out
    #[arg(long)]
    pub nonce: Option<String>,
}

/// `syndic token introspect`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic token introspect token.txt

Exit code 3 if it holds no longer, with the reason.")]
pub struct IntrospectArguments {
    /// The token, or its file
    #[arg(value_name = "TOKEN|FILE")]
    pub token: String,
}

/// `syndic token revoke`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic token revoke token.txt --at http://127.0.0.1:9440")]
pub struct RevokeArguments {
    /// The token, or its file
    #[arg(value_name = "TOKEN|FILE")]
    pub token: String,
    /// Public URL of the node that made it [default: one's own node]
    #[arg(long, value_name = "URL")]
    pub at: Option<String>,
}

/// Carries out `syndic token ...`.
///
/// # Errors
/// A node cannot be reached or refuses; a file cannot be read.
pub fn execute(global: &Global, command: &TokenCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        TokenCommand::Get(arguments) => get(global, arguments, output),
        TokenCommand::Proof(arguments) => proof(arguments, output),
        TokenCommand::Introspect(arguments) => introspect(global, arguments, output),
        TokenCommand::Revoke(arguments) => revoke(global, arguments, output),
        TokenCommand::Secret => secret(output),
    }
}

fn get(global: &Global, arguments: &GetArguments, output: &Output) -> Result<Exit, Failure> {
    let key = dpop_key(&arguments.key)?;
    let credentials = arguments
        .credentials
        .iter()
        .map(|text| documents::credential_reference(text))
        .collect::<Result<Vec<_>, _>>()?;
    let there = Some(arguments.to.as_str());
    // The node's own name of its endpoint stands in the proof; nothing is called but what was named here.
    let metadata = connect::with(there, global, |node| {
        node.get("/.well-known/oauth-authorization-server")
    })?;
    let challenge = connect::with(there, global, |node| {
        // A presentation that is lost on the way is worth nothing without this key.
        node.post(
            "/challenges",
            &object! { "dpop_jkt": key.public_key().jwk_thumbprint() },
        )
    })?;
    let (nonce, domain) = (text(&challenge, &["challenge"]), text(&challenge, &["domain"]));
    let signed = present::sign(global, &arguments.agent, credentials, &nonce, &domain)?;
    let presentation = canonical::to_bytes(required(&signed, "verifiablePresentation")?);
    let presentation = String::from_utf8(presentation).map_err(|_| Failure::strange_answer("text"))?;
    let proof = make_proof(&key, "POST", &text(&metadata, &["token_endpoint"]), None, Some(&nonce))?;
    let mut form = vec![
        ("grant_type", GRANT_TYPE),
        ("subject_token_type", PRESENTATION_TYPE),
        ("subject_token", &presentation),
        ("challenge", &nonce),
        ("audience", &arguments.audience),
    ];
    let optional = [
        ("scope", &arguments.scope),
        ("authorization_details", &arguments.details),
        ("task_id", &arguments.task),
        ("task_purpose", &arguments.purpose),
    ];
    form.extend(
        optional
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_deref()?))),
    );
    let answer = connect::with(there, global, |node| node.post_form("/token", &form, Some(&proof)))?;
    let answer = granted(answer)?;
    let token = text(&answer, &["access_token"]);
    if let Some(path) = &arguments.out {
        write(path, token.as_bytes())?;
    }
    output.show(&answer, |page| {
        let grants: Vec<String> = documents::items(&answer, "authorization_details")
            .iter()
            .map(grant)
            .collect();
        page.pairs(&[
            ("for", arguments.audience.clone()),
            ("ends in", format!("{} s", text(&answer, &["expires_in"]))),
            ("grants", grants.join(", ")),
            ("key", arguments.key.display().to_string()),
        ]);
        match &arguments.out {
            Some(path) => page.line(format_args!("written to {}", path.display())),
            None => page.line(clean(&token)),
        }
    });
    Ok(Exit::Done)
}

fn grant(item: &Value) -> String {
    format!("{}:{}", text(item, &["action"]), text(item, &["resource"]))
}

/// The body of a 2xx answer of an OAuth endpoint.
fn granted(answer: Answer) -> Result<Value, Failure> {
    if (200..300).contains(&answer.status) {
        return Ok(answer.body);
    }
    let (error, why) = match answer.body.get("error") {
        Some(_) => (
            text(&answer.body, &["error"]),
            text(&answer.body, &["error_description"]),
        ),
        None => (text(&answer.body, &["title"]), text(&answer.body, &["detail"])),
    };
    let exit = match text(&answer.body, &["decision", "decision"]).as_str() {
        "deny" => Exit::Denied,
        "approvalRequired" => Exit::ApprovalRequired,
        _ => Exit::Failed,
    };
    Err(Failure {
        exit,
        problem: Some(answer.body),
        ..Failure::failed(format!("{}: {}", clean(&error), clean(&why)))
    })
}

fn proof(arguments: &ProofArguments, output: &Output) -> Result<Exit, Failure> {
    let key = dpop_key(&arguments.key)?;
    let token = arguments.token.as_deref().map(token_of).transpose()?;
    let (token, nonce) = (token.as_deref(), arguments.nonce.as_deref());
    let proof = make_proof(&key, &arguments.method, &arguments.url, token, nonce)?;
    let answer = object! { "proof": proof.as_str(), "thumbprint": key.public_key().jwk_thumbprint() };
    output.show(&answer, |page| page.line(&proof));
    Ok(Exit::Done)
}

fn make_proof(
    key: &SecretKey,
    method: &str,
    url: &str,
    access_token: Option<&str>,
    nonce: Option<&str>,
) -> Result<String, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
    let id = keys::random_base64url::<18>().map_err(|error| failed(&error))?;
    let draft = ProofDraft {
        id: &id,
        method,
        url,
        issued: clock::now(),
        access_token,
        nonce,
    };
    draft.sign(key).map_err(|error| failed(&error))
}

fn introspect(global: &Global, arguments: &IntrospectArguments, output: &Output) -> Result<Exit, Failure> {
    let token = token_of(&arguments.token)?;
    let answer = connect::with_own(global, |node| node.post_form("/introspect", &[("token", &token)], None))?;
    let answer = granted(answer)?;
    let active = answer.get("active").and_then(Value::as_bool) == Some(true);
    output.show(&answer, |page| {
        if !active {
            page.line(format_args!("inactive: {}", clean(&text(&answer, &["reason"]))));
            return;
        }
        let grants: Vec<String> = documents::items(&answer, "authorization_details")
            .iter()
            .map(grant)
            .collect();
        page.line("active");
        page.pairs(&[
            ("agent", text(&answer, &["sub"])),
            ("owner", text(&answer, &["aap_agent", "operator"])),
            ("for", text(&answer, &["aud"])),
            ("grants", grants.join(", ")),
        ]);
    });
    Ok(if active { Exit::Done } else { Exit::Denied })
}

fn revoke(global: &Global, arguments: &RevokeArguments, output: &Output) -> Result<Exit, Failure> {
    let token = token_of(&arguments.token)?;
    let there = arguments.at.as_deref();
    let answer = connect::with(there, global, |node| {
        node.post_form("/revoke", &[("token", &token)], None)
    })?;
    granted(answer)?;
    output.show(&object! { "revoked": true }, |page| {
        page.line("revoked, if that node made it")
    });
    Ok(Exit::Done)
}

fn secret(output: &Output) -> Result<Exit, Failure> {
    let secret = keys::random_base64url::<32>().map_err(|error| Failure::failed(error.to_string()))?;
    let hash = secret_hash(&secret);
    let answer = object! { "secret": secret.as_str(), "secretSha256": hash.as_str() };
    output.show(&answer, |page| {
        page.pairs(&[
            ("secret, for the service", secret.clone()),
            ("secret_sha256", hash.clone()),
        ]);
    });
    Ok(Exit::Done)
}

/// A token that was typed, or is in a file.
fn token_of(given: &str) -> Result<String, Failure> {
    if given.matches('.').count() == 2 && !Path::new(given).exists() {
        return Ok(given.to_owned());
    }
    std::fs::read_to_string(given)
        .map(|text| text.trim().to_owned())
        .map_err(|error| Failure::failed(format!("cannot read the token {given}: {error}")))
}

/// Reads the private key of a file, or makes one there, readable by this user alone.
fn dpop_key(path: &Path) -> Result<SecretKey, Failure> {
    if path.exists() {
        let jwk = documents::read(path)?;
        let seed = || {
            let bytes = Zeroizing::new(Base::Base64Url.decode(jwk.get("d")?.as_str()?).ok()?);
            Some(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?))
        };
        let key = seed().map(SecretKey::from_seed);
        return key
            .filter(|key| key.public_key().to_jwk().get("x") == jwk.get("x"))
            .ok_or_else(|| Failure::failed(format!("{} is no private Ed25519 key as JSON Web Key", path.display())));
    }
    let key = SecretKey::from_seed(keys::random_seed().map_err(|error| Failure::failed(error.to_string()))?);
    let mut jwk: Object = key.public_key().to_jwk();
    jwk.insert("d", Base::Base64Url.encode(key.seed()));
    write(path, &canonical::to_bytes(&jwk.into()))?;
    Ok(key)
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    write_durably(path, content).map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
}

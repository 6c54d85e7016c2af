//! `init`, `found` and `join`: what happens before a node runs.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use syndic_vc::object;

use super::Global;
use super::failure::{Exit, Failure};
use super::output::Output;
use super::passphrase::PassphraseArguments;
use crate::setup::{self, FoundOptions, InitOptions};
use crate::store::Engine;

/// `syndic init`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  SYNDIC_PASSPHRASE='correct horse battery' syndic init --name \"St. Mary\" --data ./st-mary

Afterwards give ./st-mary/member.json to the one who founds the consortium.")]
pub struct InitArguments {
    /// The organization's name, as people know it
    #[arg(long)]
    pub name: String,
    /// Address of the public listener: what a stranger may ask
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8440")]
    pub public: String,
    /// Address of the admin listener: what the organization itself may do
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8441")]
    pub admin: String,
    /// Address of the peer listener, to which the other members' nodes connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8442")]
    pub peer: String,
    /// URL under which others reach the public listener [default: http:// and its address]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// The embedded store: redb or sled
    #[arg(long, value_enum, default_value_t = EngineArgument::Redb, hide_possible_values = true)]
    pub engine: EngineArgument,
    /// Where the passphrase is.
    #[command(flatten)]
    pub passphrase: PassphraseArguments,
}

/// The store's engine, as typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum EngineArgument {
    /// sled.
    Sled,
    /// redb.
    Redb,
}

/// `syndic found`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic found --name \"Hospitals of the Lake\" --data ./st-mary \\
      --member ./nordstadt/member.json --member ./lakeside/member.json --out charter.json

The founder's node is a member by this. The others join with: syndic join charter.json --data DIR")]
pub struct FoundArguments {
    /// The consortium's name
    #[arg(long)]
    pub name: String,
    /// A founding member's card (member.json, made by init); one's own may be left out
    #[arg(long = "member", value_name = "CARD.json", required = true, num_args = 1..)]
    pub members: Vec<PathBuf>,
    /// How many members must sign a change of the charter [default: more than half]
    #[arg(long, value_name = "N")]
    pub threshold: Option<u32>,
    /// How many members must authorize an issuer before the consortium does [default: more than half]
    #[arg(long, value_name = "N")]
    pub endorsements: Option<u32>,
    /// How many other members must have seen a log's head before it counts [default: 0]
    #[arg(long, value_name = "N")]
    pub witnesses: Option<u32>,
    /// Seconds after which silence of an issuer makes its credentials unacceptable [default: 300]
    #[arg(long, value_name = "SECONDS")]
    pub max_staleness: Option<u32>,
    /// Write the charter here too [default: only into the data folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `syndic join`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic join charter.json --data ./nordstadt

Afterwards run the node with: syndic run --data ./nordstadt")]
pub struct JoinArguments {
    /// The charter, as `found` wrote it, or the invitation that a member made with `charter show --out`
    #[arg(value_name = "CHARTER.json")]
    pub charter: PathBuf,
}

/// Sets up a data folder.
///
/// # Errors
/// The folder exists and is not empty, a value is wrong, there is no passphrase.
pub fn init(global: &Global, arguments: &InitArguments, output: &Output) -> Result<Exit, Failure> {
    let passphrase = arguments.passphrase.fresh()?;
    let options = InitOptions {
        name: arguments.name.clone(),
        public: arguments.public.clone(),
        admin: arguments.admin.clone(),
        peer: arguments.peer.clone(),
        public_url: arguments.public_url.clone(),
        engine: match arguments.engine {
            EngineArgument::Sled => Engine::Sled,
            EngineArgument::Redb => Engine::Redb,
        },
    };
    let report = setup::init(&global.data, options, &passphrase, crate::clock::now())?;
    let (card, token) = (
        report.card_path.display().to_string(),
        report.token_path.display().to_string(),
    );
    let document = object! {
        "did": report.did.as_str(),
        "data": global.data.display().to_string(),
        "card": card.as_str(),
        "token": token.as_str(),
    };
    output.show(&document, |page| {
        page.line(format_args!(
            "{} has a node in {}",
            super::output::clean(&arguments.name),
            global.data.display()
        ));
        page.pairs(&[("DID", report.did.clone()), ("card", card), ("admin token", token)]);
        page.line("next: give the card to the one who founds the consortium (see `syndic found --help`)");
    });
    Ok(Exit::Done)
}

/// Makes a charter.
///
/// # Errors
/// A card cannot be read or is not genuine; the numbers do not fit.
pub fn found(global: &Global, arguments: FoundArguments, output: &Output) -> Result<Exit, Failure> {
    let options = FoundOptions {
        name: arguments.name,
        cards: arguments.members,
        threshold: arguments.threshold,
        endorsements: arguments.endorsements,
        witnesses: arguments.witnesses,
        max_staleness: arguments.max_staleness,
    };
    let founded = setup::found(&global.data, options, crate::clock::now())?;
    let charter_path = match arguments.out {
        Some(out) => copy(&founded.charter_path, out)?,
        None => founded.charter_path,
    };
    let charter = charter_path.display().to_string();
    let document = object! { "consortiumId": founded.consortium_id.as_str(), "charter": charter.as_str() };
    output.show(&document, |page| {
        page.pairs(&[
            ("consortium", founded.consortium_id.clone()),
            ("charter", charter.clone()),
        ]);
        page.line(format_args!(
            "this node is a member; every other one runs: syndic join {charter}"
        ));
    });
    Ok(Exit::Done)
}

fn copy(charter: &Path, out: PathBuf) -> Result<PathBuf, Failure> {
    std::fs::copy(charter, &out).map_err(|error| {
        Failure::failed(format!(
            "the consortium is founded, but {} cannot be written: {error}",
            out.display()
        ))
        .advise(format!("the charter is in {}", charter.display()))
    })?;
    Ok(out)
}

/// Installs a charter.
///
/// # Errors
/// The charter is not genuine, or this node is no member of it.
pub fn join(global: &Global, arguments: &JoinArguments, output: &Output) -> Result<Exit, Failure> {
    let joined = setup::join(&global.data, &arguments.charter)?;
    let document = object! {
        "consortiumId": joined.consortium_id.as_str(),
        "name": joined.name.as_str(),
        "members": i64::try_from(joined.members).unwrap_or(i64::MAX),
    };
    output.show(&document, |page| {
        page.line(format_args!(
            "joined {} with {} members",
            super::output::clean(&joined.name),
            joined.members
        ));
        page.pairs(&[("consortium", joined.consortium_id.clone())]);
        page.line(format_args!("next: syndic run --data {}", global.data.display()));
    });
    Ok(Exit::Done)
}

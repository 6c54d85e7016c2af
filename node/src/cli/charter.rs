//! `charter`: who is in the consortium, and by whom that is changed.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use syndic_registry::charter::{Charter, CharterChain, Founding, MemberCard, Rules, SignedCharter};
use syndic_vc::canonical;
use syndic_vc::did::Did;
use syndic_vc::json::Value;
use syndic_vc::{did_key, object};

use super::failure::{Exit, Failure};
use super::output::{Output, Page, clean};
use super::passphrase::PassphraseArguments;
use super::{Global, connect, documents};
use crate::charters;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::keys::Keystore;
use crate::{setup, store};

/// Shown at the end of `syndic charter --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic charter propose --add ./lakeside/member.json --out proposal.json
  syndic charter sign proposal.json --data ./lakeside     (the newcomer)
  syndic charter sign proposal.json                       (each member that agrees)
  syndic charter publish proposal.json
  syndic charter show --out invitation.json               (the newcomer: syndic join invitation.json)";

/// `syndic charter ...`
#[derive(Debug, Subcommand)]
pub enum CharterCommand {
    /// Show the charter in force, and write it with all before it into a file
    Show(ShowArguments),
    /// Write the next version of the charter, to be signed by the members that agree
    Propose(Box<ProposeArguments>),
    /// Sign a proposal with this organization's root key
    Sign(SignArguments),
    /// Put a proposal that enough members have signed into force
    Publish(PublishArguments),
    /// Write this organization's card anew, from its configuration and keys
    Card(CardArguments),
}

/// `syndic charter show`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic charter show --out invitation.json")]
pub struct ShowArguments {
    /// Write the chain of charters here: the invitation for `join`, and what offline checks take
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `syndic charter propose`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic charter propose --add ./lakeside/member.json --out proposal.json
  syndic charter propose --remove did:key:z6Mk... --out proposal.json
  syndic charter propose --max-staleness 60 --out proposal.json")]
pub struct ProposeArguments {
    /// Card of an organization to be admitted
    #[arg(long = "add", value_name = "CARD.json")]
    pub add: Vec<PathBuf>,
    /// DID or name of a member to be removed
    #[arg(long = "remove", value_name = "DID")]
    pub remove: Vec<String>,
    /// New card of a member: other keys, peer ids or addresses
    #[arg(long = "replace", value_name = "CARD.json")]
    pub replace: Vec<PathBuf>,
    /// The consortium's name
    #[arg(long)]
    pub name: Option<String>,
    /// How many members must sign the version after this one [default: as now, or more than half]
    #[arg(long, value_name = "N")]
    pub threshold: Option<u32>,
    /// How many members must authorize an issuer before the consortium does [default: as now]
    #[arg(long, value_name = "N")]
    pub endorsements: Option<u32>,
    /// How many other members must have seen a log's head before it counts [default: as now]
    #[arg(long, value_name = "N")]
    pub witnesses: Option<u32>,
    /// Seconds after which silence of an issuer makes its credentials unacceptable [default: as now]
    #[arg(long, value_name = "SECONDS")]
    pub max_staleness: Option<u32>,
    /// Where to write the proposal
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}

/// `syndic charter sign`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic charter sign proposal.json

The node signs if it runs; otherwise its keys are opened with the passphrase. A newcomer signs, too.")]
pub struct SignArguments {
    /// The proposal; the signature is added to it
    #[arg(value_name = "PROPOSAL.json")]
    pub proposal: PathBuf,
    /// Sign though another proposal for the same version was signed, which will certainly not be published
    #[arg(long)]
    pub again: bool,
    /// Where the passphrase is.
    #[command(flatten)]
    pub passphrase: PassphraseArguments,
}

/// `syndic charter publish`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic charter publish proposal.json

Copies of one proposal that were signed apart from each other may be given together.")]
pub struct PublishArguments {
    /// The proposal, or copies of it with different signatures
    #[arg(value_name = "PROPOSAL.json", required = true)]
    pub proposals: Vec<PathBuf>,
}

/// `syndic charter card`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic charter card --out member.json")]
pub struct CardArguments {
    /// Where to write it
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Where the passphrase is.
    #[command(flatten)]
    pub passphrase: PassphraseArguments,
}

/// Carries out `syndic charter ...`.
///
/// # Errors
/// The node cannot be reached, a file cannot be used, or the charter does not allow it.
pub fn execute(global: &Global, command: &CharterCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        CharterCommand::Show(arguments) => show(global, arguments, output),
        CharterCommand::Propose(arguments) => propose(global, arguments, output),
        CharterCommand::Sign(arguments) => sign(global, arguments, output),
        CharterCommand::Publish(arguments) => publish(global, arguments, output),
        CharterCommand::Card(arguments) => card(global, arguments, output),
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::failed(error.to_string())
}

fn chain(global: &Global) -> Result<CharterChain, Failure> {
    let file = connect::with_own(global, |node| node.get("/charter"))?;
    CharterChain::parse(&canonical::to_bytes(&file)).map_err(failed)
}

fn write(path: &Path, value: &Value) -> Result<(), Failure> {
    let bytes = [canonical::to_bytes(value), b"\n".to_vec()].concat();
    std::fs::write(path, bytes).map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
}

fn show(global: &Global, arguments: &ShowArguments, output: &Output) -> Result<Exit, Failure> {
    let chain = chain(global)?;
    if let Some(out) = &arguments.out {
        std::fs::write(out, chain.to_file())
            .map_err(|error| Failure::failed(format!("cannot write {}: {error}", out.display())))?;
    }
    let charter = chain.current();
    let members: Vec<Value> = charter
        .members()
        .iter()
        .map(|card| object! { "did": card.did().as_str(), "name": card.name() })
        .collect();
    let removed: Vec<Value> = charter.removed().map(|did| did.as_str().into()).collect();
    let rules = charter.rules();
    let document = object! {
        "consortiumId": chain.id(),
        "name": charter.name(),
        "version": i64::from(charter.version()),
        "hash": charter.hash(),
        "members": members,
        "removed": removed,
        "threshold": i64::from(rules.threshold),
        "endorsements": i64::from(rules.endorsements),
        "witnesses": i64::from(rules.witnesses),
        "maxStaleness": i64::from(rules.max_staleness),
        "conflict": chain.conflict().is_some(),
    };
    output.show(&document, |page| {
        compose(page, charter);
        if let Some(conflict) = chain.conflict() {
            let twice: Vec<String> = conflict.signed_twice().iter().map(ToString::to_string).collect();
            let text = format!(
                "CONFLICT: two different versions {} are validly signed; neither counts. Signed both: {}",
                conflict.version(),
                twice.join(", ")
            );
            let text = page.paint().red(&clean(&text));
            page.line(text);
        }
    });
    Ok(Exit::Done)
}

fn compose(page: &mut Page, charter: &Charter) {
    let rules = charter.rules();
    page.line(format_args!(
        "{}: charter version {}",
        clean(charter.name()),
        charter.version()
    ));
    page.pairs(&[
        ("consortium", charter.id().to_owned()),
        ("hash", charter.hash().to_owned()),
        (
            "to change it",
            format!("{} of {} members", rules.threshold, charter.members().len()),
        ),
        ("to authorize", format!("{} members", rules.endorsements)),
        ("witnesses", rules.witnesses.to_string()),
        ("max staleness", format!("{} s", rules.max_staleness)),
    ]);
    let rows: Vec<Vec<String>> = charter
        .members()
        .iter()
        .map(|card| vec![card.name().to_owned(), card.did().to_string()])
        .collect();
    page.table(&["MEMBER", "DID"], &rows, "");
    for did in charter.removed() {
        page.line(format_args!("removed: {did}"));
    }
}

fn propose(global: &Global, arguments: &ProposeArguments, output: &Output) -> Result<Exit, Failure> {
    let chain = chain(global)?;
    let proposal = chain.propose(&changed(chain.current(), arguments)?).map_err(failed)?;
    write(&arguments.out, &proposal.to_value())?;
    let next = chain.preview(&proposal).map_err(failed)?;
    let needed = chain.current().rules().threshold;
    let new = next.members().iter().filter(|card| {
        let before = chain.current().member(card.did().as_str());
        before.map(MemberCard::root_key) != Some(card.root_key())
    });
    let new: Vec<&str> = new.map(MemberCard::name).collect();
    let document = object! {
        "version": i64::from(proposal.version()),
        "hash": proposal.hash(),
        "signaturesNeeded": i64::from(needed),
        "alsoBy": new.iter().map(|name| Value::from(*name)).collect::<Vec<Value>>(),
        "proposal": arguments.out.display().to_string(),
    };
    output.show(&document, |page| {
        compose(page, &next);
        page.line(format_args!(
            "next: {needed} of the present members run `syndic charter sign {}`",
            arguments.out.display()
        ));
        if !new.is_empty() {
            page.line(format_args!(
                "and so do, whose root keys are new: {}",
                clean(&new.join(", "))
            ));
        }
    });
    Ok(Exit::Done)
}

/// The charter with what was asked for changed, and numbers that fit the members.
fn changed(charter: &Charter, arguments: &ProposeArguments) -> Result<Founding, Failure> {
    let mut members = charter.members().to_vec();
    for who in &arguments.remove {
        let before = members.len();
        members.retain(|card| card.did().as_str() != who && card.name() != who);
        if members.len() + 1 != before {
            return Err(Failure::failed(format!(
                "{who:?} is no member; see `syndic charter show`"
            )));
        }
    }
    for path in &arguments.replace {
        let card = setup::read_card(path)?;
        let known = members.iter_mut().find(|known| known.did() == card.did());
        let known =
            known.ok_or_else(|| Failure::failed(format!("{} is the card of no member; say --add", path.display())))?;
        *known = card;
    }
    for path in &arguments.add {
        let card = setup::read_card(path)?;
        if members.iter().any(|known| known.did() == card.did()) {
            return Err(Failure::failed(format!(
                "{} is the card of a member already; say --replace",
                path.display()
            )));
        }
        members.push(card);
    }
    let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let now = charter.rules();
    Ok(Founding {
        name: arguments.name.clone().unwrap_or_else(|| charter.name().to_owned()),
        rules: Rules {
            threshold: arguments
                .threshold
                .unwrap_or_else(|| now.threshold.clamp(count / 2 + 1, count.max(count / 2 + 1))),
            endorsements: arguments
                .endorsements
                .unwrap_or_else(|| now.endorsements.min(count).max(1)),
            witnesses: arguments
                .witnesses
                .unwrap_or_else(|| now.witnesses.min(count.saturating_sub(1))),
            max_staleness: arguments.max_staleness.unwrap_or(now.max_staleness),
        },
        members,
        // A clock that is behind that of the last proposer is no obstacle.
        created: crate::clock::now().max(charter.created()),
    })
}

fn read(path: &Path) -> Result<SignedCharter, Failure> {
    let value = documents::read(path)?;
    SignedCharter::from_value(&value).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}

fn sign(global: &Global, arguments: &SignArguments, output: &Output) -> Result<Exit, Failure> {
    let proposal = read(&arguments.proposal)?;
    let body = object! { "proposal": proposal.to_value(), "again": arguments.again };
    let signed = match connect::with_own(global, |node| node.post("/charter/signatures", &body)) {
        Ok(signed) => SignedCharter::from_value(&signed).map_err(failed)?,
        Err(failure) if failure.exit == Exit::Unreachable => sign_offline(global, proposal, arguments)?,
        Err(failure) => return Err(failure),
    };
    write(&arguments.proposal, &signed.to_value())?;
    let signers: Vec<Value> = signed.signers().map(|did| did.as_str().into()).collect();
    let count = signers.len();
    let document = object! {
        "version": i64::from(signed.version()),
        "hash": signed.hash(),
        "signers": signers,
    };
    output.show(&document, |page| {
        page.line(format_args!(
            "signed: version {} now carries {count} signatures, in {}",
            signed.version(),
            arguments.proposal.display()
        ));
    });
    Ok(Exit::Done)
}

/// Without a running node: the keys are opened here. That is how a newcomer signs, which has no charter yet.
fn sign_offline(
    global: &Global,
    mut proposal: SignedCharter,
    arguments: &SignArguments,
) -> Result<SignedCharter, Failure> {
    let data = DataDir::open_locked(&global.data).map_err(failed)?;
    let config = Config::read(&data.config_path())?;
    let store = store::open(&data.store_path(), config.store.engine).map_err(failed)?;
    let keys = open_keys(&data, &arguments.passphrase)?;
    let organization: Did = did_key::for_key(keys.credential_signer().public_key());
    match setup::installed(&store).map_err(failed)? {
        Some(chain) => charters::may_sign(&chain, &proposal, &organization).map_err(failed)?,
        None => {
            let card = setup::read_card(&global.data.join("member.json"))?;
            charters::names(&proposal, &card).map_err(failed)?;
        }
    }
    let root = keys.root_signer();
    charters::sign(&mut proposal, &organization, root, store.as_ref(), arguments.again).map_err(failed)?;
    Ok(proposal)
}

fn open_keys(data: &DataDir, passphrase: &PassphraseArguments) -> Result<Keystore, Failure> {
    let passphrase = passphrase.existing()?;
    Keystore::open(&data.keys_path(), &passphrase).map_err(failed)
}

fn publish(global: &Global, arguments: &PublishArguments, output: &Output) -> Result<Exit, Failure> {
    let Some((first, others)) = arguments.proposals.split_first() else {
        return Err(Failure::failed("name the proposal"));
    };
    let mut signed = read(first)?;
    for path in others {
        if !signed.merge(&read(path)?) {
            return Err(Failure::failed(format!(
                "{} is another proposal than {}",
                path.display(),
                first.display()
            )));
        }
    }
    let answer = connect::with_own(global, |node| node.post("/charter", &signed.to_value()))?;
    output.show(&answer, |page| {
        page.line(format_args!(
            "charter version {} is in force, and on its way to the other members",
            signed.version()
        ));
        for warning in documents::items(&answer, "warnings") {
            let warning = page.paint().red(&clean(warning.as_str().unwrap_or_default()));
            page.line(warning);
        }
    });
    Ok(Exit::Done)
}

fn card(global: &Global, arguments: &CardArguments, output: &Output) -> Result<Exit, Failure> {
    let data = DataDir::open_locked(&global.data).map_err(failed)?;
    let config = Config::read(&data.config_path())?;
    let keys = open_keys(&data, &arguments.passphrase)?;
    let card = setup::card(&config, &keys).map_err(failed)?;
    write(&arguments.out, &card.to_value())?;
    let document = object! { "did": card.did().as_str(), "card": arguments.out.display().to_string() };
    output.show(&document, |page| {
        page.line(format_args!("the card is in {}", arguments.out.display()));
    });
    Ok(Exit::Done)
}

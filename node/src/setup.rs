//! From nothing to a data folder that `run` can start: `init`, `found`, `join`. All of it works without a running node.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use syndic_registry::charter::{
    ChainError, Charter, CharterChain, CharterError, Endpoints, Founding, MemberCard, Rules, SignedCharter,
};
use syndic_registry::log_keys;
use syndic_vc::canonical;
use syndic_vc::did_key;
use syndic_vc::time::Timestamp;
use zeroize::Zeroizing;

use crate::config::{self, Config, ConfigError};
use crate::data_dir::{self, DataDir, DataDirError};
use crate::engine::StoreReader;
use crate::keys::{self, Keystore, KeystoreError};
use crate::net;
use crate::store::{self, ApplyError, Batch, Engine, OpenError, Store, StoreError};

/// Default `maxStaleness` of a new charter, in seconds (promise P17).
pub const DEFAULT_MAX_STALENESS_SECONDS: u32 = 300;
/// Largest charter or card file that is read: a chain of charters as long as it can be.
const MAX_FILE_BYTES: u64 = syndic_registry::limits::CHAIN_BYTES as u64;

/// What `init` is told.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The organization's name.
    pub name: String,
    /// Address and port of the public listener.
    pub public: String,
    /// Address and port of the admin listener.
    pub admin: String,
    /// Address and port for the other members' nodes.
    pub peer: String,
    /// Public URL; `http://` and the public address if absent.
    pub public_url: Option<String>,
    /// The store's engine.
    pub engine: Engine,
}

/// What `init` made.
#[derive(Clone, Debug)]
pub struct InitReport {
    /// The organization's DID.
    pub did: String,
    /// The member card, to be given to whoever founds the consortium.
    pub card_path: PathBuf,
    /// The admin token's file.
    pub token_path: PathBuf,
}

/// Why `init` failed. What it had made by then is left in place and named, never overwritten.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The folder holds a node already.
    #[error("{0} holds a node already; choose another folder with --data")]
    Exists(String),
    /// The folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// An option is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Keys could not be made.
    #[error(transparent)]
    Keys(#[from] KeystoreError),
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] keys::RandomError),
    /// The store could not be made.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The card is not valid.
    #[error(transparent)]
    Card(#[from] CharterError),
    /// The peer identity could not be made.
    #[error(transparent)]
    Peer(#[from] net::NetError),
    /// An address is not usable.
    #[error("{0:?} is not an address and port such as 127.0.0.1:8442")]
    Address(String),
    /// A file could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Makes a data folder: configuration, keys, admin token, store and member card.
///
/// # Errors
/// [`InitError`] says what is in the way.
pub fn init(
    folder: &Path,
    options: InitOptions,
    passphrase: &Zeroizing<String>,
    now: Timestamp,
) -> Result<InitReport, InitError> {
    let data = DataDir::create(folder)?;
    if data.keys_path().exists() || data.config_path().exists() {
        return Err(InitError::Exists(folder.display().to_string()));
    }
    let peer: std::net::SocketAddr = options
        .peer
        .parse()
        .map_err(|_| InitError::Address(options.peer.clone()))?;
    let kind = if peer.is_ipv4() { "ip4" } else { "ip6" };
    let listen = format!("/{kind}/{}/tcp/{}", peer.ip(), peer.port());
    let advertise = if peer.ip().is_unspecified() {
        vec![]
    } else {
        vec![listen.clone()]
    };
    let public_url = options
        .public_url
        .unwrap_or_else(|| format!("http://{}", options.public));
    let config = Config {
        organization: config::Organization { name: options.name },
        http: config::Http {
            public: options.public,
            admin: options.admin,
            public_url,
            allowed_hosts: vec![],
            requests_per_second: config::DEFAULT_REQUESTS_PER_SECOND,
        },
        peer: config::Peer {
            listen,
            advertise,
            follow: vec![],
        },
        node: config::Node::default(),
        store: config::Store { engine: options.engine },
        trust: config::Trust::default(),
        outside: crate::outside::Settings::default(),
        verifiers: config::Verifiers::default(),
        issue: config::Issue::default(),
        tokens: crate::tokens::Settings::default(),
        instances: crate::instances::defaults(),
    };
    let text = config.to_toml()?;
    let keystore = Keystore::generate(now)?;
    let card = card(&config, &keystore)?;
    keystore.save(&data.keys_path(), passphrase)?;
    keys::write_admin_token(&data)?;
    drop(store::open(&data.store_path(), config.store.engine)?);
    let card_path = folder.join("member.json");
    write(&card_path, &canonical::to_bytes(&card.to_value()))?;
    // The configuration comes last: a folder without it is not yet a node.
    write(&data.config_path(), text.as_bytes())?;
    Ok(InitReport {
        did: card.did().as_str().to_owned(),
        card_path,
        token_path: data.token_path(),
    })
}

/// The card that configuration and keys amount to.
///
/// # Errors
/// [`InitError`] if it would not be valid.
pub fn card(config: &Config, keystore: &Keystore) -> Result<MemberCard, InitError> {
    let endpoints = Endpoints {
        http: Some(config.http.public_url.clone()),
        peer: config.peer.advertise.clone(),
    };
    let log_key = keystore.log_signer().public_key();
    Ok(MemberCard::sign_promising(
        &did_key::for_key(keystore.credential_signer().public_key()),
        &config.organization.name,
        (log_key, Some(log_keys::commitment(keystore.log_key(1).public_key()))),
        &[net::peer_id_of(keystore.peer_seed())?],
        &endpoints,
        keystore.root_signer(),
    )?)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), InitError> {
    data_dir::write_durably(path, bytes).map_err(|source| InitError::Write {
        path: path.display().to_string(),
        source,
    })
}

/// What `found` is told.
#[derive(Clone, Debug)]
pub struct FoundOptions {
    /// The consortium's name.
    pub name: String,
    /// The other founding members' cards.
    pub cards: Vec<PathBuf>,
    /// Members that must sign the next charter; more than half if absent.
    pub threshold: Option<u32>,
    /// Members that must vouch before the consortium itself authorizes; the threshold if absent.
    pub endorsements: Option<u32>,
    /// Cosignatures that make a head witnessed; 0 if absent.
    pub witnesses: Option<u32>,
    /// Oldest knowledge that may carry a decision, in seconds; 300 if absent.
    pub max_staleness: Option<u32>,
}

/// What was founded.
#[derive(Clone, Debug)]
pub struct Founded {
    /// The consortium's id.
    pub consortium_id: String,
    /// The charter's file, for the other members to join with.
    pub charter_path: PathBuf,
}

/// What was joined.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The consortium's id.
    pub consortium_id: String,
    /// Its name.
    pub name: String,
    /// How many members it has.
    pub members: usize,
}

/// Why a consortium could not be founded or joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The data folder is not usable.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file could not be read.
    #[error("cannot read {path}: {what}")]
    Read {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// The charter or a card is not valid.
    #[error("{path}: {source}")]
    Charter {
        /// The file.
        path: String,
        /// What is wrong.
        source: CharterError,
    },
    /// The chain of charters is not valid.
    #[error("{path}: {source}")]
    Chain {
        /// The file.
        path: String,
        /// What is wrong.
        source: ChainError,
    },
    /// The file knows less than this node.
    #[error("this node holds version {0} of the charter already, and the file does not lead beyond it")]
    Older(u32),
    /// The founder's charter is not a first version.
    #[error("a founded charter is a first version")]
    NotFirst,
    /// This organization is not named in the charter, or with other keys.
    #[error(
        "the charter does not name this organization as its card {card} does; send that file to the founder and \
        ask for a charter that holds it"
    )]
    NotAMember {
        /// The card's file.
        card: String,
    },
    /// Another charter is installed.
    #[error("this node belongs to consortium {0} already; use another data folder for another consortium")]
    Belongs(String),
    /// The store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store could not be written.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The charter's file could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Founds a consortium of this organization and those whose cards are given, and joins it.
///
/// # Errors
/// [`JoinError`] says which file or option is at fault.
pub fn found(folder: &Path, options: FoundOptions, now: Timestamp) -> Result<Founded, JoinError> {
    let data = DataDir::open_locked(folder)?;
    let own = read_card(&folder.join("member.json"))?;
    let own_did = own.did().clone();
    let mut members = vec![own];
    for path in &options.cards {
        let card = read_card(path)?;
        // Naming one's own card too is natural and harmless.
        if *card.did() != own_did {
            members.push(card);
        }
    }
    let majority = u32::try_from(members.len() / 2 + 1).unwrap_or(u32::MAX);
    let threshold = options.threshold.unwrap_or(majority);
    let founding = Founding {
        name: options.name,
        members,
        rules: Rules {
            threshold,
            witnesses: options.witnesses.unwrap_or(0),
            max_staleness: options.max_staleness.unwrap_or(DEFAULT_MAX_STALENESS_SECONDS),
            endorsements: options.endorsements.unwrap_or(threshold),
        },
        created: now,
    };
    let charter_path = folder.join("charter.json");
    let charter = Charter::found(&founding).map_err(|source| JoinError::Charter {
        path: charter_path.display().to_string(),
        source,
    })?;
    let chain = CharterChain::new(charter).ok_or(JoinError::NotFirst)?;
    install(&data, folder, &chain)?;
    Ok(Founded {
        consortium_id: chain.id().to_owned(),
        charter_path,
    })
}

/// Joins the consortium of a charter, or of a chain of them, that names this organization. A longer chain than is
/// installed is taken too: that is how a node learns of a charter that it cannot hear of from its peers.
///
/// # Errors
/// [`JoinError`] says what is wrong with the file, or why this node cannot join.
pub fn join(folder: &Path, path: &Path) -> Result<Joined, JoinError> {
    let data = DataDir::open_locked(folder)?;
    let chain = CharterChain::parse(&read(path)?).map_err(|source| JoinError::Chain {
        path: path.display().to_string(),
        source,
    })?;
    install(&data, folder, &chain)?;
    Ok(Joined {
        consortium_id: chain.id().to_owned(),
        name: chain.current().name().to_owned(),
        members: chain.current().members().len(),
    })
}

fn install(data: &DataDir, folder: &Path, chain: &CharterChain) -> Result<(), JoinError> {
    let config = Config::read(&data.config_path())?;
    let card_path = folder.join("member.json");
    let card = read_card(&card_path)?;
    if chain.current().member(card.did().as_str()) != Some(&card) {
        return Err(JoinError::NotAMember {
            card: card_path.display().to_string(),
        });
    }
    let store = store::open(&data.store_path(), config.store.engine)?;
    let whole = put_chain(&store, chain)?;
    let path = folder.join("charter.json");
    data_dir::write_durably(&path, &whole.to_file()).map_err(|source| JoinError::Write {
        path: path.display().to_string(),
        source,
    })
}

/// Puts a chain into a store, together with what the store has of it, and gives the whole.
///
/// # Errors
/// [`JoinError`] if the store has another one, or a longer one, or cannot be written.
pub fn put_chain(store: &Arc<dyn Store>, chain: &CharterChain) -> Result<CharterChain, JoinError> {
    let (writes, whole) = match installed(store)? {
        None => (chain.rows(), chain.clone()),
        Some(before) if before.id() != chain.id() => return Err(JoinError::Belongs(before.id().to_owned())),
        Some(before) => {
            let whole = extended(&before, chain).map_err(|source| JoinError::Chain {
                path: "the charters together".to_owned(),
                source,
            })?;
            if before.current().version() > chain.current().version() {
                return Err(JoinError::Older(before.current().version()));
            }
            (whole.writes_since(&before).0, whole)
        }
    };
    store.apply(Batch {
        writes: writes.into_iter().map(|write| (write.key, write.value)).collect(),
        expectations: vec![],
    })?;
    Ok(whole)
}

/// What is known of two chains of one consortium together.
///
/// # Errors
/// [`ChainError`] if the second is of another consortium, or a version in it does not hold.
pub fn extended(before: &CharterChain, chain: &CharterChain) -> Result<CharterChain, ChainError> {
    let mut whole = before.clone();
    for version in 2..=chain.current().version() {
        if let Some(bytes) = chain.signed(version) {
            whole.take(&SignedCharter::parse(bytes)?)?;
        }
    }
    for version in chain.conflict().iter().flat_map(|conflict| conflict.versions()) {
        whole.take(version)?;
    }
    Ok(whole)
}

/// The chain of charters that is installed in a store.
///
/// # Errors
/// [`StoreError`] if it cannot be read or does not verify.
pub fn installed(store: &Arc<dyn Store>) -> Result<Option<CharterChain>, StoreError> {
    CharterChain::stored(&StoreReader(store.clone())).map_err(|error| StoreError::Corrupted {
        place: "the charter".to_owned(),
        problem: error.to_string(),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, JoinError> {
    let failed = |what: String| JoinError::Read {
        path: path.display().to_string(),
        what,
    };
    let length = std::fs::metadata(path)
        .map_err(|error| failed(error.to_string()))?
        .len();
    if length > MAX_FILE_BYTES {
        return Err(failed(format!(
            "it has {length} bytes; at most {MAX_FILE_BYTES} are read"
        )));
    }
    std::fs::read(path).map_err(|error| failed(error.to_string()))
}

/// Reads a member card.
///
/// # Errors
/// [`JoinError`] says what is wrong with it.
pub fn read_card(path: &Path) -> Result<MemberCard, JoinError> {
    MemberCard::parse(&read(path)?).map_err(|source| JoinError::Charter {
        path: path.display().to_string(),
        source,
    })
}

//! `syndic run`: opens everything in order, serves until told to stop, closes in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use syndic_registry::charter::{CharterChain, Endpoints};
use syndic_registry::limits::LOG_KEYS;
use syndic_registry::replica::{self, LoadError, Me, Replica};
use syndic_registry::statement::{Content, Profile, Statement};
use syndic_registry::store::ReadError;
use syndic_vc::did_key;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::charters::{self, Charters};
use crate::config::{Config, ConfigError};
use crate::data_dir::{self, DataDir, DataDirError};
use crate::engine::{Engine, PublishError, StoreReader};
use crate::follow::Following;
use crate::http;
use crate::http::server::{self, BindError};
use crate::keys::{self, Keystore, KeystoreError};
use crate::net::{self, NetError, NetworkConfig};
use crate::node::{Node, Parts};
use crate::one_time::OneTimeStore;
use crate::outside::Outside;
use crate::store::{self, Batch, OpenError, Store, StoreError};
use crate::{api, clock, setup};

/// How often expired challenges and nonces are forgotten.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);
/// How long requests under way may take when the node stops.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// How the node is run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// A proxy that speaks TLS stands in front, so listeners may be reachable from elsewhere without TLS of their own.
    pub behind_proxy: bool,
    /// Stop when standard input ends: for a parent that wants no orphan.
    pub exit_with_stdin: bool,
    /// URLs whose files are read, beside those of the configuration.
    pub follow: Vec<String>,
    /// Certificates of the only authorities to believe there.
    pub ca_file: Option<PathBuf>,
}

/// Where a running node listens.
#[derive(Clone, Debug)]
pub struct Listening {
    /// The public listener.
    pub public: SocketAddr,
    /// The admin listener.
    pub admin: SocketAddr,
    /// Addresses for members.
    pub peer: Vec<String>,
    /// The organization.
    pub organization: String,
    /// The consortium.
    pub consortium: String,
}

/// Why the node did not run. Nothing is lost; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The data folder is not usable.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The keys could not be opened.
    #[error(transparent)]
    Keys(#[from] KeystoreError),
    /// The store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the registry keeps in the store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The replication machine does not start from what is stored.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// An address in the configuration is not a multiaddr.
    #[error("[peer] listen = {0:?} is not a multiaddr such as /ip4/0.0.0.0/tcp/8442")]
    PeerAddress(String),
    /// No consortium yet.
    #[error("this node belongs to no consortium yet: found one with `syndic found`, or join one with `syndic join`")]
    NoCharter,
    /// The charter names this organization with other keys, or not at all.
    #[error("the installed charter does not name this organization with the keys of this data folder")]
    NotAMember,
    /// A listener could not be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The peer listener could not be opened.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The first statements could not be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The way to other hosts cannot be opened as configured.
    #[error("{0}; set [outside] in config.toml")]
    Outside(String),
    /// A URL cannot be followed.
    #[error("{0}; see --follow, and [peer] follow in config.toml")]
    Follow(String),
    /// The system refused something.
    #[error("the system refused: {0}")]
    Io(#[from] std::io::Error),
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] keys::RandomError),
}

/// Runs a node until it is told to stop (SIGTERM, ctrl-C, or the end of standard input where asked for). `ready` is
/// called once everything listens.
///
/// # Errors
/// [`RunError`] if it cannot start.
pub async fn run(
    folder: &Path,
    passphrase: Zeroizing<String>,
    options: RunOptions,
    ready: impl FnOnce(&Listening),
) -> Result<(), RunError> {
    let data = DataDir::open_locked(folder)?;
    let mut config = Config::read(&data.config_path())?;
    config.peer.follow.extend(options.follow.iter().cloned());
    let keys = Arc::new(Keystore::open(&data.keys_path(), &passphrase)?);
    drop(passphrase);
    let store = store::open(&data.store_path(), config.store.engine)?;
    let chain = setup::installed(&store)?.ok_or(RunError::NoCharter)?;
    config
        .check_under(chain.current())
        .map_err(|message| ConfigError::Invalid {
            path: data.config_path().display().to_string(),
            message,
        })?;
    // Listeners before the log: a port that is taken must not cost a signature.
    let public = server::bind(&config.http.public, "public", options.behind_proxy).await?;
    let admin = server::bind(&config.http.admin, "admin", options.behind_proxy).await?;
    let node = start(&data, (config, options.ca_file.as_deref()), keys, store, chain).await?;
    let listening = Listening {
        public: public.local_addr(),
        admin: admin.local_addr(),
        peer: node.peer_addresses.clone(),
        organization: node.organization.as_str().to_owned(),
        consortium: node.consortium.clone(),
    };
    let (stop, stopped) = watch::channel(false);
    let wait = |mut stopped: watch::Receiver<bool>| async move {
        let _sender_gone = stopped.wait_for(|stop| *stop).await;
    };
    let token = keys::read_admin_token_hash(&data)?;
    let mut limits = http::limits::Limits::default();
    if options.behind_proxy {
        // All connections come from the proxy's address then.
        limits.connections_per_address = limits.connections;
    }
    let servers = [
        public.serve(
            api::public(node.clone(), options.behind_proxy),
            limits.clone(),
            wait(stopped.clone()),
        ),
        admin.serve(
            api::admin(node.clone(), token, options.behind_proxy),
            limits,
            wait(stopped.clone()),
        ),
    ];
    let housekeeping = tokio::spawn(forget(node.clone()));
    ready(&listening);
    told_to_stop(options.exit_with_stdin).await;
    tracing::info!("stopping");
    let _receivers_gone = stop.send(true);
    for server in servers {
        let _late = tokio::time::timeout(STOP_GRACE, server).await;
    }
    housekeeping.abort();
    node.engine.stop().await;
    Ok(())
}

async fn start(
    data: &DataDir,
    (config, ca_file): (Config, Option<&Path>),
    keys: Arc<Keystore>,
    store: Arc<dyn Store>,
    chain: CharterChain,
) -> Result<Arc<Node>, RunError> {
    let outside = Outside::new(&config.outside).map_err(RunError::Outside)?;
    let organization = did_key::for_key(keys.credential_signer().public_key());
    let peer_id = net::peer_id_of(keys.peer_seed())?;
    let charter = chain.current();
    for warning in charters::warnings(&chain, &organization) {
        tracing::error!("{warning}");
    }
    // Who was removed may still run: its own people must hear of it, and get at what it holds.
    let removed = charter.removed_by(organization.as_str()).is_some();
    if !removed {
        let member = charter.member(organization.as_str()).ok_or(RunError::NotAMember)?;
        if !member.peer_ids().contains(&peer_id) {
            return Err(RunError::NotAMember);
        }
    }
    let members = charters::peers(charter, &organization);
    let card = charter.member(organization.as_str());
    let number = card.and_then(|card| keys.log_key_number(card.log_key())).unwrap_or(0);
    let (log_key, other_keys) = keys.log_signers(number, LOG_KEYS as u32);
    let listen = config
        .peer
        .listen
        .parse()
        .map_err(|_| RunError::PeerAddress(config.peer.listen.clone()))?;
    let network = net::start(NetworkConfig {
        seed: keys.peer_seed().clone(),
        listen: vec![listen],
        members,
        network_id: charter.id().to_owned(),
        limits: net::limits::Limits::default(),
    })
    .await?;
    if config.node.sign_alone {
        tracing::warn!(
            "[node] sign_alone = true: this node signs before any other member has answered. If its data folder is an old \
             copy, or another copy of it runs, the organization tells two stories and is frozen for good"
        );
    }
    let mut replica = Replica::load(
        replica::Config {
            charter: chain.clone(),
            me: Some(Me {
                organization: organization.clone(),
                log_key,
                other_keys,
            }),
            heartbeat_seconds: config.trust.heartbeat_seconds,
            compare_seconds: config.trust.anti_entropy_seconds,
            sign_alone: config.node.sign_alone,
            published_before: data.log_begun_path().exists(),
            seed: keys::random_u64()?,
        },
        &StoreReader(store.clone()),
    )?;
    let charters = Arc::new(Charters::new(chain));
    let shared = (charters.clone(), organization.clone());
    let every = Duration::from_secs(config.trust.anti_entropy_seconds.into());
    let followed = Following::start(&config.peer.follow, ca_file, &charters, &organization, every);
    let (following, followed) = followed.map_err(RunError::Follow)?;
    for (name, member) in following.peers() {
        replica.follow(name.to_owned(), member.cloned());
    }
    let network_channels = (network.commands, network.events);
    let engine = Engine::start(replica, store.clone(), shared, network_channels, (following, followed))?;
    let one_time = OneTimeStore::open(store.clone(), keys.clone())?;
    let node = Arc::new(Node::new(Parts {
        config,
        store,
        keys,
        charters,
        organization,
        peer_id,
        peer_addresses: network.listening.iter().map(ToString::to_string).collect(),
        engine,
        one_time,
        outside,
        network_metrics: network.metrics,
    }));
    let begun = data.log_begun_path();
    if node.view().log(node.organization.as_str())?.frontier.size() > 0 {
        mark_begun(&begun)?;
    } else if removed {
        tracing::warn!("this organization was removed before it said anything");
    } else if begun.exists() {
        tracing::warn!("the store was lost: this organization's log is fetched from the other members");
    } else {
        introduce(&node).await?;
        mark_begun(&begun)?;
    }
    Ok(node)
}

/// Remembers, apart from the store, that the log was begun: see [`DataDir::log_begun_path`].
pub(crate) fn mark_begun(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    data_dir::write_durably(path, b"")
}

/// The first statement of every log: who speaks, and where.
async fn introduce(node: &Arc<Node>) -> Result<(), PublishError> {
    let profile = Statement {
        at: clock::now(),
        content: Content::Profile(Profile {
            name: node.config.organization.name.clone(),
            endpoints: Endpoints {
                http: Some(node.config.http.public_url.clone()),
                peer: node.config.peer.advertise.clone(),
            },
            peer_ids: vec![node.peer_id.clone()],
        }),
    };
    node.engine.publish(vec![profile], Batch::default()).await.map(|_| ())
}

async fn forget(node: Arc<Node>) {
    let mut interval = tokio::time::interval(FORGET_INTERVAL);
    loop {
        interval.tick().await;
        let node = node.clone();
        let outcome = tokio::task::spawn_blocking(move || node.one_time.forget_expired(clock::now())).await;
        match outcome {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "expired challenges could not be forgotten"),
            Err(error) => tracing::error!(%error, "forgetting expired challenges failed"),
        }
    }
}

async fn told_to_stop(exit_with_stdin: bool) {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::error!(%error, "SIGTERM cannot be awaited; stop with ctrl-C");
                std::future::pending::<()>().await;
            }
        }
    };
    let input_ended = async {
        if !exit_with_stdin {
            std::future::pending::<()>().await;
        }
        let _ended = tokio::task::spawn_blocking(|| {
            let _count = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        })
        .await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
        () = input_ended => {}
    }
}

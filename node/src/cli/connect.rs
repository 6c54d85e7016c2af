//! How a command finds the node it talks to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use zeroize::Zeroizing;

use super::Global;
use super::failure::{Exit, Failure};
use crate::client::{CallError, Client};
use crate::config::Config;

/// The admin listener of the node whose data folder was named: address from `config.toml`, token from `admin.token`.
///
/// # Errors
/// The folder is none, or its files cannot be read.
pub fn own(global: &Global) -> Result<Client, Failure> {
    let config = Config::read(&global.data.join("config.toml"))?;
    let token = token(&global.data.join("admin.token"))?;
    let address: SocketAddr = config.http.admin.parse().map_err(|_| {
        Failure::failed(format!(
            "[http] admin = {:?} in config.toml is no address",
            config.http.admin
        ))
    })?;
    Ok(Client::admin(&format!("http://{}", reachable(address)), token)?)
}

/// The public listener of another node if one was named, or else one's own node.
///
/// # Errors
/// As [`own`]; the URL cannot be used.
pub fn named_or_own(node: Option<&str>, global: &Global) -> Result<Client, Failure> {
    match node {
        Some(url) => Ok(Client::believing(url, global.ca_file.as_deref())?),
        None => own(global),
    }
}

/// Adds to a failed call of one's own node what to do about it.
#[must_use]
pub fn explain(error: CallError, node: Option<&str>, global: &Global) -> Failure {
    let failure = Failure::from(error);
    match (failure.exit, node) {
        (Exit::Unreachable, None) => failure.advise(format!(
            "is the node running? start it with: syndic run --data {}",
            global.data.display()
        )),
        (Exit::Unreachable, Some(_)) => failure.advise("is that node running, and is its public listener there?"),
        _ => failure,
    }
}

/// Calls one's own node.
///
/// # Errors
/// Whatever the call gave, with advice.
pub fn with_own<T>(global: &Global, call: impl FnOnce(&Client) -> Result<T, CallError>) -> Result<T, Failure> {
    with(None, global, call)
}

/// Calls the node that was named, or one's own.
///
/// # Errors
/// Whatever the call gave, with advice.
pub fn with<T>(
    node: Option<&str>,
    global: &Global,
    call: impl FnOnce(&Client) -> Result<T, CallError>,
) -> Result<T, Failure> {
    call(&named_or_own(node, global)?).map_err(|error| explain(error, node, global))
}

/// Reads the admin token of a data folder.
///
/// # Errors
/// The file cannot be read or is not a token.
pub fn token(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        Failure::failed(format!("cannot read the admin token {}: {error}", path.display()))
            .advise("run the command as the user who owns the data folder")
    })?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::failed(format!(
            "{} does not hold an admin token",
            path.display()
        )));
    }
    Ok(Zeroizing::new(token.to_owned()))
}

/// A listener on all addresses is called on the loopback one.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

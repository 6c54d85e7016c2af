//! Charter, organization logs, folded view and replication of a Syndic consortium.
//!
//! Everything here is pure: no socket, no disk, no clock. The node carries out what is decided
//! here; [`store::Reader`] is all that this crate asks of it.
//!
//! - [`charter`]: who is in, and by which rules the consortium counts.
//! - [`statement`], [`log`], [`log_keys`], [`head`], [`proof`], [`tile`]: what an organization says, and how it
//!   is signed, proven and served.
//! - [`fold`], [`fact`], [`view`]: what follows from the statements, and who may do what.
//! - [`cosignature`]: what other members say of a head.
//! - [`bundle`]: a decision with all that it rests on, for strangers to check; [`right_proof`]: an answer
//!   on a right, with the statements that grant it.
//! - [`replica`], [`message`], [`reconcile`], [`fork`]: how logs travel, and what happens to a log that tells two
//!   stories.

pub mod bundle;
pub mod charter;
pub mod cosignature;
#[cfg(test)]
mod example;
pub mod fact;
pub mod fold;
pub mod fork;
pub mod head;
pub mod limits;
pub mod log;
pub mod log_keys;
pub mod message;
#[cfg(test)]
mod naive;
pub mod note;
pub mod proof;
pub mod reconcile;
pub mod replica;
pub mod right_proof;
pub mod served;
#[cfg(feature = "sim")]
pub mod sim;
pub mod statement;
pub mod store;
mod text;
pub mod tile;
pub mod view;

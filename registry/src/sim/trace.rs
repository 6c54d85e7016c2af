//! One line for what happens, for whoever replays a seed.

use crate::message::{Answer, Ask, Broadcast};
use crate::replica::{Effect, Event};

pub(super) fn event(event: &Event) -> String {
    match event {
        Event::Tick => "tick".to_owned(),
        Event::Connected(peer) => format!("connected to {}", short(peer)),
        Event::Disconnected(peer) => format!("disconnected from {}", short(peer)),
        Event::Announced { from, bytes, .. } => {
            format!("hears from {}: {}", short(from), broadcast(bytes))
        }
        Event::Request { from, bytes, .. } => {
            format!("is asked by {}: {}", short(from), ask(bytes))
        }
        Event::Response { from, bytes } => format!("gets from {}: {}", short(from), answer(bytes)),
        Event::RequestFailed { peer } => format!("gets no answer from {}", short(peer)),
        Event::Publish { ticket, statements } => {
            format!("publishes {} as ticket {ticket}", statements.len())
        }
        Event::Charter { ticket, signed } => format!("publishes charter {} as ticket {ticket}", signed.version()),
        Event::Stored { batch } => format!("has stored batch {batch}"),
        Event::Rotate { ticket, new } => format!("rotate #{ticket} to {}", new.key.public_key()),
        Event::StoreFailed { batch } => format!("could not store batch {batch}"),
    }
}

pub(super) fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Persist {
            batch,
            content,
            tickets,
        } => {
            format!(
                "persist batch {batch} of {} rows, tickets {tickets:?}",
                content.writes.len()
            )
        }
        Effect::Announce(bytes) => format!("announce {}", broadcast(bytes)),
        Effect::SendRequest { to, bytes } => format!("ask {}: {}", short(to), ask(bytes)),
        Effect::SendResponse { bytes, .. } => format!("answer {}", answer(bytes)),
        Effect::Evidence { organization, fork } => {
            format!("evidence against {organization} at {}", fork.at)
        }
        Effect::Penalize { peer, why } => format!("penalize {}: {why}", short(peer)),
        Effect::Charter(chain) => format!(
            "charter {} is in force, contradicted: {}",
            chain.current().version(),
            chain.conflict().is_some()
        ),
        other => format!("{other:?}"),
    }
}

/// Simulated peers differ in their last letters.
fn short(peer: &str) -> &str {
    peer.get(peer.len().saturating_sub(1)..).unwrap_or(peer)
}

fn broadcast(bytes: &[u8]) -> String {
    match Broadcast::decode(bytes) {
        Ok(Broadcast::News(news)) => {
            format!(
                "head {} with {} from {}",
                head(&news.note),
                news.entries.len(),
                news.from
            )
        }
        Ok(Broadcast::Cosigned(cosigned)) => {
            let witnesses: Vec<_> = cosigned.lines.iter().map(|line| line.witness.as_str()).collect();
            format!(
                "size {} of {} cosigned by {witnesses:?}",
                cosigned.size, cosigned.organization
            )
        }
        Ok(Broadcast::Charter(signed)) => format!("a charter of {} bytes", signed.len()),
        Ok(Broadcast::Fork(fork)) => format!("fork at {} of {}", fork.at, head(&fork.one.note)),
        Err(error) => error.to_string(),
    }
}

fn ask(bytes: &[u8]) -> String {
    match Ask::decode(bytes) {
        Ok(Ask::Charters { id, from }) => format!("ask #{id} charters from {from}"),
        Ok(Ask::Reconcile { id, message }) => format!("reconcile #{id} {} bytes", message.len()),
        Ok(Ask::Compare { id, logs, only, .. }) => {
            let sizes: Vec<_> = logs
                .iter()
                .map(|log| (log.size, log.fork.as_ref().map(|fork| (fork.at, fork.certain))))
                .collect();
            format!("compare #{id} only {only} {sizes:?}")
        }
        Ok(Ask::Pull { id, organization, from }) => {
            format!("pull #{id} {} from {from}", tail(&organization))
        }
        Ok(Ask::Probe {
            id,
            organization,
            sizes,
        }) => format!("probe #{id} {} at {sizes:?}", tail(&organization)),
        Ok(Ask::Salvage { id, organization, have }) => {
            format!("salvage #{id} {} beside {}", tail(&organization), have.len())
        }
        Err(error) => error.to_string(),
    }
}

fn answer(bytes: &[u8]) -> String {
    match Answer::decode(bytes) {
        Ok(Answer::Heads {
            id,
            rotations,
            notes,
            forks,
            cosigned,
        }) => {
            let heads: Vec<_> = notes.iter().map(|note| head(note)).collect();
            let (rotations, forks, cosigned) = (rotations.len(), forks.len(), cosigned.len());
            format!("heads #{id} {heads:?}, {rotations} rotations, {forks} forks, {cosigned} cosigned")
        }
        Ok(Answer::Charters { id, versions }) => format!("{} charters #{id}", versions.len()),
        Ok(Answer::Piece(piece)) => format!(
            "piece #{} of {} from {} with {}",
            piece.id,
            head(&piece.note),
            piece.from,
            piece.entries.len()
        ),
        Ok(Answer::Reconciled { id, message }) => format!("reconciled #{id} {} bytes", message.len()),
        Ok(Answer::Roots(roots)) => format!("roots #{} of {}: {}", roots.id, head(&roots.note), roots.roots.len()),
        Ok(Answer::Salvaged { id, records }) => format!("salvaged #{id}: {}", records.len()),
        Ok(Answer::Refused { id, why }) => format!("refused #{id}: {why:?}"),
        Err(error) => error.to_string(),
    }
}

fn head(note: &str) -> String {
    let mut lines = note.lines();
    let origin = lines.next().unwrap_or_default();
    format!("{}:{}", tail(origin), lines.next().unwrap_or_default())
}

fn tail(text: &str) -> &str {
    text.get(text.len().saturating_sub(4)..).unwrap_or(text)
}

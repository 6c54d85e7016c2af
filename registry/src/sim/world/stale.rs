//! What a decision at each member would rest on: it is refused before it is older than the charter allows, also where the
//! only way to an issuer is a liar that hides what it takes back.

use super::{Done, World};
use crate::fork::organization_of;
use crate::fork::salvage::restriction;
use crate::message::{Answer, Broadcast};
use crate::statement::Statement;
use crate::view::View;

impl World {
    /// An honest member has acknowledged so many statements.
    pub(super) fn has_said(&mut self, at: usize, size: u64) -> Done {
        if !self.is_recovered(at)? {
            return Err(format!("{at} was restored, and adds to its log before it has it again"));
        }
        self.said.resize_with(self.nodes.len(), Vec::new);
        if let Some(said) = self.said.get_mut(at) {
            said.push((self.at, size));
        }
        Ok(())
    }

    /// Asks a member about each honest one as a verifier would: what is fresh enough holds all that was said until so
    /// long ago as the charter allows, and clocks are apart.
    pub(super) fn decide(&mut self, at: usize) -> Done {
        let Some(node) = self.nodes.get(at).filter(|node| !node.hostile && node.is_up()) else {
            return Ok(());
        };
        let (now, disk) = (node.now(self.at)?, self.disk(at, 0)?);
        let bound = i64::from(self.plan.max_staleness);
        let view = View::new(&self.charter, disk);
        let slack = 2 * self.plan.skew + u64::from(self.plan.max_staleness) + 1;
        let (mut fresh, mut stale, mut hidden) = (0, 0, 0);
        for (of, issuer) in self.honest().filter(|(of, _)| *of != at) {
            let known = view.age(&issuer.did).map_err(|error| error.to_string())?;
            let age = known.as_ref().map(|known| now.seconds_since(known.time));
            if age.is_none_or(|age| age > bound) {
                stale += 1;
                hidden += u64::from(self.is_cut_off(of));
                continue;
            }
            fresh += 1;
            let Some(since) = self.at.checked_sub(1_000 * slack) else {
                continue;
            };
            let said = self.said.get(of).into_iter().flatten();
            let must = said.filter(|(when, _)| *when <= since).map(|(_, size)| *size).max();
            let holds = known.map_or(0, |known| known.head_size);
            if must.is_some_and(|must| holds < must) {
                return Err(format!(
                    "{at} would decide by {holds} statements of {of}, which had said {must:?} more than {bound} s ago"
                ));
            }
        }
        self.figures.fresh += fresh;
        self.figures.stale += stale;
        self.figures.hidden += hidden;
        Ok(())
    }

    fn is_cut_off(&self, at: usize) -> bool {
        let cut = self.plan.cut_off.filter(|cut| cut.victim == at);
        cut.is_some_and(|cut| (cut.from..cut.until).contains(&self.at))
    }

    fn relay(&self) -> usize {
        self.nodes.len() - self.plan.liars.len()
    }

    /// Whether these two can talk as far as somebody who is cut off is concerned.
    pub(super) fn reaches(&self, a: usize, b: usize) -> bool {
        let relay = self.relay();
        let open = |one, other| !self.is_cut_off(one) || other == relay;
        open(a, b) && open(b, a)
    }

    /// Whether the liar keeps this to itself: heartbeats of who is cut off, and what it takes back.
    pub(super) fn hides(&self, at: usize, bytes: &[u8], broadcast: bool) -> bool {
        let victim = self
            .plan
            .cut_off
            .map(|cut| cut.victim)
            .filter(|victim| self.is_cut_off(*victim));
        let victim = victim
            .filter(|_| at == self.relay())
            .and_then(|victim| self.nodes.get(victim));
        let Some(name) = victim.map(|node| node.did.as_str()) else {
            return false;
        };
        let of = |note: &str| organization_of(self.charter.id(), note) == Some(name);
        let takes_back = |entry: &Vec<u8>| Statement::parse(entry).is_ok_and(|said| restriction(&said).is_some());
        if broadcast {
            return match Broadcast::decode(bytes) {
                Ok(Broadcast::News(news)) => {
                    of(&news.note) && (news.entries.is_empty() || news.entries.iter().any(takes_back))
                }
                Ok(Broadcast::Cosigned(cosigned)) => cosigned.organization == name,
                _ => false,
            };
        }
        match Answer::decode(bytes) {
            Ok(Answer::Heads { notes, .. }) => notes.iter().any(|note| of(note)),
            Ok(Answer::Piece(piece)) => of(&piece.note) && piece.entries.iter().any(takes_back),
            _ => false,
        }
    }
}

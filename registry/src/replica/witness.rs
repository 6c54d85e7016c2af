//! Cosignatures: the own ones of heads of others, and those of others.
//!
//! A cosignature travels apart from head and entries, so that no head waits for it. It is checked once, and then held
//! against the own copy of the log: one over another root counts for nothing here. Nobody is blamed for that, since an
//! honest witness may have been told the other of two stories.

use std::collections::BTreeMap;

use syndic_vc::did::Did;
use syndic_vc::key::PublicKey;
use syndic_vc::time::Timestamp;

use super::track::Track;
use super::{Misbehaviour, Replica, Step, Verdict};
use crate::cosignature::{self, Cosignature, CosignatureError};
use crate::head::Head;
use crate::limits;
use crate::log::Hash;
use crate::message::{Broadcast, Cosigned};
use crate::proof;
use crate::store::{self, Batch, ReadError, Reader, Write};

/// What is known of the witnesses of one log.
pub(super) struct Witnesses {
    /// Whether the own organization is one of those that cosign this log.
    appointed: bool,
    /// What the store holds: the newest of each witness.
    held: BTreeMap<Did, Cosignature>,
    /// Checked, and true of the own copy; to be stored.
    fresh: BTreeMap<Did, Cosignature>,
    /// Being stored. Beside the batches of the log itself: these rows have nothing to do with its state.
    flight: Option<(u64, Vec<Cosignature>)>,
    /// Checked, and of a head that is further than the own log: to be compared once that has grown.
    early: BTreeMap<Did, Cosignature>,
    /// Size and time of the head that was cosigned last.
    done: Option<(u64, Timestamp)>,
}

/// What became of a cosignature that was not false.
enum Taken {
    /// It counts.
    New,
    /// Nothing is to be learned from it, or not yet.
    Nothing,
    /// It is of more entries than are held.
    Ahead,
    /// It is of another log than is held.
    OtherRoot,
    /// The sender has used up its checks.
    Flood,
}

impl Witnesses {
    pub(super) fn load(organization: &str, appointed: bool, reader: &dyn Reader) -> Result<Self, ReadError> {
        Ok(Self {
            appointed,
            held: read(organization, reader)?,
            fresh: BTreeMap::new(),
            flight: None,
            early: BTreeMap::new(),
            done: None,
        })
    }

    /// By another charter others may be to cosign it.
    pub(super) fn appoint(&mut self, appointed: bool) {
        self.appointed = appointed;
    }

    /// Back to what the store holds.
    pub(super) fn reload(&mut self, organization: &str, reader: &dyn Reader) -> Result<(), ReadError> {
        self.held = read(organization, reader)?;
        Ok(())
    }

    /// Whether [`Replica::witness`] may find something to do. Of hundreds of logs few have something at each tick.
    fn is_waiting(&self, head: Option<&Head>) -> bool {
        let cosigned = head.is_none_or(|head| self.done == Some((head.size(), head.time())));
        !self.fresh.is_empty() || !self.early.is_empty() || (self.appointed && !cosigned)
    }

    /// See [`cosignature::fingerprint`].
    pub(super) fn fingerprint(&self) -> u64 {
        cosignature::fingerprint(self.held.values())
    }

    /// Every cosignature of a witness that is known to be genuine.
    fn of(&self, witness: &Did) -> impl Iterator<Item = &Cosignature> {
        let flight = self.flight.iter().flat_map(|(_, rows)| rows);
        let flight = flight.filter(move |row| row.witness == *witness);
        let maps = [&self.held, &self.fresh, &self.early].into_iter();
        maps.filter_map(move |map| map.get(witness)).chain(flight)
    }

    fn is_news(&self, cosignature: &Cosignature) -> bool {
        self.of(&cosignature.witness)
            .all(|known| cosignature.is_newer_than(known))
    }
}

fn read(organization: &str, reader: &dyn Reader) -> Result<BTreeMap<Did, Cosignature>, ReadError> {
    let rows = cosignature::stored(organization, reader)?;
    Ok(rows.into_iter().map(|row| (row.witness.clone(), row)).collect())
}

impl Replica {
    /// The key by which a member cosigns now: its log key. The one place where that is looked up.
    fn witness_key(&self, witness: &Did) -> Option<&PublicKey> {
        self.tracks.get(witness).map(|track| track.keys.newest())
    }

    /// Cosignatures were broadcast.
    pub(super) fn told_of_cosignatures(&mut self, from: &str, token: u64, cosigned: Cosigned, step: &mut Step<'_>) {
        // Of a log, or by a witness, that is not known: the sender may know a newer charter, so it is not blamed.
        let mut verdict = Verdict::Ignore;
        if let Some((organization, _)) = self.tracks.get_key_value(cosigned.organization.as_str()) {
            let organization = organization.clone();
            match self.take_cosignatures(&organization, from, cosigned.lines, step) {
                Ok(true) => verdict = Verdict::Accept,
                Ok(false) => {}
                Err(why) => return step.reject(token, from, why),
            }
        }
        step.verdict(token, verdict);
    }

    /// Cosignatures came with the answer to a comparison.
    pub(super) fn take_cosigned(&mut self, from: &str, cosigned: Vec<Cosigned>, step: &mut Step<'_>) {
        for Cosigned {
            organization, lines, ..
        } in cosigned
        {
            let Some((organization, _)) = self.tracks.get_key_value(organization.as_str()) else {
                continue;
            };
            let organization = organization.clone();
            if let Err(why) = self.take_cosignatures(&organization, from, lines, step) {
                return self.blame(from, why, step);
            }
        }
    }

    /// Takes those that count; says whether one did.
    fn take_cosignatures(
        &mut self,
        organization: &Did,
        from: &str,
        lines: Vec<Cosignature>,
        step: &mut Step<'_>,
    ) -> Result<bool, Misbehaviour> {
        let (mut news, mut wrong) = (false, Ok(()));
        for line in lines {
            match self.take_cosignature(organization, from, line, step) {
                Ok(Taken::New) => news = true,
                Ok(Taken::Nothing) => {}
                Ok(Taken::Ahead) => self.pull(organization, from),
                // One of the two heads will show who told two stories.
                Ok(Taken::OtherRoot) => self.compare_back(from, step),
                Ok(Taken::Flood) => break,
                Err(why) => {
                    wrong = Err(why);
                    break;
                }
            }
        }
        self.store_cosignatures(organization, step);
        wrong.map(|()| news)
    }

    fn take_cosignature(
        &mut self,
        organization: &Did,
        from: &str,
        line: Cosignature,
        step: &mut Step<'_>,
    ) -> Result<Taken, Misbehaviour> {
        let (Some(key), Some(track)) = (self.witness_key(&line.witness).cloned(), self.tracks.get(organization)) else {
            return Ok(Taken::Nothing);
        };
        let future = line.time.seconds_since(step.now) > limits::FUTURE_SECONDS;
        if track.is_closed() || future || !track.witnesses.is_news(&line) {
            return Ok(Taken::Nothing);
        }
        if !self.may_check(from, step) {
            return Ok(Taken::Flood);
        }
        self.counts.cosignature_checks += 1;
        match line.verify(self.charter.id(), organization.as_str(), &key) {
            Ok(()) => {}
            // It may come from a newer key of the witness.
            Err(CosignatureError::UnknownKey) => return Ok(Taken::Nothing),
            Err(why) => return Err(why.into()),
        }
        let root = self.root_at(organization, line.size, step.reader);
        let Some(track) = self.tracks.get_mut(organization) else {
            return Ok(Taken::Nothing);
        };
        match step.read(root) {
            None => Ok(Taken::Nothing),
            Some(None) => {
                track.witnesses.early.insert(line.witness.clone(), line);
                Ok(Taken::Ahead)
            }
            Some(Some(root)) if root == line.root => {
                track.witnesses.fresh.insert(line.witness.clone(), line);
                Ok(Taken::New)
            }
            Some(Some(_)) => Ok(Taken::OtherRoot),
        }
    }

    /// Root of the own copy at this size; `None` if its head does not reach so far.
    fn root_at(&self, organization: &Did, size: u64, reader: &dyn Reader) -> Result<Option<Hash>, ReadError> {
        match self
            .tracks
            .get(organization)
            .and_then(|track| track.held.log.head.as_ref())
        {
            Some(head) if size == head.size() => Ok(Some(*head.root())),
            Some(head) if size < head.size() => proof::root(organization.as_str(), size, reader),
            _ => Ok(None),
        }
    }

    /// A log has a new head: compares with it what was ahead of it, and cosigns it if that is due.
    pub(super) fn witness(&mut self, organization: &Did, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        let covered = track.held.log.head.as_ref().map_or(0, Head::size);
        let early = std::mem::take(&mut track.witnesses.early);
        let (reached, early): (BTreeMap<_, _>, _) = early.into_iter().partition(|(_, line)| line.size <= covered);
        track.witnesses.early = early;
        for (witness, line) in reached {
            let root = self.root_at(organization, line.size, step.reader);
            if step.read(root).flatten() == Some(line.root)
                && let Some(track) = self.tracks.get_mut(organization)
                && track.witnesses.is_news(&line)
            {
                track.witnesses.fresh.insert(witness, line);
            }
        }
        self.cosign(organization, step);
        self.store_cosignatures(organization, step);
    }

    /// Once a second: what was put off.
    pub(super) fn witness_all(&mut self, step: &mut Step<'_>) {
        let waiting = |track: &Track| track.witnesses.is_waiting(track.held.log.head.as_ref());
        let all = self.tracks.iter().filter(|(_, track)| waiting(track));
        let all: Vec<Did> = all.map(|(organization, _)| organization.clone()).collect();
        for organization in all {
            self.witness(&organization, step);
        }
    }

    /// Cosigns the head of another's log, if this organization is to and has not yet; each time with a later second,
    /// so that the latest word of a witness is known for what it is.
    fn cosign(&mut self, organization: &Did, step: &mut Step<'_>) {
        let (Some(own), Some(track)) = (&self.own, self.tracks.get_mut(organization)) else {
            return;
        };
        let me = &own.me.organization;
        // Who was restored from an old backup may have cosigned more than it remembers.
        if !self.settled {
            return;
        }
        // In the middle of a catch-up there is a newer head.
        if me == organization || !track.witnesses.appointed || track.is_closed() || track.held.promise.is_some() {
            return;
        }
        let Some(head) = &track.held.log.head else { return };
        let (size, root) = (head.size(), *head.root());
        if track.witnesses.done == Some((size, head.time())) {
            return;
        }
        let allowed = track.witnesses.of(me).all(|mine| {
            let one_story = mine.size != size || mine.root == root;
            one_story && mine.size <= size && mine.time.unix_seconds() < step.now.unix_seconds()
        });
        if !allowed {
            return;
        }
        let (consortium, signer) = (self.charter.id(), &*own.me.log_key);
        // A key that is out of reach now may be back at the next tick; the head is not cosigned until then.
        let made = Cosignature::sign(consortium, organization.as_str(), (size, &root), me, signer, step.now);
        if let Ok(cosignature) = made {
            track.witnesses.done = Some((size, head.time()));
            track.witnesses.fresh.insert(me.clone(), cosignature);
        }
    }

    /// Stores what counts and is not stored yet, unless something is being stored already.
    fn store_cosignatures(&mut self, organization: &Did, step: &mut Step<'_>) {
        let Some(track) = self.tracks.get_mut(organization) else {
            return;
        };
        let closed = track.is_closed();
        let witnesses = &mut track.witnesses;
        if closed || witnesses.flight.is_some() || witnesses.fresh.is_empty() {
            return;
        }
        let rows: Vec<Cosignature> = std::mem::take(&mut witnesses.fresh).into_values().collect();
        let write = |row: &Cosignature| {
            let key = store::cosignature(organization.as_str(), row.witness.as_str());
            Write::put(key, row.encode())
        };
        let content = Batch {
            writes: rows.iter().map(write).collect(),
            expectations: Vec::new(),
        };
        witnesses.flight = Some((self.next_batch, rows));
        self.fly(organization.clone(), content, Vec::new(), step);
    }

    /// Whether the batch held cosignatures, which are durable now: the own one is told to the others, as it is stored.
    pub(super) fn cosignatures_stored(&mut self, batch: u64, step: &mut Step<'_>) -> bool {
        let Some((organization, rows)) = self.land_cosignatures(batch) else {
            return false;
        };
        let me = self.own.as_ref().map(|own| own.me.organization.clone());
        let mine = rows.iter().any(|row| Some(&row.witness) == me.as_ref());
        if let Some(track) = self.tracks.get_mut(&organization) {
            let rows = rows.into_iter().map(|row| (row.witness.clone(), row));
            track.witnesses.held.extend(rows);
        }
        if let Some(me) = me.filter(|_| mine) {
            let row = Cosignature::of(organization.as_str(), me.as_str(), step.reader);
            if let Some(Some(line)) = step.read(row) {
                let cosigned = Cosigned {
                    organization: organization.as_str().to_owned(),
                    size: line.size,
                    root: line.root,
                    lines: vec![line],
                };
                step.push(super::Effect::Announce(Broadcast::Cosigned(cosigned).encode()));
            }
        }
        self.store_cosignatures(&organization, step);
        true
    }

    /// Whether the batch held cosignatures: they are tried again at the next tick.
    pub(super) fn cosignatures_failed(&mut self, batch: u64, step: &mut Step<'_>) -> bool {
        let Some((organization, rows)) = self.land_cosignatures(batch) else {
            return false;
        };
        if let Some(track) = self.tracks.get_mut(&organization) {
            // A row may have been stored though it is said to have failed.
            let reread = track.witnesses.reload(organization.as_str(), step.reader);
            step.read(reread);
            for row in rows {
                track.witnesses.fresh.entry(row.witness.clone()).or_insert(row);
            }
        }
        true
    }

    fn land_cosignatures(&mut self, batch: u64) -> Option<(Did, Vec<Cosignature>)> {
        let organization = self.flights.get(&batch)?.clone();
        let witnesses = &mut self.tracks.get_mut(&organization)?.witnesses;
        let (_, rows) = witnesses.flight.take_if(|(number, _)| *number == batch)?;
        self.flights.remove(&batch);
        Some((organization, rows))
    }
}

/// The stored cosignatures of a log, by the head that they are of, as they are sent.
pub(super) fn sent(organization: &Did, reader: &dyn Reader) -> Result<Vec<Cosigned>, ReadError> {
    let mut heads: BTreeMap<(u64, Hash), Vec<Cosignature>> = BTreeMap::new();
    for row in cosignature::stored(organization.as_str(), reader)? {
        heads.entry((row.size, row.root)).or_default().push(row);
    }
    let mut all = Vec::new();
    for ((size, root), lines) in heads {
        for lines in lines.chunks(limits::COSIGNATURES) {
            all.push(Cosigned {
                organization: organization.as_str().to_owned(),
                size,
                root,
                lines: lines.to_vec(),
            });
        }
    }
    Ok(all)
}

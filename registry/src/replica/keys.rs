//! Log keys that change: rotations are learned before the heads that need them, kept with the log, and sent to whoever
//! does not know them; and the own key is rotated.

use std::sync::Arc;

use syndic_vc::did::Did;
use syndic_vc::key::{PublicKey, Signer};

use super::{Replica, Step};
use crate::head::{Head, HeadError};
use crate::limits;
use crate::log_keys::{Rotation, RotationError};
use crate::message::KnownRotation;
use crate::statement::{Content, Statement};

/// A kind that no entry without a rotation contains.
const MARK: &[u8] = b"\"logKeyRotated\"";

/// The own log key is to be replaced.
#[derive(Clone)]
pub struct NewLogKey {
    /// The key that signs heads from now on.
    pub key: Arc<dyn Signer>,
    /// The key that will follow it: only its hash is published.
    pub next: PublicKey,
    /// The root key of the own card.
    pub root: Arc<dyn Signer>,
}

impl std::fmt::Debug for NewLogKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewLogKey({})", self.key.public_key())
    }
}

impl Replica {
    /// The key that signs heads of an organization's log now, as far as is known here.
    #[must_use]
    pub fn log_key(&self, organization: &Did) -> Option<&PublicKey> {
        self.tracks.get(organization).map(|track| track.keys.newest())
    }

    /// The key that signs heads of the own log now.
    #[must_use]
    pub fn own_log_key(&self) -> Option<&PublicKey> {
        self.log_key(&self.own.as_ref()?.me.organization)
    }

    /// The rotations of an organization's log key that are known and stored here.
    #[must_use]
    pub fn rotations(&self, organization: &Did) -> &[Rotation] {
        self.tracks
            .get(organization)
            .map_or(&[], super::track::Track::stored_rotations)
    }

    /// Checks a head. If another key than the known one signed it, the entries that came with it may say why.
    pub(super) fn verify(
        &mut self,
        organization: &Did,
        note: &str,
        entries: &[Vec<u8>],
        from: &str,
        step: &mut Step<'_>,
    ) -> Result<Head, HeadError> {
        let checked = match self.tracks.get_mut(organization) {
            Some(track) => track.verify(note),
            None => return Err(HeadError::OtherKey),
        };
        if checked != Err(HeadError::OtherKey) {
            return checked;
        }
        let marked = |entry: &&Vec<u8>| entry.windows(MARK.len()).any(|window| window == MARK);
        let mut learned = false;
        for entry in entries.iter().filter(marked) {
            if let Ok(Statement {
                content: Content::LogKeyRotated(rotation),
                ..
            }) = Statement::parse(entry)
                && self.peers.may_check(from, step.now)
            {
                // What is false here is told by the head, or by nobody.
                learned |= self.learn(organization, &rotation) == Ok(true);
            }
        }
        match self.tracks.get_mut(organization) {
            Some(track) if learned => track.verify(note),
            _ => checked,
        }
    }

    /// Takes rotations that a peer told. False if it told what no honest node tells.
    pub(super) fn take_rotations(&mut self, from: &str, rotations: &[KnownRotation], step: &mut Step<'_>) -> bool {
        for known in rotations {
            let organization = self.tracks.get_key_value(known.organization.as_str());
            let Some((organization, track)) = organization.map(|(name, track)| (name.clone(), track)) else {
                // Of a member by a charter that is not known here.
                continue;
            };
            if track.keys.rotations().contains(&known.rotation) {
                continue;
            }
            if !self.may_check(from, step) {
                return false;
            }
            match self.learn(&organization, &known.rotation) {
                Err(error) if error.is_false() => {
                    self.blame(from, error.into(), step);
                    return false;
                }
                _ => {}
            }
        }
        true
    }

    fn learn(&mut self, organization: &Did, rotation: &Rotation) -> Result<bool, RotationError> {
        let Some(track) = self.tracks.get_mut(organization) else {
            return Ok(false);
        };
        let learned = track.keys.learn(rotation);
        match learned {
            Ok(true) => {
                track.check_keys();
                // A restored backup learns of its own rotations from others.
                if let Some(own) = self.own.as_mut().filter(|own| own.me.organization == *organization) {
                    own.use_key(track.keys.newest());
                }
            }
            // Two successors of one key, both signed by the root key: whose log this is nobody can tell.
            Err(RotationError::Contradiction) => track.disowned = true,
            _ => {}
        }
        learned
    }

    /// Rotations that the asker does not know, as far as there is room.
    pub(super) fn unknown_rotations(&self, knows: impl Fn(&str) -> usize, room: &mut usize) -> Vec<KnownRotation> {
        let mut unknown = Vec::new();
        for (organization, track) in &self.tracks {
            let name = organization.as_str();
            for rotation in track.stored_rotations().iter().skip(knows(name)) {
                let left = room.checked_sub(name.len() + limits::ROTATION_BYTES);
                let Some(left) = left.filter(|_| unknown.len() < limits::ROTATIONS_AT_ONCE) else {
                    return unknown;
                };
                *room = left;
                unknown.push(KnownRotation {
                    organization: name.to_owned(),
                    rotation: rotation.clone(),
                });
            }
        }
        unknown
    }
}

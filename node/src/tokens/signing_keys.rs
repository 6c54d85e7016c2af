//! Which key signs access tokens now, which is published to be known in time, and which is still believed.

use syndic_vc::key::{PublicKey, SecretKey};
use syndic_vc::limits::ACCESS_TOKEN_SECONDS;
use syndic_vc::time::Timestamp;

use crate::keys::Keystore;
use crate::node::CLOCK_SKEW_SECONDS;

/// How long one key signs: 30 days. The next is published for as long before, thirty times as long as anybody may keep a
/// key set without looking again.
const PERIOD_SECONDS: i64 = 30 * 24 * 3_600;

fn period(now: Timestamp) -> i64 {
    now.unix_seconds().div_euclid(PERIOD_SECONDS)
}

/// The key that signs now.
pub(super) fn signing(keys: &Keystore, generation: u32, now: Timestamp) -> SecretKey {
    keys.service_key(generation, period(now))
}

/// The keys whose tokens are believed: the one that signs, and the one before while a token of its can live.
pub(super) fn believed(keys: &Keystore, generation: u32, now: Timestamp) -> Vec<PublicKey> {
    let period = period(now);
    let begun = now.unix_seconds() - period * PERIOD_SECONDS;
    let mut believed = vec![keys.service_key(generation, period)];
    if begun <= ACCESS_TOKEN_SECONDS + i64::from(CLOCK_SKEW_SECONDS) {
        believed.push(keys.service_key(generation, period - 1));
    }
    believed.iter().map(|key| key.public_key().clone()).collect()
}

/// The keys that services are told: those that are believed, and the one that signs next.
pub(super) fn published(keys: &Keystore, generation: u32, now: Timestamp) -> Vec<PublicKey> {
    let mut published = believed(keys, generation, now);
    published.push(keys.service_key(generation, period(now) + 1).public_key().clone());
    published
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds).unwrap()
    }

    #[test]
    fn a_key_is_told_before_it_signs_and_believed_until_its_last_token_has_ended() {
        let keys = Keystore::generate(at(1_790_000_000)).unwrap();
        let turn = 700 * PERIOD_SECONDS;
        let signs = |seconds| signing(&keys, 0, at(seconds)).public_key().clone();
        let (before, after) = (signs(turn - 1), signs(turn));
        assert_ne!(before, after);
        assert_eq!(after, signs(turn + PERIOD_SECONDS - 1));
        // Told for the whole period before.
        let told = |seconds| published(&keys, 0, at(seconds));
        assert!(told(turn - PERIOD_SECONDS).contains(&after) && told(turn - 1).contains(&after));
        assert!(!told(turn - PERIOD_SECONDS - 1).contains(&after));
        // Not believed before it signs, and afterwards as long as a token lives.
        let trusted = |seconds| believed(&keys, 0, at(seconds));
        assert!(!trusted(turn - 1).contains(&after) && trusted(turn).contains(&after));
        assert!(trusted(turn + ACCESS_TOKEN_SECONDS).contains(&before));
        assert!(told(turn + ACCESS_TOKEN_SECONDS).contains(&before));
        assert!(!trusted(turn + ACCESS_TOKEN_SECONDS + 31).contains(&before));
        assert!(!told(turn + ACCESS_TOKEN_SECONDS + 31).contains(&before));
    }

    #[test]
    fn another_generation_and_another_keystore_have_other_keys() {
        let now = at(1_790_000_000);
        let (keys, others) = (Keystore::generate(now).unwrap(), Keystore::generate(now).unwrap());
        let all = published(&keys, 0, now);
        assert_eq!(all, published(&keys, 0, now));
        for key in published(&keys, 1, now).iter().chain(&published(&others, 0, now)) {
            assert!(!all.contains(key));
        }
        for key in [keys.root_signer(), keys.log_signer(), keys.credential_signer()] {
            assert!(!all.contains(key.public_key()));
        }
    }
}

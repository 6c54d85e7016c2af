//! Status lists: what one encodes the other decodes to the same bits.

use serde_json::json;
use syndic_vc::status::StatusList;

use crate::figures::{Figures, Way};
use crate::peer::{Alteration, Peer, with_another_character};
use crate::random::Random;

/// Lists of each length.
const LISTS: usize = 6;
const LENGTHS: [u64; 2] = [131_072, 1 << 20];

/// Indices to set: the first, the last, and some between.
pub(crate) fn indices(length: u64, random: &mut Random) -> Vec<u64> {
    let mut all: Vec<u64> = (0..random.below(200)).map(|_| random.bits() % length).collect();
    all.extend([0, 7, 8, length - 1]);
    all.sort_unstable();
    all.dedup();
    all
}

/// The indices that are set.
pub(crate) fn set_bits(list: &StatusList) -> Vec<u64> {
    (0..list.len()).filter(|index| list.get(*index).unwrap()).collect()
}

fn exchange(peer: &mut Peer, figures: &mut Figures) {
    let mut random = Random::new(94_567);
    for length in LENGTHS {
        let row = format!("bitstring of {length}");
        for _ in 0..LISTS {
            let indices = indices(length, &mut random);
            let request = json!({
                "length": length, "set": indices, "url": "https://example.org/status/1", "purpose": "revocation",
            });
            let credential = peer.made("status-list-encode", request, "credential");
            let encoded = credential["credentialSubject"]["encodedList"]
                .as_str()
                .unwrap()
                .to_owned();
            let read = StatusList::decode(&encoded).map(|list| (list.len(), set_bits(&list)));
            let same = read.as_ref().is_ok_and(|read| *read == (length, indices.clone()));
            figures.holds(&row, Way::Theirs, same, || format!("{read:?}, not {indices:?}"));
            for copy in altered(&encoded) {
                let read = StatusList::decode(&copy).map(|list| set_bits(&list));
                let refused = !read.as_ref().is_ok_and(|read| *read == indices);
                figures.holds(&row, Way::TheirsAltered, refused, || "read as before".to_owned());
            }
            let mut list = StatusList::new(length).unwrap();
            for index in &indices {
                list.set(*index, true).unwrap();
            }
            let answer = peer.ask("status-list-decode", json!({"encodedList": list.encode()}));
            let same = answer["length"] == length && answer["set"] == json!(indices);
            figures.holds(&row, Way::Ours, same, || format!("{answer}, not {indices:?}"));
            for copy in altered(&list.encode()) {
                let answer = peer.ask("status-list-decode", json!({"encodedList": copy}));
                let noticed = answer["set"] != json!(indices) || answer["length"] != length;
                figures.holds(&row, Way::OursAltered, noticed, || "read as before".to_owned());
            }
        }
    }
}

fn altered(encoded: &str) -> [String; 3] {
    [
        with_another_character(encoded),
        encoded[..encoded.len() / 2].to_owned(),
        encoded.replacen('u', "z", 1),
    ]
}

#[test]
fn status_lists_say_the_same() {
    let Some(mut peer) = Peer::start() else { return };
    let mut figures = Figures::new("status lists");
    exchange(&mut peer, &mut figures);
    figures.finish();
}

#[test]
fn an_altered_status_list_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Content)) else {
        return;
    };
    let mut figures = Figures::new("altered");
    exchange(&mut peer, &mut figures);
    assert!(figures.disagree(), "an altered list went unnoticed");
}

//! Status lists as IETF Token Status Lists, beside @sd-jwt/jwt-status-list: the same bits in another order.

use serde_json::json;
use syndic_vc::status::StatusList;
use syndic_vc::status::token;

use crate::figures::{Figures, Way};
use crate::peer::{Alteration, Peer, with_another_character};
use crate::random::Random;
use crate::status::{indices, set_bits};

/// The shortest list there is here.
const LENGTH: u64 = 131_072;
const LISTS: usize = 6;

fn exchange(peer: &mut Peer, figures: &mut Figures) {
    let mut random = Random::new(2025);
    let row = format!("token list of {LENGTH}");
    for _ in 0..LISTS {
        let indices = indices(LENGTH, &mut random);
        let statuses: Vec<(u64, u8)> = indices.iter().map(|index| (*index, 1)).collect();
        let request = json!({"length": LENGTH, "bits": 1, "set": statuses});
        let theirs = peer.made("token-status-list-encode", request, "lst");
        let theirs = theirs.as_str().unwrap();
        let read = token::decode(theirs).map(|list| (list.len(), set_bits(&list)));
        let same = read.as_ref().is_ok_and(|read| *read == (LENGTH, indices.clone()));
        figures.holds(&row, Way::Theirs, same, || format!("{read:?}, not {indices:?}"));
        for copy in altered(theirs) {
            let read = token::decode(&copy).map(|list| set_bits(&list));
            let noticed = !read.as_ref().is_ok_and(|read| *read == indices);
            figures.holds(&row, Way::TheirsAltered, noticed, || "read as before".to_owned());
        }
        let mut list = StatusList::new(LENGTH).unwrap();
        for index in &indices {
            list.set(*index, true).unwrap();
        }
        let ours = token::encode(&list);
        let answer = peer.ask("token-status-list-decode", json!({"lst": ours, "bits": 1}));
        let same = answer["length"] == LENGTH && answer["set"] == json!(statuses);
        figures.holds(&row, Way::Ours, same, || format!("{answer}, not {statuses:?}"));
        for copy in altered(&ours) {
            let answer = peer.ask("token-status-list-decode", json!({"lst": copy, "bits": 1}));
            let noticed = answer["length"] != LENGTH || answer["set"] != json!(statuses);
            figures.holds(&row, Way::OursAltered, noticed, || "read as before".to_owned());
        }
    }
}

fn altered(text: &str) -> [String; 2] {
    [with_another_character(text), text[..text.len() / 2].to_owned()]
}

#[test]
fn status_tokens_say_the_same() {
    let Some(mut peer) = Peer::start() else { return };
    let mut figures = Figures::new("status list tokens");
    exchange(&mut peer, &mut figures);
    figures.finish();
}

#[test]
fn an_altered_status_token_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Content)) else {
        return;
    };
    let mut figures = Figures::new("altered");
    exchange(&mut peer, &mut figures);
    assert!(figures.disagree(), "an altered list went unnoticed");
}

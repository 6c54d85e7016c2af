//! A document means the same however its text is spelled: what is signed is the canonical form.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use syndic_vc::decision::{Decision, Outcome, Verified};
use syndic_vc::denial::Denied;
use syndic_vc::verify::{self, ActionRequest, PresentationRequest};

use world::*;

/// The text of a document: as Syndic writes it, with space between everything, with an escape that
/// need not be one, and with the last member first.
fn spellings(canonical: &[u8]) -> Vec<String> {
    let plain = String::from_utf8(canonical.to_vec()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&plain).unwrap();
    let last = value.as_object().unwrap().keys().next_back().unwrap().clone();
    let mut rest = value.clone();
    let taken = rest.as_object_mut().unwrap().remove(&last).unwrap();
    let turned = format!("{{{last:?}:{taken},{}", rest.to_string().strip_prefix('{').unwrap());
    let escaped = plain.replacen("customer_records", "customer\\u005frecords", 1);
    assert!(turned != plain && escaped != plain);
    vec![
        plain.clone(),
        serde_json::to_string_pretty(&value).unwrap(),
        escaped,
        turned,
        format!(" {plain} "),
    ]
}

/// Every spelling is allowed, and every spelling with a changed word is refused for its signature.
fn each<T: Verified>(canonical: &[u8], verify: impl Fn(&[u8]) -> Result<T, Denied>) {
    for text in spellings(canonical) {
        let outcome = verify(text.as_bytes());
        assert_eq!(Decision::of(&outcome).outcome(), Outcome::Allow, "{text}");
        for (from, to) in [("ticket_updates", "ticket_update2"), ("T11:00:00Z", "T11:00:01Z")] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            let denied = verify(changed.as_bytes()).err().expect("it was changed");
            assert_eq!(denied.code().as_str(), "signature-invalid", "{changed}");
        }
    }
}

#[test]
fn a_credential() {
    each(&text(&credential()), |text| {
        verify::credential(text, &policy(), &Known::new(), now())
    });
}

#[test]
fn a_presentation() {
    let request = PresentationRequest {
        challenge: CHALLENGE,
        domain: DOMAIN,
    };
    each(&text(&present(vec![credential()])), |text| {
        verify::presentation(text, &request, &policy(), &Known::new(), &Once::new(), now())
    });
}

#[test]
fn an_action() {
    let south = south().did;
    let request = ActionRequest { audience: &south };
    each(&text(&refund()), |text| {
        verify::action(text, &request, &policy(), &Known::new(), &Once::new(), now())
    });
}

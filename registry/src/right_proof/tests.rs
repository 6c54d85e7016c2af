#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::cosignature::Cosignature;
use crate::example::{at, charter, did, key};
use crate::log::LogState;
use crate::statement::{Content, Grant, Right};
use crate::store::{MemoryStore, Write};
use crate::view::{Authority, Question};

/// The second hospital lets the first one read, in one of five statements.
fn said() -> MemoryStore {
    let mut store = MemoryStore::default();
    let organization = did(2);
    let name = organization.as_str();
    let statements: Vec<Statement> = (0..5)
        .map(|n| Statement {
            at: at(n),
            content: Content::Authorize(Grant {
                right: Right {
                    subject: did(1).as_str().to_owned(),
                    action: "read".to_owned(),
                    resource: format!("lab/{n}"),
                },
                valid_from: None,
                valid_until: None,
            }),
        })
        .collect();
    let entries: Vec<Vec<u8>> = statements.iter().map(|one| one.to_bytes().unwrap()).collect();
    let facts = crate::fold::fold(name, 0, &statements, &store).unwrap();
    let (frontier, rows) = log::append(name, &log::Frontier::default(), &entries).unwrap();
    let (size, root) = (frontier.size(), frontier.root());
    let origin = head::origin(charter().id(), name);
    let head = Some(Head::sign(&origin, size, &root, &key(22), at(90)).unwrap());
    let line = Cosignature::sign(charter().id(), name, (size, &root), &did(3), &key(32), at(95)).unwrap();
    store.write(&rows);
    store.write(&facts);
    store.write(&[
        Write::put(store::log_state(name), LogState { frontier, head }.encode()),
        Write::put(store::cosignature(name, did(3).as_str()), line.encode()),
    ]);
    store
}

fn proof() -> RightProof {
    let store = said();
    let view = View::new(charter(), &store);
    let member = charter().member(did(2).as_str()).unwrap();
    let subject = did(1);
    let question = Question {
        subject: subject.as_str(),
        action: "read",
        resource: "lab/3",
        at: at(100),
    };
    let answer = view.authorization(Authority::Member(member), &question).unwrap();
    assert!(answer.granted);
    let proof = RightProof::of(&answer.vouchers[0], &view, &store).unwrap().unwrap();
    assert_eq!(RightProof::from_value(&proof.to_value()), Ok(proof.clone()));
    proof
}

fn chain() -> CharterChain {
    CharterChain::new(charter().clone()).unwrap()
}

#[test]
fn a_statement_is_proven_with_the_charter_alone() {
    let proven = proof().verify(&chain()).unwrap();
    let Content::Authorize(grant) = &proven.statement.content else {
        panic!("{:?}", proven.statement)
    };
    assert_eq!((grant.right.resource.as_str(), proven.head.time()), ("lab/3", at(90)));
    assert_eq!(proven.cosigned, 1);
}

#[test]
fn nothing_in_it_can_be_changed() {
    let good = proof();
    let altered = |change: fn(&mut RightProof)| {
        let mut proof = good.clone();
        change(&mut proof);
        assert_ne!(proof, good);
        proof.verify(&chain())
    };
    let changes: [fn(&mut RightProof); 7] = [
        |proof| proof.index = 2,
        |proof| proof.entry[40] ^= 1,
        |proof| proof.inclusion[0][0] ^= 1,
        |proof| proof.inclusion.truncate(1),
        |proof| proof.checkpoint = proof.checkpoint.replace("\n5\n", "\n6\n"),
        |proof| proof.organization = did(3),
        |proof| proof.organization = did(9),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert!(altered(change).is_err(), "change {number}");
    }
    good.verify(&chain()).unwrap();
}

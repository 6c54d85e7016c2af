//! The bundled contexts as they are read here, and RDFC-1.0 against its bounds and a peer.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::super::{BUNDLED, HashFunction, LinkedDataError};
use super::active::{self, Active, Scope};
use super::definition::Target;
use super::rdfc::canonicalize;
use super::walk::{Quad, Term};

/// Visits every active context that documents with these contexts can reach by one property or type.
fn each_reachable(active: &Arc<Active>, depth: usize, visit: &mut dyn FnMut(&Active)) {
    visit(active);
    if depth == 0 {
        return;
    }
    for definition in active.terms.values() {
        let Some(scoped) = definition.scoped else { continue };
        for scope in [Scope::Property, Scope::Type] {
            // A property's context may redefine what a type's may not.
            match active.with(scoped, scope) {
                Ok(inner) => each_reachable(&inner, depth - 1, visit),
                Err(error) => assert!(error.contains("protected"), "{error}"),
            }
        }
    }
}

#[test]
fn every_bundled_context_is_read_to_its_last_term() {
    for (url, _) in BUNDLED {
        let context = active::find(url).unwrap_or_else(|| panic!("{url} is not JSON"));
        let active = Arc::<Active>::default().with(context, Scope::Document);
        let mut contexts = 0;
        each_reachable(&active.unwrap_or_else(|error| panic!("{url}: {error}")), 2, &mut |_| {
            contexts += 1
        });
        assert!(contexts > 0);
    }
}

/// Otherwise a member could be renamed without changing what is signed.
#[test]
fn no_two_terms_stand_for_the_same_iri() {
    for first in [
        "https://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/2018/credentials/v1",
    ] {
        let base = Arc::<Active>::default()
            .with(active::find(first).unwrap(), Scope::Document)
            .unwrap();
        for (second, _) in BUNDLED {
            // Two contexts that disagree about protected terms cannot be used together.
            let Ok(both) = base.with(active::find(second).unwrap(), Scope::Document) else {
                continue;
            };
            each_reachable(&both, 2, &mut |active| {
                let mut names: BTreeMap<&str, &str> = BTreeMap::new();
                for (name, definition) in &active.terms {
                    if let Target::Iri(iri) = &definition.target
                        && let Some(other) = names.insert(iri, name)
                    {
                        panic!("{first} and {second}: {name} and {other} are both {iri}");
                    }
                }
            });
        }
    }
}

fn blank(quad: (usize, usize, usize)) -> Quad {
    Quad {
        subject: Term::Blank(quad.0),
        predicate: format!("<urn:x:p{}>", quad.1),
        object: Term::Blank(quad.2),
        graph: None,
    }
}

fn ours(quads: &[(usize, usize, usize)], nodes: usize) -> Result<String, LinkedDataError> {
    let mut quads: Vec<Quad> = quads.iter().copied().map(blank).collect();
    quads.sort_unstable();
    quads.dedup();
    canonicalize(&quads, nodes, HashFunction::Sha256)
}

fn theirs(quads: &[(usize, usize, usize)]) -> String {
    let node = |number: usize| oxrdf::BlankNode::new(format!("n{number}")).unwrap();
    let quads: Vec<oxrdf::Quad> = quads
        .iter()
        .map(|(subject, predicate, object)| {
            let predicate = oxrdf::NamedNode::new(format!("urn:x:p{predicate}")).unwrap();
            oxrdf::Quad::new(node(*subject), predicate, node(*object), oxrdf::GraphName::DefaultGraph)
        })
        .collect();
    rdf_canon::canonicalize_quads(&quads).unwrap()
}

proptest! {
    /// Up to eight blank nodes, none stating something of itself: the peer sorts names as text, `b10`
    /// before `b2`, and counts a statement of a node about itself twice.
    #[test]
    fn blank_nodes_are_named_as_a_peer_names_them(
        quads in prop::collection::vec((0..8_usize, 0..2_usize, 0..8_usize), 1..16),
    ) {
        let quads: Vec<_> = quads.into_iter().filter(|(subject, _, object)| subject != object).collect();
        if let Ok(found) = ours(&quads, 8) {
            prop_assert_eq!(found, theirs(&quads));
        }
    }

    #[test]
    fn the_canonical_form_does_not_depend_on_the_order_of_nodes(
        quads in prop::collection::vec((0..8_usize, 0..2_usize, 0..8_usize), 1..16),
        order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let renamed: Vec<_> = quads.iter().map(|(s, p, o)| (order[*s], *p, order[*o])).collect();
        if let (Ok(one), Ok(other)) = (ours(&quads, 8), ours(&renamed, 8)) {
            prop_assert_eq!(one, other);
        }
    }
}

#[test]
fn graphs_of_many_like_nodes_are_refused_and_smaller_ones_not() {
    let clique = |n: usize| -> Vec<_> {
        (0..n)
            .flat_map(|a| (0..n).map(move |b| (a, 0, b)))
            .filter(|(a, _, b)| a != b)
            .collect()
    };
    let ring = |n: usize| -> Vec<_> { (0..n).map(|a| (a, 0, (a + 1) % n)).collect() };
    let star = |n: usize| -> Vec<_> { (1..n).map(|a| (0, 0, a)).collect() };
    // Two like stars: the leaves of each are tried in every order.
    let stars = |n: usize| -> Vec<_> { (1..n).map(|a| (0, 0, a)).chain((1..n).map(|a| (n, 0, n + a))).collect() };
    let too_complex = |quads: &[_], nodes| matches!(ours(quads, nodes), Err(LinkedDataError::TooComplex(_)));
    for n in [8, 10, 50, 100] {
        assert!(too_complex(&clique(n), n), "clique of {n}");
        assert!(too_complex(&stars(n), 2 * n), "two stars of {n}");
    }
    assert!(too_complex(&ring(2_000), 2_000), "a ring deeper than is followed");
    for (name, quads, nodes) in [
        ("a pair", clique(2), 2),
        ("a star", star(1_000), 1_000),
        ("two small stars", stars(2), 4),
        ("a chain", (0..4).map(|a| (a, 0, a + 1)).collect(), 5),
    ] {
        assert!(ours(&quads, nodes).is_ok(), "{name}");
    }
}

/// Where the peer is wrong, the results of `rdf-canonize` 5.0.0 for the same graphs.
#[test]
fn long_chains_and_loops_are_named_as_the_reference_names_them() {
    let looped = ours(&[(3, 0, 0), (0, 0, 4), (0, 0, 0), (4, 0, 1)], 5).unwrap();
    let expected = "_:c14n0 <urn:x:p0> _:c14n0 .\n_:c14n0 <urn:x:p0> _:c14n2 .\n\
                    _:c14n2 <urn:x:p0> _:c14n1 .\n_:c14n3 <urn:x:p0> _:c14n0 .\n";
    assert_eq!(looped, expected);
    let chains: Vec<_> = (0..24).filter(|a| (a + 1) % 12 != 0).map(|a| (a, 0, a + 1)).collect();
    let found = ours(&chains, 24).unwrap();
    assert_eq!(
        digest(&found),
        "c404f25e691b30cb990819c0ee1fd2793579e114cbabf6ee8fc53e072a634add"
    );
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digests of the bundled texts: a change of one changes what documents mean.
#[test]
fn the_bundled_contexts_are_these_bytes() {
    let expected: Vec<(&str, &str)> = DIGESTS.lines().filter_map(|line| line.split_once(' ')).collect();
    let found: Vec<(&str, String)> = BUNDLED.iter().map(|(url, text)| (*url, digest(text))).collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(url, digest)| (*url, digest.as_str())).collect();
    assert_eq!(found, expected);
}

const DIGESTS: &str = "\
https://www.w3.org/ns/credentials/v2 8a9f494a89ecc51db093e90e84713e07e84d6d9204364a9b3c7868b21751236f
https://syndic.example/ns/capability/v1 a61de8880fd40aee7ec0361fe976a5d2980d76d23393dafdfc98aa5ccaa32f13
https://www.w3.org/2018/credentials/v1 ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc
https://www.w3.org/ns/credentials/examples/v2 e6600df812cdc1872f20b42ab0c1cecac39755b7ed381e7f6a88dac7baab54d6
https://w3id.org/security/data-integrity/v1 b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554
https://w3id.org/security/data-integrity/v2 0f77743daf5b4e8fc067fc5ba5b21044283053aa717fc6b0219843bed3b00363
https://w3id.org/security/multikey/v1 c5f3806f8286920573221938917988a18a4cc5a09e968d29649613c7a1c2b1f6
https://www.w3.org/ns/did/v1 62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f
https://w3id.org/security/suites/ed25519-2020/v1 b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588
https://w3id.org/vdl/v1 5e61aa138bc6a1bf92299edd01408df52f20c24057b9dbea72ccaeef5b792010
https://w3id.org/citizenship/v4rc1 a89b0bc00b1848ac3dfdf956c7dd5de8567e755351c07ec6a1c2b4a08b67953b
https://w3id.org/vc/status-list/2021/v1 634d71c159289f068c96012e4511c657fdf82ac4231900081bda3ba24e2e1160
";

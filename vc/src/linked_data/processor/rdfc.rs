//! RDF Dataset Canonicalization, RDFC-1.0 (W3C Recommendation, 2024), with bounded work.
//!
//! Blank nodes have no names of their own; the algorithm names them by what is said about them.
//! Where several are alike it tries orders, which can cost time exponential in the document. The
//! bounds end that: nobody needs a document of many indistinguishable parts.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256, Sha384};

use super::super::{HashFunction, LinkedDataError};
use super::walk::{Quad, Term};
use crate::limits::{RDF_CALLS_PER_BLANK_NODE, RDF_DEPTH, RDF_PERMUTATIONS_PER_BLANK_NODE};

const TOO_COMPLEX: LinkedDataError = LinkedDataError::TooComplex(
    "parts of the document are alike beyond what is canonicalized here: give them ids, or fewer of them",
);

/// The canonical N-Quads of a dataset without duplicates whose blank nodes are numbered from 0.
pub(super) fn canonicalize(
    quads: &[Quad],
    blank_nodes: usize,
    function: HashFunction,
) -> Result<String, LinkedDataError> {
    let mut about: Vec<Vec<&Quad>> = vec![Vec::new(); blank_nodes];
    for quad in quads {
        for (_, node) in blanks(quad) {
            if let Some(list) = about.get_mut(node)
                && list.last().is_none_or(|last| !std::ptr::eq(*last, quad))
            {
                list.push(quad);
            }
        }
    }
    let mut state = State {
        function,
        first: Vec::new(),
        canonical: Issuer::new("c14n"),
        calls: blank_nodes * RDF_CALLS_PER_BLANK_NODE,
        permutations: blank_nodes * RDF_PERMUTATIONS_PER_BLANK_NODE,
        about,
    };
    state.first = (0..blank_nodes).map(|node| state.hash_first_degree(node)).collect();
    state.issue_all()?;
    let mut lines: Vec<String> = quads
        .iter()
        .map(|quad| line(quad, |node| state.canonical.name(node).unwrap_or_default()))
        .collect();
    lines.sort_unstable();
    Ok(lines.concat())
}

/// The blank nodes of a quad, with their positions.
fn blanks(quad: &Quad) -> impl Iterator<Item = (char, usize)> {
    [
        ('s', Some(&quad.subject)),
        ('o', Some(&quad.object)),
        ('g', quad.graph.as_ref()),
    ]
    .into_iter()
    .filter_map(|(position, term)| match term {
        Some(Term::Blank(node)) => Some((position, *node)),
        _ => None,
    })
}

/// A quad as a line of canonical N-Quads, blank nodes named by `name`.
fn line(quad: &Quad, name: impl Fn(usize) -> String) -> String {
    let text = |term: &Term| match term {
        Term::Blank(node) => format!("_:{}", name(*node)),
        Term::Text(text) => text.clone(),
    };
    let mut line = format!("{} {} {} ", text(&quad.subject), quad.predicate, text(&quad.object));
    if let Some(graph) = &quad.graph {
        line.push_str(&text(graph));
        line.push(' ');
    }
    line.push_str(".\n");
    line
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| DIGITS.get(usize::from(digit)))
        .map(|digit| char::from(*digit))
        .collect()
}

/// Gives names in the order in which they are asked for.
#[derive(Clone)]
struct Issuer {
    prefix: &'static str,
    numbers: BTreeMap<usize, usize>,
    /// The nodes in the order of their numbers.
    order: Vec<usize>,
}

impl Issuer {
    const fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            numbers: BTreeMap::new(),
            order: Vec::new(),
        }
    }

    fn name(&self, node: usize) -> Option<String> {
        self.numbers.get(&node).map(|number| format!("{}{number}", self.prefix))
    }

    fn issue(&mut self, node: usize) -> String {
        let number = *self.numbers.entry(node).or_insert_with(|| {
            self.order.push(node);
            self.order.len() - 1
        });
        format!("{}{number}", self.prefix)
    }
}

struct State<'q> {
    function: HashFunction,
    /// The quads in which each blank node stands.
    about: Vec<Vec<&'q Quad>>,
    /// The first degree hash of each blank node.
    first: Vec<String>,
    canonical: Issuer,
    /// Calls of the N-degree algorithm that may still be made.
    calls: usize,
    /// Orders of like nodes that may still be tried.
    permutations: usize,
}

impl<'q> State<'q> {
    fn hash(&self, text: &str) -> String {
        match self.function {
            HashFunction::Sha256 => hexadecimal(&Sha256::digest(text.as_bytes())),
            HashFunction::Sha384 => hexadecimal(&Sha384::digest(text.as_bytes())),
        }
    }

    fn about(&self, node: usize) -> &[&'q Quad] {
        self.about.get(node).map_or(&[], Vec::as_slice)
    }

    /// Section 4.6: the hash of what is said about a node directly.
    fn hash_first_degree(&self, node: usize) -> String {
        let mut lines: Vec<String> = self
            .about(node)
            .iter()
            .map(|quad| line(quad, |other| if other == node { "a" } else { "z" }.to_owned()))
            .collect();
        lines.sort_unstable();
        self.hash(&lines.concat())
    }

    /// Section 4.4.3, steps 3 to 5: names for all blank nodes.
    fn issue_all(&mut self) -> Result<(), LinkedDataError> {
        let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let stated = |node: usize| !self.about(node).is_empty();
        for (node, hash) in self.first.iter().enumerate().filter(|(node, _)| stated(*node)) {
            alike.entry(hash.clone()).or_default().push(node);
        }
        for nodes in alike.values() {
            if let [only] = nodes.as_slice() {
                self.canonical.issue(*only);
            }
        }
        for nodes in alike.values().filter(|nodes| nodes.len() > 1) {
            let mut results = Vec::with_capacity(nodes.len());
            for &node in nodes {
                if self.canonical.numbers.contains_key(&node) {
                    continue;
                }
                let mut issuer = Issuer::new("b");
                issuer.issue(node);
                results.push(self.hash_n_degree(node, issuer, 0)?);
            }
            results.sort_by(|(one, _), (other, _)| one.cmp(other));
            for (_, issuer) in results {
                for node in issuer.order {
                    self.canonical.issue(node);
                }
            }
        }
        Ok(())
    }

    /// Section 4.7: the hash of a related node as far as it is known.
    fn hash_related(&self, node: usize, quad: &Quad, issuer: &Issuer, position: char) -> String {
        let mut input = String::from(position);
        if position != 'g' {
            input.push_str(&quad.predicate);
        }
        match self.canonical.name(node).or_else(|| issuer.name(node)) {
            Some(name) => {
                input.push_str("_:");
                input.push_str(&name);
            }
            None => input.push_str(self.first.get(node).map_or("", String::as_str)),
        }
        self.hash(&input)
    }

    /// Section 4.8: the hash of a node by its place among the others, and the names given on the way.
    fn hash_n_degree(
        &mut self,
        node: usize,
        mut issuer: Issuer,
        depth: usize,
    ) -> Result<(String, Issuer), LinkedDataError> {
        if depth > RDF_DEPTH {
            return Err(TOO_COMPLEX);
        }
        self.calls = self.calls.checked_sub(1).ok_or(TOO_COMPLEX)?;
        let mut related: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for quad in self.about(node) {
            for (position, other) in blanks(quad).filter(|(_, other)| *other != node) {
                let hash = self.hash_related(other, quad, &issuer, position);
                related.entry(hash).or_default().push(other);
            }
        }
        let mut data = String::new();
        for (hash, mut nodes) in related {
            data.push_str(&hash);
            let mut chosen: Option<(String, Issuer)> = None;
            nodes.sort_unstable();
            loop {
                let best = chosen.as_ref().map(|(path, _)| path.as_str());
                if let Some(better) = self.path(&nodes, issuer.clone(), best, depth)? {
                    chosen = Some(better);
                }
                if !next_permutation(&mut nodes) {
                    break;
                }
                self.permutations = self.permutations.checked_sub(1).ok_or(TOO_COMPLEX)?;
            }
            if let Some((path, after)) = chosen {
                data.push_str(&path);
                issuer = after;
            }
        }
        Ok((self.hash(&data), issuer))
    }

    /// Section 4.8.3, steps 5.4.1 to 5.4.6: the path through the nodes in this order; `None` if it is
    /// not less than the best one so far.
    fn path(
        &mut self,
        nodes: &[usize],
        mut issuer: Issuer,
        best: Option<&str>,
        depth: usize,
    ) -> Result<Option<(String, Issuer)>, LinkedDataError> {
        let is_worse = |path: &str| best.is_some_and(|best| path.len() >= best.len() && path > best);
        let mut path = String::new();
        let mut unknown = Vec::new();
        for &node in nodes {
            path.push_str("_:");
            if let Some(name) = self.canonical.name(node) {
                path.push_str(&name);
            } else {
                if !issuer.numbers.contains_key(&node) {
                    unknown.push(node);
                }
                path.push_str(&issuer.issue(node));
            }
            if is_worse(&path) {
                return Ok(None);
            }
        }
        for node in unknown {
            let name = issuer.issue(node);
            let (hash, after) = self.hash_n_degree(node, issuer, depth + 1)?;
            issuer = after;
            path.push_str("_:");
            path.push_str(&name);
            path.push('<');
            path.push_str(&hash);
            path.push('>');
            if is_worse(&path) {
                return Ok(None);
            }
        }
        Ok(best.is_none_or(|best| path.as_str() < best).then_some((path, issuer)))
    }
}

/// The next order of a sorted list, each once; `false` after the last.
fn next_permutation(nodes: &mut [usize]) -> bool {
    let Some(turn) = nodes
        .windows(2)
        .rposition(|pair| matches!(pair, [one, next] if one < next))
    else {
        return false;
    };
    let (head, tail) = nodes.split_at_mut(turn + 1);
    if let Some(pivot) = head.last_mut()
        && let Some(greater) = tail.iter_mut().rev().find(|node| **node > *pivot)
    {
        std::mem::swap(pivot, greater);
    }
    tail.reverse();
    true
}

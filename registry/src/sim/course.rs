//! The course of a consortium's charter in one run: who is there from the beginning, who is admitted, and who is removed;
//! or two removals at once, which contradict each other.

use syndic_vc::key::SecretKey;
use syndic_vc::time::Timestamp;

use super::node::Node;
use super::plan::Plan;
use crate::charter::{Charter, CharterChain, Founding, MemberCard, Rules, SignedCharter, Taken};
use crate::replica::rng::Rng;

/// Who is a member when.
pub(super) struct Course {
    /// What every founder has on its disk.
    pub(super) first: CharterChain,
    /// Later versions, in the order in which they are published. Of a conflict, the last two have one number.
    pub(super) versions: Vec<SignedCharter>,
    /// Names everybody who is ever a member.
    pub(super) all: Charter,
    /// How the chain ends.
    pub(super) last: CharterChain,
    /// The member that is none in the end.
    pub(super) removed: Option<usize>,
    /// Of two contradicting versions, whom the other one removes: version by version, as they are published.
    pub(super) contested: Vec<(usize, usize)>,
    /// Member 0 comes later.
    pub(super) newcomer: bool,
    /// How many versions somebody has taken.
    pub(super) published: usize,
}

impl Course {
    pub(super) fn new(
        plan: &Plan,
        nodes: &[Node],
        cards: &[MemberCard],
        created: Timestamp,
        rng: &mut Rng,
    ) -> Result<Self, String> {
        let changes = &plan.changes;
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let founding = |members: Vec<MemberCard>| Founding {
            rules: Rules {
                threshold: u32::try_from(members.len() / 2 + 1).unwrap_or(2),
                // So that as many are there whoever is removed.
                witnesses: if cards.len() > 5 { 2 } else { 1 },
                max_staleness: plan.max_staleness,
                endorsements: 1,
            },
            name: "Simulated".to_owned(),
            members,
            created,
        };
        let without = |who: usize, cards: &[MemberCard]| -> Vec<MemberCard> {
            let mut left = cards.to_vec();
            left.remove(who);
            left
        };
        let founders = if changes.any { without(0, cards) } else { cards.to_vec() };
        let founded = Charter::found(&founding(founders)).map_err(|error| text(&error))?;
        let first = CharterChain::new(founded).ok_or("no first charter")?;
        let (mut last, mut versions, mut removed, mut contested) = (first.clone(), Vec::new(), None, Vec::new());
        let sign = |chain: &CharterChain, members: Vec<MemberCard>| -> Result<SignedCharter, String> {
            let mut signed = chain.propose(&founding(members)).map_err(|error| text(&error))?;
            for node in nodes {
                if chain.current().member(node.did.as_str()).is_some() || versions_need(chain, node) {
                    let root: &SecretKey = &node.root;
                    signed.sign(&node.did, root).map_err(|error| text(&error))?;
                }
            }
            Ok(signed)
        };
        if changes.any {
            let admission = sign(&last, cards.to_vec())?;
            taken(&mut last, &admission)?;
            versions.push(admission);
        }
        let all = last.current().clone();
        if changes.removal {
            // Not the newcomer: who is alone with nobody to tell it would wait for ever.
            let who = 1 + rng.below(cards.len() as u64 - 1) as usize;
            let removal = sign(&last, without(who, cards))?;
            let before = last.clone();
            taken(&mut last, &removal)?;
            versions.push(removal);
            removed = Some(who);
            if changes.conflict {
                let another = 1 + (who % (cards.len() - 1));
                let second = sign(&before, without(another, cards))?;
                if last.take(&second) != Ok(Taken::Conflict) {
                    return Err("two versions do not contradict each other".to_owned());
                }
                versions.push(second);
                removed = None;
                contested = vec![(versions.len() - 2, another), (versions.len() - 1, who)];
            }
        }
        Ok(Self {
            first,
            versions,
            all,
            last,
            removed,
            contested,
            newcomer: changes.any,
            published: 0,
        })
    }
}

/// Whether this member is the one that the version after the chain admits: it signs itself.
fn versions_need(chain: &CharterChain, node: &Node) -> bool {
    chain.current().version() == 1 && chain.current().member(node.did.as_str()).is_none()
}

fn taken(chain: &mut CharterChain, signed: &SignedCharter) -> Result<(), String> {
    match chain.take(signed) {
        Ok(Taken::New) => Ok(()),
        other => Err(format!("a version of the plan is not taken: {other:?}")),
    }
}

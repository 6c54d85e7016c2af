//! What is known, as the vectors write it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use syndic_vc::did::Did;
use syndic_vc::document::DidDocument;
use syndic_vc::json::{self, Value};
use syndic_vc::trust::Tally;

use super::{Known, Once, at, north};

impl Known {
    pub fn to_json(&self) -> Value {
        let dids = |set: &BTreeSet<Did>| set.iter().map(Did::as_str).collect::<Value>();
        let authorized: json::Object = self
            .authorized
            .iter()
            .map(|(issuer, granted)| {
                let granted = granted.iter().map(|(action, resource)| {
                    syndic_vc::object! { "action": action.as_str(), "resource": resource.as_str() }
                });
                (issuer.as_str(), granted.collect::<Value>())
            })
            .collect();
        let heard: json::Object = self
            .heard
            .iter()
            .map(|(issuer, time)| (issuer.as_str(), *time))
            .collect();
        let documents: json::Object = self
            .documents
            .iter()
            .map(|(did, document)| (did.as_str(), document.to_json()))
            .collect();
        let set = self
            .set
            .iter()
            .map(|(list, index)| syndic_vc::object! { "list": list.as_str(), "index": *index });
        let texts = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Value>();
        let mut known = syndic_vc::object! {
            "authorized": authorized,
            "frozen": dids(&self.frozen),
            "heard": heard,
            "statusLists": syndic_vc::object! {
                "issuer": north().did.as_str(),
                "known": self.lists.iter().map(String::as_str).collect::<Value>(),
                "set": set.collect::<Value>(),
            },
            "retired": dids(&self.retired),
            "documents": documents,
            "unavailable": self.down.iter().map(String::as_str).collect::<Value>(),
        };
        // Left out where there are none.
        let members = known.as_object_mut().unwrap();
        if !self.suspended.is_empty() {
            members.insert("suspended", dids(&self.suspended));
        }
        for (name, set) in [("compromised", &self.compromised), ("anchored", &self.anchored)] {
            if !set.is_empty() {
                members.insert(name, texts(set));
            }
        }
        if !self.agents.is_empty() {
            let agents = self.agents.iter().map(|(agent, of)| (agent.as_str(), of.as_str()));
            members.insert("agents", agents.collect::<json::Object>());
        }
        if !self.other_lists.is_empty() {
            let lists = self.other_lists.iter().map(|(list, of)| (list.as_str(), of.as_str()));
            members.insert("otherLists", lists.collect::<json::Object>());
        }
        if !self.removed.is_empty() {
            members.insert("removed", dids(&self.removed));
        }
        known
    }

    pub fn from_json(value: &Value) -> Known {
        let object = |name: &str| value.get(name).unwrap().as_object().unwrap();
        let texts = |value: &Value| -> Vec<String> {
            value
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one.as_str().unwrap().to_owned())
                .collect()
        };
        let dids = |name: &str| -> BTreeSet<Did> {
            texts(value.get(name).unwrap_or(&Value::Array(Vec::new())))
                .iter()
                .map(|one| one.parse().unwrap())
                .collect()
        };
        let pairs = |name: &str| {
            let pairs = value.get(name).and_then(Value::as_object);
            pairs
                .into_iter()
                .flatten()
                .map(|(name, of)| (name, of.as_str().unwrap().parse::<Did>().unwrap()))
        };
        let rare = |name: &str| value.get(name).map(texts).unwrap_or_default();
        let str = |value: &Value, name: &str| value.get(name).unwrap().as_str().unwrap().to_owned();
        let status = value.get("statusLists").unwrap();
        Known {
            authorized: object("authorized")
                .iter()
                .map(|(issuer, granted)| {
                    let granted = granted.as_array().unwrap().iter();
                    let granted = granted.map(|one| (str(one, "action"), str(one, "resource").parse().unwrap()));
                    (issuer.parse().unwrap(), granted.collect())
                })
                .collect(),
            frozen: dids("frozen"),
            removed: dids("removed"),
            set: status
                .get("set")
                .unwrap()
                .as_array()
                .unwrap()
                .iter()
                .map(|one| {
                    (
                        str(one, "list"),
                        u64::try_from(one.get("index").unwrap().as_i64().unwrap()).unwrap(),
                    )
                })
                .collect(),
            lists: texts(status.get("known").unwrap()).into_iter().collect(),
            agents: pairs("agents")
                .map(|(agent, of)| (agent.parse().unwrap(), of))
                .collect(),
            other_lists: pairs("otherLists").map(|(list, of)| (list.to_owned(), of)).collect(),
            retired: dids("retired"),
            suspended: rare("suspended").iter().map(|one| one.parse().unwrap()).collect(),
            compromised: rare("compromised").into_iter().collect(),
            anchored: rare("anchored").into_iter().collect(),
            heard: object("heard")
                .iter()
                .map(|(did, time)| (did.parse().unwrap(), at(time.as_str().unwrap())))
                .collect(),
            documents: object("documents")
                .iter()
                .map(|(did, document)| {
                    (
                        did.parse().unwrap(),
                        Arc::new(DidDocument::from_json(document).unwrap()),
                    )
                })
                .collect(),
            down: texts(value.get("unavailable").unwrap()).into_iter().collect(),
            ..Known::new()
        }
    }
}

impl Once {
    pub fn write(&self, knowledge: &mut Value) {
        let challenges: json::Object = self
            .challenges
            .borrow()
            .iter()
            .map(|(value, state)| (value.as_str(), *state))
            .collect();
        let nonces = self.nonces.borrow().iter().map(String::as_str).collect::<Value>();
        let counters: json::Object = self
            .counters
            .borrow()
            .iter()
            .map(|(name, tally)| {
                let shown = syndic_vc::object! { "from": tally.from, "sum": tally.sum.to_string() };
                (name.as_str(), shown)
            })
            .collect();
        let object = knowledge.as_object_mut().unwrap();
        if !counters.is_empty() {
            object.insert("counters", counters);
        }
        object.insert("challenges", challenges);
        object.insert("nonces", nonces);
    }

    pub fn from_json(knowledge: &Value) -> Once {
        let state = |text: &str| match text {
            "unused" => "unused",
            "used" => "used",
            _ => "expired",
        };
        let challenges = knowledge.get("challenges").and_then(Value::as_object);
        let counters = knowledge.get("counters").and_then(Value::as_object);
        let nonces = knowledge.get("nonces").and_then(Value::as_array);
        Once {
            challenges: RefCell::new(
                challenges
                    .into_iter()
                    .flatten()
                    .map(|(value, one)| (value.to_owned(), state(one.as_str().unwrap())))
                    .collect(),
            ),
            nonces: RefCell::new(
                nonces
                    .into_iter()
                    .flatten()
                    .map(|one| one.as_str().unwrap().to_owned())
                    .collect(),
            ),
            counters: RefCell::new(
                counters
                    .into_iter()
                    .flatten()
                    .map(|(name, one)| {
                        let member = |member| one.get(member).and_then(Value::as_str).unwrap();
                        let tally = Tally {
                            from: at(member("from")),
                            sum: member("sum").parse().unwrap(),
                        };
                        (name.to_owned(), tally)
                    })
                    .collect(),
            ),
            down: false,
        }
    }
}

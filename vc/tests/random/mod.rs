//! Random constraints and what they are held against, drawn from so few values that they often meet.
#![allow(dead_code, unreachable_pub)] // every test file uses a part of it

use std::sync::LazyLock;

use serde_json::{Value, json};

/// A small generator of random numbers (xorshift64*): the same seed gives the same test everywhere.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from((self.next() >> 33) % u64::try_from(bound).unwrap()).unwrap()
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Some of the items, in their order; at least `least`.
    pub fn some(&mut self, items: &[Value], least: usize) -> Vec<Value> {
        loop {
            let some: Vec<Value> = items.iter().filter(|_| self.once_in(2)).cloned().collect();
            if some.len() >= least {
                return some;
            }
        }
    }
}

pub const TYPES: [&str; 13] = [
    "exact", "range", "oneOf", "notOneOf", "contains", "subset", "prefix", "hours", "audience", "purpose", "rate",
    "budget", "approval",
];
pub const PERIODS: [&str; 5] = ["minute", "hour", "day", "week", "month"];
const PATHS: [&str; 9] = [
    "tickets/",
    "tickets/4",
    "tickets/42",
    "tickets/42/",
    "tickets",
    "docs/",
    "docs/a/b",
    "d",
    "https://a.example/",
];
const AMOUNTS: [&str; 9] = ["-1", "0", "9.99", "10", "10.00", "49.99", "50", "100", "100.01"];
const ZONES: [&str; 3] = ["UTC", "Europe/Lisbon", "America/New_York"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const TIMES: [&str; 6] = ["00:00", "06:00", "11:59", "12:00", "12:01", "18:30"];
const APPROVERS: [&str; 2] = ["https://north.example/people/ana-lima", "did:example:ben"];

fn values() -> Vec<Value> {
    vec![json!("north"), json!("south"), json!(3), json!("3"), json!(true)]
}

fn tags() -> Vec<Value> {
    vec![json!("a"), json!("b"), json!("c"), json!(1)]
}

fn purposes() -> Vec<Value> {
    vec![
        json!("treatment"),
        json!("payment"),
        json!("research"),
        json!("customer-support"),
    ]
}

/// The verifiers that audiences name; the first is the one who decides.
pub static VERIFIERS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let of = |seed| json!(crate::world::Party::new(seed).did.as_str());
    vec![of(2), of(1), of(9)]
});

/// A constraint of any type.
pub fn constraint(rng: &mut Rng) -> Value {
    let kind = *rng.pick(&TYPES);
    constraint_of(rng, kind)
}

pub fn constraint_of(rng: &mut Rng, kind: &str) -> Value {
    match kind {
        "exact" => json!({"type": kind, "parameter": "ward", "value": rng.pick(&values())}),
        "oneOf" | "notOneOf" => json!({"type": kind, "parameter": "ward", "values": rng.some(&values(), 1)}),
        "contains" => json!({"type": kind, "parameter": "tags", "values": rng.some(&tags(), 1)}),
        "subset" => json!({"type": kind, "parameter": "tags", "values": rng.some(&tags(), 1)}),
        "prefix" => json!({"type": kind, "parameter": "path", "value": rng.pick(&PATHS)}),
        "range" => range(rng),
        "hours" => hours(rng),
        "audience" => json!({"type": kind, "allowed": rng.some(&VERIFIERS, 1)}),
        "purpose" => json!({"type": kind, "allowed": rng.some(&purposes(), 1)}),
        "rate" => json!({"type": kind, "limit": 1 + rng.below(4), "period": rng.pick(&PERIODS)}),
        "budget" => json!({
            "type": kind, "parameter": "amount", "limit": rng.pick(&AMOUNTS[1..]), "unit": "USD",
            "period": rng.pick(&PERIODS),
        }),
        _ if rng.once_in(2) => json!({"type": "approval", "approver": rng.pick(&APPROVERS)}),
        _ => json!({
            "type": "approval", "approver": rng.pick(&APPROVERS), "parameter": "ward", "values": rng.some(&values(), 1),
        }),
    }
}

fn range(rng: &mut Rng) -> Value {
    // On `ward` too, where values without unit are listed.
    let mut range = if rng.once_in(3) {
        json!({"type": "range", "parameter": "ward"})
    } else {
        json!({"type": "range", "parameter": "amount", "unit": rng.pick(&["USD", "EUR"])})
    };
    let (a, b) = (rng.below(AMOUNTS.len()), rng.below(AMOUNTS.len()));
    let (low, high) = (a.min(b), a.max(b));
    let which = rng.below(3);
    if which != 0 {
        range["minimum"] = json!(AMOUNTS[low]);
    }
    if which != 1 {
        range["maximum"] = json!(AMOUNTS[high]);
    }
    range
}

fn hours(rng: &mut Rng) -> Value {
    if rng.once_in(4) {
        return json!({"type": "hours", "days": DAYS, "from": "00:00", "to": "24:00", "timeZone": rng.pick(&ZONES)});
    }
    let days: Vec<Value> = DAYS.iter().map(|day| json!(day)).collect();
    loop {
        let (from, to) = (*rng.pick(&TIMES), *rng.pick(&TIMES));
        if from != to && to != "00:00" {
            let zone = rng.pick(&ZONES);
            return json!({"type": "hours", "days": rng.some(&days, 1), "from": from, "to": to, "timeZone": zone});
        }
    }
}

fn without_one(rng: &mut Rng, list: &Value) -> Option<Value> {
    let mut items = list.as_array().unwrap().clone();
    if items.len() < 2 {
        return None;
    }
    items.remove(rng.below(items.len()));
    Some(items.into())
}

fn with_one(rng: &mut Rng, list: &Value, of: &[Value]) -> Option<Value> {
    let mut items = list.as_array().unwrap().clone();
    let others: Vec<&Value> = of.iter().filter(|one| !items.contains(one)).collect();
    if others.is_empty() {
        return None;
    }
    items.push((*rng.pick(&others)).clone());
    Some(items.into())
}

fn replaced(constraint: &Value, member: &str, value: Option<Value>) -> Option<Value> {
    let mut changed = constraint.clone();
    changed[member] = value?;
    Some(changed)
}

/// A constraint that is at least as tight, often tighter.
pub fn narrowed(rng: &mut Rng, parent: &Value) -> Value {
    if rng.once_in(4) {
        return parent.clone();
    }
    tighter(rng, parent).unwrap_or_else(|| parent.clone())
}

fn tighter(rng: &mut Rng, parent: &Value) -> Option<Value> {
    match parent["type"].as_str().unwrap() {
        "oneOf" if rng.once_in(2) => {
            Some(json!({"type": "exact", "parameter": "ward", "value": rng.pick(parent["values"].as_array().unwrap())}))
        }
        "oneOf" | "subset" => replaced(parent, "values", without_one(rng, &parent["values"])),
        "notOneOf" if rng.once_in(3) => {
            let allowed = values()
                .into_iter()
                .filter(|one| !parent["values"].as_array().unwrap().contains(one));
            let allowed: Vec<Value> = allowed.collect();
            (!allowed.is_empty()).then(|| json!({"type": "oneOf", "parameter": "ward", "values": allowed}))
        }
        "notOneOf" => replaced(parent, "values", with_one(rng, &parent["values"], &values())),
        "contains" => replaced(parent, "values", with_one(rng, &parent["values"], &tags())),
        "audience" | "purpose" => replaced(parent, "allowed", without_one(rng, &parent["allowed"])),
        "prefix" if rng.once_in(3) => {
            let value = format!("{}x", parent["value"].as_str().unwrap());
            Some(json!({"type": "exact", "parameter": "path", "value": value}))
        }
        "prefix" => {
            let more = rng.pick(&["x", "x/", "4", "x/y/z"]);
            let value = format!("{}{more}", parent["value"].as_str().unwrap());
            replaced(parent, "value", Some(value.into()))
        }
        "range" => {
            // A bound more, or one moved inwards as far as the other.
            match (parent.get("minimum"), parent.get("maximum")) {
                (Some(bound), None) => replaced(parent, "maximum", Some(json!(larger(bound)))),
                (None, Some(bound)) => replaced(parent, "minimum", Some(bound.clone())),
                (Some(low), _) => replaced(parent, "maximum", Some(low.clone())),
                (None, None) => None,
            }
        }
        "hours" => replaced(parent, "days", without_one(rng, &parent["days"])),
        "rate" => {
            let limit = parent["limit"].as_u64().unwrap();
            let longer = longer(parent);
            if rng.once_in(2) && !longer.is_empty() {
                return replaced(parent, "period", Some(json!(rng.pick(&longer))));
            }
            (limit > 1)
                .then(|| replaced(parent, "limit", Some(json!(limit - 1))))
                .flatten()
        }
        "budget" => {
            let longer = longer(parent);
            if rng.once_in(2) && !longer.is_empty() {
                return replaced(parent, "period", Some(json!(rng.pick(&longer))));
            }
            replaced(parent, "limit", Some(json!("0")))
        }
        "approval" if parent.get("values").is_some() => {
            replaced(parent, "values", with_one(rng, &parent["values"], &values()))
        }
        _ => None,
    }
}

/// An amount with some more decimals, above the one given.
fn larger(bound: &Value) -> String {
    match bound.as_str().unwrap() {
        text if text.starts_with('-') => "0".to_owned(),
        text if text.contains('.') => format!("{text}1"),
        text => format!("{text}.01"),
    }
}

fn longer(parent: &Value) -> Vec<&'static str> {
    match parent["period"].as_str().unwrap() {
        "minute" => vec!["hour", "day", "week", "month"],
        "hour" => vec!["day", "week", "month"],
        "day" => vec!["week", "month"],
        _ => Vec::new(),
    }
}

fn shorter(parent: &Value) -> Vec<&'static str> {
    match parent["period"].as_str().unwrap() {
        "minute" => Vec::new(),
        "hour" => vec!["minute"],
        "day" => vec!["minute", "hour"],
        "week" => vec!["minute", "hour", "day", "month"],
        _ => vec!["minute", "hour", "day", "week"],
    }
}

/// What is wider than a constraint: another in its place, or none (`None`).
pub fn widened(rng: &mut Rng, parent: &Value) -> Option<Value> {
    if rng.once_in(5) {
        return None;
    }
    wider(rng, parent)
}

fn wider(rng: &mut Rng, parent: &Value) -> Option<Value> {
    match parent["type"].as_str().unwrap() {
        "exact" => {
            let values: Vec<Value> = values().into_iter().filter(|one| *one != parent["value"]).collect();
            if parent["parameter"] == "ward" && rng.once_in(2) {
                return Some(json!({"type": "oneOf", "parameter": "ward", "values": [parent["value"], values[0]]}));
            }
            replaced(parent, "value", Some(rng.pick(&values).clone()))
        }
        "oneOf" => replaced(parent, "values", with_one(rng, &parent["values"], &values())),
        "subset" => replaced(parent, "values", with_one(rng, &parent["values"], &tags())),
        "notOneOf" | "contains" => replaced(parent, "values", without_one(rng, &parent["values"])),
        "audience" => replaced(parent, "allowed", with_one(rng, &parent["allowed"], &VERIFIERS)),
        "purpose" => replaced(parent, "allowed", with_one(rng, &parent["allowed"], &purposes())),
        "prefix" => {
            let value = parent["value"].as_str().unwrap();
            let shorter = value.get(..value.len() - 1).filter(|shorter| !shorter.is_empty());
            replaced(parent, "value", Some(json!(shorter.unwrap_or("other/"))))
        }
        "range" if rng.once_in(4) => {
            let mut changed = parent.clone();
            changed["unit"] = json!("GBP");
            Some(changed)
        }
        "range" => match (parent.get("minimum"), parent.get("maximum")) {
            (_, Some(bound)) => replaced(parent, "maximum", Some(json!(larger(bound)))),
            _ => replaced(parent, "minimum", Some(json!("-2"))),
        },
        "hours" => {
            let days: Vec<Value> = DAYS.iter().map(|day| json!(day)).collect();
            match with_one(rng, &parent["days"], &days) {
                Some(more) => replaced(parent, "days", Some(more)),
                None if parent["from"] == "00:00" => None,
                None => Some(json!({"type": "hours", "days": DAYS, "from": "00:00", "to": "24:00", "timeZone": "UTC"})),
            }
        }
        "rate" | "budget" => {
            let shorter = shorter(parent);
            if rng.once_in(2) && !shorter.is_empty() {
                return replaced(parent, "period", Some(json!(rng.pick(&shorter))));
            }
            let limit = match &parent["limit"] {
                Value::String(_) => json!("1000000"),
                other => json!(other.as_u64().unwrap() + 1),
            };
            replaced(parent, "limit", Some(limit))
        }
        _ => match parent.get("values") {
            Some(values) if rng.once_in(2) => replaced(parent, "values", without_one(rng, values)),
            _ => replaced(parent, "approver", Some(json!("did:example:somebody-else"))),
        },
    }
}

/// The parameters of an action; now and then one that no constraint can compare.
pub fn parameters(rng: &mut Rng) -> Value {
    let mut parameters = json!({});
    if !rng.once_in(12) {
        let mut wards = values();
        wards.extend([json!("10"), json!(50), json!("West"), json!(["north"])]);
        parameters["ward"] = rng.pick(&wards).clone();
    }
    if !rng.once_in(12) {
        let amount = rng.pick(&AMOUNTS);
        parameters["amount"] = match rng.below(12) {
            0 => json!(amount),
            1 => json!({"value": amount, "unit": "EUR"}),
            2 => json!({"value": 10, "unit": "USD"}),
            3 => json!("much"),
            _ => json!({"value": amount, "unit": "USD"}),
        };
    }
    if !rng.once_in(12) {
        parameters["tags"] = if rng.once_in(12) {
            json!("a")
        } else {
            rng.some(&tags(), 0).into()
        };
    }
    if !rng.once_in(12) {
        let more = rng.pick(&["", "x", "42", "x/y", "../x", "./x", "%2e%2e/x", "x//y", "x/", "x y"]);
        let path = format!("{}{more}", rng.pick(&PATHS));
        parameters["path"] = if rng.once_in(12) { json!(7) } else { json!(path) };
    }
    parameters
}

pub fn purpose(rng: &mut Rng) -> Option<Value> {
    (!rng.once_in(4)).then(|| rng.pick(&purposes()).clone())
}

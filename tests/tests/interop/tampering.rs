//! Every way in which a signed document is altered in one place.

use serde_json::{Value, json};

use crate::peer::with_another_character;

/// Altered copies of a signed document with one proof, by what was done. None means the same as the document.
pub(crate) fn altered(document: &Value) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    let mut push = |what: &'static str, change: &dyn Fn(&mut Value)| {
        let mut copy = document.clone();
        change(&mut copy);
        assert_ne!(copy, *document, "{what} changes nothing");
        all.push((what, copy));
    };
    push("another signature", &|copy| {
        let value = copy["proof"]["proofValue"].as_str().unwrap();
        copy["proof"]["proofValue"] = with_another_character(value).into();
    });
    push("a shorter signature", &|copy| {
        let value = copy["proof"]["proofValue"].as_str().unwrap();
        copy["proof"]["proofValue"] = value[..value.len() - 2].into();
    });
    push("no signature", &|copy| {
        copy["proof"].as_object_mut().unwrap().remove("proofValue");
    });
    push("no proof", &|copy| {
        copy.as_object_mut().unwrap().remove("proof");
    });
    push("another time of signing", &|copy| {
        copy["proof"]["created"] = "2024-03-02T00:00:00Z".into()
    });
    push("another purpose", &|copy| {
        let purpose = if copy["proof"]["proofPurpose"] == "authentication" {
            "assertionMethod"
        } else {
            "authentication"
        };
        copy["proof"]["proofPurpose"] = purpose.into();
    });
    push("a type more", &|copy| {
        copy["type"]
            .as_array_mut()
            .unwrap()
            .push(json!("AnotherExampleCredential"));
    });
    for (at, member) in [("/credentialSubject", "claim"), ("/credentialSubject/0", "claim")] {
        if document.pointer(at).is_some_and(Value::is_object) {
            push("a claim more", &|copy| {
                copy.pointer_mut(at).unwrap()[member] = "added".into()
            });
            push("a claim altered", &|copy| alter_a_claim(copy.pointer_mut(at).unwrap()));
            push("another subject", &|copy| {
                copy.pointer_mut(at).unwrap()["id"] = "did:example:mallory".into()
            });
        }
    }
    if document.get("issuer").is_some() {
        push("another issuer", &|copy| {
            let other = json!("did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH");
            match &mut copy["issuer"] {
                Value::Object(issuer) => drop(issuer.insert("id".to_owned(), other)),
                issuer => *issuer = other,
            }
        });
    }
    if document.get("holder").is_some() {
        push("another holder", &|copy| {
            copy["holder"] = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH".into();
        });
        push("another challenge", &|copy| {
            copy["proof"]["challenge"] = "another".into()
        });
        push("another domain", &|copy| {
            copy["proof"]["domain"] = "https://mallory.example".into()
        });
    }
    all
}

/// Changes the first claim that is not the subject's identifier.
fn alter_a_claim(subject: &mut Value) {
    let claims = subject.as_object_mut().unwrap();
    let (_, value) = claims.iter_mut().find(|(name, _)| *name != "id").unwrap();
    alter(value);
}

fn alter(value: &mut Value) {
    match value {
        Value::Null => *value = json!(1),
        Value::Bool(yes) => *yes = !*yes,
        Value::Number(number) => *value = json!(number.as_i64().unwrap_or_default().wrapping_div(2) + 3),
        Value::String(text) => text.push('x'),
        Value::Array(items) => match items.first_mut() {
            Some(first) => alter(first),
            None => items.push(json!("x")),
        },
        Value::Object(members) => {
            let name = ["@value", "@list", "name"]
                .into_iter()
                .find(|name| members.contains_key(*name));
            match name.and_then(|name| members.get_mut(name)) {
                Some(inner) => alter(inner),
                None => match members.values_mut().next() {
                    Some(inner) => alter(inner),
                    None => drop(members.insert("x".to_owned(), json!("x"))),
                },
            }
        }
    }
}

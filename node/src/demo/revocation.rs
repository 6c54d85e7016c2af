//! One revocation, felt everywhere.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use syndic_vc::json::Value;
use syndic_vc::object;

use super::agents::{Cast, second_client};
use super::decisions::deny;
use super::error::DemoError;
use super::hospital::Hospital;
use super::report::Report;
use super::wait;
use crate::client::decision::Outcome;
use crate::client::{CallError, Client};

/// Between two questions. It is part of what is measured.
const PAUSE: Duration = Duration::from_millis(3);
/// The promise is 30 s; more than that is a failure.
const LIMIT: Duration = Duration::from_secs(30);

/// Revokes the support agent's credential, and measures when each of the other hospitals begins to refuse it.
pub(super) fn feel(
    cast: &Cast,
    mary: &Hospital,
    nordstadt: &Hospital,
    lakeside: &Hospital,
    report: &mut Report,
) -> Result<(), DemoError> {
    report.begin("St. Mary revokes the support agent's credential");
    let others = [nordstadt, lakeside];
    let (acknowledged, refusals) = measure(cast, mary, &others)?;
    for (other, refused) in others.into_iter().zip(refusals) {
        let time = wait::milliseconds(refused.saturating_duration_since(acknowledged));
        report.note(format!(
            "{}: refused {time} ms after the revocation was acknowledged",
            other.name
        ));
        let words = format!("revocation to first refusal at {}: {time} ms", other.name);
        report.measure("revocationMilliseconds", Some(other), time, words);
    }

    report.begin("The same credential is presented again at the other hospitals");
    for other in others {
        let decision = mary.present_to(&cast.support.name, &cast.support.credential, other)?;
        report.judge(
            other,
            &format!("{} of {}", cast.support.name, mary.name),
            &decision,
            deny("revoked"),
        )?;
    }
    Ok(())
}

/// When the revocation was acknowledged, and when each of the others first refused.
fn measure(cast: &Cast, mary: &Hospital, others: &[&Hospital; 2]) -> Result<(Instant, Vec<Instant>), DemoError> {
    let credential = &cast.support.credential;
    // The node's own side is asked: strangers may ask 50 times a second, which is too coarse for this.
    let [first, second] = others;
    let clients = [second_client(first)?, second_client(second)?];
    let accepted = [AtomicBool::new(false), AtomicBool::new(false)];
    std::thread::scope(|scope| {
        let watchers: Vec<_> = clients
            .iter()
            .zip(&accepted)
            .map(|(client, accepted)| scope.spawn(move || first_refusal(client, credential, accepted)))
            .collect();
        let all_accept = || accepted.iter().all(|accepted| accepted.load(Ordering::SeqCst));
        let any_ended = || watchers.iter().any(|watcher| watcher.is_finished());
        wait::until(LIMIT, || (all_accept() || any_ended()).then_some(()));
        let revoked = if all_accept() {
            mary.revoke(&cast.support.credential_id)
        } else {
            Err(DemoError::new("the credential was refused before it was revoked"))
        };
        let acknowledged = Instant::now();
        let refusals = watchers
            .into_iter()
            .map(|watcher| {
                watcher
                    .join()
                    .unwrap_or_else(|_| Err(DemoError::new("a watcher broke off")))
            })
            .collect::<Result<Vec<_>, _>>();
        revoked?;
        Ok((acknowledged, refusals?))
    })
}

/// Asks again and again until the credential is refused as revoked.
fn first_refusal(client: &Client, credential: &Value, accepted: &AtomicBool) -> Result<Instant, DemoError> {
    let body = object! { "verifiableCredential": credential.clone() };
    let end = Instant::now() + LIMIT;
    while Instant::now() < end {
        match client.decide("/credentials/verify", &body) {
            Ok(decision) if decision.outcome == Outcome::Allow => accepted.store(true, Ordering::SeqCst),
            Ok(decision) if decision.has_reason("revoked") => return Ok(Instant::now()),
            Ok(decision) => {
                let codes: Vec<&str> = decision.reasons.iter().map(|reason| reason.code.as_str()).collect();
                return Err(DemoError::new(format!(
                    "refused for another reason: {}",
                    codes.join(", ")
                )));
            }
            Err(CallError::Refused(problem)) if problem.status == 429 => {}
            Err(error) => return Err(error.into()),
        }
        std::thread::sleep(PAUSE);
    }
    Err(DemoError::new(format!("not refused within {} s", LIMIT.as_secs())))
}

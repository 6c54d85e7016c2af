//! A node is killed while it works, and loses nothing that it had acknowledged.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use syndic_vc::json::Object;
use syndic_vc::object;

use super::agents::{Cast, second_client};
use super::decisions::deny;
use super::error::DemoError;
use super::hospital::{Hospital, StartError, as_text, member};
use super::report::Report;
use super::stage::Stage;
use super::{raise, wait};
use crate::cli::credential::revocation;
use crate::client::{Client, segment};

/// Acknowledged writes before the plug is pulled.
const WRITES: usize = 20;
/// How long the node may take for them.
const WORK: Duration = Duration::from_secs(60);
/// How often a restart is tried when another program holds a port for a moment.
const RESTARTS: usize = 20;

/// What the node acknowledged: credentials, and whether their revocation was acknowledged too.
type Acknowledged = Mutex<BTreeMap<String, bool>>;

/// Kills the second hospital's node under load, goes on without it, and restarts it.
pub(super) fn survive(
    cast: &Cast,
    mary: &Hospital,
    nordstadt: &mut Hospital,
    lakeside: &Hospital,
    stage: &Stage,
    report: &mut Report,
) -> Result<(), DemoError> {
    report.begin("Nordstadt's node is killed (SIGKILL) in the middle of its work, and started again");
    let acknowledged = work_until_killed(cast, nordstadt, stage)?;
    let revoked = acknowledged.values().filter(|revoked| **revoked).count();
    let writes = acknowledged.len() + revoked;
    report.note(format!(
        "it had acknowledged {writes} writes: {} credentials, {revoked} revocations",
        acknowledged.len()
    ));

    let missed = mary.issue(&cast.support.name, cast.support.grant.clone())?;
    mary.revoke(&as_text(member(&missed, "id")?, "id")?)?;
    mary.register(
        "NightDeskAgent-v1.0",
        &object! { "id": "did:web:st-mary.example:staff:4711" },
    )?;
    report.note("while it is down, St. Mary revokes a credential and registers another agent");

    let started = Instant::now();
    restart(nordstadt, stage)?;
    let ready = wait::milliseconds(started.elapsed());
    let lost = count_lost(nordstadt, &acknowledged)?;
    if lost > 0 {
        return Err(DemoError::new(format!(
            "{lost} of {writes} acknowledged writes are lost"
        )));
    }
    report.note(format!(
        "ready again after {ready} ms: {writes} of {writes} acknowledged writes are there"
    ));
    let digest = raise::agree(&[mary, nordstadt, lakeside])?;
    let caught_up = wait::milliseconds(started.elapsed());
    report.note(format!(
        "caught up {caught_up} ms after the start: all know the same (digest {}...)",
        raise::head(&digest)
    ));
    report.judge(
        nordstadt,
        "the credential that was revoked while it was down",
        &nordstadt.verify(&missed)?,
        deny("revoked"),
    )?;
    let words =
        format!("killed under load: {writes} acknowledged writes, 0 lost; caught up {caught_up} ms after its restart");
    report.measure(
        "acknowledgedWrites",
        Some(nordstadt),
        u32::try_from(writes).unwrap_or(u32::MAX),
        words,
    );
    Ok(())
}

/// Issues and revokes on one thread, and kills the node from this one.
fn work_until_killed(cast: &Cast, nordstadt: &Hospital, stage: &Stage) -> Result<BTreeMap<String, bool>, DemoError> {
    let client = second_client(nordstadt)?;
    let acknowledged = Acknowledged::default();
    let (enough, dead) = (AtomicBool::new(false), AtomicBool::new(false));
    let outcome = std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut count = 0;
            while !dead.load(Ordering::SeqCst) {
                work(&client, &cast.triage.name, &cast.triage.grant, &acknowledged)?;
                count += 2;
                enough.store(count >= WRITES, Ordering::SeqCst);
            }
            Ok::<(), DemoError>(())
        });
        let ready = wait::until(WORK, || {
            (enough.load(Ordering::SeqCst) || worker.is_finished()).then_some(())
        });
        let killed = nordstadt.kill(stage);
        dead.store(true, Ordering::SeqCst);
        // Its last call was cut off: that is the point.
        let cut_off = worker.join();
        match (ready, enough.load(Ordering::SeqCst), cut_off) {
            (Some(()), true, _) => killed,
            (_, _, Ok(Err(error))) => Err(error.while_doing("before it was killed")),
            _ => Err(DemoError::new(format!(
                "it did not do {WRITES} writes in {} s",
                WORK.as_secs()
            ))),
        }
    });
    outcome?;
    Ok(acknowledged.into_inner().unwrap_or_default())
}

fn work(client: &Client, agent: &str, grant: &Object, acknowledged: &Acknowledged) -> Result<(), DemoError> {
    let record = |id: &str, revoked| {
        if let Ok(mut known) = acknowledged.lock() {
            known.insert(id.to_owned(), revoked);
        }
    };
    let answer = client.post(
        &format!("/agents/{}/credentials", segment(agent)),
        &grant.clone().into(),
    )?;
    let id = as_text(member(member(&answer, "verifiableCredential")?, "id")?, "id")?;
    record(&id, false);
    client.post("/credentials/status", &revocation(&id))?;
    record(&id, true);
    Ok(())
}

fn restart(hospital: &mut Hospital, stage: &Stage) -> Result<(), DemoError> {
    for _ in 0..RESTARTS {
        match hospital.start(stage) {
            Ok(()) => return Ok(()),
            Err(StartError::PortTaken) => std::thread::sleep(Duration::from_millis(500)),
            Err(StartError::Failed(error)) => return Err(error),
        }
    }
    Err(DemoError::new(format!(
        "another program holds a port of {}",
        hospital.name
    )))
}

fn count_lost(hospital: &Hospital, acknowledged: &BTreeMap<String, bool>) -> Result<usize, DemoError> {
    let there: BTreeMap<String, String> = hospital
        .credentials()?
        .into_iter()
        .map(|listed| (listed.id, listed.status))
        .collect();
    let lost = acknowledged
        .iter()
        .map(|(id, revoked)| match there.get(id).map(String::as_str) {
            None => 1 + usize::from(*revoked),
            Some(status) => usize::from(*revoked && status != "revoked"),
        });
    Ok(lost.sum())
}

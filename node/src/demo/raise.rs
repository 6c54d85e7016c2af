//! From nothing to three nodes that know each other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::error::DemoError;
use super::hospital::{Hospital, StartError};
use super::report::Report;
use super::stage::Stage;
use super::wait;
use crate::cli::output::clean;
use crate::setup::{self, FoundOptions};
use crate::{clock, keys};

const NAMES: [(&str, &str); 3] = [
    ("St. Mary", "st-mary"),
    ("Nordstadt Clinic", "nordstadt"),
    ("Lakeside Hospital", "lakeside"),
];
/// How often the scene is set anew because another program took a port. Once is rare.
const ATTEMPTS: usize = 5;
/// How long the nodes may take to find each other, and later to agree.
pub(super) const AGREE: Duration = Duration::from_secs(60);

/// Sets up three organizations and starts their nodes.
pub(super) fn raise(stage: &Stage, report: &mut Report) -> Result<Vec<Hospital>, DemoError> {
    for attempt in 0..ATTEMPTS {
        let folder = stage.folder().join(format!("scene-{attempt}"));
        let mut hospitals = prepare(&folder, report)?;
        found(&mut hospitals, report)?;
        match start(&mut hospitals, stage, report) {
            Ok(()) => return Ok(hospitals),
            Err(StartError::PortTaken) => {
                stage.clear();
                report.start_over("another program took a port that was free a moment ago");
            }
            Err(StartError::Failed(error)) => return Err(error),
        }
    }
    Err(DemoError::new(
        "other programs keep taking the ports that were free a moment before",
    ))
}

fn prepare(folder: &Path, report: &mut Report) -> Result<Vec<Hospital>, DemoError> {
    report.begin("Each hospital sets up a node of its own: data folder, keys, ports");
    let passphrase = keys::random_hex::<16>().map_err(|error| DemoError::new(error.to_string()))?;
    let passphrase = Zeroizing::new(passphrase);
    std::fs::create_dir(folder)
        .map_err(|error| DemoError::new(format!("cannot make the folder {}: {error}", folder.display())))?;
    let mut hospitals = Vec::new();
    for (name, slug) in NAMES {
        let hospital = Hospital::init(name, folder.join(slug), &passphrase)?;
        report.note(format!("{name:<18} {}", hospital.did));
        hospitals.push(hospital);
    }
    Ok(hospitals)
}

fn found(hospitals: &mut [Hospital], report: &mut Report) -> Result<(), DemoError> {
    report.begin("St. Mary founds a consortium from the three cards; the others join it");
    let [founder, others @ ..] = &*hospitals else {
        return Ok(());
    };
    let cards: Vec<PathBuf> = others.iter().map(|hospital| hospital.card.clone()).collect();
    let options = FoundOptions {
        name: "Hospitals of the Lake".to_owned(),
        cards,
        threshold: None,
        endorsements: None,
        // What one hospital says counts for another once the third has cosigned it.
        witnesses: Some(1),
        max_staleness: None,
    };
    let failed = |error: setup::JoinError| DemoError::new(error.to_string());
    let founded = setup::found(founder.data(), options, clock::now()).map_err(failed)?;
    for other in others {
        let joined = setup::join(other.data(), &founded.charter_path).map_err(failed)?;
        if joined.consortium_id != founded.consortium_id {
            return Err(DemoError::new(format!(
                "{} joined another consortium than it was told",
                other.name
            )));
        }
    }
    report.note(format!(
        "charter {}: the id is the hash of what all three agreed to",
        founded.consortium_id
    ));
    Ok(())
}

fn start(hospitals: &mut [Hospital], stage: &Stage, report: &mut Report) -> Result<(), StartError> {
    report.begin("The three nodes start and find each other");
    for hospital in hospitals.iter_mut() {
        hospital.spawn(stage).map_err(StartError::Failed)?;
    }
    for hospital in hospitals.iter() {
        hospital.wait_until_ready(stage)?;
        report.note(format!("{:<18} public {}", hospital.name, hospital.public.base()));
    }
    let others = hospitals.len().saturating_sub(1);
    let met = wait::until(AGREE, || {
        hospitals
            .iter()
            .all(|hospital| hospital.connected().is_ok_and(|count| count >= others))
            .then_some(())
    });
    met.ok_or_else(|| StartError::Failed(DemoError::new("the nodes did not find each other")))?;
    let digest = agree(&hospitals.iter().collect::<Vec<_>>()).map_err(StartError::Failed)?;
    report.note(format!(
        "each is connected to the other two, and all know the same (digest {}...)",
        head(&digest)
    ));
    Ok(())
}

/// Waits until all know the same; the digest of it.
pub(super) fn agree(hospitals: &[&Hospital]) -> Result<String, DemoError> {
    let agreed = wait::until(AGREE, || {
        let digests: Vec<String> = hospitals
            .iter()
            .map(|hospital| hospital.digest())
            .collect::<Result<_, _>>()
            .ok()?;
        let first = digests.first()?;
        digests.iter().all(|digest| digest == first).then(|| first.clone())
    });
    agreed.ok_or_else(|| DemoError::new(format!("the nodes did not agree within {} s", AGREE.as_secs())))
}

/// The beginning of a digest, enough to compare by eye.
pub(super) fn head(digest: &str) -> String {
    clean(digest).chars().take(12).collect()
}

//! Reading what is left of a damaged store.

use super::OpenError;
use super::commit::Backend;
use super::folder::Folder;
use super::record;

/// Every record proves itself by its checksum; that some are missing is no reason to lose the others.
pub(super) fn read<B: Backend>(
    backend: &B,
    folder: &Folder,
    (from, to): (&[u8], &[u8]),
    each: &mut dyn FnMut(&[u8], &[u8]),
) -> Result<u64, OpenError> {
    let mut damaged = 0;
    let visited = backend.range(
        &record::engine_key(from),
        &record::engine_key(to),
        &mut |key, stored| {
            match record::decode(key, stored) {
                Ok((value, _)) => each(record::caller_key(key), value),
                Err(_) => damaged += 1,
            }
            true
        },
    );
    visited.map_err(|error| folder.damaged("the records", error.to_string()))?;
    Ok(damaged)
}

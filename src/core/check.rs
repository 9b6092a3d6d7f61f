//! The check behind `validate`: is this the ID of a workspace that exists? It does the same work whatever the answer.
//!
//! A single look-up, even a constant one, does not do: a hit costs more than a miss. So every check makes two, one that hits
//! and one that misses.

use super::base::Base;
use super::dirfd::is_dir;
use super::error::{Error, Result};
use super::id::WorkspaceId;
use rustix::io::Errno;
use std::hash::{DefaultHasher, Hasher};

/// Gives the canonical ID if `candidate` is well formed and its workspace exists. An absent candidate (no cookie came) costs
/// what a malformed one does.
///
/// # Errors
/// By errno, if the answer cannot be had.
pub fn check(base: &Base, candidate: Option<&[u8]>) -> Result<Option<WorkspaceId>> {
    let text = candidate.unwrap_or_default();
    let nobody = dummy(text);
    let id = WorkspaceId::parse(text);
    let mut buffer = nobody;
    if let Some(id) = id {
        id.encode(&mut buffer);
    }
    let found = base.dir().stat(&buffer[..]);
    let opposite: &[u8] = if found.is_ok() { &nobody } else { b"." };
    let _ = base.dir().stat(opposite);
    match (id, found) {
        (Some(id), Ok(stat)) => Ok(is_dir(&stat).then_some(id)),
        (Some(id), Err(errno)) if errno != Errno::NOENT => Err(Error::os(errno, "cannot look it up").of(id.subject())),
        _ => Ok(None),
    }
}

/// A name as long as an ID that is none. It is the same for the same candidate, since the kernel remembers the names that it
/// has looked for: one that is asked for again must find its dummy remembered, too.
fn dummy(text: &[u8]) -> [u8; WorkspaceId::LEN] {
    const DIGITS: &[u8; 16] = b"ghijklmnopqrstuv";
    let mut hasher = DefaultHasher::new();
    hasher.write(text);
    let hash = hasher.finish();
    std::array::from_fn(|place| DIGITS[usize::try_from(hash >> (place % 16 * 4) & 15).unwrap_or(0)])
}

//! The check behind `validate`: is this the ID of a workspace that exists? It does the same work whatever the answer.
//!
//! A single look-up, even a constant one, does not do: a hit costs more than a miss. So every check makes two, one that hits
//! and one that misses, of names of the same length.

use super::base::Base;
use super::dirfd::{is_dir, is_dot};
use super::error::{Error, Result};
use super::id::WorkspaceId;
use rustix::io::Errno;
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::ffi::OsStrExt;

const LEN: usize = WorkspaceId::LEN;
/// An ID to read and write where none was given.
const STAND_IN: &[u8; LEN] = b"00000000-0000-0000-0000-000000000000";

/// Checks IDs against a base.
#[derive(Debug)]
pub struct Checker<'a> {
    base: &'a Base,
    /// A few workspaces that exist, to be looked up where the candidate does not.
    present: Vec<[u8; LEN]>,
}

impl<'a> Checker<'a> {
    /// A checker for a base. It reads the first few names there, and is best made anew when these may be gone.
    ///
    /// # Errors
    /// By errno, if the base cannot be listed.
    pub fn new(base: &'a Base) -> Result<Self> {
        let mut buffer = Vec::with_capacity(2048);
        let mut present = Vec::new();
        let mut entries = base.dir().entries(&mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(|errno| Error::os(errno, "cannot list the base").severe())?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            let is_ours = !is_dot(entry.file_name()) && WorkspaceId::from_dir_name(name).is_some();
            present.extend(name.as_bytes().try_into().ok().filter(|_: &[u8; LEN]| is_ours));
            if entries.is_buffer_empty() {
                break;
            }
        }
        Ok(Self { base, present })
    }

    /// Gives the canonical ID if `candidate` is well formed and its workspace exists. An absent candidate (no cookie came)
    /// costs what a malformed one does.
    ///
    /// # Errors
    /// By errno, if the answer cannot be had.
    pub fn check(&self, candidate: Option<&[u8]>) -> Result<Option<WorkspaceId>> {
        let (text, is_whole) = fixed(candidate.unwrap_or_default());
        let hash = hash(&text);
        let nobody = dummy(hash);
        let well_formed = is_whole & is_canonical(&text);
        let id = WorkspaceId::parse([STAND_IN, &text][usize::from(well_formed)]);
        let mut name = *STAND_IN;
        if let Some(id) = id {
            id.encode(&mut name);
        }
        let somebody =
            self.present.get(usize::try_from(hash).unwrap_or(0) % self.present.len().max(1)).unwrap_or(&nobody);

        let found = self.base.dir().stat(&[&nobody, &name][usize::from(well_formed)][..]);
        let opposite = [somebody, &nobody][usize::from(found.is_ok())];
        let _ = std::hint::black_box(self.base.dir().stat(&opposite[..]));
        match (id.filter(|_| well_formed), found) {
            (Some(id), Ok(stat)) => Ok(is_dir(&stat).then_some(id)),
            (Some(id), Err(errno)) if errno != Errno::NOENT => {
                Err(Error::os(errno, "cannot look it up").of(id.subject()))
            }
            _ => Ok(None),
        }
    }
}

/// The first bytes of a text, and whether there are just as many as an ID has.
fn fixed(text: &[u8]) -> ([u8; LEN], bool) {
    let mut fixed = [0; LEN];
    let length = text.len().min(LEN);
    fixed[..length].copy_from_slice(&text[..length]);
    (fixed, text.len() == LEN)
}

/// Whether it has the form of an ID, with no way out before the last byte.
fn is_canonical(text: &[u8; LEN]) -> bool {
    text.iter().enumerate().fold(true, |so_far, (place, byte)| {
        let is_right = [byte.is_ascii_hexdigit(), *byte == b'-'];
        so_far & is_right[usize::from(matches!(place, 8 | 13 | 18 | 23))]
    })
}

fn hash(text: &[u8; LEN]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text);
    hasher.finish()
}

/// A name as long as an ID that is none. It is the same for the same candidate, since the kernel remembers the names that it
/// has looked for: one that is asked for again must find its dummy remembered, too.
fn dummy(hash: u64) -> [u8; LEN] {
    const DIGITS: &[u8; 16] = b"ghijklmnopqrstuv";
    std::array::from_fn(|place| DIGITS[usize::try_from(hash >> (place % 16 * 4) & 15).unwrap_or(0)])
}

//! Checks whether a text is the ID of an existing workspace, with the same work for every answer.
//!
//! One look-up is not enough, because a hit costs more than a miss. So each check makes two: a hit and a miss, for names of the
//! same length.

use super::base::Base;
use super::error::{Error, Result};
use super::id::WorkspaceId;
use rustix::io::Errno;
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::ffi::OsStrExt;

const LEN: usize = WorkspaceId::LEN;

/// Checks IDs against a base.
#[derive(Debug)]
pub struct Checker<'a> {
    base: &'a Base,
    /// A few existing workspaces, to look up if the candidate does not exist.
    present: Vec<[u8; LEN]>,
}

impl<'a> Checker<'a> {
    /// Creates a checker, and reads the names in the base up to the first few workspaces. Create a new one when these may be gone.
    ///
    /// # Errors
    /// By errno, if the base cannot be listed.
    pub fn new(base: &'a Base) -> Result<Self> {
        let mut buffer = Vec::with_capacity(2048);
        let mut present = Vec::new();
        base.dir().seek(0).map_err(|errno| base.cannot_list(errno))?;
        while present.is_empty() {
            let listed = base.dir().next_entries(&mut buffer, |entry| {
                let name = entry.file_name().to_bytes();
                let is_ours = WorkspaceId::from_dir_name(OsStr::from_bytes(name)).is_some();
                present.extend(name.try_into().ok().filter(|_: &[u8; LEN]| is_ours));
                Ok(())
            });
            if !listed.map_err(|errno| base.cannot_list(errno))? {
                break;
            }
        }
        Ok(Self { base, present })
    }

    /// Returns the canonical ID if `candidate` is well formed and its workspace exists.
    ///
    /// # Errors
    /// By errno, if the name cannot be looked up.
    pub fn check(&self, candidate: &[u8]) -> Result<Option<WorkspaceId>> {
        let text = first_bytes(candidate);
        let is_whole = candidate.len() == LEN;
        let hash = hash(&text);
        let absent = dummy(hash);
        // A malformed candidate gets the shape of an ID, so that it is read and written like one.
        let name = to_id_form(&text);
        let well_formed = is_whole & is_same(&name, &text);
        let id = WorkspaceId::parse(&name);
        let present =
            self.present.get(usize::try_from(hash).unwrap_or(0) % self.present.len().max(1)).unwrap_or(&absent);

        let found = self.look_up([&absent, &name][usize::from(well_formed)]);
        let opposite = self.look_up([present, &absent][usize::from(found != Err(Errno::NOENT))]);
        std::hint::black_box(opposite).ok();
        // Not `&&`, because it may branch, and a wrongly predicted branch takes longer.
        let is_dir = found == Ok(true);
        let is_there = well_formed & is_dir;
        match found {
            Err(errno) if errno != Errno::NOENT => Err(Error::os(errno, "cannot look it up")),
            _ => Ok(id.filter(|_| is_there)),
        }
    }

    /// Whether a name belongs to a directory.
    fn look_up(&self, name: &[u8; LEN]) -> rustix::io::Result<bool> {
        self.base.is_directory(&name[..])
    }
}

/// Returns the first bytes of a text, as many as an ID has.
fn first_bytes(text: &[u8]) -> [u8; LEN] {
    let mut first = [0; LEN];
    let length = text.len().min(LEN);
    first[..length].copy_from_slice(&text[..length]);
    first
}

/// Returns the lower-case form of an ID. Turns any other text into some ID.
fn to_id_form(text: &[u8; LEN]) -> [u8; LEN] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|place| {
        // The low four bits of a letter count from 1 for `a`, which is 10 in hexadecimal.
        let digit = (text[place] & 15) + 9 * u8::from(text[place] & 64 != 0);
        [DIGITS[usize::from(digit & 15)], b'-'][usize::from(matches!(place, 8 | 13 | 18 | 23))]
    })
}

/// Whether a text is this lower-case ID in either case. It never stops before the last byte.
fn is_same(id: &[u8; LEN], text: &[u8; LEN]) -> bool {
    id.iter().zip(text).fold(true, |so_far, (a, b)| so_far & (*a == b.to_ascii_lowercase()))
}

fn hash(text: &[u8; LEN]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text);
    hasher.finish()
}

/// Returns a name that is as long as an ID but not one. It is always the same for one candidate, because the kernel caches
/// look-ups, and must have cached both or neither.
fn dummy(hash: u64) -> [u8; LEN] {
    const DIGITS: &[u8; 16] = b"ghijklmnopqrstuv";
    std::array::from_fn(|place| DIGITS[usize::try_from(hash >> (place % 16 * 4) & 15).unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_wrong_bytes_makes_another_id() {
        let id = b"6c7ab482-a9ca-49d7-9364-b3e425655d2e";
        assert!(is_same(id, id) && is_same(id, &id.map(|byte| byte.to_ascii_uppercase())));
        let mut text = *id;
        for place in 0..LEN {
            text[place] ^= 1;
            assert!(!is_same(id, &text), "{} wrong", place + 1);
        }
    }

    #[test]
    fn a_second_checker_of_a_base_knows_a_workspace_to_look_up_too() {
        let temp = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(temp.path().join("6c7ab482-a9ca-49d7-9364-b3e425655d2e")).expect("a workspace");
        let base = Base::open(temp.path()).expect("a base");
        for _ in 0..2 {
            assert_eq!(Checker::new(&base).expect("a checker").present.len(), 1);
        }
    }
}

//! The names on disk that wsctl knows: those of the application, and its own.

use super::id::WorkspaceId;
use std::ffi::{CStr, OsStr};
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The metadata file in each workspace. It says when the workspace was last accessed.
pub const METADATA: &str = ".metadata.json";
/// [`METADATA`] for system calls.
pub const METADATA_C: &CStr = c".metadata.json";
/// The prefix of the application's temporary files, which it renames over [`METADATA`].
const APPLICATION_TEMPORARY: &str = ".metadata.tmp.";
/// The prefix of our temporary files.
pub const OWN_TEMPORARY: &str = ".wsctl-tmp.";

/// Returns 64 random bits. Two runs never choose the same, even on two hosts, and nobody can guess them. std seeds its hasher at
/// random even where there is no getrandom(2).
pub fn fresh_tag() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Whether a name belongs to a temporary file that is about to be renamed over [`METADATA`].
pub fn is_temporary(name: &[u8]) -> bool {
    name.starts_with(APPLICATION_TEMPORARY.as_bytes()) || name.starts_with(OWN_TEMPORARY.as_bytes())
}

/// How far a prune has got with a workspace that it has moved away from its own path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The prune looks at it once more, and may put it back.
    Claimed,
    /// The decision is final: this run or any other removes it.
    Doomed,
}

/// The name of a claimed or doomed workspace: `.wsctl-claimed.<id>.<16 hex>` or `.wsctl-doomed.<id>.<16 hex>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrashName {
    /// How far the prune has got.
    pub stage: Stage,
    /// The ID of the workspace.
    pub id: WorkspaceId,
    /// A random number that tells apart several claims of one ID.
    pub tag: u64,
}

impl TrashName {
    /// Parses the name of a directory in the base.
    pub fn parse(name: &OsStr) -> Option<Self> {
        let rest = name.as_bytes().strip_prefix(b".wsctl-")?;
        let (stage, rest) = match rest.strip_prefix(b"claimed.") {
            Some(rest) => (Stage::Claimed, rest),
            None => (Stage::Doomed, rest.strip_prefix(b"doomed.")?),
        };
        let (id, tag) = rest.split_at_checked(WorkspaceId::LEN)?;
        let tag = str::from_utf8(tag.strip_prefix(b".")?).ok()?;
        let parsed = Self {
            stage,
            id: WorkspaceId::from_dir_name(OsStr::from_bytes(id))?,
            tag: u64::from_str_radix(tag, 16).ok()?,
        };
        // Only the exact spelling that we write is ours.
        (parsed.to_string().as_bytes() == name.as_bytes()).then_some(parsed)
    }

    /// Explains how to put it back by hand if `base` has a new workspace with its ID.
    pub fn put_back_advice(self, base: &Path) -> String {
        let [from, to] = [self.to_string(), self.id.to_string()].map(|name| {
            let path = base.join(name).display().to_string();
            shlex::try_quote(&path).unwrap_or((&*path).into()).into_owned()
        });
        format!("to put it back, move the new one away and run: mv -T {from} {to}")
    }
}

impl fmt::Display for TrashName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::Claimed => "claimed",
            Stage::Doomed => "doomed",
        };
        write!(f, ".wsctl-{stage}.{}.{:016x}", self.id, self.tag)
    }
}

//! Workspace IDs.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use uuid::Uuid;

/// The ID of a workspace: a UUID (RFC 9562) of any version. It can only be parsed from the canonical hyphenated form, and is
/// always shown in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkspaceId(Uuid);

impl WorkspaceId {
    /// The length of the canonical form, in bytes.
    pub const LEN: usize = uuid::fmt::Hyphenated::LENGTH;

    /// Parses an ID in upper or lower case. Braces, `urn:uuid:`, missing hyphens and spaces are not accepted.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != Self::LEN {
            return None; // the uuid crate also accepts shorter and longer forms
        }
        Uuid::try_parse_ascii(text).ok().map(Self)
    }

    /// Parses the name of a directory in the base. Only the lower-case form names a workspace.
    pub fn from_dir_name(name: &OsStr) -> Option<Self> {
        let id = Self::parse(name.as_bytes())?;
        (id.encode(&mut [0; Self::LEN]).as_bytes() == name.as_bytes()).then_some(id)
    }

    /// Returns the name of the workspace in diagnostics.
    pub fn subject(self) -> String {
        format!("workspace {self}")
    }

    /// Writes the canonical form into `buffer`.
    pub fn encode(self, buffer: &mut [u8; Self::LEN]) -> &str {
        self.0.hyphenated().encode_lower(buffer)
    }
}

impl fmt::Display for WorkspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.encode(&mut [0; Self::LEN]))
    }
}

impl fmt::Debug for WorkspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for WorkspaceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.encode(&mut [0; Self::LEN]))
    }
}

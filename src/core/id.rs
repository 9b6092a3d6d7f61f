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

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";

    #[test]
    fn only_the_canonical_form_is_an_id() {
        let upper = ID.to_uppercase();
        let yes = [ID, &upper, "00000000-0000-0000-0000-000000000000"];
        assert!(yes.iter().all(|text| WorkspaceId::parse(text.as_bytes()).is_some()));
        let braces = format!("{{{ID}}}");
        let urn = format!("urn:uuid:{ID}");
        let simple = ID.replace('-', "");
        let shifted = "6c7ab482a-9ca-49d7-9364-b3e425655d2e";
        let wide = ID.replacen("6c7", "٦", 1); // two bytes in UTF-8, so the length in bytes is 35
        let digits = ID.replacen("48", "٤", 1); // 36 bytes, not ASCII
        for text in ["", " ", "..", "/", &braces, &urn, &simple, shifted, &wide, &digits, &format!("{ID} "), &ID[..35]]
        {
            assert_eq!(WorkspaceId::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn a_directory_with_an_upper_case_name_is_not_ours() {
        assert!(WorkspaceId::from_dir_name(OsStr::new(ID)).is_some());
        assert!(WorkspaceId::from_dir_name(OsStr::new(&ID.to_uppercase())).is_none());
    }
}

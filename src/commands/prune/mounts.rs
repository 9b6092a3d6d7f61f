//! Which workspaces have something mounted inside: removing such a one would leave a torn tree around the mount.

use crate::core::{DirFd, Error, Result, WorkspaceId, names::TrashName};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The mount table of proc(5), as far as it concerns one base. It is read again only when the kernel says that it has changed.
#[derive(Debug)]
pub(super) struct Mounts<'a> {
    base: &'a DirFd,
    table: Option<File>,
    /// An error is what kept it from being read.
    inside: Result<HashSet<WorkspaceId>>,
}

impl<'a> Mounts<'a> {
    /// Reads the table. Where there is none (no `/proc`), removal itself still stops at every mount that it meets.
    pub(super) fn read(base: &'a DirFd) -> Self {
        let mut mounts = Self { base, table: None, inside: Ok(HashSet::new()) };
        mounts.read_again();
        mounts
    }

    /// Looks whether the table has changed, and reads it again if so, or if that failed before.
    pub(super) fn refresh(&mut self) {
        if self.inside.is_err() || self.have_changed() {
            self.read_again();
        }
    }

    /// Whether something was mounted in or on the workspace, at its own path or taken aside. A mount keeps its place in the
    /// tree when a directory above it is renamed, so names from before a claim serve as well.
    ///
    /// # Errors
    /// By errno, if the table is there and cannot be read: who does not know must not begin to tear a tree.
    pub(super) fn are_inside(&self, id: WorkspaceId) -> Result<bool> {
        self.inside.as_ref().map(|inside| inside.contains(&id)).map_err(Error::clone)
    }

    fn have_changed(&self) -> bool {
        let Some(table) = &self.table else { return false };
        let mut watched = [PollFd::new(table, PollFlags::PRI)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        match rustix::event::poll(&mut watched, Some(&now)) {
            Ok(_) => watched[0].revents().intersects(PollFlags::PRI | PollFlags::ERR),
            Err(_) => true,
        }
    }

    fn read_again(&mut self) {
        self.inside =
            self.found().map_err(|error| Error::io(&error, "cannot tell whether something is mounted inside"));
    }

    fn found(&mut self) -> io::Result<HashSet<WorkspaceId>> {
        if self.table.is_none() {
            match File::open("/proc/self/mountinfo") {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    log::debug!("no mount table: {error}");
                    return Ok(HashSet::new());
                }
                table => self.table = Some(table?),
            }
        }
        let mut text = Vec::new();
        if let Some(table) = &mut self.table {
            table.rewind()?;
            table.read_to_end(&mut text)?;
        }
        let path = std::fs::read_link(format!("/proc/self/fd/{}", self.base.as_fd().as_raw_fd()))?;
        let prefix = [path.into_os_string().into_vec().as_slice(), b"/"].concat();
        Ok(text.split(|byte| *byte == b'\n').filter_map(|line| workspace_of(line, &prefix)).collect())
    }
}

/// The workspace that a line of the table puts a mount in.
fn workspace_of(line: &[u8], prefix: &[u8]) -> Option<WorkspaceId> {
    let point = unescape(line.split(|byte| *byte == b' ').nth(4)?);
    let name = point.strip_prefix(prefix)?.split(|byte| *byte == b'/').next()?;
    let name = OsStr::from_bytes(name);
    WorkspaceId::from_dir_name(name).or_else(|| TrashName::parse(name).map(|name| name.id))
}

/// Undoes the `\040` and the like of the table.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        let octal = tail.get(..3).and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 8).ok());
        let escaped = octal.filter(|_| *first == b'\\');
        plain.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[3..] } else { tail };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_names_the_workspace_that_it_mounts_in() {
        let id = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";
        let line = |point: &str| format!("36 35 98:0 / {point} rw,noatime master:1 - ext4 /dev/root rw");
        let found = |point: &str| workspace_of(line(point).as_bytes(), b"/my base/").map(|id| id.to_string());
        assert_eq!(found(&format!("/my\\040base/{id}")).as_deref(), Some(id));
        assert_eq!(found(&format!("/my\\040base/{id}/data")).as_deref(), Some(id));
        assert_eq!(found(&format!("/my\\040base/.wsctl-claimed.{id}.00000000000000ff/a\\134b")).as_deref(), Some(id));
        assert_eq!(found(&format!("/other/{id}")), None);
        assert_eq!(found("/my\\040base/monaco-2024"), None);
    }
}

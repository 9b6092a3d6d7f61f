//! Finds the workspaces that have something mounted inside. Their removal would leave a torn tree around the mount.
//!
//! What counts is where a mount lies in the file system, not its path: the base may be bound at two places, and the mount may
//! have been made at the other one. The kernel refuses to remove a mount point of this namespace by either path.

use crate::core::tree::{self, Scratch, Stop};
use crate::core::{Category, DirFd, Error, Result, WorkspaceId, names::Stage, names::TrashName};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The mount table of proc(5), as far as it concerns one base. It is read again only when the kernel says that it has changed.
#[derive(Debug)]
pub(super) struct Mounts<'a> {
    base: &'a DirFd,
    table: Option<File>,
    /// What the table says, if there is one, or why it could not be read.
    known: Result<Option<BaseMounts>>,
}

/// What the table says about a base.
#[derive(Debug)]
pub struct BaseMounts {
    /// What has something mounted in or on it.
    pub inside: HashSet<Key>,
    /// Whether the base is on an overlay that cannot rename what is in a lower layer.
    pub on_overlay: bool,
}

/// What a workspace is found by: its ID, before and after a claim, because a mount keeps its place in the tree when a directory above
/// it is renamed. What is doomed is no longer that workspace, so it has its tag, too.
type Key = (WorkspaceId, Option<u64>);

fn key(name: &OsStr) -> Option<Key> {
    let is_doomed = |name: &TrashName| name.stage == Stage::Doomed;
    let trash = || TrashName::parse(name).map(|name| (name.id, is_doomed(&name).then_some(name.tag)));
    WorkspaceId::from_dir_name(name).map(|id| (id, None)).or_else(trash)
}

impl<'a> Mounts<'a> {
    /// Reads the table. There is none without `/proc`, or with that of a container that does not see this process.
    pub(super) fn read(base: &'a DirFd) -> Self {
        let mut mounts = Self { base, table: None, known: Ok(None) };
        mounts.read_again();
        mounts
    }

    /// Reads the table again if it has changed, or if reading it failed before.
    pub(super) fn refresh(&mut self) {
        if self.known.is_err() || self.has_changed() {
            self.read_again();
        }
    }

    /// Checks that nothing is mounted in or on the workspace at `name`. Without a table, this searches the tree.
    ///
    /// # Errors
    /// [`Category::Busy`] if something is. If nobody can tell, by errno: then the removal must not begin.
    pub(super) fn check(&self, name: &str, stop: Stop<'_>, scratch: &mut Scratch) -> Result<()> {
        let is_mounted = match &self.known {
            Ok(Some(known)) => key(OsStr::new(name)).is_some_and(|key| known.inside.contains(&key)),
            Ok(None) => {
                let usage = tree::search(self.base, name, stop, scratch);
                match usage.error {
                    Some(error) if !usage.is_gone() => return Err(error),
                    _ => usage.has_mount,
                }
            }
            Err(error) => return Err(error.clone()),
        };
        if is_mounted { Err(Error::new(Category::Busy, "something is mounted inside")) } else { Ok(()) }
    }

    /// Whether workspaces may be in a lower layer, where they cannot be claimed.
    pub(super) fn is_base_on_overlay(&self) -> bool {
        matches!(&self.known, Ok(Some(known)) if known.on_overlay)
    }

    fn has_changed(&self) -> bool {
        let Some(table) = &self.table else { return false };
        let mut watched = [PollFd::new(table, PollFlags::PRI)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        match rustix::event::poll(&mut watched, Some(&now)) {
            Ok(_) => watched[0].revents().intersects(PollFlags::PRI | PollFlags::ERR),
            Err(_) => true,
        }
    }

    fn read_again(&mut self) {
        let cannot = "cannot tell whether something is mounted inside";
        self.known = match self.text() {
            Ok(found) => Ok(found.map(|(text, path)| parse_table(&text, self.base.mount(), &path))),
            Err(error) => Err(Error::io(&error, cannot)),
        };
    }

    /// Returns the table and the path of the base.
    fn text(&mut self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let table = match &mut self.table {
            Some(table) => table,
            none => match File::open("/proc/self/mountinfo") {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    log::debug!("no mount table: {error}");
                    return Ok(None);
                }
                table => none.insert(table?),
            },
        };
        let mut text = Vec::new();
        table.rewind()?;
        table.read_to_end(&mut text)?;
        Ok(Some((text, self.base.path()?.into_os_string().into_vec())))
    }
}

/// A line of the table.
struct Mount<'a> {
    parent: u64,
    device: &'a [u8],
    /// The directory of the file system that is mounted.
    root: Vec<u8>,
    /// The mount point.
    point: Vec<u8>,
    overlay: bool,
}

impl<'a> Mount<'a> {
    /// Reads a line and returns it with its number.
    fn parse(line: &'a [u8]) -> Option<(u64, Self)> {
        let mut fields = line.split(|byte| *byte == b' ');
        let number = |field: &[u8]| str::from_utf8(field).ok()?.parse().ok();
        let (own, parent) = (number(fields.next()?)?, number(fields.next()?)?);
        let (device, root, point) = (fields.next()?, unescape(fields.next()?), unescape(fields.next()?));
        let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
        let is_overlay = rest.next()? == b"overlay";
        let options = rest.nth(1).unwrap_or_default();
        let renames = options.split(|byte| *byte == b',').any(|option| option == b"redirect_dir=on");
        Some((own, Self { parent, device, root, point, overlay: is_overlay && !renames }))
    }

    /// Returns where a path through this mount is in the file system.
    fn place(&self, path: &[u8]) -> Option<Vec<u8>> {
        let below = path.strip_prefix(without_slash(&self.point))?;
        (below.is_empty() || below.starts_with(b"/"))
            .then(|| [without_slash(&self.root), without_slash(below)].concat())
    }
}

/// Removes the slash at the end of a path: `/` becomes empty.
fn without_slash(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").unwrap_or(path)
}

/// Returns what the table says about the base at this path on this mount.
pub fn parse_table(text: &[u8], mount: Option<u64>, path: &[u8]) -> BaseMounts {
    let mounts: HashMap<u64, Mount<'_>> = text.split(|byte| *byte == b'\n').filter_map(Mount::parse).collect();
    // If the kernel does not say which mount it is, take the one with the longest mount point on the path.
    let nearest = || mounts.values().filter(|it| it.place(path).is_some()).max_by_key(|it| it.point.len());
    let own = mount.map_or_else(nearest, |number| mounts.get(&number));
    // In a chroot, the base's own mount is not in the table: then compare paths.
    let base = [own.and_then(|own| own.place(path)).as_deref().unwrap_or(without_slash(path)), b"/"].concat();
    let place = |it: &Mount<'_>| match own {
        Some(own) => mounts.get(&it.parent).filter(|parent| parent.device == own.device)?.place(&it.point),
        None => Some(it.point.clone()),
    };
    let workspace = |it: &Mount<'_>| {
        let place = place(it)?;
        key(OsStr::from_bytes(place.strip_prefix(base.as_slice())?.split(|byte| *byte == b'/').next()?))
    };
    BaseMounts {
        inside: mounts.values().filter_map(workspace).collect(),
        on_overlay: own.is_some_and(|own| own.overlay),
    }
}

/// Undoes the escapes of the table, such as `\040`.
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

    const ID: &str = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";

    /// Whether a mount is found inside the workspace, where the base at `path` lies on mount 30, and these are further lines.
    fn found(path: &str, lines: &[String]) -> bool {
        let text = lines.join("\n");
        let inside: Vec<_> = parse_table(text.as_bytes(), Some(30), path.as_bytes()).inside.into_iter().collect();
        assert!(inside.len() < 2);
        inside.iter().any(|(id, tag)| id.to_string() == ID && tag.is_none())
    }

    fn line(numbers: &str, device: &str, root: &str, point: &str) -> String {
        format!("{numbers} {device} {root} {point} rw,noatime master:1 - ext4 /dev/root rw")
    }

    /// For all else see the property in `foreign_bytes.rs`.
    #[test]
    fn a_mount_in_the_base_is_found_by_its_place_in_the_file_system() {
        let own = |root, point| line("30 1", "98:0", root, point);
        let other = |numbers, point: &str| line(numbers, "0:50", "/", point);
        for (path, own, other, expected) in [
            ("/", own("/", "/"), other("40 30", &format!("/{ID}/data")), true),
            ("/", own("/srv/base", "/"), other("40 30", &format!("/{ID}/data")), true),
            ("/second", own("/srv/base", "/second"), other("40 29", &format!("/srv/base/{ID}/data")), true),
            ("/second/base", own("/srv", "/second"), other("40 29", &format!("/srv/base/{ID}/data")), true),
            ("/second/base", own("/srv", "/second"), other("40 28", &format!("/else/base/{ID}/data")), false),
            ("/", String::new(), other("40 30", &format!("/{ID}/data")), true), // in a chroot
        ] {
            let lines = [line("29 1", "98:0", "/", "/"), line("28 1", "98:1", "/srv", "/else"), own, other];
            assert_eq!(found(path, &lines), expected, "{path} {lines:?}");
        }
    }
}

//! The `*at()` calls: everything below the base goes through descriptors and single names.
//!
//! The results are bare errnos; those who call know what they were doing and say so.

use super::stat::stat_of;
use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RawDir, RawDirEntry, RenameFlags, ResolveFlags, SeekFrom, Stat, StatxFlags,
};
use rustix::io::{Errno, Result, retry_on_intr};
use rustix::path::Arg;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether opening a directory may lead onto another mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mounts {
    /// It may: the directory may be a mount point.
    Enter,
    /// It fails with EXDEV, also for a bind mount of the same file system.
    Refuse,
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// A regular file is read, whatever else lies there is at most opened: without waiting for a FIFO's writer or a lease, without
/// following a link, without becoming a terminal's process.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// An open directory.
#[derive(Debug)]
pub struct DirFd(OwnedFd);

impl DirFd {
    /// Opens a directory by its path, which may be or pass through symlinks: for what the administrator named.
    pub fn open(path: impl Arg + Copy) -> Result<Self> {
        retry_on_intr(|| rustix::fs::openat(CWD, path, DIRECTORY, Mode::empty())).map(Self)
    }

    /// Opens a directory inside this one; a symlink is ELOOP or ENOTDIR.
    pub fn open_dir(&self, name: impl Arg + Copy, mounts: Mounts) -> Result<Self> {
        self.open_directory(name, DIRECTORY, mounts)
    }

    /// The same for a directory that is to be emptied: if its owner may not read it, he is given the rights first.
    pub fn open_accessible(&self, name: impl Arg + Copy, mounts: Mounts) -> Result<Self> {
        match self.open_dir(name, mounts) {
            Err(Errno::ACCESS) if self.make_accessible(name).is_ok() => self.open_dir(name, mounts),
            opened => opened,
        }
    }

    /// Opens the directory above, wherever it is by now: whoever calls must check that it is the one he came from.
    pub fn open_parent(&self) -> Result<Self> {
        retry_on_intr(|| rustix::fs::openat(&self.0, c"..", DIRECTORY, Mode::empty())).map(Self)
    }

    /// Opens a file for reading, `name` being one name or a directory's and a file's (`<id>/.metadata.json`). No part of it
    /// may be a symlink, and the call never waits.
    pub fn open_file(&self, name: &str) -> Result<OwnedFd> {
        if let Some(opened) = self.openat2(name, FILE, ResolveFlags::NO_SYMLINKS) {
            return opened;
        }
        match name.split_once('/') {
            Some((dir, file)) => self.open_dir(dir, Mounts::Enter)?.open_file(file),
            None => retry_on_intr(|| rustix::fs::openat(&self.0, name, FILE, Mode::empty())),
        }
    }

    /// Makes a file that was not there (EEXIST), readable by its owner alone, for writing.
    pub fn create_file(&self, name: &str) -> Result<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        retry_on_intr(|| rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR))
    }

    fn open_directory(&self, name: impl Arg + Copy, flags: OFlags, mounts: Mounts) -> Result<Self> {
        let resolve = match mounts {
            Mounts::Enter => ResolveFlags::NO_SYMLINKS,
            Mounts::Refuse => ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV,
        };
        if let Some(opened) = self.openat2(name, flags, resolve) {
            return opened.map(Self);
        }
        let flags = flags | OFlags::NOFOLLOW;
        let dir = retry_on_intr(|| rustix::fs::openat(&self.0, name, flags, Mode::empty())).map(Self)?;
        if mounts == Mounts::Refuse && dir.mount()? != self.mount()? {
            return Err(Errno::XDEV);
        }
        Ok(dir)
    }

    /// Calls openat2(2), or tells that it is not to be had: Linux before 5.6, or a container's seccomp filter.
    fn openat2(&self, name: impl Arg + Copy, flags: OFlags, resolve: ResolveFlags) -> Option<Result<OwnedFd>> {
        static MISSING: AtomicBool = AtomicBool::new(false);
        if MISSING.load(Ordering::Relaxed) {
            return None;
        }
        match retry_on_intr(|| rustix::fs::openat2(&self.0, name, flags, Mode::empty(), resolve)) {
            Err(Errno::NOSYS) => {
                MISSING.store(true, Ordering::Relaxed);
                None
            }
            Err(Errno::PERM) => None, // how some filters say that they do not know the call
            result => Some(result),
        }
    }

    /// What tells this directory's mount from others: device and, where it can be had, the mount's own number.
    fn mount(&self) -> Result<(u64, Option<u64>)> {
        let device = self.stat_self()?.st_dev;
        let mask = StatxFlags::MNT_ID;
        match retry_on_intr(|| rustix::fs::statx(&self.0, c"", AtFlags::EMPTY_PATH, mask)) {
            Ok(statx) if StatxFlags::from_bits_retain(statx.stx_mask).contains(mask) => {
                Ok((device, Some(statx.stx_mnt_id)))
            }
            Ok(_) | Err(Errno::NOSYS | Errno::PERM) => Ok((device, self.mount_in_proc()?)),
            Err(errno) => Err(errno),
        }
    }

    /// The number of its mount as proc(5) tells it: statx(2) does so only since Linux 5.8, and a device alone does not tell a
    /// bind mount of the same file system. `None` where there is no `/proc`.
    fn mount_in_proc(&self) -> Result<Option<u64>> {
        match std::fs::read_to_string(format!("/proc/self/fdinfo/{}", self.0.as_raw_fd())) {
            Ok(info) => {
                let number = info.lines().find_map(|line| line.strip_prefix("mnt_id:"));
                Ok(number.and_then(|number| number.trim().parse().ok()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        }
    }

    /// The stat of this directory itself.
    pub fn stat_self(&self) -> Result<Stat> {
        stat_of(&self.0)
    }

    /// The stat of what has this name here, of a link itself.
    pub fn stat(&self, name: impl Arg + Copy) -> Result<Stat> {
        retry_on_intr(|| rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW))
    }

    /// Removes the name of anything but a directory (EISDIR).
    pub fn unlink(&self, name: impl Arg + Copy) -> Result<()> {
        retry_on_intr(|| rustix::fs::unlinkat(&self.0, name, AtFlags::empty()))
    }

    /// Removes an empty directory.
    pub fn rmdir(&self, name: impl Arg + Copy) -> Result<()> {
        retry_on_intr(|| rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR))
    }

    /// Renames over whatever has the new name, as rename(2) does.
    pub fn rename(&self, from: impl Arg + Copy, to: impl Arg + Copy) -> Result<()> {
        self.rename_into(from, self, to)
    }

    /// Renames into another directory, over whatever has the new name there.
    pub fn rename_into(&self, from: impl Arg + Copy, dir: &Self, to: impl Arg + Copy) -> Result<()> {
        retry_on_intr(|| rustix::fs::renameat(&self.0, from, &dir.0, to))
    }

    /// Renames, and fails with EEXIST if the new name is taken. Where the file system does not offer that (NFS), a look-up
    /// before the rename has to do; an empty directory that is made in between is then replaced.
    pub fn rename_new(&self, from: impl Arg + Copy, to: impl Arg + Copy) -> Result<()> {
        match retry_on_intr(|| rustix::fs::renameat_with(&self.0, from, &self.0, to, RenameFlags::NOREPLACE)) {
            Err(Errno::INVAL | Errno::NOSYS) => match self.stat(to) {
                Ok(_) => Err(Errno::EXIST),
                Err(Errno::NOENT) => self.rename(from, to),
                Err(errno) => Err(errno),
            },
            result => result,
        }
    }

    /// Gives the owner of a directory back his right to read, write and search it, if we may. It goes through a descriptor,
    /// since chmod(2) by name would follow a link that is swapped in.
    pub fn make_accessible(&self, name: impl Arg + Copy) -> Result<()> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = self.open_directory(name, flags, Mounts::Refuse)?;
        let mode = Mode::from_raw_mode(dir.stat_self()?.st_mode) | Mode::RWXU;
        let path = format!("/proc/self/fd/{}", dir.0.as_raw_fd());
        retry_on_intr(|| rustix::fs::chmodat(CWD, &path, mode, AtFlags::empty()))
    }

    /// The same for this directory itself. `false`: it had them all.
    pub fn give_rights(&self) -> Result<bool> {
        let mode = Mode::from_raw_mode(self.stat_self()?.st_mode);
        if mode.contains(Mode::RWXU) {
            return Ok(false);
        }
        retry_on_intr(|| rustix::fs::fchmod(&self.0, mode | Mode::RWXU)).map(|()| true)
    }

    /// Waits until every name in this directory is on disk. A file system that cannot do that (EINVAL) has done it.
    pub fn sync(&self) -> Result<()> {
        match retry_on_intr(|| rustix::fs::fsync(&self.0)) {
            Err(Errno::INVAL) => Ok(()),
            result => result,
        }
    }

    /// Has `visit` see what is left of the listing but `.` and `..`, until it breaks, in pieces as large as `buffer`'s capacity.
    pub fn each_entry(
        &self,
        buffer: &mut Vec<u8>,
        mut visit: impl FnMut(&RawDirEntry<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        while let Some(ControlFlow::Continue(())) = self.next_entries(buffer, &mut visit)? {}
        Ok(())
    }

    /// The same for the next piece alone, and whether `visit` broke. `None`: there was nothing left.
    pub fn next_entries(
        &self,
        buffer: &mut Vec<u8>,
        mut visit: impl FnMut(&RawDirEntry<'_>) -> ControlFlow<()>,
    ) -> Result<Option<ControlFlow<()>>> {
        buffer.clear();
        let mut entries = RawDir::new(self.0.as_fd(), buffer.spare_capacity_mut());
        loop {
            match entries.next() {
                None => return Ok(None),
                Some(Err(Errno::INTR)) => continue,
                Some(Err(errno)) => return Err(errno),
                Some(Ok(entry)) => {
                    let is_dot = matches!(entry.file_name().to_bytes(), b"." | b"..");
                    if !is_dot && visit(&entry).is_break() {
                        return Ok(Some(ControlFlow::Break(())));
                    }
                }
            }
            if entries.is_buffer_empty() {
                return Ok(Some(ControlFlow::Continue(())));
            }
        }
    }

    /// Goes to the position behind an entry, as the entry tells it; 0 is the start.
    pub fn seek(&self, position: u64) -> Result<()> {
        rustix::fs::seek(&self.0, SeekFrom::Start(position)).map(drop)
    }
}

impl AsFd for DirFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

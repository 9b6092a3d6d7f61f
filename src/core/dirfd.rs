//! Wraps the `*at()` system calls, which take a descriptor and a name. Errors are plain errnos; callers add the context.

use super::mount::{in_proc, is_local, mount_of};
use super::stat::Stat;
use rustix::fs::{
    AtFlags, CWD, IFlags, Mode, OFlags, RawDir, RawDirEntry, RenameFlags, ResolveFlags, SeekFrom, StatxFlags,
};
use rustix::io::{Errno, Result, retry_on_intr};
use rustix::path::Arg;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// Opens a file for reading. Never waits for a FIFO's writer or a lease, follows no link, takes no controlling terminal.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
/// Opens a path only to look at it.
const PATH: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An open directory. Opening or examining a mount point in it fails with EXDEV. No call queries the other mount, whose server
/// may never answer.
#[derive(Debug)]
pub struct DirFd {
    fd: OwnedFd,
    mount: Option<u64>,
    is_local: bool,
}

impl DirFd {
    /// Opens a directory by a path that the administrator gave. It may lead through symlinks.
    pub fn open(path: impl Arg + Copy) -> Result<Self> {
        let open = |flags| retry_on_intr(|| rustix::fs::openat(CWD, path, flags, Mode::empty()));
        let fd = match open(DIRECTORY | OFlags::NOATIME) {
            Err(Errno::PERM) => open(DIRECTORY)?,
            opened => opened?,
        };
        Ok(Self { mount: mount_of(&fd)?, is_local: is_local(&fd), fd })
    }

    /// Returns the number of its mount, as in /proc/self/mountinfo, if the kernel says so.
    pub fn mount(&self) -> Option<u64> {
        self.mount
    }

    /// Returns its path now, if there is a `/proc`.
    pub fn path(&self) -> Result<PathBuf> {
        std::fs::read_link(in_proc("fd", &self.fd)).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }

    /// Opens a directory in this one, or `..`. A symlink is ELOOP or ENOTDIR.
    pub fn open_dir(&self, name: impl Arg + Copy) -> Result<Self> {
        let (mount, is_local) = (self.mount, self.is_local);
        self.open_noatime(name, DIRECTORY).map(|fd| Self { fd, mount, is_local })
    }

    /// Opens a directory that is to be emptied. If its owner may not read it, gives the owner the right first. If it cannot, another
    /// run may have done so, or removed it.
    pub fn open_accessible(&self, name: impl Arg + Copy) -> Result<Self> {
        match self.open_dir(name) {
            Err(Errno::ACCESS) => {
                let _ = self.make_accessible(name);
                self.open_dir(name)
            }
            opened => opened,
        }
    }

    /// Opens a file for reading. `path` is one name, or a directory and a name (`<id>/.metadata.json`). Follows no symlink and
    /// never waits.
    pub fn open_file(&self, path: &str) -> Result<OwnedFd> {
        self.open_noatime(path, FILE)
    }

    /// Creates a file for writing that only its owner can read. It must not exist (EEXIST).
    pub fn create_file(&self, name: &str) -> Result<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        retry_on_intr(|| rustix::fs::openat(&self.fd, name, flags, Mode::from_raw_mode(0o600)))
    }

    /// Opens without changing the access time, if this is allowed: to the owner and to root.
    fn open_noatime(&self, name: impl Arg + Copy, flags: OFlags) -> Result<OwnedFd> {
        match self.open_beneath(name, flags | OFlags::NOATIME) {
            Err(Errno::PERM) => self.open_beneath(name, flags),
            opened => opened,
        }
    }

    /// Opens a path below, on the same mount, without following symlinks.
    fn open_beneath(&self, path: impl Arg + Copy, flags: OFlags) -> Result<OwnedFd> {
        static OPENAT2_IS_MISSING: AtomicBool = AtomicBool::new(false);
        if !OPENAT2_IS_MISSING.load(Ordering::Relaxed) {
            let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
            match retry_on_intr(|| rustix::fs::openat2(&self.fd, path, flags, Mode::empty(), resolve)) {
                Err(Errno::NOSYS) => OPENAT2_IS_MISSING.store(true, Ordering::Relaxed), // Linux before 5.6
                Err(Errno::PERM) => {} // a container's system call filter may answer this
                opened => return opened,
            }
        }
        let path = path.as_cow_c_str()?;
        let path = path.to_bytes();
        match path.iter().position(|byte| *byte == b'/') {
            Some(slash) => self.open_dir(&path[..slash])?.open_name(&path[slash + 1..], flags),
            None => self.open_name(path, flags),
        }
    }

    /// Opens a single name where there is no openat2(2).
    fn open_name(&self, name: &[u8], flags: OFlags) -> Result<OwnedFd> {
        let fd = retry_on_intr(|| rustix::fs::openat(&self.fd, name, flags | OFlags::NOFOLLOW, Mode::empty()))?;
        let mount = mount_of(&fd)?;
        let crosses =
            if mount.is_some() { mount != self.mount } else { Stat::of_file(&fd)?.device != self.stat_self()?.device };
        if crosses { Err(Errno::XDEV) } else { Ok(fd) }
    }

    /// Returns the stat of this directory.
    pub fn stat_self(&self) -> Result<Stat> {
        Stat::of_file(&self.fd)
    }

    /// Returns the stat of a name in it. Does not follow a symlink, and does not query what is mounted on the name, whose server
    /// may never answer.
    pub fn stat(&self, name: impl Arg + Copy) -> Result<Stat> {
        if self.is_local { self.cached_stat(name) } else { self.stat_path(name) }
    }

    /// Like [`Self::stat`], but asks no file server, not even this directory's own, for newer values. The type is always right.
    pub fn cached_stat(&self, name: impl Arg + Copy) -> Result<Stat> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
        let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME | StatxFlags::MNT_ID;
        match retry_on_intr(|| rustix::fs::statx(&self.fd, name, flags, mask)) {
            Ok(statx) => match Stat::from(&statx) {
                stat if stat.mount.and(self.mount).is_some() && stat.mount != self.mount => Err(Errno::XDEV),
                stat => Ok(stat),
            },
            Err(Errno::NOSYS | Errno::PERM) => self.stat_path(name),
            Err(errno) => Err(errno),
        }
    }

    /// Returns the stat of a name in it, or of a name in a directory in it. Neither may be a mount point, and the directory must not
    /// be a symlink.
    pub fn stat_path(&self, path: impl Arg + Copy) -> Result<Stat> {
        Stat::of_file(&self.open_beneath(path, PATH)?)
    }

    /// Removes a name, but not a directory (EISDIR).
    pub fn unlink(&self, name: impl Arg + Copy) -> Result<()> {
        retry_on_intr(|| rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()))
    }

    /// Removes an empty directory.
    pub fn rmdir(&self, name: impl Arg + Copy) -> Result<()> {
        retry_on_intr(|| rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR))
    }

    /// Renames like rename(2), over whatever has the new name.
    pub fn rename(&self, from: impl Arg + Copy, to: impl Arg + Copy) -> Result<()> {
        retry_on_intr(|| rustix::fs::renameat(&self.fd, from, &self.fd, to))
    }

    /// Renames, and fails with EEXIST if the new name is taken. Where the file system cannot do that (NFS), it looks before the
    /// rename. Then it may replace a file or an empty directory created in between.
    pub fn rename_new(&self, from: impl Arg + Copy, to: impl Arg + Copy) -> Result<()> {
        match retry_on_intr(|| rustix::fs::renameat_with(&self.fd, from, &self.fd, to, RenameFlags::NOREPLACE)) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => match self.stat(to) {
                Ok(_) | Err(Errno::XDEV) => Err(Errno::EXIST),
                Err(Errno::NOENT) => match self.rename(from, to) {
                    Err(Errno::NOTEMPTY | Errno::NOTDIR) => Err(Errno::EXIST), // created in between
                    renamed => renamed,
                },
                Err(errno) => Err(errno),
            },
            result => result,
        }
    }

    /// Grants a directory's owner the rights to read, write and search it. It uses a descriptor, because chmod(2) by name would
    /// follow a link.
    fn make_accessible(&self, name: impl Arg + Copy) -> Result<()> {
        let dir = self.open_beneath(name, PATH | OFlags::DIRECTORY)?;
        let mode = Mode::from_raw_mode(Stat::of_file(&dir)?.mode) | Mode::RWXU;
        retry_on_intr(|| rustix::fs::chmodat(CWD, in_proc("fd", &dir), mode, AtFlags::empty()))
    }

    /// Calls `act`. If it fails because the owner lacks rights in this directory, grants them and calls it again. If the owner has
    /// them, another run may just have granted them.
    pub fn with_rights<T>(&self, mut act: impl FnMut() -> Result<T>) -> Result<T> {
        match act() {
            Err(Errno::ACCESS) => {
                let _ = self.grant_rights();
                act()
            }
            done => done,
        }
    }

    /// Grants the owner all rights in this directory.
    fn grant_rights(&self) -> Result<()> {
        let mode = Mode::from_raw_mode(self.stat_self()?.mode);
        if mode.contains(Mode::RWXU) {
            return Ok(());
        }
        retry_on_intr(|| rustix::fs::fchmod(&self.fd, mode | Mode::RWXU))
    }

    /// Makes this doomed directory ours, if we may, so that nobody else can create names in it.
    pub fn take_over(&self) {
        let us = Some(rustix::process::geteuid());
        let _ = retry_on_intr(|| rustix::fs::fchown(&self.fd, us, None));
        let _ = retry_on_intr(|| rustix::fs::fchmod(&self.fd, Mode::RWXU));
    }

    /// Whether names can be created here but not removed (`chattr +a`). `false` if the file system has no such flag.
    pub fn is_append_only(&self) -> bool {
        retry_on_intr(|| rustix::fs::ioctl_getflags(&self.fd)).is_ok_and(|flags| flags.contains(IFlags::APPEND))
    }

    /// Waits until all names in this directory are on disk.
    pub fn sync(&self) -> Result<()> {
        sync(&self.fd)
    }

    /// Calls `visit` for all entries except `.` and `..`, until it fails. `buffer`'s capacity is the size of a piece.
    pub fn each_entry(
        &self,
        buffer: &mut Vec<u8>,
        mut visit: impl FnMut(&RawDirEntry<'_>) -> Result<()>,
    ) -> Result<()> {
        self.seek(0)?;
        while self.next_entries(buffer, &mut visit)? {}
        Ok(())
    }

    /// Reads the next piece, like [`Self::each_entry`]. Returns `false` at the end of the listing.
    pub fn next_entries(
        &self,
        buffer: &mut Vec<u8>,
        mut visit: impl FnMut(&RawDirEntry<'_>) -> Result<()>,
    ) -> Result<bool> {
        buffer.clear();
        let mut entries = RawDir::new(self.fd.as_fd(), buffer.spare_capacity_mut());
        loop {
            match entries.next() {
                None => return Ok(false),
                Some(Err(Errno::INTR)) => continue,
                Some(Err(errno)) => return Err(errno),
                Some(Ok(entry)) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
                Some(Ok(entry)) => visit(&entry)?,
            }
            if entries.is_buffer_empty() {
                return Ok(true);
            }
        }
    }

    /// Sets the position in the listing: a position from an entry, or 0 for the start.
    pub fn seek(&self, position: u64) -> Result<()> {
        rustix::fs::seek(&self.fd, SeekFrom::Start(position)).map(drop)
    }
}

impl AsFd for DirFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Waits until an open file is on disk, if its file system knows how.
pub fn sync(file: impl AsFd + Copy) -> Result<()> {
    match retry_on_intr(|| rustix::fs::fsync(file)) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(()),
        result => result,
    }
}

//! The `*at()` calls: everything below the base goes through descriptors and single names.
//!
//! The results are bare errnos; those who call know what they were doing and say so.

use super::stat::Stat;
use rustix::fs::{
    AtFlags, CWD, IFlags, Mode, OFlags, RawDir, RawDirEntry, RenameFlags, ResolveFlags, SeekFrom, StatxFlags,
};
use rustix::io::{Errno, Result, retry_on_intr};
use rustix::path::Arg;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// A regular file is read, whatever else lies there is at most opened: without waiting for a FIFO's writer or a lease, without
/// following a link, without becoming a terminal's process.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);
/// Only looked at, not opened.
const PATH: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An open directory. What is reached through it lies on the same mount: where another one begins, every call fails with EXDEV,
/// and nothing is asked of what is mounted there. Its server may never answer.
#[derive(Debug)]
pub struct DirFd {
    fd: OwnedFd,
    mount: Option<u64>,
}

impl DirFd {
    /// Opens a directory by its path, which may be or pass through symlinks: for what the administrator named.
    pub fn open(path: impl Arg + Copy) -> Result<Self> {
        let open = |flags| retry_on_intr(|| rustix::fs::openat(CWD, path, flags, Mode::empty()));
        let fd = match open(DIRECTORY | OFlags::NOATIME) {
            Err(Errno::PERM) => open(DIRECTORY)?,
            opened => opened?,
        };
        Ok(Self { mount: mount_of(&fd)?, fd })
    }

    /// The number of the mount that it lies on, as in /proc/self/mountinfo, where the kernel tells it.
    pub fn mount(&self) -> Option<u64> {
        self.mount
    }

    /// Opens a directory inside this one; a symlink is ELOOP or ENOTDIR.
    pub fn open_dir(&self, name: impl Arg + Copy) -> Result<Self> {
        self.open_quietly(name, DIRECTORY).map(|fd| self.beside(fd))
    }

    /// The same for a directory that is to be emptied: if its owner may not read it, he is given the rights first.
    pub fn open_accessible(&self, name: impl Arg + Copy) -> Result<Self> {
        match self.open_dir(name) {
            Err(Errno::ACCESS) if self.make_accessible(name).is_ok() => self.open_dir(name),
            opened => opened,
        }
    }

    /// Opens the directory above, wherever it is by now: the caller must check that it is the one it came from.
    pub fn open_parent(&self) -> Result<Self> {
        self.open_quietly(c"..", DIRECTORY).map(|fd| self.beside(fd))
    }

    /// Opens a file for reading, `path` being one name or a directory's and a file's (`<id>/.metadata.json`). No part of it may
    /// be a symlink, and the call never waits.
    pub fn open_file(&self, path: &str) -> Result<OwnedFd> {
        self.open_quietly(path, FILE)
    }

    /// Makes a file that was not there (EEXIST), readable by its owner alone, for writing.
    pub fn create_file(&self, name: &str) -> Result<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        retry_on_intr(|| rustix::fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR))
    }

    fn beside(&self, fd: OwnedFd) -> Self {
        Self { fd, mount: self.mount }
    }

    /// Opens without changing the time of last access, where that is allowed: to the owner and to root.
    fn open_quietly(&self, name: impl Arg + Copy, flags: OFlags) -> Result<OwnedFd> {
        match self.open_beneath(name, flags | OFlags::NOATIME) {
            Err(Errno::PERM) => self.open_beneath(name, flags),
            opened => opened,
        }
    }

    /// Opens what lies beneath, on the same mount. No part of the path may be a symlink.
    fn open_beneath(&self, path: impl Arg + Copy, flags: OFlags) -> Result<OwnedFd> {
        static OPENAT2_IS_MISSING: AtomicBool = AtomicBool::new(false);
        if !OPENAT2_IS_MISSING.load(Ordering::Relaxed) {
            let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
            match retry_on_intr(|| rustix::fs::openat2(&self.fd, path, flags, Mode::empty(), resolve)) {
                Err(Errno::NOSYS) => OPENAT2_IS_MISSING.store(true, Ordering::Relaxed), // Linux before 5.6
                Err(Errno::PERM) => {} // how a container's filter of system calls may say the same
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

    /// The same for a single name, where there is no openat2(2).
    fn open_name(&self, name: &[u8], flags: OFlags) -> Result<OwnedFd> {
        let fd = retry_on_intr(|| rustix::fs::openat(&self.fd, name, flags | OFlags::NOFOLLOW, Mode::empty()))?;
        let mount = mount_of(&fd)?;
        let crosses =
            if mount.is_some() { mount != self.mount } else { Stat::of(&fd)?.device != self.stat_self()?.device };
        if crosses { Err(Errno::XDEV) } else { Ok(fd) }
    }

    /// The stat of this directory itself.
    pub fn stat_self(&self) -> Result<Stat> {
        Stat::of(&self.fd)
    }

    /// The stat of what has this name here, of a link itself. No server is asked for more than the name: what it would know
    /// better is a time or a size that others change just now, and one that is mounted on the name may never answer.
    pub fn stat(&self, name: impl Arg + Copy) -> Result<Stat> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
        let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME | StatxFlags::MNT_ID;
        match retry_on_intr(|| rustix::fs::statx(&self.fd, name, flags, mask)) {
            Ok(statx) => self.on_this_mount(Stat::from(&statx)),
            Err(Errno::NOSYS | Errno::PERM) => self.stat_path(name),
            Err(errno) => Err(errno),
        }
    }

    /// The same for a path of two names, of which neither may be a mount point, and the first no symlink.
    pub fn stat_path(&self, path: impl Arg + Copy) -> Result<Stat> {
        Stat::of(&self.open_beneath(path, PATH)?)
    }

    fn on_this_mount(&self, stat: Stat) -> Result<Stat> {
        let crosses = stat.mount.is_some() && self.mount.is_some() && stat.mount != self.mount;
        if crosses { Err(Errno::XDEV) } else { Ok(stat) }
    }

    /// Removes the name of anything but a directory (EISDIR).
    pub fn unlink(&self, name: impl Arg + Copy) -> Result<()> {
        retry_on_intr(|| rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()))
    }

    /// Removes an empty directory.
    pub fn rmdir(&self, name: impl Arg + Copy) -> Result<()> {
        retry_on_intr(|| rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR))
    }

    /// Renames over whatever has the new name, as rename(2) does.
    pub fn rename(&self, from: impl Arg + Copy, to: impl Arg + Copy) -> Result<()> {
        retry_on_intr(|| rustix::fs::renameat(&self.fd, from, &self.fd, to))
    }

    /// Renames, and fails with EEXIST if the new name is taken. Where the file system does not offer that (NFS), a look-up
    /// before the rename has to do; an empty directory that is made in between is then replaced.
    pub fn rename_new(&self, from: impl Arg + Copy, to: impl Arg + Copy) -> Result<()> {
        match retry_on_intr(|| rustix::fs::renameat_with(&self.fd, from, &self.fd, to, RenameFlags::NOREPLACE)) {
            Err(Errno::INVAL | Errno::NOSYS) => match self.stat(to) {
                Ok(_) | Err(Errno::XDEV) => Err(Errno::EXIST),
                Err(Errno::NOENT) => match self.rename(from, to) {
                    Err(Errno::NOTEMPTY | Errno::NOTDIR) => Err(Errno::EXIST), // made in between
                    renamed => renamed,
                },
                Err(errno) => Err(errno),
            },
            result => result,
        }
    }

    /// Gives the owner of a directory back his right to read, write and search it, if we may. It goes through a descriptor,
    /// since chmod(2) by name would follow a link that is swapped in.
    pub fn make_accessible(&self, name: impl Arg + Copy) -> Result<()> {
        let dir = self.open_beneath(name, PATH | OFlags::DIRECTORY)?;
        let mode = Mode::from_raw_mode(Stat::of(&dir)?.mode) | Mode::RWXU;
        let path = format!("/proc/self/fd/{}", dir.as_raw_fd());
        retry_on_intr(|| rustix::fs::chmodat(CWD, &path, mode, AtFlags::empty()))
    }

    /// Does something in this directory; if its owner lacks the rights for it, they are given him first.
    pub fn with_rights<T>(&self, mut act: impl FnMut() -> Result<T>) -> Result<T> {
        match act() {
            Err(Errno::ACCESS) if self.give_rights() == Ok(true) => act(),
            done => done,
        }
    }

    /// Gives the owner his rights in this directory. `false`: he had them all.
    fn give_rights(&self) -> Result<bool> {
        let mode = Mode::from_raw_mode(self.stat_self()?.mode);
        if mode.contains(Mode::RWXU) {
            return Ok(false);
        }
        retry_on_intr(|| rustix::fs::fchmod(&self.fd, mode | Mode::RWXU)).map(|()| true)
    }

    /// Takes this directory away from its owner, if we may, so that nobody but us can make a name in it: for what is doomed, and
    /// where others keep writing. Where it is not ours to take, they go on.
    pub fn take_over(&self) {
        let us = Some(rustix::process::geteuid());
        let _ = retry_on_intr(|| rustix::fs::fchown(&self.fd, us, None));
        let _ = retry_on_intr(|| rustix::fs::fchmod(&self.fd, Mode::RWXU));
    }

    /// Whether names can be made here but never removed (`chattr +a`). Where a file system knows no such flags, they can.
    pub fn is_append_only(&self) -> bool {
        retry_on_intr(|| rustix::fs::ioctl_getflags(&self.fd)).is_ok_and(|flags| flags.contains(IFlags::APPEND))
    }

    /// Waits until every name in this directory is on disk. A file system that cannot do that (EINVAL) has done it.
    pub fn sync(&self) -> Result<()> {
        match retry_on_intr(|| rustix::fs::fsync(&self.fd)) {
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
        let mut entries = RawDir::new(self.fd.as_fd(), buffer.spare_capacity_mut());
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
        rustix::fs::seek(&self.fd, SeekFrom::Start(position)).map(drop)
    }
}

impl AsFd for DirFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The number of the mount that an open file lies on. statx(2) tells it since Linux 5.8, and proc(5) before; a device alone
/// does not tell a bind mount of the same file system. `None` where there is no `/proc` either.
fn mount_of(fd: &OwnedFd) -> Result<Option<u64>> {
    let mask = StatxFlags::MNT_ID;
    match retry_on_intr(|| rustix::fs::statx(fd, c"", AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC, mask)) {
        Ok(statx) if StatxFlags::from_bits_retain(statx.stx_mask).contains(mask) => Ok(Some(statx.stx_mnt_id)),
        Ok(_) | Err(Errno::NOSYS | Errno::PERM) => mount_in_proc(fd),
        Err(errno) => Err(errno),
    }
}

fn mount_in_proc(fd: &OwnedFd) -> Result<Option<u64>> {
    match std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())) {
        Ok(info) => {
            let number = info.lines().find_map(|line| line.strip_prefix("mnt_id:"));
            Ok(number.and_then(|number| number.trim().parse().ok()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
    }
}

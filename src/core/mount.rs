//! On which mount and on what kind of file system an open file is.

use rustix::fs::{AtFlags, StatxFlags};
use rustix::io::{Errno, Result, retry_on_intr};
use std::os::fd::{AsRawFd, OwnedFd};

/// The file systems whose stats are never out of date: ext4, XFS, btrfs, tmpfs and overlay, see statfs(2).
const LOCAL: [u32; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630];

/// Whether an open file is on a file system whose stats are never out of date.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the type depends on the architecture
pub(super) fn is_local(fd: &OwnedFd) -> bool {
    retry_on_intr(|| rustix::fs::fstatfs(fd)).is_ok_and(|found| LOCAL.contains(&(found.f_type as u32)))
}

/// Returns the mount number of an open file: from statx(2) since Linux 5.8, else from proc(5). Unlike a device number, it tells
/// bind mounts of one file system apart. Returns `None` if there is no `/proc` either.
pub(super) fn mount_of(fd: &OwnedFd) -> Result<Option<u64>> {
    let mask = StatxFlags::MNT_ID;
    match retry_on_intr(|| rustix::fs::statx(fd, c"", AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC, mask)) {
        Ok(statx) if StatxFlags::from_bits_retain(statx.stx_mask).contains(mask) => Ok(Some(statx.stx_mnt_id)),
        Ok(_) | Err(Errno::NOSYS | Errno::PERM) => mount_in_proc(fd),
        Err(errno) => Err(errno),
    }
}

/// Returns a path of an open file in proc(5). Each thread has its own descriptors, and `/proc/self` shows those of the first one.
pub(super) fn in_proc(kind: &str, fd: &OwnedFd) -> String {
    format!("/proc/thread-self/{kind}/{}", fd.as_raw_fd())
}

fn mount_in_proc(fd: &OwnedFd) -> Result<Option<u64>> {
    match std::fs::read_to_string(in_proc("fdinfo", fd)) {
        Ok(info) => {
            let number = info.lines().find_map(|line| line.strip_prefix("mnt_id:"));
            Ok(number.and_then(|number| number.trim().parse().ok()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
    }
}

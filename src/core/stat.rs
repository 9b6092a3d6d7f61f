//! What stat(2) tells of an inode, and how one is told from another.

use super::timestamp::Timestamp;
use rustix::fs::{FileType, Stat};
use rustix::io::{Result, retry_on_intr};
use std::num::NonZero;
use std::os::fd::AsFd;

/// What the kernel tells of one inode: enough to see that a file is no longer the one it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    inode: NonZero<u64>, // so that an absent one takes no more room
    size: i64,
    modified: Nanoseconds,
    changed: Nanoseconds,
}

/// Since 1970, as a time is told from another: what lies 584 years apart looks the same.
type Nanoseconds = i64;

impl From<&Stat> for Signature {
    fn from(stat: &Stat) -> Self {
        // The types of the parts differ from one architecture to another.
        #[allow(clippy::cast_possible_wrap, clippy::unnecessary_cast)]
        let time = |seconds: i64, part: u64| seconds.wrapping_mul(1_000_000_000).wrapping_add(part as i64);
        Self {
            inode: NonZero::new(stat.st_ino).unwrap_or(NonZero::<u64>::MAX),
            size: stat.st_size,
            modified: time(stat.st_mtime, stat.st_mtime_nsec),
            changed: time(stat.st_ctime, stat.st_ctime_nsec),
        }
    }
}

/// The stat of an open file.
pub fn stat_of(file: impl AsFd + Copy) -> Result<Stat> {
    retry_on_intr(|| rustix::fs::fstat(file))
}

/// Whether two stats are of the same inode.
pub fn same_inode(a: &Stat, b: &Stat) -> bool {
    (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
}

/// When the content of what a stat is of was last modified.
pub fn modified(stat: &Stat) -> Timestamp {
    Timestamp::from_unix(stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0))
}

/// When the inode of what a stat is of was last changed.
pub fn changed(stat: &Stat) -> Timestamp {
    Timestamp::from_unix(stat.st_ctime, u32::try_from(stat.st_ctime_nsec).unwrap_or(0))
}

/// The allocated bytes of what a stat is of: `st_blocks` counts in units of 512 bytes, see inode(7).
pub fn allocated(stat: &Stat) -> u64 {
    u64::try_from(stat.st_blocks).unwrap_or(0) * 512
}

/// Whether a stat is of a directory, and not of a link to one.
pub fn is_dir(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode).is_dir()
}

//! What stat(2) and statx(2) say about an inode, and how to tell whether it has changed.

use super::timestamp::Timestamp;
use rustix::fs::{FileType, Statx, StatxFlags, makedev};
use rustix::io::{Result, retry_on_intr};
use rustix::time::{ClockId, clock_gettime};
use std::num::NonZero;
use std::os::fd::AsFd;
use std::time::Duration;

/// What the kernel says about an inode.
#[derive(Debug, Clone, Copy)]
pub struct Stat {
    /// The number of the file system, as in stat(2).
    pub device: u64,
    /// The inode's number.
    pub inode: u64,
    /// The mount through which it was reached, if the kernel says so (statx since Linux 5.8).
    pub mount: Option<u64>,
    /// The type and the permissions, as `st_mode`.
    pub mode: u32,
    /// The number of its hard links.
    pub links: u64,
    /// The owner.
    pub user: u32,
    /// The group.
    pub group: u32,
    /// The length in bytes.
    pub size: u64,
    /// The allocated bytes.
    pub allocated: u64,
    /// When its content was last modified. The owner can set this.
    pub modified: FileTime,
    /// When the inode or one of its names was last changed. Only the kernel sets this.
    pub changed: FileTime,
    /// When it was created. Always the same time if the file system does not say.
    pub born: FileTime,
}

impl Stat {
    /// Returns the stat of an open file.
    pub fn of_file(file: impl AsFd + Copy) -> Result<Self> {
        retry_on_intr(|| rustix::fs::fstat(file)).map(|stat| Self::from(&stat))
    }

    /// Whether it is a directory. A link to one is not.
    pub fn is_dir(&self) -> bool {
        FileType::from_raw_mode(self.mode).is_dir()
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        FileType::from_raw_mode(self.mode).is_file()
    }

    /// Returns device and inode number, which identify an inode.
    pub fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

/// Returns the bytes of `st_blocks`, which counts in units of 512, see inode(7). At most 8 PiB, so that no sum overflows where a
/// FUSE daemon says anything.
fn allocated(blocks: u64) -> u64 {
    blocks.min(1 << 44) * 512
}

impl From<&rustix::fs::Stat> for Stat {
    #[allow(clippy::unnecessary_cast, clippy::cast_lossless)] // the types depend on the architecture
    fn from(stat: &rustix::fs::Stat) -> Self {
        let time = |seconds: i64, nanoseconds: u64| FileTime::new(seconds, u32::try_from(nanoseconds).unwrap_or(0));
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            mount: None,
            mode: stat.st_mode,
            links: stat.st_nlink as u64,
            user: stat.st_uid,
            group: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            allocated: allocated(u64::try_from(stat.st_blocks).unwrap_or(0)),
            modified: time(stat.st_mtime as i64, stat.st_mtime_nsec as u64),
            changed: time(stat.st_ctime as i64, stat.st_ctime_nsec as u64),
            born: FileTime(0),
        }
    }
}

impl From<&Statx> for Stat {
    fn from(stat: &Statx) -> Self {
        let has = |what| StatxFlags::from_bits_retain(stat.stx_mask).contains(what);
        let born = FileTime::new(stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec);
        Self {
            device: makedev(stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
            mount: has(StatxFlags::MNT_ID).then_some(stat.stx_mnt_id),
            mode: stat.stx_mode.into(),
            links: stat.stx_nlink.into(),
            user: stat.stx_uid,
            group: stat.stx_gid,
            size: stat.stx_size,
            allocated: allocated(stat.stx_blocks),
            modified: FileTime::new(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
            changed: FileTime::new(stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec),
            born: if has(StatxFlags::BTIME) { born } else { FileTime(0) },
        }
    }
}

/// A time of the clock that stamps inodes, in nanoseconds since 1970. A time before 1677 or after 2262 is the nearest that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileTime(i64);

/// How far the clock may move between two stamps, in nanoseconds: twice the longest tick of a kernel.
const TICK: i64 = 20_000_000;
const SECOND: i64 = 1_000_000_000;

impl FileTime {
    fn new(seconds: i64, nanoseconds: u32) -> Self {
        Self(seconds.saturating_mul(SECOND).saturating_add(nanoseconds.into()))
    }

    /// Returns the stamp that the kernel would set now. It is coarser than the clock.
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        Self::new(now.tv_sec, u32::try_from(now.tv_nsec).unwrap_or(0))
    }

    /// Returns the granularity of this file system's stamps, in nanoseconds, as far as this one shows it: some store whole
    /// seconds.
    const fn grain(self) -> i64 {
        if self.0 % SECOND == 0 { SECOND } else { TICK }
    }

    /// Whether something that happened between `begun` and now may have this stamp. A stamp ahead of the clock was set when the
    /// clock was wrong.
    pub fn may_be_since(self, begun: Self) -> bool {
        let begun = if self.grain() == SECOND { begun.0 - begun.0.rem_euclid(SECOND) } else { begun.0 };
        self.0 >= begun && {
            let now = clock_gettime(ClockId::Realtime); // some kernels stamp with this clock
            self.0 <= Self::new(now.tv_sec, 0).plus_seconds(2).0
        }
    }

    /// Whether a later change may get the same stamp, seen from `now`. git calls this racily clean.
    pub fn is_racy(self, now: Self) -> bool {
        self.0 > now.0 - self.grain()
    }

    /// Returns how long to wait until a change gets a later stamp than this.
    pub fn next_grain(self) -> Duration {
        Duration::from_nanos(self.grain().unsigned_abs())
    }

    /// Returns the time `seconds` later.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(SECOND)))
    }
}

impl From<FileTime> for Timestamp {
    fn from(time: FileTime) -> Self {
        let nanoseconds = u32::try_from(time.0.rem_euclid(SECOND)).unwrap_or(0);
        Self::from_unix(time.0.div_euclid(SECOND), nanoseconds)
    }
}

/// Enough of a stat to see that a file has changed.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    inode: NonZero<u64>, // makes an Option no larger
    modified: FileTime,
    changed: FileTime,
    size: u32, // metadata is far smaller than 4 GiB
    is_racy: bool,
}

impl Signature {
    /// Returns the signature of a file as seen at `then`.
    pub fn seen_at(stat: &Stat, then: FileTime) -> Self {
        Self { is_racy: stat.changed.is_racy(then), ..stat.into() }
    }

    /// Whether only the content tells if the file was written since: the new stamps may be the old ones, or only the change time has
    /// moved, which it also does with the mode, the owner or the number of links.
    pub fn needs_reading(&self, new: &Self) -> bool {
        let parts = |it: &Self| (it.inode, it.modified, it.size);
        parts(self) == parts(new) && (self.is_racy || self.changed != new.changed)
    }
}

impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        let parts = |it: &Self| (it.inode, it.modified, it.changed, it.size);
        parts(self) == parts(other)
    }
}

impl Eq for Signature {}

impl From<&Stat> for Signature {
    fn from(stat: &Stat) -> Self {
        Self {
            inode: NonZero::new(stat.inode).unwrap_or(NonZero::<u64>::MAX),
            modified: stat.modified,
            changed: stat.changed,
            size: u32::try_from(stat.size).unwrap_or(u32::MAX),
            is_racy: false,
        }
    }
}

/// Enough of a stat to tell a directory from one created in its place, which may get the same inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Birth {
    inode: NonZero<u64>,
    born: FileTime,
}

impl From<&Stat> for Birth {
    fn from(stat: &Stat) -> Self {
        Self { inode: NonZero::new(stat.inode).unwrap_or(NonZero::<u64>::MAX), born: stat.born }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_can_be_added_whatever_a_file_system_says() {
        assert_eq!(allocated(8), 4096);
        assert!(allocated(u64::MAX).checked_mul(1000).is_some());
    }

    #[test]
    fn a_stamp_may_be_since_the_beginning_if_the_file_system_could_have_set_it_since() {
        let now = FileTime::now().0 / SECOND;
        let time = |seconds, nanoseconds| FileTime::new(now + seconds, nanoseconds);
        let begun = time(-10, 500_000_000);
        for (stamp, may_be) in [
            (time(-10, 499_999_999), false),
            (time(-10, 500_000_000), true),
            (time(-10, 0), true), // perhaps from a file system that stores whole seconds
            (time(-11, 0), false),
            (time(0, 1), true),
            (time(60, 1), false), // from a clock that was wrong
        ] {
            assert_eq!(stamp.may_be_since(begun), may_be, "{stamp:?} since {begun:?}");
        }
    }
}

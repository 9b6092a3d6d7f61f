//! What stat(2) and statx(2) tell of an inode, and how one is told from another.

use super::timestamp::Timestamp;
use rustix::fs::{FileType, Statx, StatxFlags, makedev};
use rustix::io::{Result, retry_on_intr};
use rustix::time::{ClockId, clock_gettime};
use std::num::NonZero;
use std::os::fd::AsFd;
use std::time::Duration;

/// What the kernel tells of one inode.
#[derive(Debug, Clone, Copy)]
pub struct Stat {
    /// The file system, as stat(2) numbers it.
    pub device: u64,
    /// The inode's number there.
    pub inode: u64,
    /// The mount that it was reached through, where the kernel tells that (statx since Linux 5.8).
    pub mount: Option<u64>,
    /// The type and the permissions, as `st_mode`.
    pub mode: u32,
    /// How many names it has.
    pub links: u64,
    /// The owner's number.
    pub user: u32,
    /// The group's number.
    pub group: u32,
    /// The length in bytes.
    pub size: u64,
    /// What it takes on disk, in bytes.
    pub allocated: u64,
    /// When its content was last modified. The owner may set that.
    pub modified: FileTime,
    /// When the inode, or a name of it, was last changed. Only the kernel sets that.
    pub changed: FileTime,
    /// When it was made, where that is told (statx(2), most file systems); else the same time for all.
    pub born: FileTime,
}

impl Stat {
    /// The stat of an open file.
    pub fn of(file: impl AsFd + Copy) -> Result<Self> {
        retry_on_intr(|| rustix::fs::fstat(file)).map(|stat| Self::from(&stat))
    }

    /// Whether it is a directory, and not a link to one.
    pub fn is_dir(&self) -> bool {
        FileType::from_raw_mode(self.mode).is_dir()
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        FileType::from_raw_mode(self.mode).is_file()
    }

    /// What tells this inode from every other one that exists.
    pub fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

/// `st_blocks` counts in units of 512 bytes, see inode(7).
const BLOCK: u64 = 512;

impl From<&rustix::fs::Stat> for Stat {
    #[allow(clippy::unnecessary_cast, clippy::cast_lossless)] // the types differ from one architecture to another
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
            allocated: u64::try_from(stat.st_blocks).unwrap_or(0) * BLOCK,
            modified: time(stat.st_mtime as i64, stat.st_mtime_nsec as u64),
            changed: time(stat.st_ctime as i64, stat.st_ctime_nsec as u64),
            born: FileTime(0),
        }
    }
}

impl From<&Statx> for Stat {
    fn from(stat: &Statx) -> Self {
        let tells = |what| StatxFlags::from_bits_retain(stat.stx_mask).contains(what);
        let born = FileTime::new(stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec);
        Self {
            device: makedev(stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
            mount: tells(StatxFlags::MNT_ID).then_some(stat.stx_mnt_id),
            mode: stat.stx_mode.into(),
            links: stat.stx_nlink.into(),
            user: stat.stx_uid,
            group: stat.stx_gid,
            size: stat.stx_size,
            allocated: stat.stx_blocks * BLOCK,
            modified: FileTime::new(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
            changed: FileTime::new(stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec),
            born: if tells(StatxFlags::BTIME) { born } else { FileTime(0) },
        }
    }
}

/// A time by the clock that stamps inodes, in nanoseconds since 1970. Times 584 years apart look the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileTime(i64);

/// How far the clock may move on between two stamps: the longest tick of a kernel, twice.
const TICK: i64 = 20_000_000;
const SECOND: i64 = 1_000_000_000;

impl FileTime {
    fn new(seconds: i64, nanoseconds: u32) -> Self {
        Self(seconds.wrapping_mul(SECOND).wrapping_add(nanoseconds.into()))
    }

    /// The time that the kernel would stamp an inode with now. It has a grain of its own, coarser than that of the clock.
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        Self::new(now.tv_sec, u32::try_from(now.tv_nsec).unwrap_or(0))
    }

    /// How far this file system's stamps may be apart that differ, in nanoseconds: some know only whole seconds.
    const fn grain(self) -> i64 {
        if self.0 % SECOND == 0 { SECOND } else { TICK }
    }

    /// Whether something that happened after `begun`, and until now, may bear this stamp. What lies ahead of the clock does
    /// not: it was stamped when the clock was wrong.
    pub fn is_since(self, begun: Self) -> bool {
        let begun = if self.grain() == SECOND { begun.0 - begun.0.rem_euclid(SECOND) } else { begun.0 };
        self.0 >= begun && {
            let now = clock_gettime(ClockId::Realtime); // some kernels stamp by this one, if it matters
            self.0 <= Self::new(now.tv_sec, 0).later(2).0
        }
    }

    /// Whether a later change may bear the same stamp as this one, if that is looked at `now`. git calls this racily clean.
    pub fn is_racy(self, now: Self) -> bool {
        self.0 > now.0 - self.grain()
    }

    /// How long to wait until what happens bears a later stamp than this.
    pub fn next_grain(self) -> Duration {
        Duration::from_nanos(self.grain().unsigned_abs())
    }

    /// The time that lies `seconds` later.
    #[must_use]
    pub fn later(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(SECOND)))
    }
}

impl From<FileTime> for Timestamp {
    fn from(time: FileTime) -> Self {
        let nanoseconds = u32::try_from(time.0.rem_euclid(SECOND)).unwrap_or(0);
        Self::from_unix(time.0.div_euclid(SECOND), nanoseconds)
    }
}

/// Enough of a stat to see that a file is no longer the one it was.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    inode: NonZero<u64>, // so that an absent one takes no more room
    modified: FileTime,
    changed: FileTime,
    size: u32, // no metadata is near 4 GiB
    is_racy: bool,
}

impl Signature {
    /// The signature of a file that was looked at then.
    pub fn looked_at(stat: &Stat, then: FileTime) -> Self {
        Self { is_racy: stat.changed.is_racy(then), ..stat.into() }
    }

    /// Whether a later change may leave the file with the same signature: then only its content tells.
    pub fn is_racy(&self) -> bool {
        self.is_racy
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

/// Enough of a stat to tell a directory from one that is made in its place. That one may well get the number of the one that has
/// gone.
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

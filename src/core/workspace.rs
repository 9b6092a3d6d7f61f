//! One workspace on disk: its status and what its metadata says.

use super::dirfd::DirFd;
use super::error::{Category, Error};
use super::metadata::{self, Metadata};
use super::names::METADATA;
use super::stat::{Birth, FileTime, Signature};
use super::timestamp::Timestamp;
use chrono::TimeDelta;
use rustix::io::Errno;
use serde::Serialize;

/// How far ahead of the clock a last access may be before it is [`Status::Future`].
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// What is known of a workspace's last access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is known.
    Ok,
    /// There is no metadata file.
    Missing,
    /// The metadata is not what the application writes, or has no last access.
    Corrupt,
    /// The metadata cannot be read: no permission, an I/O error or a lease.
    Denied,
    /// It is more than five minutes ahead of the clock.
    Future,
}

impl Status {
    /// All statuses, in their order.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Missing, Self::Corrupt, Self::Denied, Self::Future];

    /// Returns the word for people, scripts and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Corrupt => "corrupt",
            Self::Denied => "denied",
            Self::Future => "future",
        }
    }

    /// Returns the status for a known last access.
    pub fn at(last_accessed: Timestamp, now: Timestamp) -> Self {
        if last_accessed.age(now) < -CLOCK_SKEW { Self::Future } else { Self::Ok }
    }
}

/// Which metadata file was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// None, in this directory.
    Nothing(Birth),
    /// This one.
    File(Signature),
    /// It could not be seen, in this directory, if that is known.
    Unseen(Option<Birth>),
}

/// What was read of a workspace.
#[derive(Debug)]
pub struct Facts {
    /// The status.
    pub status: Status,
    /// The last access, if it is known.
    pub last_accessed: Option<Timestamp>,
    /// Whether it is known to break the application's own listing.
    pub breaks_listing: bool,
    /// The creation, if it can be read.
    pub created_at: Option<Timestamp>,
    /// The description, if it can be read.
    pub description: Option<String>,
    /// Which file was read.
    pub seen: Seen,
    /// Why the status is not `ok` or `future`.
    pub error: Option<Error>,
}

/// Reads the metadata of the workspace `name` in `dir`, using `buffer`. Returns `None` if there is no such directory.
pub fn examine(dir: &DirFd, name: &str, now: Timestamp, buffer: &mut Vec<u8>) -> Option<Facts> {
    let path = format!("{name}/{METADATA}");
    let looked_at = FileTime::now();
    let found = match metadata::read(dir, &path, buffer) {
        Ok(Some(opened)) => {
            let facts = Metadata::parse(buffer).map_or_else(Facts::unknown, |metadata| Facts::of(metadata, now));
            return Some(Facts { seen: Seen::File(Signature::looked_at(&opened.stat, looked_at)), ..facts });
        }
        Ok(None) => Error::new(Category::NotFound, format!("{METADATA} is missing")),
        Err(error) => error,
    };
    let birth = match dir.stat(name) {
        Ok(stat) if stat.is_dir() => Some((&stat).into()),
        Ok(_) | Err(Errno::NOENT) => return None,
        Err(_) => None, // reading failed, too
    };
    let facts = Facts::unknown(found);
    let seen = match (facts.status, birth) {
        (Status::Missing, Some(birth)) => Seen::Nothing(birth),
        _ => dir.stat_path(&path).map_or(Seen::Unseen(birth), |stat| Seen::File((&stat).into())),
    };
    Some(Facts { seen, ..facts })
}

impl Facts {
    fn of(metadata: Metadata, now: Timestamp) -> Self {
        let Metadata { last_accessed, breaks_listing, created_at, description } = metadata;
        let missing = || metadata::corrupt("has no last_accessed");
        let facts = match last_accessed.and_then(|time| time.ok_or_else(missing)) {
            Ok(time) => Self { status: Status::at(time, now), last_accessed: Some(time), error: None, ..Self::NOTHING },
            Err(error) => Self::unknown(error),
        };
        Self { breaks_listing, created_at, description, ..facts }
    }

    fn unknown(error: Error) -> Self {
        let status = match error.category() {
            Category::NotFound => Status::Missing,
            Category::CorruptMetadata => Status::Corrupt,
            _ => Status::Denied,
        };
        Self { status, breaks_listing: status == Status::Missing, error: Some(error), ..Self::NOTHING }
    }

    const NOTHING: Self = Self {
        status: Status::Missing,
        last_accessed: None,
        breaks_listing: false,
        created_at: None,
        description: None,
        seen: Seen::Unseen(None),
        error: None,
    };
}

//! One workspace as it is found on disk: its status and what its metadata says.

use super::dirfd::DirFd;
use super::error::{Category, Error};
use super::metadata::{self, Metadata};
use super::names::METADATA;
use super::stat::{Birth, FileTime, Signature};
use super::timestamp::Timestamp;
use chrono::TimeDelta;
use rustix::io::Errno;
use serde::Serialize;

/// How far ahead of the clock a last access may lie before it counts as [`Status::Future`].
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// What can be said of a workspace's last access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is known.
    Ok,
    /// There is no metadata file.
    Missing,
    /// The metadata is not what the application writes, or does not say when.
    Corrupt,
    /// The metadata cannot be read: no permission, an I/O error, a lease held by someone.
    Denied,
    /// It lies more than five minutes ahead of the clock.
    Future,
}

impl Status {
    /// Every status, in the order of their meaning.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Missing, Self::Corrupt, Self::Denied, Self::Future];

    /// The word that people, scripts and JSON see.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Corrupt => "corrupt",
            Self::Denied => "denied",
            Self::Future => "future",
        }
    }

    /// The status that a known last access gives.
    pub fn at(last_accessed: Timestamp, now: Timestamp) -> Self {
        if last_accessed.age(now) < -CLOCK_SKEW { Self::Future } else { Self::Ok }
    }
}

/// Which metadata file was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// There was none, in this directory.
    Nothing(Birth),
    /// There was this one.
    File(Signature),
    /// It cannot be told, in this directory, if that is known.
    Unseen(Option<Birth>),
}

/// What one look at a workspace's metadata told.
#[derive(Debug)]
pub struct Facts {
    /// The outcome.
    pub status: Status,
    /// When it was last used, if that is known.
    pub last_accessed: Option<Timestamp>,
    /// Whether the application's listing is known to break on it beside others.
    pub breaks_listing: bool,
    /// When it was made, if that can be read.
    pub created_at: Option<Timestamp>,
    /// What its maker calls it, if that can be read.
    pub description: Option<String>,
    /// Which file it was.
    pub seen: Seen,
    /// Why the status is not `ok` or `future`.
    pub error: Option<Error>,
}

/// Looks at the metadata of the workspace `name` in `dir`, with `buffer` to read into. `None`: there is no such directory.
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
        Err(_) => None, // reading met it, too
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

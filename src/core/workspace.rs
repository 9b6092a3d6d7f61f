//! Examines one workspace on disk: its status and its metadata.

use super::dirfd::DirFd;
use super::error::{Category, Error};
use super::metadata::{self, Metadata};
use super::names::METADATA;
use super::stat::{Birth, FileTime, Signature};
use super::timestamp::Timestamp;
use chrono::TimeDelta;
use rustix::io::Errno;

/// How far ahead of the clock a last access may be. Beyond that it is [`Status::Future`].
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// What is known about a workspace's last access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The last access is known.
    Ok,
    /// There is no metadata file.
    Missing,
    /// The metadata is not what the application writes, or has no last access.
    Corrupt,
    /// The metadata cannot be read: no permission, an I/O error, or somebody holds a lease.
    Denied,
    /// The last access is more than five minutes ahead of the clock.
    Future,
}

impl Status {
    /// All statuses, in the order of their discriminants.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Missing, Self::Corrupt, Self::Denied, Self::Future];

    /// Returns the word in text and JSON.
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
    pub fn of_access(last_accessed: Timestamp, now: Timestamp) -> Self {
        if last_accessed.age(now) < -CLOCK_SKEW { Self::Future } else { Self::Ok }
    }
}

/// The metadata file that was seen, to tell later whether it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// This directory had none.
    Missing(Birth),
    /// This file.
    File(Signature),
    /// The file could not be examined. The birth of the directory, if that could be examined.
    Unknown(Option<Birth>),
}

/// The result of examining a workspace's metadata.
#[derive(Debug)]
pub struct Facts {
    /// The status.
    pub status: Status,
    /// The last access, if it is known.
    pub last_accessed: Option<Timestamp>,
    /// Whether the application's listing of several workspaces is known to fail on it.
    pub breaks_listing: bool,
    /// The time of creation, if it can be read.
    pub created_at: Option<Timestamp>,
    /// The description, if it can be read.
    pub description: Option<String>,
    /// The metadata file that was seen.
    pub seen: Seen,
    /// Why the status is not `ok` or `future`.
    pub error: Option<Error>,
}

/// Examines the metadata of the workspace `name` in `dir`. Reads it into `buffer`. Returns `None` if there is no such directory.
pub fn examine(dir: &DirFd, name: &str, now: Timestamp, buffer: &mut Vec<u8>) -> Option<Facts> {
    let path = format!("{name}/{METADATA}");
    let seen_at = FileTime::now();
    let error = match metadata::read(dir, &path, buffer) {
        Ok(Some(opened)) => {
            let facts =
                Metadata::parse(buffer).map_or_else(Facts::from_error, |metadata| Facts::from_metadata(metadata, now));
            return Some(Facts { seen: Seen::File(Signature::seen_at(&opened.stat, seen_at)), ..facts });
        }
        Ok(None) => Error::new(Category::NotFound, format!("{METADATA} is missing")),
        Err(error) => error,
    };
    let birth = match dir.stat(name) {
        Ok(stat) if stat.is_dir() => Some((&stat).into()),
        Ok(_) | Err(Errno::NOENT) => return None,
        Err(_) => None, // `error` already tells about it
    };
    let facts = Facts::from_error(error);
    let seen = match (facts.status, birth) {
        (Status::Missing, Some(birth)) => Seen::Missing(birth),
        _ => dir.stat_path(&path).map_or(Seen::Unknown(birth), |stat| Seen::File((&stat).into())),
    };
    Some(Facts { seen, ..facts })
}

impl Facts {
    fn from_metadata(metadata: Metadata, now: Timestamp) -> Self {
        let Metadata { last_accessed, breaks_listing, created_at, description } = metadata;
        let missing = || metadata::corrupt("has no last_accessed");
        let facts = match last_accessed.and_then(|time| time.ok_or_else(missing)) {
            Ok(time) => Self { status: Status::of_access(time, now), last_accessed: Some(time), ..Self::EMPTY },
            Err(error) => Self::from_error(error),
        };
        Self { breaks_listing, created_at, description, ..facts }
    }

    fn from_error(error: Error) -> Self {
        let status = match error.category() {
            Category::NotFound => Status::Missing,
            Category::CorruptMetadata => Status::Corrupt,
            _ => Status::Denied,
        };
        Self { status, breaks_listing: status == Status::Missing, error: Some(error), ..Self::EMPTY }
    }

    const EMPTY: Self = Self {
        status: Status::Missing,
        last_accessed: None,
        breaks_listing: false,
        created_at: None,
        description: None,
        seen: Seen::Unknown(None),
        error: None,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_is_in_the_future_if_it_is_more_than_five_minutes_ahead() {
        let now = Timestamp::from_unix(1_000_000, 0);
        for (ahead, status) in [(-1, Status::Ok), (300, Status::Ok), (301, Status::Future)] {
            assert_eq!(Status::of_access(Timestamp::from_unix(1_000_000 + ahead, 0), now), status, "{ahead}");
        }
    }
}

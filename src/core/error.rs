//! What can go wrong, in one table: each category has one word, one severity, one exit status and one rank, and they stand
//! nowhere else.
//!
//! The exit statuses are those of `sysexits(3)`, which systemd prints by name.

use rustix::io::Errno;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// The result of everything in the core.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of failure it was. The order is the rank: of several, the greatest decides the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// A workspace, its metadata file or the base is not there.
    NotFound,
    /// Somebody else was using or changing it; trying later may work.
    Busy,
    /// A malformed workspace ID.
    InvalidId,
    /// A wrong command line.
    Usage,
    /// Metadata that is not what the application writes.
    CorruptMetadata,
    /// EACCES or EPERM.
    PermissionDenied,
    /// The storage failed or is full.
    Io,
    /// Anything not named here.
    Unexpected,
    /// A guard, or a `no` at the prompt, stopped a prune.
    Refused,
}

/// How loudly a failure is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Worth knowing; nothing is lost and trying again may be all that is needed.
    Warning,
    /// Somebody has to look.
    Error,
}

impl Category {
    /// THE table: word, severity, exit status.
    const fn row(self) -> (&'static str, Severity, u8) {
        match self {
            Self::NotFound => ("not-found", Severity::Warning, 66),
            Self::Busy => ("busy", Severity::Warning, 75),
            Self::InvalidId => ("invalid-id", Severity::Error, 2),
            Self::Usage => ("usage", Severity::Error, 2),
            Self::CorruptMetadata => ("corrupt-metadata", Severity::Error, 65),
            Self::PermissionDenied => ("permission-denied", Severity::Error, 77),
            Self::Io => ("io", Severity::Error, 74),
            Self::Unexpected => ("unexpected", Severity::Error, 70),
            Self::Refused => ("refused", Severity::Error, 78),
        }
    }

    /// The word that stands in diagnostics and in JSON.
    pub const fn word(self) -> &'static str {
        self.row().0
    }

    /// How loudly it is reported, unless the error itself is [`Error::severe`].
    pub const fn severity(self) -> Severity {
        self.row().1
    }

    /// The exit status, as in `sysexits(3)`.
    pub const fn exit_status(self) -> u8 {
        self.row().2
    }
}

impl Serialize for Category {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl From<Errno> for Category {
    /// Sorts the errors of the kernel, see `errno(3)`.
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::NOTDIR => Self::NotFound,
            // NOKEY is what lies encrypted, its key being away.
            Errno::ACCESS | Errno::PERM | Errno::NOKEY => Self::PermissionDenied,
            // AGAIN is a lease held by somebody (open with O_NONBLOCK), BUSY a mount point.
            Errno::AGAIN | Errno::BUSY | Errno::TXTBSY | Errno::DEADLK => Self::Busy,
            Errno::IO
            | Errno::NOSPC
            | Errno::DQUOT
            | Errno::ROFS
            | Errno::FBIG
            | Errno::STALE
            | Errno::NXIO
            | Errno::NODEV
            | Errno::REMOTEIO
            | Errno::TIMEDOUT
            | Errno::UCLEAN
            | Errno::BADMSG
            // A server, or the daemon of a FUSE file system, is away.
            | Errno::NOTCONN
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::NETUNREACH
            | Errno::CONNREFUSED
            | Errno::CONNRESET
            | Errno::CONNABORTED
            | Errno::SHUTDOWN
            | Errno::NOLINK
            | Errno::PROTO
            // What the machine or the process may have is used up.
            | Errno::MFILE
            | Errno::NFILE
            | Errno::NOMEM
            // An overlay's lower layer, or another project ID.
            | Errno::XDEV => Self::Io,
            _ => Self::Unexpected,
        }
    }
}

/// One failure: its category, what was being done to what, and the kernel's reason where there is one.
#[derive(Debug, Clone)]
pub struct Error {
    category: Category,
    severity: Severity,
    what: Cow<'static, str>,
    cause: Option<Cause>,
}

impl Error {
    /// A failure that we found ourselves.
    pub fn new(category: Category, what: impl Into<Cow<'static, str>>) -> Self {
        Self { category, severity: category.severity(), what: what.into(), cause: None }
    }

    /// A failure that the kernel reported, in the category of its errno.
    pub fn os(errno: Errno, what: impl Into<Cow<'static, str>>) -> Self {
        Self { cause: Some(Cause(errno)), ..Self::new(errno.into(), what) }
    }

    /// The same with an errno from std, which is [`Category::Unexpected`] if it has none.
    pub fn io(error: &std::io::Error, what: impl Into<Cow<'static, str>>) -> Self {
        match Errno::from_io_error(error) {
            Some(errno) => Self::os(errno, what),
            None => Self::new(Category::Unexpected, format!("{}: {error}", what.into())),
        }
    }

    /// The same failure as an error, also where its category is only a warning: the base itself is missing.
    #[must_use]
    pub fn severe(self) -> Self {
        Self { severity: Severity::Error, ..self }
    }

    /// The same failure in another category, where the errno alone tells too little.
    #[must_use]
    pub fn recategorized(self, category: Category) -> Self {
        Self { category, severity: category.severity(), ..self }
    }

    /// The same failure, said of `subject`.
    #[must_use]
    pub fn of(self, subject: impl fmt::Display) -> Self {
        Self { what: format!("{subject}: {}", self.what).into(), ..self }
    }

    /// The kind of failure.
    pub const fn category(&self) -> Category {
        self.category
    }

    /// The exit status that it comes to.
    pub const fn status(&self) -> ExitStatus {
        ExitStatus::Failure(self.category)
    }

    /// How loudly it is reported.
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// The kernel's reason, where it was the kernel that refused.
    pub fn errno(&self) -> Option<Errno> {
        self.cause.map(|cause| cause.0)
    }

    /// What failed and why, in one line.
    pub fn full(&self) -> String {
        self.cause.map_or_else(|| self.to_string(), |cause| format!("{self}: {cause}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// An errno that shows as the text of `strerror(3)`, without its number.
#[derive(Debug, Clone, Copy)]
struct Cause(Errno);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.split(" (os error").next().unwrap_or_default())
    }
}

impl std::error::Error for Cause {}

/// How the process ends. The order is the rank: of several, the greatest decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ExitStatus {
    /// Done; for `validate`: yes.
    #[default]
    Success,
    /// `validate`: no. Nothing else exits 1.
    No,
    /// The most severe category that was met.
    Failure(Category),
    /// A signal (its number) ended the work early.
    Signal(u8),
}

impl ExitStatus {
    /// The number that the parent process sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::No => 1,
            Self::Failure(category) => category.exit_status(),
            Self::Signal(number) => 128 + number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_categories_the_contract_says_which_decides() {
        use Category::*;
        let ranks = [78, 70, 74, 77, 65, 2, 75, 66];
        let mut all = [NotFound, Busy, InvalidId, Usage, CorruptMetadata, PermissionDenied, Io, Unexpected, Refused];
        all.sort();
        let mut statuses: Vec<u8> = all.iter().rev().map(|category| category.exit_status()).collect();
        statuses.dedup();
        assert_eq!(statuses, ranks);
        assert!(ExitStatus::Signal(15) > ExitStatus::Failure(Refused));
        assert!(ExitStatus::Failure(NotFound) > ExitStatus::No);
        assert_eq!((ExitStatus::Signal(2).code(), ExitStatus::Signal(15).code()), (130, 143));
    }

    #[test]
    fn each_errno_has_a_category_by_what_an_administrator_can_do_about_it() {
        use Category::*;
        for (category, errnos) in [
            (NotFound, &[Errno::NOENT, Errno::NOTDIR][..]),
            (PermissionDenied, &[Errno::ACCESS, Errno::PERM, Errno::NOKEY]),
            (Busy, &[Errno::AGAIN, Errno::BUSY, Errno::TXTBSY]),
            (Io, &[Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::FBIG, Errno::STALE]),
            (Io, &[Errno::NOTCONN, Errno::HOSTDOWN, Errno::TIMEDOUT, Errno::CONNABORTED]),
            (Io, &[Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::XDEV]),
            (Unexpected, &[Errno::INVAL, Errno::NOSYS, Errno::FAULT]),
        ] {
            assert!(errnos.iter().all(|errno| Category::from(*errno) == category), "{category:?} {errnos:?}");
        }
    }

    #[test]
    fn an_error_shows_its_whole_chain_in_one_line() {
        let error = Error::os(Errno::ACCESS, "cannot open it").of("workspace x");
        assert_eq!(error.full(), "workspace x: cannot open it: Permission denied");
        assert_eq!(error.category(), Category::PermissionDenied);
    }
}

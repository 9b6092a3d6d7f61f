//! All that can go wrong, in one table. Each category has one word, one severity, one exit status and one rank, which are defined
//! only here.
//!
//! The exit statuses are those of `sysexits(3)`. systemd prints their names.

use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The result type of the core.
pub type Result<T> = std::result::Result<T, Error>;

/// The kind of a failure. The order is the rank: if there are several, the greatest decides the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// A workspace, its metadata file or the base does not exist.
    NotFound,
    /// Somebody was using or changing it. Trying later may work.
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
    /// Anything else.
    Unexpected,
    /// A guard or a `no` at the prompt stopped a prune.
    Refused,
}

/// How serious a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// A warning: nothing is lost, and trying again may be enough.
    Warning,
    /// An error: an administrator must look at it.
    Error,
}

impl Category {
    /// The table: word, severity, exit status.
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

    /// Returns the word in diagnostics and JSON.
    pub const fn word(self) -> &'static str {
        self.row().0
    }

    /// Returns the severity, unless the error itself is [`Error::severe`].
    pub const fn severity(self) -> Severity {
        self.row().1
    }

    /// Returns the exit status, as in `sysexits(3)`.
    pub const fn exit_status(self) -> u8 {
        self.row().2
    }
}

impl From<Errno> for Category {
    /// Sorts the kernel's errors, see `errno(3)`.
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::NOTDIR => Self::NotFound,
            // NOKEY: it is encrypted, and the key is missing. KEYEXPIRED and the like: a file server asks for a new ticket.
            // OVERFLOW: an owner has no number in this user namespace or idmapped mount.
            Errno::ACCESS
            | Errno::PERM
            | Errno::NOKEY
            | Errno::KEYEXPIRED
            | Errno::KEYREJECTED
            | Errno::KEYREVOKED
            | Errno::OVERFLOW => Self::PermissionDenied,
            // AGAIN: somebody holds a lease (open with O_NONBLOCK). BUSY: a mount point.
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
            // The server, or the daemon of a FUSE file system, does not answer.
            | Errno::NOTCONN
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::NETDOWN
            | Errno::NETUNREACH
            | Errno::CONNREFUSED
            | Errno::CONNRESET
            | Errno::CONNABORTED
            | Errno::SHUTDOWN
            | Errno::NOLINK
            | Errno::PROTO
            // A limit of the machine or the process is reached.
            | Errno::MFILE
            | Errno::NFILE
            | Errno::NOMEM
            | Errno::NOBUFS
            // A path is too long for a FUSE daemon, or a name for the file system.
            | Errno::NAMETOOLONG
            // The lower layer of an overlay, or another project ID.
            | Errno::XDEV => Self::Io,
            _ => Self::Unexpected,
        }
    }
}

/// A failure: its category, what was being done, and the kernel's reason, if there is one.
#[derive(Debug, Clone)]
pub struct Error {
    category: Category,
    severity: Severity,
    what: Cow<'static, str>,
    errno: Option<Errno>,
}

impl Error {
    /// Creates a failure that we found ourselves.
    pub fn new(category: Category, what: impl Into<Cow<'static, str>>) -> Self {
        Self { category, severity: category.severity(), what: what.into(), errno: None }
    }

    /// Creates a failure from the kernel, in the category of its errno.
    pub fn os(errno: Errno, what: impl Into<Cow<'static, str>>) -> Self {
        Self { errno: Some(errno), ..Self::new(errno.into(), what) }
    }

    /// Creates a failure from std. Without an errno, it is [`Category::Unexpected`].
    pub fn io(error: &std::io::Error, what: impl Into<Cow<'static, str>>) -> Self {
        match Errno::from_io_error(error) {
            Some(errno) => Self::os(errno, what),
            None => Self::new(Category::Unexpected, format!("{}: {error}", what.into())),
        }
    }

    /// Makes it an error, even if its category is a warning. A missing base is an error.
    #[must_use]
    pub fn severe(self) -> Self {
        Self { severity: Severity::Error, ..self }
    }

    /// Changes the category, where the errno alone would give the wrong one.
    #[must_use]
    pub fn with_category(self, category: Category) -> Self {
        Self { category, severity: category.severity(), ..self }
    }

    /// Adds the `subject` in front of the message.
    #[must_use]
    pub fn about(self, subject: impl fmt::Display) -> Self {
        Self { what: format!("{subject}: {}", self.what).into(), ..self }
    }

    /// Returns the category.
    pub const fn category(&self) -> Category {
        self.category
    }

    /// Returns the exit status.
    pub const fn status(&self) -> ExitStatus {
        ExitStatus::Failure(self.category)
    }

    /// Returns the severity.
    pub const fn severity(&self) -> Severity {
        self.severity
    }
}

impl fmt::Display for Error {
    /// Says what failed and why, in one line, without the number of the errno.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match self.errno {
            None => Ok(()),
            // The text of strerror(3) speaks of a data type.
            Some(Errno::OVERFLOW) => f.write_str(": Its owner or this user has no ID on this mount"),
            Some(errno) => write!(f, ": {}", errno.to_string().split(" (os error").next().unwrap_or_default()),
        }
    }
}

impl std::error::Error for Error {}

/// How the process ends. The order is the rank: if there are several, the greatest decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ExitStatus {
    /// Done; for `validate`: yes.
    #[default]
    Success,
    /// `validate`: no. Nothing else exits 1.
    No,
    /// The most severe category.
    Failure(Category),
    /// A signal with this number ended the work early.
    Signal(u8),
}

impl ExitStatus {
    /// Raises it to `other`, if that is more severe.
    pub fn raise(&mut self, other: Self) {
        *self = other.max(*self);
    }

    /// Returns the number for the parent process.
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
    fn the_order_of_categories_is_that_of_the_contract() {
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
    fn each_errno_has_the_category_that_tells_an_administrator_what_to_do() {
        use Category::*;
        for (category, errnos) in [
            (NotFound, &[Errno::NOENT, Errno::NOTDIR][..]),
            (PermissionDenied, &[Errno::ACCESS, Errno::PERM, Errno::NOKEY, Errno::KEYEXPIRED, Errno::OVERFLOW]),
            (Busy, &[Errno::AGAIN, Errno::BUSY, Errno::TXTBSY]),
            (Io, &[Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::FBIG, Errno::STALE]),
            (Io, &[Errno::NOTCONN, Errno::HOSTDOWN, Errno::NETDOWN, Errno::TIMEDOUT, Errno::CONNABORTED]),
            (Io, &[Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NAMETOOLONG, Errno::XDEV]),
            (Unexpected, &[Errno::INVAL, Errno::NOSYS, Errno::FAULT]),
        ] {
            assert!(errnos.iter().all(|errno| Category::from(*errno) == category), "{category:?} {errnos:?}");
        }
        let warning = Error::os(Errno::BUSY, "cannot write");
        assert_eq!(warning.severity(), Severity::Warning);
        assert_eq!(warning.with_category(Io).severity(), Severity::Error);
    }
}

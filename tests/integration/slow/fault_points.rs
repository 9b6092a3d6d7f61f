//! Where a run is struck: the errors that each call may give, what they may lead to, and the points of a recorded run.

use crate::slow::fault_cases::{Case, Kind};

/// The errors that a call may give, the most telling first. None for what has nothing to do with files.
pub fn errors(call: &str, line: &str) -> Vec<&'static str> {
    let list: &[&str] = match call {
        "openat" if line.contains("O_CREAT") => {
            &["ENOSPC", "EACCES", "EINTR", "EIO", "EDQUOT", "EROFS", "EPERM", "EMFILE", "ENFILE", "ENOMEM", "ESTALE"]
        }
        "openat" => &["EIO", "EMFILE", "EINTR", "EACCES", "EPERM", "ENFILE", "ENOMEM", "EAGAIN", "ESTALE", "ELOOP"],
        "openat2" => &[
            "EIO", "EMFILE", "EINTR", "EACCES", "ENOSYS", "EPERM", "ENFILE", "ENOMEM", "EAGAIN", "ESTALE", "ELOOP",
            "ETXTBSY",
        ],
        "newfstatat" => &["EIO", "EACCES", "EINTR", "ENOMEM", "ESTALE", "ELOOP"],
        "fstat" => &["EIO", "EINTR", "ENOMEM", "ESTALE"],
        "statx" => &["EIO", "EINTR", "EACCES", "ENOMEM", "ESTALE"],
        "read" => &["EIO", "EINTR", "EAGAIN", "ENOMEM", "ESTALE"],
        "write" => &["ENOSPC", "EIO", "EINTR", "EDQUOT", "EFBIG", "EPERM", "ENOMEM", "EAGAIN", "ESTALE"],
        "getdents64" => &["EIO", "EINTR", "ENOMEM", "EACCES", "ESTALE"],
        "lseek" => &["EIO", "ESTALE"],
        "unlinkat" => {
            &["EIO", "EACCES", "EINTR", "EROFS", "EPERM", "EBUSY", "ENOMEM", "ENOSPC", "EDQUOT", "ESTALE", "ETXTBSY"]
        }
        "renameat" => {
            &["EIO", "ENOSPC", "EINTR", "EACCES", "EROFS", "EPERM", "EBUSY", "ENOMEM", "EDQUOT", "ESTALE", "ETXTBSY"]
        }
        "renameat2" => &[
            "EIO", "ENOSPC", "EINTR", "ENOSYS", "EACCES", "EROFS", "EPERM", "EBUSY", "ENOMEM", "EDQUOT", "ESTALE",
            "ETXTBSY", "EINVAL",
        ],
        "fsync" => &["EIO", "ENOSPC", "EINTR", "EDQUOT", "EROFS", "ENOMEM"],
        "fchown" | "fchmod" | "fchmodat" | "chmod" => {
            &["EPERM", "EIO", "EINTR", "EROFS", "EACCES", "ENOSPC", "EDQUOT", "ENOMEM"]
        }
        "fgetxattr" | "flistxattr" => &["EIO", "ENODATA", "EINTR", "EOPNOTSUPP", "ENOMEM", "ESTALE"],
        "fsetxattr" | "fremovexattr" => &["EPERM", "ENOSPC", "EINTR", "EIO", "EDQUOT", "EROFS", "EOPNOTSUPP"],
        "ioctl" if line.contains("GETFLAGS") => &["ENOTTY", "EINTR", "EIO", "EOPNOTSUPP"],
        "flock" => &["EAGAIN", "ENOLCK", "EINTR", "ENOSYS", "EIO"],
        "close" if line.contains(".metadata.json") => &["EIO", "EINTR", "ENOSPC", "EDQUOT"],
        "close" => &["EINTR"], // a directory has nothing to flush
        "poll" | "ppoll" => &["EINTR", "ENOMEM"],
        "readlink" => &["EIO", "EACCES", "ENOMEM"],
        "fstatfs" => &["EIO", "EINTR"],
        "fcntl" if line.contains("F_DUPFD") => &["EMFILE"],
        "socketpair" => &["EMFILE", "ENFILE", "ENOMEM"],
        "getrandom" => &["ENOSYS", "EINTR"],
        "unshare" => &["EPERM", "ENOMEM"], // threads with one table of descriptors
        "clone3" => &["EAGAIN", "ENOMEM"], // threads are many where the limits are few
        _ => &[],
    };
    list.to_vec()
}

/// Where a run is struck.
pub struct Point {
    pub call: String,
    pub occurrence: usize,
    /// `None`: SIGKILL.
    pub error: Option<&'static str>,
    /// The call as it went when nothing failed.
    pub line: String,
    /// Whether it ends before the base is synced, so that not one name may be gone.
    pub before_sync: bool,
}

/// Where a failure may stay without words, and why. All else must be seen in the exit status.
const SILENT: [(Kind, &str, &str, &str, &str); 14] = [
    (
        Kind::Touch,
        "lseek",
        "",
        "",
        "the sweep of a killed run's leftovers: they do no harm, and a later touch sweeps them",
    ),
    (Kind::Touch, "getdents64", "", "", "the same"),
    (Kind::Touch, "", "", ".wsctl-tmp.0123456789abcde", "the same: opening, locking or unlinking a leftover"),
    (Kind::Touch, "close", "", "", "what was written was synced before; no file system has more to say"),
    (Kind::Read, "openat2", "ELOOP", ".metadata.json", "it says that the file is a link: a corrupt one, and listed so"),
    (Kind::Read, "openat2", "ELOOP", "O_DIRECTORY", "it says that the workspace is a link: none, since then"),
    (Kind::Read, "newfstatat", "ELOOP", "", "the same"),
    (Kind::Read, "", "ESTALE", "", "somebody is changing it, and nobody could tell a dry run its size"),
    (Kind::Read, "", "EAGAIN", "O_DIRECTORY", "the same"),
    (Kind::Read, "", "ETXTBSY", "O_DIRECTORY", "the same"),
    (
        Kind::Read,
        "",
        "",
        "00000009-0000-4000-8000-000000000000.00c0ffee00c0ffee/.metadata.json",
        "doomed: it decides nothing",
    ),
    (Kind::Read, "openat2", "EACCES", "O_DIRECTORY", "a dry run does not see what removal would make accessible"),
    (Kind::Read, "newfstatat", "EACCES", "", "the same"),
    (Kind::Read, "getdents64", "EACCES", "", "the same"),
];

impl Point {
    pub fn may_be_silent(&self, kind: Kind) -> bool {
        SILENT.iter().any(|(of, call, error, part, _)| {
            *of == kind
                && (call.is_empty() || *call == self.call)
                && (error.is_empty() || Some(*error) == self.error)
                && self.line.contains(part)
        })
    }

    /// Whether it is stderr itself that cannot be written, so that nobody can be told.
    pub fn is_on_stderr(&self) -> bool {
        self.call == "write" && self.line.contains("write(2<")
    }

    /// The statuses that a failure of this call may lead to.
    pub fn statuses(&self) -> &'static [i32] {
        if self.call == "write" && self.line.contains("write(1<") {
            return &[74];
        }
        if ["socketpair", "fcntl", "clone3"].contains(&&*self.call) {
            return &[70];
        }
        match self.error.unwrap_or_default() {
            "EACCES" | "EPERM" => &[77],
            "EAGAIN" | "EBUSY" | "ETXTBSY" => &[75],
            "ESTALE" => &[74, 75],
            "EIO" | "ENOSPC" | "EDQUOT" | "EROFS" | "EFBIG" | "EMFILE" | "ENFILE" | "ENOMEM" => &[74],
            "ELOOP" => &[65, 66, 70, 75],
            "EINTR" => &[],
            _ => &[70],
        }
    }
}

/// The points of a case: all of them, or the first, middle and last occurrence of each call with three errors each, and all
/// the kills where something is written.
pub fn points(case: &Case, calls: &[(String, usize, String)], all: bool) -> Vec<Point> {
    let sync = calls.iter().position(|(call, ..)| call == "fsync").unwrap_or(0);
    assert!(sync > 0 || case.kind == Kind::Read, "{} never syncs", case.name);
    let mut points = Vec::new();
    for (index, (call, occurrence, line)) in calls.iter().enumerate() {
        if case.always.is_some_and(|always| always.split(['=', ':', ',']).any(|word| word == call)) {
            continue;
        }
        let same: Vec<usize> = calls.iter().filter(|(other, ..)| other == call).map(|(_, at, _)| *at).collect();
        let chosen = [same[0], same[same.len() / 2], same[same.len() - 1]].contains(occurrence);
        let writes = ["openat", "write", "unlinkat", "renameat", "renameat2", "fsync", "close"].contains(&&**call);
        let killed = all || case.is_killed_everywhere() || (case.kind != Kind::Read && writes);
        let number = if all { usize::MAX } else { 3 * usize::from(chosen) };
        let errors = errors(call, line).into_iter().take(number).map(Some);
        points.extend(errors.chain(killed.then_some(None)).map(|error| Point {
            call: call.clone(),
            occurrence: *occurrence,
            error,
            line: line.clone(),
            before_sync: !case.threads
                && index <= sync
                && (error.is_none() || (call == "fsync" && error != Some("EINTR"))),
        }));
    }
    points
}

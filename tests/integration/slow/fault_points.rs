//! Where a run is struck: the errors that each call may give, what they may lead to, and the points of a recorded run.

use crate::paused::Call;
use crate::slow::fault_cases::{Case, Kind};

/// The errors that a call may give, the most telling first. None for what has nothing to do with files.
pub fn errors(call: &str, line: &str) -> impl Iterator<Item = &'static str> {
    let errors = match call {
        "openat" if line.contains("O_CREAT") => {
            "ENOSPC EACCES EINTR EIO EDQUOT EROFS EPERM EMFILE ENFILE ENOMEM ESTALE"
        }
        "openat" => "EIO EMFILE EINTR EACCES EPERM ENFILE ENOMEM EAGAIN ESTALE ELOOP",
        "openat2" => "EIO EMFILE EINTR EACCES ENOSYS EPERM ENFILE ENOMEM EAGAIN ESTALE ELOOP ETXTBSY",
        "newfstatat" => "EIO EACCES EINTR ENOMEM ESTALE ELOOP",
        "fstat" => "EIO EINTR ENOMEM ESTALE",
        "statx" => "EIO EINTR EACCES ENOMEM ESTALE",
        "read" => "EIO EINTR EAGAIN ENOMEM ESTALE",
        "write" if line.contains("write(1<") => "ENOSPC EAGAIN EINTR EIO EDQUOT EFBIG EPERM ENOMEM ESTALE",
        "write" => "ENOSPC EIO EINTR EDQUOT EFBIG EPERM ENOMEM EAGAIN ESTALE",
        "getdents64" => "EIO EINTR ENOMEM EACCES ESTALE",
        "lseek" => "EIO ESTALE",
        "unlinkat" => "EIO EACCES EINTR EROFS EPERM EBUSY ENOMEM ENOSPC EDQUOT ESTALE ETXTBSY",
        "renameat" => "EIO ENOSPC EINTR EACCES EROFS EPERM EBUSY ENOMEM EDQUOT ESTALE ETXTBSY",
        "renameat2" => "EIO ENOSPC EINTR ENOSYS EACCES EROFS EPERM EBUSY ENOMEM EDQUOT ESTALE ETXTBSY EINVAL",
        "fsync" => "EIO ENOSPC EINTR EDQUOT EROFS ENOMEM",
        "fchown" | "fchmod" | "fchmodat" | "chmod" => "EPERM EIO EINTR EROFS EACCES ENOSPC EDQUOT ENOMEM",
        "fgetxattr" | "flistxattr" => "EIO ENODATA EINTR EOPNOTSUPP ENOMEM ESTALE",
        "fsetxattr" | "fremovexattr" => "EPERM ENOSPC EINTR EIO EDQUOT EROFS EOPNOTSUPP",
        "ioctl" if line.contains("GETFLAGS") => "ENOTTY EINTR EIO EOPNOTSUPP",
        "flock" => "EAGAIN ENOLCK EINTR ENOSYS EIO",
        "close" if line.contains(".metadata.json") => "EIO EINTR ENOSPC EDQUOT",
        "close" => "EINTR", // a directory has nothing to flush
        "poll" | "ppoll" => "EINTR ENOMEM",
        "readlink" => "EIO EACCES ENOMEM",
        "fstatfs" => "EIO EINTR",
        "fcntl" if line.contains("F_DUPFD") => "EMFILE",
        "socketpair" => "EMFILE ENFILE ENOMEM",
        "getrandom" => "ENOSYS EINTR",
        "unshare" => "EPERM ENOMEM", // threads with one table of descriptors
        "clone3" => "EAGAIN ENOMEM", // threads are many where the limits are few
        _ => "",
    };
    errors.split_whitespace()
}

/// Where a failure may stay without words: for which calls, by which errors, and what is in the line of the call.
const SILENT: [(Kind, &str, &str, &str); 10] = [
    // The sweep of a killed run's leftovers: they do no harm, and a later touch sweeps them. What is closed was synced before.
    (Kind::Touch, "lseek getdents64 close", "", ""),
    (Kind::Touch, "", "", ".wsctl-tmp.0123456789abcde"),
    // It says that the file is a link, which is corrupt and listed so, or the workspace, which is none since then.
    (Kind::Read, "openat2", "ELOOP", ".metadata.json"),
    (Kind::Read, "openat2", "ELOOP", "O_DIRECTORY"),
    (Kind::Read, "newfstatat", "ELOOP", ""),
    // Somebody is changing it, and nobody could tell a dry run its size.
    (Kind::Read, "", "ESTALE", ""),
    (Kind::Read, "", "EAGAIN ETXTBSY", "O_DIRECTORY"),
    // A dry run does not see what removal would make accessible.
    (Kind::Read, "openat2", "EACCES", "O_DIRECTORY"),
    (Kind::Read, "newfstatat getdents64", "EACCES", ""),
    // It is doomed: it decides nothing.
    (Kind::Read, "", "", "00000009-0000-4000-8000-000000000000.00c0ffee00c0ffee/.metadata.json"),
];

/// Where a run is struck.
pub struct Point {
    pub call: Call,
    /// `None`: SIGKILL.
    pub error: Option<&'static str>,
    /// Whether it ends before the base is synced, so that not one name may be gone.
    pub before_sync: bool,
}

impl Point {
    fn is_write_to(&self, descriptor: &str) -> bool {
        self.call.line.contains(&format!("write({descriptor}<"))
    }

    /// Whether it is stderr itself that cannot be written, so that nobody can be told.
    pub fn is_on_stderr(&self) -> bool {
        self.is_write_to("2")
    }

    /// Whether the call must be made again until it succeeds. A pipe that does not block is waited for.
    pub fn is_tried_again(&self) -> bool {
        self.error == Some("EINTR") || (self.error == Some("EAGAIN") && self.is_write_to("1"))
    }

    /// Whether this failure may stay without words. All others must be seen in the exit status.
    pub fn may_be_silent(&self, kind: Kind) -> bool {
        let is_one_of = |words: &str, word: &str| words.is_empty() || words.split(' ').any(|one| one == word);
        SILENT.iter().any(|(of, names, errors, part)| {
            *of == kind
                && is_one_of(names, &self.call.name)
                && is_one_of(errors, self.error.unwrap_or_default())
                && self.call.line.contains(part)
        })
    }

    /// The statuses that a failure of this call may lead to.
    pub fn statuses(&self) -> &'static [i32] {
        if self.is_write_to("1") {
            return &[74];
        }
        if ["socketpair", "fcntl", "clone3"].contains(&&*self.call.name) {
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
pub fn points(case: &Case, calls: &[Call], all: bool) -> Vec<Point> {
    let sync = calls.iter().position(|call| call.name == "fsync").unwrap_or(0);
    assert!(sync > 0 || case.kind == Kind::Read, "{} never syncs", case.name);
    let mut points = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        if case.always.iter().any(|always| always.split(['=', ':', ',']).any(|word| word == call.name)) {
            continue;
        }
        let same: Vec<_> = calls.iter().filter(|other| other.name == call.name).map(|it| it.nth).collect();
        let chosen = [same[0], same[same.len() / 2], same[same.len() - 1]].contains(&call.nth);
        let writes = ["openat", "write", "unlinkat", "renameat", "renameat2", "fsync", "close"].contains(&&*call.name);
        let killed = all || case.is_killed_everywhere() || (case.kind != Kind::Read && writes);
        let number = if all { usize::MAX } else { 3 * usize::from(chosen) };
        let errors = errors(&call.name, &call.line).take(number).map(Some);
        for error in errors.chain(killed.then_some(None)) {
            let ends = error.is_none() || (call.name == "fsync" && error != Some("EINTR"));
            points.push(Point { call: call.clone(), error, before_sync: !case.threads && index <= sync && ends });
        }
    }
    points
}

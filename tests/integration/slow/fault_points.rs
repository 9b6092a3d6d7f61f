//! Where a run is struck: the errors that each call may give, what they may lead to, and the points of a recorded run.

use crate::paused::Call;
use crate::slow::fault_cases::{Case, Kind};

/// The errors that calls may give, the most telling first: the first row whose part is in the line of the call.
const ERRORS: [(&str, &str, &str); 25] = [
    ("openat", "O_CREAT", "ENOSPC EACCES EINTR EIO EDQUOT EROFS EPERM EMFILE ENFILE ENOMEM ESTALE"),
    ("openat", "", "EIO EMFILE EINTR EACCES EPERM ENFILE ENOMEM EAGAIN ESTALE ELOOP"),
    ("openat2", "", "EIO EMFILE EINTR EACCES ENOSYS EPERM ENFILE ENOMEM EAGAIN ESTALE ELOOP ETXTBSY"),
    ("newfstatat", "", "EIO EACCES EINTR ENOMEM ESTALE ELOOP"),
    ("fstat", "", "EIO EINTR ENOMEM ESTALE"),
    ("statx", "", "EIO EINTR EACCES ENOMEM ESTALE"),
    ("read", "", "EIO EINTR EAGAIN ENOMEM ESTALE"),
    ("write", "write(1<", "ENOSPC EAGAIN EINTR EIO EDQUOT EFBIG EPERM ENOMEM ESTALE"),
    ("write", "", "ENOSPC EIO EINTR EDQUOT EFBIG EPERM ENOMEM EAGAIN ESTALE"),
    ("getdents64", "", "EIO EINTR ENOMEM EACCES ESTALE"),
    ("lseek", "", "EIO ESTALE"),
    ("unlinkat", "", "EIO EACCES EINTR EROFS EPERM EBUSY ENOMEM ENOSPC EDQUOT ESTALE ETXTBSY"),
    ("renameat", "", "EIO ENOSPC EINTR EACCES EROFS EPERM EBUSY ENOMEM EDQUOT ESTALE ETXTBSY"),
    ("renameat2", "", "EIO ENOSPC EINTR ENOSYS EACCES EROFS EPERM EBUSY ENOMEM EDQUOT ESTALE ETXTBSY EINVAL"),
    ("fsync", "", "EIO ENOSPC EINTR EDQUOT EROFS ENOMEM"),
    ("fchown fchmod fchmodat chmod", "", "EPERM EIO EINTR EROFS EACCES ENOSPC EDQUOT ENOMEM"),
    ("fgetxattr flistxattr", "", "EIO ENODATA EINTR EOPNOTSUPP ENOMEM ESTALE"),
    ("fsetxattr fremovexattr", "", "EPERM ENOSPC EINTR EIO EDQUOT EROFS EOPNOTSUPP"),
    ("ioctl", "GETFLAGS", "ENOTTY EINTR EIO EOPNOTSUPP"),
    ("flock", "", "EAGAIN ENOLCK EINTR ENOSYS EIO"),
    ("close", ".metadata.json", "EIO EINTR ENOSPC EDQUOT"),
    ("close", "", "EINTR"), // a directory has nothing to flush
    ("poll ppoll", "", "EINTR ENOMEM"),
    ("readlink", "", "EIO EACCES ENOMEM"),
    ("fstatfs", "", "EIO EINTR"),
];

/// Where a failure may stay without words: for which calls, by which errors, and what is in the line of the call.
const SILENT: [(Kind, &str, &str, &str); 5] = [
    // The sweep of a killed run's leftovers: they do no harm, and a later touch sweeps them. What is closed was synced before.
    (Kind::Touch, "lseek getdents64 close", "", ""),
    (Kind::Touch, "", "", ".wsctl-tmp.0123456789abcde"),
    (Kind::Touch, "", "", "/fdinfo/"), // the mount of what was opened without openat2
    // A link is no workspace, and as metadata corrupt; a dry run changes no access, and cannot tell who is changing it.
    (Kind::Read, "", "ELOOP ESTALE EAGAIN ETXTBSY EACCES", ""),
    // It is doomed: it decides nothing.
    (Kind::Read, "", "", "00000009-0000-4000-8000-000000000000.0000000000000002/.metadata.json"),
];

fn is_one_of(words: &str, word: &str) -> bool {
    words.split(' ').any(|one| one == word)
}

/// The errors that a call may give. None for what has nothing to do with files.
pub fn errors(call: &Call) -> impl Iterator<Item = &'static str> {
    let row = ERRORS.iter().find(|(names, part, _)| is_one_of(names, &call.name) && call.line.contains(part));
    row.map_or("", |(.., errors)| errors).split_whitespace()
}

pub struct Point {
    pub call: Call,
    /// `None`: SIGKILL.
    pub error: Option<&'static str>,
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
        SILENT.iter().any(|(of, names, errors, part)| {
            *of == kind
                && (names.is_empty() || is_one_of(names, &self.call.name))
                && (errors.is_empty() || is_one_of(errors, self.error.unwrap_or_default()))
                && self.call.line.contains(part)
        })
    }

    /// The statuses that a failure of this call may lead to.
    pub fn statuses(&self) -> &'static [i32] {
        match self.error.unwrap_or_default() {
            _ if self.is_write_to("1") => &[74],
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

/// All points of a case, or the first, middle and last of each call with three errors each, and the kills where it writes.
pub fn points(case: &Case, calls: &[Call], all: bool) -> Vec<Point> {
    let fails_always = |name: &str| case.always.iter().any(|it| it.split(['=', ':', ',']).any(|word| word == name));
    let mut points = Vec::new();
    for call in calls.iter().filter(|call| !fails_always(&call.name)) {
        let same: Vec<_> = calls.iter().filter(|other| other.name == call.name).map(|it| it.nth).collect();
        let is_chosen = [same[0], same[same.len() / 2], same[same.len() - 1]].contains(&call.nth);
        let writes = is_one_of("openat write unlinkat renameat renameat2 fsync close", &call.name);
        let is_killed = all || (case.kind != Kind::Read && writes);
        let number = if all { usize::MAX } else { 3 * usize::from(is_chosen) };
        let errors = errors(call).take(number).map(Some);
        points.extend(errors.chain(is_killed.then_some(None)).map(|error| Point { call: call.clone(), error }));
    }
    points
}

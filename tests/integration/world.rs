//! Builds bases as the application leaves them.

pub use crate::needs::{has, is_root, skip};
pub use crate::run::{Ran, Run, finish};
use crate::tools::{text, tool};
use crate::workspace::Workspace;
use chrono::{TimeDelta, Utc};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The user and group that "an ordinary user" is (Debian's nobody), and the words that make that user run a command.
pub const ORDINARY_USER: u32 = 65534;
pub const AS_ORDINARY_USER: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/// Prunes without asking what is older than 30 days, on one thread, and reports it as JSON.
pub const PRUNE: [&str; 8] = ["prune", "-y", "--older-than", "30d", "--format", "json", "-j", "1"];

/// A time for `touch --at`, and how it is written.
pub const AT: &str = "2026-11-23T15:51:30Z";
pub const WRITTEN: &str = "2026-11-23T15:51:30.000000+00:00";

/// A directory of its own with a base in it; removed at the end.
pub struct World {
    dir: TempDir,
    /// The build of the program that runs here.
    pub binary: PathBuf,
}

impl World {
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// The same in memory, for worlds of many files: nothing waits for a disk there.
    pub fn in_memory() -> Self {
        let memory = Some(PathBuf::from("/dev/shm")).filter(|memory| memory.is_dir());
        Self::below(&memory.unwrap_or_else(std::env::temp_dir))
    }

    fn below(parent: &Path) -> Self {
        let dir = tempfile::Builder::new().prefix("wsctl-test.").tempdir_in(parent).expect("a temporary directory");
        chmod(dir.path(), 0o755);
        let world = Self { dir, binary: env!("CARGO_BIN_EXE_wsctl").into() };
        fs::create_dir(world.base()).expect("a base");
        world
    }

    /// A world with a workspace for each of these, last accessed so many days ago; and their IDs.
    pub fn with_each_aged<const N: usize>(days: [i64; N]) -> (Self, [String; N]) {
        let world = Self::new();
        let ids = days.map(|days| world.aged(days));
        (world, ids)
    }

    /// The same with one workspace.
    pub fn with_aged(days: i64) -> (Self, String) {
        let (world, [id]) = Self::with_each_aged([days]);
        (world, id)
    }

    /// A world with a workspace of which this is said; and its ID.
    pub fn with(say: impl FnOnce(Workspace<'_>) -> Workspace<'_>) -> (Self, String) {
        let world = Self::new();
        let id = say(world.workspace()).make();
        (world, id)
    }

    /// A directory beside the base, for whatever a test needs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn base(&self) -> PathBuf {
        self.path("base")
    }

    pub fn dir_of(&self, id: &str) -> PathBuf {
        self.base().join(id)
    }

    pub fn metadata_of(&self, id: &str) -> PathBuf {
        self.dir_of(id).join(".metadata.json")
    }

    pub fn read_metadata(&self, id: &str) -> String {
        fs::read_to_string(self.metadata_of(id)).expect("metadata")
    }

    /// A workspace with a chart and a conversation, last accessed so many days ago.
    pub fn aged(&self, days: i64) -> String {
        let workspace = self.workspace().days_ago(days).file("conversations.json", b"[]");
        workspace.file("charts/lap_times.png", &[7; 512]).make()
    }

    pub fn names(&self) -> Vec<String> {
        names(&self.base())
    }

    pub fn wsctl<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Run<'_> {
        self.bare(args).env("WSCTL_BASE", self.base())
    }

    /// Begins a prune, as [`PRUNE`] with these further arguments.
    pub fn prune(&self, more: &[&str]) -> Run<'_> {
        self.wsctl(PRUNE.iter().chain(more))
    }

    pub fn json_of(&self, id: &str) -> Value {
        serde_json::from_str(&self.read_metadata(id)).expect("JSON")
    }

    pub fn snapshot(&self) -> Vec<String> {
        snapshot(&self.base())
    }

    pub fn give_away(&self) {
        let owner = format!("{ORDINARY_USER}:{ORDINARY_USER}");
        tool(&["chown", "-R", "--no-dereference", &owner, text(self.dir.path())]);
    }

    /// A copy of the binary where everybody may run it, made by another process: whatever another test starts just then could inherit
    /// a descriptor of ours, and a file open for writing cannot be run (ETXTBSY).
    pub fn binary_for_everybody(&self) -> PathBuf {
        let copy = self.path("wsctl");
        if !copy.exists() {
            tool(&["cp", text(&self.binary), text(&copy)]);
        }
        copy
    }
}

impl Drop for World {
    /// Makes all of it removable, also what a test had locked.
    fn drop(&mut self) {
        let _ = Command::new("chmod").args(["-R", "u+rwX"]).arg(self.dir.path()).stderr(Stdio::null()).status();
    }
}

/// What there is in a directory, sorted.
pub fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a directory");
    sorted(entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()))
}

/// A line for each path below `root`: type, mode, owner, times and content.
pub fn snapshot(root: &Path) -> Vec<String> {
    lines(root, |path, stat| {
        let times = (stat.mtime(), stat.mtime_nsec(), stat.ctime(), stat.ctime_nsec());
        format!("{} {}:{} {times:?} {:?}", stat.ino(), stat.uid(), stat.gid(), fs::read_link(path).ok())
    })
}

/// A line for each path below `root`: where it is there, its type and mode, what else is to be told, its content.
pub fn lines(root: &Path, more: impl Fn(&Path, &fs::Metadata) -> String) -> Vec<String> {
    let lines = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(|entry| {
        let entry = entry.expect("an entry");
        let (path, stat) = (entry.path(), entry.path().symlink_metadata().expect("a stat"));
        let content = if stat.is_file() { fs::read(path).ok() } else { None };
        let relative = path.strip_prefix(root).expect("below the root");
        format!("{relative:?} {:o} {} {content:?}", stat.mode(), more(path, &stat))
    });
    lines.collect()
}

#[track_caller]
pub fn chmod(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
}

/// A point in time as the application writes it.
pub fn ago(age: TimeDelta) -> String {
    (Utc::now() - age).to_rfc3339_opts(chrono::SecondsFormat::Micros, false) + "Z"
}

/// An ID whose order among others is known: that of its number.
pub fn numbered(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

pub fn ids_in(array: &Value) -> Vec<String> {
    let items = array.as_array().expect("an array").iter();
    sorted(items.map(|item| item["id"].as_str().expect("an id")))
}

pub fn sorted<I: AsRef<str>>(ids: impl IntoIterator<Item = I>) -> Vec<String> {
    let mut ids: Vec<_> = ids.into_iter().map(|id| id.as_ref().to_owned()).collect();
    ids.sort();
    ids
}

/// A name in a directory that is no UTF-8.
pub fn odd_name(dir: &Path) -> PathBuf {
    dir.join(OsStr::from_bytes(b"\xff\xfe\x1b[31m"))
}

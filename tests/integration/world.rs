//! Builds bases as the application leaves them, and runs the real binary on them.
//!
//! Nothing is inherited from the environment but `PATH`: every run has its own `HOME` and no `WSCTL_BASE`, `RUST_LOG` or
//! colour settings. Nothing may take longer than a minute.

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// The user and group that "an ordinary user" is (Debian's nobody).
pub const ORDINARY_USER: u32 = 65534;
/// Longer than any run may take.
const TOO_LONG: Duration = Duration::from_secs(60);

/// A directory of its own with a base in it; removed at the end.
pub struct World {
    dir: TempDir,
    binary: PathBuf,
}

impl World {
    /// A world with an empty base.
    pub fn new() -> Self {
        Self::made(&std::env::temp_dir(), Path::new(env!("CARGO_BIN_EXE_wsctl")))
    }

    /// The same for another build of the program.
    pub fn of(binary: &Path) -> Self {
        Self::made(&std::env::temp_dir(), binary)
    }

    /// The same in a directory of the caller's choice: in `/dev/shm` nothing waits for a disk.
    pub fn inside(parent: &Path) -> Self {
        Self::made(parent, Path::new(env!("CARGO_BIN_EXE_wsctl")))
    }

    fn made(parent: &Path, binary: &Path) -> Self {
        let dir = tempfile::Builder::new().prefix("wsctl-test.").tempdir_in(parent).expect("a temporary directory");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
        let world = Self { dir, binary: binary.to_owned() };
        fs::create_dir(world.base()).expect("a base");
        world
    }

    /// A directory beside the base, for whatever a test needs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn base(&self) -> PathBuf {
        self.path("base")
    }

    /// The directory of a workspace.
    pub fn dir_of(&self, id: &str) -> PathBuf {
        self.base().join(id)
    }

    /// The path of a workspace's metadata file.
    pub fn metadata_of(&self, id: &str) -> PathBuf {
        self.dir_of(id).join(".metadata.json")
    }

    /// The text of a workspace's metadata file.
    pub fn read_metadata(&self, id: &str) -> String {
        fs::read_to_string(self.metadata_of(id)).expect("metadata")
    }

    /// Begins to describe a workspace, last accessed a minute ago.
    pub fn workspace(&self) -> Workspace<'_> {
        Workspace {
            world: self,
            id: Uuid::new_v4().to_string(),
            accessed: ago(TimeDelta::minutes(1)),
            created: ago(TimeDelta::days(100)),
            description: None,
            metadata: None,
            files: Vec::new(),
        }
    }

    /// A workspace with a chart and a conversation, last accessed so many days ago.
    pub fn aged(&self, days: i64) -> String {
        let chart = ("charts/lap_times.png", &[7; 512][..]);
        self.workspace().days_ago(days).file(chart.0, chart.1).file("conversations.json", b"[]").make()
    }

    /// What there is in the base, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.base()).expect("the base");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Begins a run of the program on this world's base.
    pub fn wsctl<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Run<'_> {
        self.bare(args).env("WSCTL_BASE", self.base())
    }

    /// Begins a run that knows of no base but what its arguments say.
    pub fn bare<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Run<'_> {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        Run { world: self, args, stdin: Vec::new(), env: Vec::new(), user: None, wrapper: Vec::new() }
    }

    /// Everything below the base: paths, types, modes, owners, times and contents.
    pub fn snapshot(&self) -> Vec<String> {
        snapshot(&self.base())
    }

    /// Gives everything to the ordinary user.
    pub fn give_away(&self) {
        for entry in walkdir::WalkDir::new(self.dir.path()) {
            let entry = entry.expect("an entry");
            let (user, group) = (Some(ORDINARY_USER), Some(ORDINARY_USER));
            std::os::unix::fs::lchown(entry.path(), user, group).expect("chown");
        }
    }

    /// A copy of the binary where everybody may run it. It is made by another process: a descriptor open for writing, here,
    /// could be inherited by whatever another test starts just then, and a file open for writing cannot be run (ETXTBSY).
    fn binary_for_everybody(&self) -> PathBuf {
        let copy = self.path("wsctl");
        if !copy.exists() {
            let copied = Command::new("cp").arg(&self.binary).arg(&copy).status();
            assert!(copied.expect("cp").success());
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

/// A line for each path below `root`.
pub fn snapshot(root: &Path) -> Vec<String> {
    let lines = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(|entry| {
        let entry = entry.expect("an entry");
        let stat = entry.path().symlink_metadata().expect("a stat");
        let content = if stat.is_file() { fs::read(entry.path()).ok() } else { None };
        let link = fs::read_link(entry.path()).ok();
        let (mode, user, group) = (stat.mode(), stat.uid(), stat.gid());
        let times = (stat.mtime(), stat.mtime_nsec(), stat.ctime(), stat.ctime_nsec(), stat.ino());
        format!("{:?} {mode:o} {user}:{group} {times:?} {link:?} {content:?}", entry.path())
    });
    lines.collect()
}

/// A point in time as the application writes it.
pub fn ago(age: TimeDelta) -> String {
    (Utc::now() - age).to_rfc3339_opts(chrono::SecondsFormat::Micros, false) + "Z"
}

/// An ID whose order among others is known: that of its number.
pub fn numbered(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

/// A workspace to be made.
pub struct Workspace<'a> {
    world: &'a World,
    id: String,
    accessed: String,
    created: String,
    description: Option<String>,
    metadata: Option<Vec<u8>>,
    files: Vec<(String, Vec<u8>)>,
}

impl Workspace<'_> {
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// Last accessed so many days (and a minute) ago; negative for days ahead.
    pub fn days_ago(mut self, days: i64) -> Self {
        self.accessed = ago(TimeDelta::days(days) + TimeDelta::minutes(1));
        self
    }

    /// Last accessed at this time, in whatever form.
    pub fn accessed(mut self, time: &str) -> Self {
        time.clone_into(&mut self.accessed);
        self
    }

    pub fn created(mut self, time: &str) -> Self {
        time.clone_into(&mut self.created);
        self
    }

    pub fn description(mut self, text: &str) -> Self {
        self.description = Some(text.to_owned());
        self
    }

    /// These bytes as its metadata, whatever they are.
    pub fn metadata(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.metadata = Some(bytes.into());
        self
    }

    /// A file in it, with the directories that it needs.
    pub fn file(mut self, path: &str, content: &[u8]) -> Self {
        self.files.push((path.to_owned(), content.to_owned()));
        self
    }

    /// Makes it, and gives its ID.
    #[must_use]
    pub fn make(self) -> String {
        let bytes = self.metadata.clone().unwrap_or_else(|| self.usual_metadata().into_bytes());
        let world = self.world;
        let id = self.make_without_metadata();
        let file = world.metadata_of(&id);
        fs::write(&file, bytes).expect("metadata");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("chmod");
        id
    }

    /// What the application writes: Python's `json.dumps(…, indent=2)`.
    fn usual_metadata(&self) -> String {
        let Self { id, created, accessed, .. } = self;
        let description = self.description.as_ref().map_or_else(String::new, |text| {
            format!(",\n  \"description\": {}", serde_json::to_string(text).expect("JSON"))
        });
        format!(
            "{{\n  \"workspace_id\": \"{id}\",\n  \"created_at\": \"{created}\",\n  \"last_accessed\": \"{accessed}\"{description}\n}}"
        )
    }

    /// Makes it without a metadata file.
    #[must_use]
    pub fn make_without_metadata(self) -> String {
        let dir = self.world.dir_of(&self.id);
        fs::create_dir(&dir).expect("a workspace");
        for (path, content) in &self.files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, content).expect("a file");
        }
        self.id
    }
}

/// A run of the program, not yet begun.
#[must_use]
pub struct Run<'a> {
    world: &'a World,
    args: Vec<OsString>,
    stdin: Vec<u8>,
    env: Vec<(OsString, OsString)>,
    user: Option<u32>,
    wrapper: Vec<OsString>,
}

impl Run<'_> {
    /// What it finds on stdin; nothing otherwise.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// As the ordinary user. The caller must be root (see [`is_root`]).
    pub fn by_ordinary_user(mut self) -> Self {
        self.user = Some(ORDINARY_USER);
        self
    }

    /// Through another command that gets the program and its arguments as its last ones.
    pub fn through<I: AsRef<OsStr>>(mut self, wrapper: impl IntoIterator<Item = I>) -> Self {
        self.wrapper = wrapper.into_iter().map(|word| word.as_ref().to_owned()).collect();
        self
    }

    /// The command, for tests that need more of it than [`Run::run`] gives.
    pub fn command(&self) -> Command {
        let mut words = self.wrapper.clone();
        if let Some(user) = self.user {
            let ids = [format!("--reuid={user}"), format!("--regid={user}")];
            words.extend(["setpriv".into(), ids[0].clone().into(), ids[1].clone().into(), "--clear-groups".into()]);
        }
        words.push(match self.user {
            Some(_) => self.world.binary_for_everybody().into(),
            None => self.world.binary.clone().into(),
        });
        words.extend(self.args.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.world.path("home"));
        command.envs(self.env.iter().map(|(name, value)| (name, value))).current_dir(self.world.dir.path());
        command
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(self) -> Ran {
        let mut command = self.command();
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        let mut input = child.stdin.take().expect("stdin");
        let bytes = self.stdin;
        thread::spawn(move || input.write_all(&bytes)); // it may end without reading all of it
        finish(child, &command)
    }
}

/// Waits for a process to end, but not for ever: one that hangs is killed, and the test fails.
#[must_use]
pub fn finish(child: Child, what: &dyn Debug) -> Ran {
    let (pid, (ended, end)) = (child.id(), mpsc::channel());
    thread::spawn(move || ended.send(child.wait_with_output()));
    let Ok(output) = end.recv_timeout(TOO_LONG) else {
        let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        panic!("it hangs: {what:?}");
    };
    Ran::new(output.expect("its output"))
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    /// The exit status; a death by signal is 128 and its number, as in a shell.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn new(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let status = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal));
        Self {
            status: status.expect("a status"),
            stdout: String::from_utf8(output.stdout).expect("stdout in UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr in UTF-8"),
        }
    }

    /// Asserts the exit status.
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// Asserts that stdout is this.
    #[track_caller]
    pub fn prints(self, stdout: &str) -> Self {
        assert_eq!(self.stdout, stdout, "{self:#?}");
        self
    }

    /// Asserts that nothing was said on stderr.
    #[track_caller]
    pub fn quietly(self) -> Self {
        assert_eq!(self.stderr, "", "{self:#?}");
        self
    }

    /// Asserts that stderr is a single line that contains `part`.
    #[track_caller]
    pub fn complains(self, part: &str) -> Self {
        let lines: Vec<_> = self.stderr.lines().collect();
        assert!(lines.len() == 1 && lines[0].contains(part), "one line with {part:?}: {self:#?}");
        self
    }

    /// Asserts that some line of stderr contains `part`.
    #[track_caller]
    pub fn mentions(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "{part:?}: {self:#?}");
        self
    }

    /// Asserts that nothing was said of a defect, and that nothing that could drive a terminal was printed.
    #[track_caller]
    pub fn sanely(self) -> Self {
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("a defect in wsctl"), "{self:#?}");
        let dangerous = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!self.stderr.contains(dangerous) && !self.stdout.contains(dangerous), "{self:#?}");
        self
    }

    /// Stdout as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Stdout as lines.
    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

/// The IDs in an array of JSON objects, sorted.
pub fn ids_in(array: &Value) -> Vec<String> {
    let items = array.as_array().expect("an array").iter();
    let mut ids: Vec<_> = items.map(|item| item["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

/// The same IDs, sorted.
pub fn sorted<I: AsRef<str>>(ids: impl IntoIterator<Item = I>) -> Vec<String> {
    let mut ids: Vec<_> = ids.into_iter().map(|id| id.as_ref().to_owned()).collect();
    ids.sort();
    ids
}

/// A file system in memory, mounted for as long as this lives.
pub struct Mount(PathBuf);

impl Mount {
    /// Mounts it over a directory, with these options. The caller must be root. `None`, loudly, where nothing may be mounted.
    pub fn tmpfs(dir: &Path, options: &str) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(dir).status();
        (mounted.expect("mount").success() || skip("the right to mount")).then(|| Self(dir.to_owned()))
    }

    /// Makes it read-only.
    pub fn protect(&self) {
        let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&self.0).status();
        assert!(remounted.expect("mount").success(), "remount");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status(); // also where the test left something open
    }
}

/// Whether the tests run as root. Says so loudly where a test must be skipped, and fails in CI, where none may be.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root() || skip("root")
}

/// Whether a program is installed; as loud as [`is_root`].
#[must_use]
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file()) || skip(program)
}

/// Says that a test is skipped for want of something.
pub fn skip(what: &str) -> bool {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var_os("CI").is_none(), "{test} needs {what}, which .ci/run must provide");
    let line = format!("\n*** SKIPPED: {test} needs {what}\n");
    let _ = std::io::stderr().write_all(line.as_bytes()); // not captured by the test runner
    false
}

/// A name in a directory that is no UTF-8.
pub fn odd_name(dir: &Path) -> PathBuf {
    dir.join(OsStr::from_bytes(b"\xff\xfe\x1b[31m"))
}

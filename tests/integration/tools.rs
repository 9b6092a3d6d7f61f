//! What the tests of `prune` need of the system beside a base: mounts, immutable files, and runs that stand still at a system
//! call. Each is undone when it is dropped, also where the test fails.

use crate::quiet;
use crate::world::{ORDINARY_USER, Ran, Run, World, skip};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Runs a system tool and asserts that it succeeds; gives its stdout.
#[track_caller]
pub fn tool(words: &[&str]) -> String {
    let output = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).output().expect("a tool");
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Waits until something is so.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "not so: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// What `du` says that a tree uses, in bytes.
pub fn du(path: &Path) -> u64 {
    let output = tool(&["du", "-s", "-x", "-B1", text(path)]);
    output.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

/// What is in a tree: paths relative to it, types, modes and contents. Unlike a snapshot it outlives a move there and back.
pub fn tree(root: &Path) -> Vec<String> {
    let lines = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(|entry| {
        let entry = entry.expect("an entry");
        let stat = entry.path().symlink_metadata().expect("a stat");
        let content = if stat.is_file() { fs::read(entry.path()).ok() } else { None };
        let path = entry.path().strip_prefix(root).expect("below the root");
        format!("{path:?} {:o} {} {content:?}", stat.mode(), stat.ino())
    });
    lines.collect()
}

/// Sets the modification time of everything in a workspace, and of itself.
pub fn modify(world: &World, id: &str, days_ago: u64) {
    let time = SystemTime::now() - Duration::from_secs(days_ago * 86_400);
    for entry in walkdir::WalkDir::new(world.dir_of(id)).contents_first(true) {
        fs::File::open(entry.expect("an entry").path()).and_then(|file| file.set_modified(time)).expect("its time");
    }
}

/// The trash names in the base.
pub fn trash(world: &World) -> Vec<String> {
    world.names().into_iter().filter(|name| name.starts_with(".wsctl-")).collect()
}

/// Moves a workspace to where a prune that was killed then would have left it, and gives its new name.
pub fn set_aside(world: &World, stage: &str, id: &str) -> String {
    let name = format!(".wsctl-{stage}.{id}.00c0ffee00c0ffee");
    fs::rename(world.dir_of(id), world.base().join(&name)).expect("a rename");
    name
}

/// Something is mounted in a world; the drop unmounts all that is.
pub struct Mounted(PathBuf);

impl Mounted {
    /// A tmpfs with these options. The caller must be root.
    pub fn tmpfs(world: &World, point: &Path, options: &str) -> Self {
        quiet::before_a_mount();
        tool(&["mount", "-t", "tmpfs", "-o", options, "wsctl-test", text(point)]);
        Self(world.path(""))
    }

    /// A file system of its own, of this many MiB, made by `mkfs` with these words. `None`, loudly, where there are no loop
    /// devices or the kernel does not know it. The caller must be root.
    pub fn image(world: &World, point: &Path, size: u64, mkfs: &[&str]) -> Option<Self> {
        let image = world.path("image");
        fs::File::create(&image).and_then(|file| file.set_len(size << 20)).expect("an image");
        tool(&[mkfs, &[text(&image)]].concat());
        quiet::before_a_mount();
        // The loop device goes with the mount.
        let mounted = Command::new("mount").args(["-o", "loop", text(&image), text(point)]).status().expect("mount");
        (mounted.success() || skip("loop devices")).then(|| Self(world.path("")))
    }

    /// An overlay with these options. The caller must be root.
    pub fn overlay(world: &World, point: &Path, options: &str) -> Self {
        quiet::before_a_mount();
        tool(&["mount", "-t", "overlay", "-o", options, "wsctl-test", text(point)]);
        Self(world.path(""))
    }

    /// A directory of the same file system. The caller must be root.
    pub fn bind(world: &World, from: &Path, point: &Path) -> Self {
        quiet::before_a_mount();
        tool(&["mount", "--bind", text(from), text(point)]);
        Self(world.path(""))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let points = table.lines().filter_map(|line| line.split(' ').nth(4));
        for point in points.filter(|point| Path::new(point).starts_with(&self.0)).rev() {
            let _ = Command::new("umount").args(["-l", point]).status(); // wherever a prune has moved it
        }
    }
}

/// A FUSE file system that shows another directory; the drop kills its daemon, then unmounts it.
pub struct Bindfs {
    daemon: Child,
    _mounted: Mounted,
}

impl Bindfs {
    /// Mounts it as root, for all users. The kernel caches nothing, so each request goes to the daemon.
    pub fn by_root(world: &World, from: &Path, point: &Path) -> Self {
        let no_cache = "nonempty,attr_timeout=0,entry_timeout=0,negative_timeout=0";
        Self::mount(world, &["bindfs", "-f", "-o", no_cache, text(from), text(point)], point)
    }

    /// Mounts it as the ordinary user: nobody else, not even root, may look into it.
    pub fn by_ordinary_user(world: &World, from: &Path, point: &Path) -> Self {
        let [user, group] = ["reuid", "regid"].map(|id| format!("--{id}={ORDINARY_USER}"));
        let words = ["setpriv", &user, &group, "--clear-groups", "bindfs", "-f", "--no-allow-other"];
        Self::mount(world, &[&words[..], &[text(from), text(point)]].concat(), point)
    }

    #[track_caller]
    fn mount(world: &World, words: &[&str], point: &Path) -> Self {
        quiet::before_a_mount();
        let daemon = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).spawn().expect("bindfs");
        let bindfs = Self { daemon, _mounted: Mounted(world.path("")) };
        let begun = Instant::now();
        while !fs::read_to_string("/proc/self/mountinfo").expect("the table").contains(text(point)) {
            assert!(begun.elapsed() < Duration::from_secs(60), "it is not mounted: {words:?}");
            thread::sleep(Duration::from_millis(3));
        }
        let _ = fs::metadata(point); // answered once the daemon is ready; an ordinary user's refuses
        bindfs
    }

    /// Lets the daemon stand still: whoever asks it anything waits for ever.
    pub fn hang(&mut self) {
        tool(&["kill", "-STOP", &self.daemon.id().to_string()]);
    }

    /// Kills the daemon. It stays mounted, and whoever asks it anything gets ENOTCONN.
    pub fn die(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Drop for Bindfs {
    fn drop(&mut self) {
        self.die(); // before it is unmounted: umount looks at it and would wait for a daemon that stands still
    }
}

/// Something in a base is immutable; the drop undoes that for all of the base.
pub struct Immutable(PathBuf);

impl Immutable {
    /// Sets the attribute. `None` where the file system knows none, or we are not root.
    pub fn new(world: &World, path: &Path) -> Option<Self> {
        let set = Command::new("chattr").args(["+i", text(path)]).stderr(Stdio::null()).status();
        set.is_ok_and(|status| status.success()).then(|| Self(world.base()))
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        let _ = Command::new("chattr").args(["-R", "-f", "-i", text(&self.0)]).status();
    }
}

/// Names can be made in a directory, but not removed; the drop undoes that.
pub struct AppendOnly(PathBuf);

impl AppendOnly {
    /// Sets the attribute. `None`, loudly, where the file system knows none.
    pub fn new(path: &Path) -> Option<Self> {
        let set = Command::new("chattr").args(["+a", text(path)]).status().expect("chattr");
        (set.success() || skip("a file system with attributes")).then(|| Self(path.to_owned()))
    }
}

impl Drop for AppendOnly {
    fn drop(&mut self) {
        let _ = Command::new("chattr").args(["-a", text(&self.0)]).status();
    }
}

/// Runs to its end under strace, and gives its log beside what the run came to. File descriptors are shown with their paths.
pub fn straced(world: &World, run: Run<'_>, calls: &str) -> (Ran, Vec<String>) {
    let log = world.path("strace");
    let ran = run.through(["strace", "-f", "-y", "-o", text(&log), "-e", &format!("trace={calls}")]).run();
    let lines = fs::read_to_string(log).expect("a log").lines().map(str::to_owned).collect();
    (ran, lines)
}

/// A run that stands still (it is stopped by SIGSTOP) right after a system call, until [`Standing::go_on`].
pub struct Standing {
    child: Option<Child>,
    pid: String,
}

impl Standing {
    /// Begins the run, and returns once it stands still after the first of these calls; with `path`, after the first that
    /// has to do with that path.
    #[track_caller]
    pub fn after(world: &World, call: &str, path: Option<&Path>, run: Run<'_>) -> Self {
        Self::lacking(world, &[], call, path, run)
    }

    /// The same on a kernel that lacks something: with these further options of strace.
    #[track_caller]
    pub fn lacking(world: &World, what: &[&str], call: &str, path: Option<&Path>, run: Run<'_>) -> Self {
        Self::begin(world, what, (call, 1), path, run).unwrap_or_else(|ran| panic!("it never stood still: {ran:#?}"))
    }

    /// The same after the nth of these calls, counted from 1.
    #[track_caller]
    pub fn after_nth(world: &World, point: (&str, usize), path: Option<&Path>, run: Run<'_>) -> Self {
        Self::begin(world, &[], point, path, run).unwrap_or_else(|ran| panic!("it never stood still: {ran:#?}"))
    }

    /// The same; if it comes to its end before, that is what it came to.
    #[track_caller]
    pub fn try_after(world: &World, point: (&str, usize), run: Run<'_>) -> Result<Self, Ran> {
        Self::begin(world, &[], point, None, run)
    }

    #[track_caller]
    fn begin(
        world: &World,
        lacking: &[&str],
        (call, nth): (&str, usize),
        path: Option<&Path>,
        run: Run<'_>,
    ) -> Result<Self, Ran> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let log = world.path(&format!("standing.{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let inject = format!("inject={call}:signal=SIGSTOP:when={nth}");
        let mut strace = vec!["strace", "-f", "-o", text(&log), "-e", &inject];
        strace.extend(lacking);
        strace.extend(path.iter().flat_map(|path| ["-P", text(path)]));
        let mut command = run.through(strace).command();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("strace");
        let mut standing = Self { child: Some(child), pid: String::new() };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            let written = fs::read_to_string(&log).unwrap_or_default();
            if let Some(line) = written.lines().find(|line| line.contains("--- stopped by SIGSTOP ---")) {
                line.split_whitespace().next().expect("a process").clone_into(&mut standing.pid);
                return Ok(standing);
            }
            if written.contains("+++ exited") {
                let child = standing.child.take().expect("a process");
                return Err(Ran::new(child.wait_with_output().expect("its output")));
            }
            thread::sleep(Duration::from_millis(3));
        }
        panic!("it does not get to {call}");
    }

    /// Sends it a signal, which it gets when it goes on.
    pub fn signal(&self, signal: &str) {
        tool(&["kill", &format!("-{signal}"), &self.pid]);
    }

    /// Lets it run to its end.
    pub fn go_on(mut self) -> Ran {
        self.signal("CONT");
        let child = self.child.take().expect("a process");
        Ran::new(child.wait_with_output().expect("its output"))
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            if !self.pid.is_empty() {
                let _ = Command::new("kill").args(["-9", &self.pid]).status();
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

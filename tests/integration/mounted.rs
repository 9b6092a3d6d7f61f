//! What a test mounts, or makes immutable. Each is undone when it is dropped, also where the test fails.

use crate::tools::{text, tool, wait_until};
use crate::world::{AS_ORDINARY_USER, World, skip};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Something is mounted below a directory; the drop unmounts all that is.
pub struct Mounted(pub PathBuf);

impl Mounted {
    /// Mounts with these words. The caller must be root, here as below.
    pub fn new(world: &World, words: &[&str], point: &Path) -> Self {
        tool(&[&["mount"], words, &[text(point)]].concat());
        Self(world.path(""))
    }

    pub fn tmpfs(world: &World, point: &Path, options: &str) -> Self {
        Self::new(world, &["-t", "tmpfs", "-o", options, "wsctl-test"], point)
    }

    pub fn bind(world: &World, from: &Path, point: &Path) -> Self {
        Self::new(world, &["--bind", text(from)], point)
    }

    /// A world whose base is a tmpfs.
    pub fn base_in_memory(options: &str) -> (World, Self) {
        let world = World::new();
        let mounted = Self::tmpfs(&world, &world.base(), options);
        (world, mounted)
    }

    /// A world whose base is a file system of this many MiB. `None`, loudly, where there are no loop devices or the kernel does not
    /// know it.
    pub fn base(size: u64, mkfs: &[&str]) -> Option<(World, Self)> {
        let world = World::new();
        let image = world.path("image");
        fs::File::create(&image).and_then(|file| file.set_len(size << 20)).expect("an image");
        tool(&[mkfs, &[text(&image)]].concat());
        // The loop device goes with the mount.
        let mount = Command::new("mount").args(["-o", "loop", text(&image), text(&world.base())]).status();
        let mounted = Self(world.path(""));
        (mount.expect("mount").success() || skip("loop devices")).then_some((world, mounted))
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
    /// Mounts it as root, for all users. The kernel remembers for so many seconds which file a name belongs to, and nothing else.
    pub fn by_root(world: &World, from: &Path, point: &Path, names: u32) -> Self {
        let caches = format!("nonempty,attr_timeout=0,negative_timeout=0,entry_timeout={names}");
        Self::mount(world, &["bindfs", "-f", "-o", &caches, text(from), text(point)], point)
    }

    /// Mounts it as the ordinary user: nobody else, not even root, may look into it.
    pub fn by_ordinary_user(world: &World, from: &Path, point: &Path) -> Self {
        let bindfs = ["bindfs", "-f", "--no-allow-other", text(from), text(point)];
        Self::mount(world, &[&AS_ORDINARY_USER[..], &bindfs].concat(), point)
    }

    #[track_caller]
    fn mount(world: &World, words: &[&str], point: &Path) -> Self {
        let daemon = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).spawn().expect("bindfs");
        let bindfs = Self { daemon, _mounted: Mounted(world.path("")) };
        let table = || fs::read_to_string("/proc/self/mountinfo").expect("the table");
        wait_until("bindfs has mounted it", || table().contains(text(point)));
        let _ = fs::metadata(point); // answered once the daemon is ready; an ordinary user's refuses
        bindfs
    }

    /// Stops the daemon: every request to it waits for ever.
    pub fn hang(&mut self) {
        tool(&["kill", "-STOP", &self.daemon.id().to_string()]);
    }

    /// Kills the daemon. It stays mounted, and whoever asks it anything gets ENOTCONN.
    pub fn die(&mut self) {
        let _ = (self.daemon.kill(), self.daemon.wait());
    }
}

impl Drop for Bindfs {
    fn drop(&mut self) {
        self.die(); // before it is unmounted: umount looks at it and would wait for a stopped daemon
    }
}

/// A path in a base has an attribute of chattr(1); the drop takes it from all of the base.
pub struct Immutable(PathBuf);

impl Immutable {
    /// With `+i` it cannot be changed, with `+a` no name in it removed. `None`, loudly, where the file system has no attributes.
    pub fn set(world: &World, attribute: &str, path: &Path) -> Option<Self> {
        let set = Command::new("chattr").args([attribute, text(path)]).status().expect("chattr");
        (set.success() || skip("a file system with attributes")).then(|| Self(world.base()))
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        let _ = Command::new("chattr").args(["-R", "-f", "-ia", text(&self.0)]).status();
    }
}

//! Mounts inside a workspace, before and while it is removed: whatever is mounted, and with or without openat2(2), the
//! removal ends there and nothing behind it is touched.

use crate::mounted::Mounted;
use crate::paused::Paused;
use crate::tools::{outside, the_trash, tree};
use crate::world::{Run, World};
use serde_json::json;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// What the kernel may lack: nothing, openat2 (Linux before 5.6, or a seccomp filter that says ENOSYS or EPERM), and the
/// number of a mount in statx, too (Linux before 5.8).
const LACKING: [&[&str]; 4] = [
    &[],
    &["-e", "inject=openat2:error=ENOSYS"],
    &["-e", "inject=openat2:error=EPERM"],
    &["-e", "inject=openat2:error=ENOSYS", "-e", "inject=statx:error=ENOSYS"],
];

/// What can be mounted: another file system, and a directory or a file of the same one.
const KINDS: [&str; 3] = ["tmpfs", "directory", "file"];

/// A world with a directory beside the base that must stay as it is.
struct Scene {
    world: World,
    outside: PathBuf,
    before: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let (outside, before) = outside(&world);
        Self { world, outside, before }
    }

    /// Mounts on a directory, or on the `file` in it.
    fn mount(&self, kind: &str, dir: &Path) -> Mounted {
        match kind {
            "tmpfs" => {
                let mounted = Mounted::tmpfs(&self.world, dir, "size=1m");
                fs::write(dir.join("precious"), "precious").expect("a file on it");
                mounted
            }
            "directory" => Mounted::bind(&self.world, &self.outside, dir),
            _ => Mounted::bind(&self.world, &self.outside.join("dir/precious"), &dir.join("file")),
        }
    }

    /// Asserts that what is mounted in the base is mounted still and was not touched. Gives the names of all other files there.
    #[track_caller]
    fn is_untouched(&self) -> Vec<OsString> {
        assert_eq!(tree(&self.outside), self.before);
        let entries = walkdir::WalkDir::new(self.world.base()).into_iter().map(|entry| entry.expect("an entry"));
        let files = entries.filter(|entry| entry.file_type().is_file());
        let (mounted, own): (Vec<_>, Vec<_>) =
            files.partition(|entry| fs::read(entry.path()).is_ok_and(|content| content == b"precious"));
        assert_eq!(mounted.len(), 1, "{mounted:?} {own:?}");
        own.into_iter().map(|entry| entry.file_name().to_owned()).collect()
    }
}

/// A workspace with a file at each depth.
fn workspace(world: &World) -> String {
    let dirs = ["data", "a", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e", "a/b/c/d/e/f", "a/b/c/d/e/f/g", "a/b/c/d/e/f/g/h"];
    dirs.iter().fold(world.workspace().days_ago(40), |made, dir| made.file(&format!("{dir}/file"), b"x")).make()
}

fn lacking<'a>(run: Run<'a>, what: &[&str]) -> Run<'a> {
    run.through(["strace", "-f", "-o", "/dev/null"].iter().chain(what))
}

#[test]
fn a_mount_at_any_depth_leaves_a_workspace_whole_with_and_without_openat2() {
    needs!("root", "mount", "strace");
    for kind in KINDS {
        for place in ["data", "a/b/c/d/e/f/g/h"] {
            let scene = Scene::new();
            let id = workspace(&scene.world);
            let point = scene.world.dir_of(&id).join(place);
            fs::write(scene.world.dir_of(&id).join(".metadata.tmp.x1y2.json"), "{}").expect("a file");
            let _mounted = scene.mount(kind, &point);
            let before = tree(&scene.world.dir_of(&id));
            for what in LACKING {
                lacking(scene.world.prune(&[]), what).run().finds_busy(&id);
                assert_eq!((scene.world.names(), tree(&scene.world.dir_of(&id))), (vec![id.clone()], before.clone()));
            }
            scene.is_untouched();
        }
    }
}

#[test]
fn a_mount_that_appears_between_claim_and_dooming_is_seen_and_the_workspace_is_put_back() {
    needs!("root", "mount", "strace");
    for kind in KINDS {
        let scene = Scene::new();
        let id = workspace(&scene.world);
        let before = tree(&scene.world.dir_of(&id));
        let paused = Paused::after(&scene.world, "renameat2", None, scene.world.prune(&[]));
        let claimed = &the_trash(&scene.world);
        let mounted = scene.mount(kind, &scene.world.base().join(claimed).join("a/b/c"));
        paused.go_on().finds_busy(&id);
        scene.is_untouched();
        drop(mounted);
        assert_eq!(tree(&scene.world.dir_of(&id)), before);
    }
}

/// Mounts on the directory `name`, wherever a paused prune has moved it.
fn mount_under_its_hands(scene: &Scene, name: &str, kind: &str) -> Mounted {
    let all = walkdir::WalkDir::new(scene.world.base()).into_iter().map(|entry| entry.expect("an entry").into_path());
    let point = all.into_iter().find(|path| path.is_dir() && path.ends_with(name)).expect("the directory");
    scene.mount(kind, &point)
}

#[test]
fn a_mount_that_appears_right_before_a_directory_is_opened_is_not_entered_whatever_the_kernel_lacks() {
    needs!("root", "mount", "strace");
    for (what, kind) in LACKING.into_iter().flat_map(|what| KINDS.map(|kind| (what, kind))) {
        let scene = Scene::new();
        let id = scene.world.workspace().days_ago(40).file("data/file", b"x").make();
        // Nothing else is there to be unlinked before.
        let paused = Paused::lacking(&scene.world, what, "unlinkat", None, scene.world.prune(&[]));
        let mounted = mount_under_its_hands(&scene, "data", kind);
        paused.go_on().finds_busy(&id);
        scene.is_untouched();
        drop(mounted);
        assert_eq!(scene.world.prune(&[]).run().pruned([id])["pruned"][0]["rule"], json!("leftover"));
        assert_eq!((scene.world.names(), tree(&scene.outside)), (vec![], scene.before));
    }
}

#[test]
fn list_enters_no_mount_also_without_openat2() {
    needs!("root", "mount", "strace");
    for kind in KINDS {
        let scene = Scene::new();
        let id = workspace(&scene.world);
        fs::write(scene.outside.join("large"), vec![7; 1_000_000]).expect("a file");
        let _mounted = scene.mount(kind, &scene.world.dir_of(&id).join("a/b/c/d"));
        let usages = LACKING.map(|what| {
            let run = scene.world.wsctl(["list", "-s", "--format", "jsonl", &id]);
            let row = lacking(run, what).run().exits(0).quietly().json();
            (row["size_bytes"].clone(), row["files"].clone())
        });
        assert!(usages.iter().all(|usage| *usage == usages[0]), "{kind}: {usages:?}");
        assert!(usages[0].0.as_u64().is_some_and(|size| size < 1_000_000), "{kind}: {usages:?}");
    }
}

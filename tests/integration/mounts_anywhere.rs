//! A mount inside a workspace is noticed however it was made, and nothing that is mounted there is ever accessed.

use crate::mounted::{Bindfs, Mounted};
use crate::paused::Paused;
use crate::tools::{outside, set_aside, text, tool, tree};
use crate::world::{World, ids_in};
use std::fs;

#[test]
fn a_mount_made_through_another_path_to_the_base_leaves_the_workspace_whole() {
    needs!("root", "mount");
    for (pruned, mounted) in [("base", "other"), ("other", "base")] {
        let (world, id) = World::with(|it| it.days_ago(40).file("charts/x", b"x").file(".metadata.tmp.1.json", b"x"));
        fs::create_dir(world.path("other")).expect("a mount point");
        let _other = Mounted::bind(&world, &world.base(), &world.path("other"));
        tool(&["mount", "--make-private", text(&world.path("other"))]);
        let _mounted = Mounted::tmpfs(&world, &world.path(mounted).join(&id).join("charts"), "size=64k");
        let before = tree(&world.path(""));
        for more in [&["-n"][..], &[]] {
            let run = world.prune(more).env("WSCTL_BASE", world.path(pruned));
            run.run().mentions("something is mounted").finds_busy(&id);
            assert_eq!(tree(&world.path("")), before);
        }
    }
}

#[test]
fn a_mount_in_what_is_left_of_a_workspace_does_not_keep_a_new_one_with_its_id() {
    needs!("root", "mount");
    let (world, id) = World::with(|it| it.days_ago(40).file("charts/x", b"x"));
    let charts = world.base().join(set_aside(&world, "doomed", &id)).join("charts");
    let _mounted = Mounted::tmpfs(&world, &charts, "size=64k");
    let _ = world.workspace().id(&id).days_ago(35).make();
    for more in [&["-n"][..], &[]] {
        let report = world.prune(more).run().exits(75).json();
        assert_eq!((ids_in(&report["pruned"]), ids_in(&report["failed"])), (vec![id.clone()], vec![id.clone()]));
    }
    assert!(!world.dir_of(&id).exists() && charts.exists());
}

/// Makes the base the root directory, with a tmpfs in a workspace, and runs the program there. The other directories that it
/// needs are not named like workspaces. A bare one has no `/proc`, and so no mount table.
const IN_A_ROOT: &str = r#"set -e
base=$0 id=$1 root=$2 program=$3
shift 3
[ "$root" != mounted ] || mount --bind "$base" "$base"
cd "$base"
for dir in lib lib64 usr proc; do
    [ ! -d /$dir ] || [ "$root $dir" = "bare proc" ] || { mkdir -p $dir; mount --rbind /$dir $dir; }
done
cp "$program" wsctl
mount -t tmpfs none "$id/charts"
exec chroot . /wsctl "$@""#;

#[test]
fn a_mount_below_a_base_that_is_the_root_directory_leaves_the_workspace_whole_also_without_a_mount_table() {
    needs!("root", "unshare", "chroot");
    for root in ["mounted", "plain", "bare"] {
        let (world, id) = World::with_aged(40);
        let before = tree(&world.dir_of(&id));
        for more in [&["-b", "/", "-n"][..], &["-b", "/"]] {
            let base = world.base();
            let run = world.prune(more).through(["unshare", "--mount", "sh", "-c", IN_A_ROOT, text(&base), &id, root]);
            run.run().mentions("something is mounted").finds_busy(&id);
            assert_eq!(tree(&world.dir_of(&id)), before, "{root}");
        }
    }
}

#[test]
fn a_mount_on_a_workspace_or_its_metadata_is_denied_to_list_and_busy_to_touch_and_prune() {
    needs!("root", "mount");
    for (kind, name) in [("tmpfs", ""), ("bind", ""), ("bind", ".metadata.json"), ("tmpfs", ".metadata.json")] {
        let (world, [id, other]) = World::with_each_aged([40, 41]);
        let outside = world.path("outside");
        tool(&["cp", "-a", text(&world.dir_of(&id)), text(&outside)]);
        let point = world.dir_of(&id).join(name);
        if (kind, name) == ("tmpfs", ".metadata.json") {
            fs::remove_file(&point).and_then(|()| fs::create_dir(&point)).expect("a mount point");
        }
        let _mounted = match kind {
            "tmpfs" => Mounted::tmpfs(&world, &point, "size=64k"),
            _ => Mounted::bind(&world, &outside.join(name), &point),
        };
        let before = (world.snapshot(), tree(&outside));
        for (status, shown) in [("ok", &other), ("denied", &id)] {
            let list = world.wsctl(["list", "--format", "ids", "--status", status]).run().exits(75);
            let _ = list.complains("warning[busy]: ").mentions("something is mounted").prints(&format!("{shown}\n"));
        }
        let touch = world.wsctl(["touch", &id]).run().exits(75);
        let _ = touch.complains("warning[busy]: ").mentions("something is mounted");
        world.wsctl(["prune", "-y", "--format", "json", &id]).run().mentions("something is mounted").finds_busy(&id);
        assert_eq!((world.snapshot(), tree(&outside)), before, "{kind} on {name:?}");
    }
}

#[test]
fn a_mount_that_appears_on_metadata_makes_a_workspace_busy_to_touch_and_prune() {
    needs!("root", "mount", "strace");
    for (command, call) in [("prune", "renameat2"), ("touch", "fsync")] {
        let (world, id) = World::with(|it| it.days_ago(40).file(".metadata.tmp.k3x9.json", b"{}"));
        let (outside, _) = outside(&world);
        let run = if command == "touch" { world.wsctl(["touch", &id]) } else { world.prune(&[]) };
        let paused = Paused::after(&world, call, None, run);
        let metadata = world.dir_of(&world.names()[0]).join(".metadata.json");
        let _mounted = Mounted::bind(&world, &outside.join("dir/precious"), &metadata);
        let _ = paused.go_on().exits(75).complains("warning[busy]: ").mentions("something is mounted");
        assert_eq!(world.names(), [id], "{command}");
    }
}

#[test]
fn a_mount_in_a_workspace_or_on_it_whose_daemon_hangs_or_has_died_hangs_no_run_and_is_reported_as_no_defect() {
    needs!("root", "bindfs", "timeout");
    for trouble in [Bindfs::hang, Bindfs::die] {
        let (world, [itself, fresh, plain]) = World::with_each_aged([41, 1, 42]);
        let inside = world.workspace().days_ago(40).file("a/b/mnt/x", b"x").make();
        let (outside, points) = (outside(&world).0, [world.dir_of(&inside).join("a/b/mnt"), world.dir_of(&itself)]);
        let mut mounted = points.map(|point| Bindfs::by_root(&world, &outside, &point, 0));
        mounted.iter_mut().for_each(trouble);
        let touch = format!("touch {fresh} {itself}");
        // Not even a stat is asked of what is mounted: it would not be answered.
        for (words, must_find_it) in [
            ("list", true),
            ("list -s", true),
            ("prune --older-than 30d -n", false),
            ("prune --older-than 30d --use-mtime -n", false),
            ("prune --max-total-size 100G -n", false),
            (&*touch, true),
            ("prune --older-than 30d -y --metrics wsctl.prom", true),
        ] {
            // Killed if it waits for longer than any answer takes.
            let ran = world.wsctl(words.split(' ')).through(["timeout", "-k", "1", "60"]).run().sanely();
            assert!(ran.status == 75 || (ran.status == 0 && !must_find_it), "{words}: {ran:#?}");
        }
        assert!(!world.dir_of(&plain).exists() && world.metadata_of(&inside).exists());
        let _ = world.wsctl(["touch", &inside]).run().exits(0).quietly();
    }
}

#[test]
fn a_mount_that_only_its_owner_may_enter_does_not_fail_list_and_is_busy_to_prune() {
    needs!("root", "bindfs", "setpriv", "/dev/fuse");
    let (world, id) = World::with_aged(40);
    let (outside, point) = (outside(&world).0, world.dir_of(&id).join("mnt"));
    fs::create_dir(&point).expect("a directory");
    world.give_away();
    let _mounted = Bindfs::by_ordinary_user(&world, &outside, &point);
    let denied = fs::metadata(&point).expect_err("not even root may look at it");
    assert_eq!(denied.kind(), std::io::ErrorKind::PermissionDenied);
    let _ = world.wsctl(["list", "-s"]).run().exits(0).quietly();
    let _ = world.wsctl(["prune", "-y", "--max-total-size", "100G"]).run().exits(0);
    world.prune(&[]).run().mentions("something is mounted").finds_busy(&id);
    assert!(world.metadata_of(&id).exists() && world.dir_of(&id).join("charts/lap_times.png").exists());
}

#[test]
fn a_signal_is_heard_while_a_base_whose_server_has_stopped_answers_nothing() {
    needs!("root", "bindfs", "timeout");
    let (world, _stale) = World::with_aged(40);
    tool(&["cp", "-a", text(&world.base()), text(&world.path("served"))]);
    let mut mounted = Bindfs::by_root(&world, &world.path("served"), &world.base(), 0);
    mounted.hang();
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        for args in [&["list"][..], &["prune", "-n", "--older-than", "7d"], &["prune", "-y", "--older-than", "7d"]] {
            let wait = ["timeout", "--preserve-status", "-s", signal, "-k", "20", "0.3"];
            let _ = world.wsctl(args).through(wait).run().exits(status).prints("");
        }
    }
}

//! `wsctl prune --use-mtime`: when something was last modified counts as an access.

use crate::mounted::{Bindfs, Mounted};
use crate::tools::{du, modify, text, tool};
use crate::world::{World, chmod, ids_in, sorted};
use std::fs;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[test]
fn with_use_mtime_the_later_of_access_and_modification_counts() {
    let (world, [written, idle, read]) = World::with_each_aged([40, 40, 1]);
    for id in [&written, &idle, &read] {
        modify(&world, id, 40);
    }
    fs::write(world.dir_of(&written).join("charts/lap_times.png"), "new").expect("a write deep inside");
    assert_eq!(world.prune(&["-n"]).run().pruned([&written, &idle])["kept"], 1, "without --use-mtime");
    world.prune(&["--use-mtime"]).run().pruned([idle]);
    assert_eq!(world.names(), sorted([written, read]));
}

#[test]
fn with_use_mtime_modification_is_all_that_counts_where_metadata_is_missing_or_corrupt() {
    let world = World::in_memory();
    let [stale, fresh] = [40, 1].map(|days| {
        let unreadable = || world.workspace().metadata("{").file("data/x", b"x");
        let both = [unreadable().make(), unreadable().make_without_metadata()];
        for id in &both {
            modify(&world, id, days);
        }
        both
    });
    let future = world.workspace().days_ago(-9).make();
    modify(&world, &future, 40);
    // Nanoseconds since 1970 in 64 bits end in 2262; file systems store later times, and an owner sets what he likes.
    let [ahead, ancient] = ["2400-01-01", "1500-01-01"].map(|date| {
        let id = world.workspace().make_without_metadata();
        tool(&["touch", "-d", date, text(&world.dir_of(&id))]);
        id
    });
    let report = world.prune(&["--use-mtime"]).run().exits(0).json();
    assert_eq!(ids_in(&report["pruned"]), sorted(stale.iter().chain([&ancient])));
    assert_eq!((report["kept"].as_u64(), ids_in(&report["skipped"])), (Some(2), sorted([&future, &ahead])));
    assert_eq!(world.names(), sorted(fresh.iter().chain([&future, &ahead])));
}

#[test]
fn a_dry_run_reports_what_cannot_be_examined_as_the_run_does() {
    needs!("root", "setpriv");
    for (days, skipped) in [(40, 1), (1, 0)] {
        let (world, id) = World::with_aged(days);
        modify(&world, &id, 40);
        world.give_away();
        let secret = world.dir_of(&id).join("charts");
        chmod(&secret, 0o700);
        std::os::unix::fs::chown(secret, Some(0), Some(0)).expect("chown");
        let run = |how| {
            let args = ["prune", how, "--older-than", "30d", "--use-mtime", "--format", "json"];
            world.wsctl(args).by_ordinary_user().run().exits(0)
        };
        let (dry, real) = (run("-n"), run("-y"));
        assert_eq!((&dry.stderr, real.stderr.lines().count()), (&real.stderr, skipped), "{days} days: {real:#?}");
        assert_eq!(ids_in(&dry.json()["skipped"]).len(), skipped, "{dry:#?}");
    }
}

#[test]
fn with_use_mtime_a_workspace_stays_in_which_an_agent_writes_in_a_subvolume_though_its_size_does_not_count() {
    needs!("root", "mkfs.btrfs", "btrfs");
    let Some((world, _mounted)) = Mounted::base(300, &["mkfs.btrfs", "-q"]) else { return };
    let [written, idle] = [40, 40].map(|days| world.aged(days));
    for id in [&written, &idle] {
        let sub = world.dir_of(id).join("sub");
        tool(&["btrfs", "subvolume", "create", text(&sub)]);
        fs::create_dir_all(sub.join("a/b")).and_then(|()| fs::write(sub.join("a/b/log"), [7; 5000])).expect("a file");
        modify(&world, id, 40);
    }
    fs::write(world.dir_of(&written).join("sub/a/b/log"), [8; 5000]).expect("a write in the subvolume");
    tool(&["sync", "--file-system", text(&world.base())]);
    let listed = world.wsctl(["list", "-s", "--format", "jsonl", &written]).run().exits(0).quietly().json();
    assert_eq!((listed["size_bytes"].as_u64(), listed["files"].as_u64()), (Some(du(&world.dir_of(&written))), Some(3)));
    world.prune(&["--use-mtime"]).run().pruned([idle]);
    assert_eq!(world.names(), [written]);
}

/// Of a file on a server (FUSE, NFS), the kernel may remember a stat that it knows to be out of date.
#[test]
fn with_use_mtime_a_workspace_stays_in_which_an_agent_writes_through_a_file_system_that_remembers_stats() {
    needs!("root", "bindfs");
    let (world, id) = World::with_aged(40);
    modify(&world, &id, 40);
    let (shown, path) = (world.path("shown"), "charts/lap_times.png");
    fs::create_dir(&shown).expect("a directory");
    let _mounted = Bindfs::by_root(&world, &world.base(), &shown, 600);
    let wsctl = |args: &[&str]| world.wsctl(args).env("WSCTL_BASE", &shown).run().exits(0).quietly();
    let mut file = fs::OpenOptions::new().append(true).open(shown.join(&id).join(path)).expect("a file");
    file.write_all(&vec![7; 100_000]).expect("a write");
    wsctl(&["prune", "-y", "--older-than", "30d", "--use-mtime"]);
    assert_eq!(world.names(), [&*id]);
    let size = &wsctl(&["list", "-s", "--format", "json"]).json()["workspaces"][0]["size_bytes"];
    assert_eq!(size.as_u64(), Some(du(&world.dir_of(&id))));
}

#[test]
fn with_use_mtime_workspaces_go_whose_files_change_only_because_another_of_their_hard_links_goes() {
    let world = World::in_memory();
    let workspace = world.workspace().days_ago(40).file("shared", b"x"); // looked at last: tmpfs lists the newest name first
    let id = (0..3000).fold(workspace, |workspace, number| workspace.file(&format!("f{number}"), b"")).make();
    modify(&world, &id, 40);
    let [shared, other] = [world.dir_of(&id).join("shared"), world.path("other")];
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) && fs::hard_link(&shared, &other).is_ok() {
                fs::remove_file(&other).expect("the other name");
            }
            let _ = fs::remove_file(&other);
        });
        let ran = world.prune(&["--use-mtime"]).run();
        over.store(true, Ordering::Relaxed);
        ran.pruned([&id]);
    });
}

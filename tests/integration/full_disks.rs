//! `prune` on file systems that have no block and no inode left, which is when it is needed most.

use crate::mounted::Mounted;
use crate::paused::straced;
use crate::tools::{text, tool, trash, tree};
use crate::world::{World, has, ids_in, is_root, sorted};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// Takes the last block, then the last inode or whatever else a new name in this directory needs.
pub fn fill(dir: &Path) {
    let script = "import os, sys
os.chdir(sys.argv[1])
ballast = os.open('ballast', os.O_CREAT | os.O_WRONLY)
at, size = 0, 1 << 30
while size >= 512:
    try:
        os.posix_fallocate(ballast, at, size)
        at += size
    except OSError:
        size //= 2
os.sync()
for length in (200, 100, 36, 4):
    for number in range(1 << 20):
        try:
            os.mknod(('%04d' % number).ljust(length, '-'))
        except OSError:
            break";
    tool(&["python3", "-c", script, text(dir)]);
}

/// A full ext4 with blocks of 1 KiB and twenty stale workspaces in its root. The base has no room for a longer name.
struct Full {
    _mounted: Mounted, // dropped first: what is still mounted cannot be removed
    world: World,
    stale: Vec<String>,
    /// A long name in the base that nobody needs.
    spare: PathBuf,
}

impl Full {
    /// `before` may still change something while there is room.
    fn new(before: impl FnOnce(&World)) -> Option<Self> {
        if !(is_root() && has("mkfs.ext4") && has("python3") && has("strace")) {
            return None;
        }
        let world = World::new();
        // Without an index: a name may take any room that there is, and does not have to go where its hash says.
        let mkfs = ["mkfs.ext4", "-q", "-b", "1024", "-m", "0", "-N", "4000", "-O", "^dir_index"];
        let mounted = Mounted::image(&world, &world.base(), 16, &mkfs)?;
        let stale = (0..20).map(|number| world.aged(31 + number)).collect();
        before(&world);
        let spare = world.base().join("s".repeat(200));
        fs::write(&spare, "").expect("a name");
        fill(&world.base());
        assert!(
            fs::create_dir(world.base().join(".wsctl-claimed.".to_owned() + &"x".repeat(53))).is_err(),
            "it is full"
        );
        Some(Self { _mounted: mounted, world, stale, spare })
    }
}

#[test]
fn where_no_name_for_a_claim_fits_it_is_an_io_error_and_all_stays_whole() {
    let Some(full) = Full::new(|_| ()) else { return };
    let before = tree(&full.world.base());
    let ran = full.world.prune(&[]).run().exits(74).mentions("No space left on device");
    let report = ran.json();
    assert_eq!((&report["pruned"], ids_in(&report["failed"])), (&json!([]), sorted(&full.stale)));
    let other = |failed: &serde_json::Value| failed["category"] != "io";
    assert!(!report["failed"].as_array().expect("failures").iter().any(other), "{report}");
    assert_eq!(tree(&full.world.base()), before);
}

#[test]
fn on_a_full_file_system_workspaces_that_can_be_claimed_are_erased_first_and_make_room() {
    let Some(full) = Full::new(|_| ()) else { return };
    fs::remove_file(&full.spare).expect("room for two or three claims");
    let (ran, log) = straced(&full.world, full.world.prune(&[]), "renameat2,unlinkat");
    let report = ran.exits(0).quietly().json();
    assert_eq!((ids_in(&report["pruned"]), &report["failed"]), (sorted(&full.stale), &json!([])));
    let no_room = log.iter().position(|line| line.contains("ENOSPC")).expect("a claim that met ENOSPC");
    assert!(log[no_room..].iter().any(|line| line.contains("wsctl-claimed") && line.ends_with("= 0")), "{log:#?}");
}

#[test]
fn a_workspace_that_cannot_be_claimed_does_not_stop_the_others() {
    needs!("strace");
    let world = World::new();
    let stale: Vec<_> = (0..8).map(|number| world.aged(31 + number)).collect();
    // As where an index wants the longer name in a block that is full.
    let report = world.prune(&[]).injecting(["renameat2:error=ENOSPC:when=1..3"]).run().exits(0).quietly().json();
    assert_eq!((ids_in(&report["pruned"]), world.names()), (sorted(&stale), vec![]));
}

#[test]
fn a_workspace_that_can_be_neither_doomed_nor_put_back_is_tried_again_when_others_are_gone() {
    needs!("strace");
    // Two claims, then a dooming and the way back that find no room; or one claim, and the same of what a run had claimed.
    for (aside, when) in [(false, "3"), (false, "3..4"), (true, "2"), (true, "2..3")] {
        let world = World::new();
        let stale = [world.aged(41), world.aged(40)];
        if aside {
            crate::tools::set_aside(&world, "claimed", &stale[0]);
        }
        let inject = format!("inject=renameat2:error=ENOSPC:when={when}");
        let full = ["strace", "-f", "-o", "/dev/null", "-e", &inject];
        let report = world.prune(&[]).through(full).run().exits(0).quietly().json();
        assert_eq!((ids_in(&report["pruned"]), world.names()), (sorted(&stale), vec![]), "{aside} {when}: {report}");
    }
}

#[test]
fn after_a_signal_what_finds_no_room_at_its_own_path_is_kept_and_no_failure() {
    needs!("strace");
    let world = World::new();
    let stale = world.aged(40);
    let full = ["strace", "-f", "-o", "/dev/null", "-e", "inject=renameat2:error=ENOSPC:signal=SIGTERM:when=1"];
    let report = world.prune(&[]).through(full).run().exits(143).quietly().json();
    assert_eq!((&report["failed"], &report["kept"], world.names()), (&json!([]), &json!(1), vec![stale]), "{report}");
}

#[test]
fn freed_blocks_are_committed_before_a_claim_is_tried_again() {
    needs!("strace");
    let world = World::new();
    let [first, second] = [world.aged(41), world.aged(40)];
    let log = world.path("log");
    let strace = ["strace", "-f", "-o", text(&log), "-e", "trace=renameat2,fsync,unlinkat"];
    let run = world.prune(&[]).through(strace.iter().chain(&["-e", "inject=renameat2:error=ENOSPC:when=1"]));
    assert_eq!(ids_in(&run.run().exits(0).quietly().json()["pruned"]), sorted([&first, &second]));
    let log = fs::read_to_string(log).expect("a log");
    let lines: Vec<_> = log.lines().collect();
    let place = |parts: &[&str]| lines.iter().position(|line| parts.iter().all(|part| line.contains(part)));
    let gone = place(&["unlinkat", "wsctl-doomed", "= 0"]).expect("one that was in hand");
    let other = if place(&["INJECTED", &first]).is_some() { &first } else { &second };
    let again = place(&["renameat2", "wsctl-claimed", other, "= 0"]).expect("the other one");
    assert!(lines[gone..again].iter().any(|line| line.contains("fsync(")), "{log}");
}

#[test]
fn a_full_ext4_with_an_index_is_pruned_or_stays_whole() {
    needs!("root", "mkfs.ext4", "python3");
    let world = World::new();
    let mkfs = ["mkfs.ext4", "-q", "-b", "1024", "-m", "0", "-N", "4000"];
    let Some(_mounted) = Mounted::image(&world, &world.base(), 16, &mkfs) else { return };
    let stale: Vec<_> = (0..60).map(|number| world.aged(31 + number)).collect();
    fill(&world.base());
    // Whether any claim finds room in the block that its hash names is chance; if one does, all go.
    let ran = world.prune(&[]).run();
    let whole = if ran.status == 0 { vec![] } else { sorted(&stale) };
    let ids = ran.json()["failed"].as_array().map(Vec::len);
    assert_eq!((ran.status, ids), if whole.is_empty() { (0, Some(0)) } else { (74, Some(60)) });
    let left = world.names().into_iter().filter(|name| stale.contains(name));
    assert_eq!((left.collect::<Vec<_>>(), trash(&world)), (whole, vec![]));
}

#[test]
fn doomed_leftovers_make_room_where_nothing_can_be_claimed() {
    let doomed = |world: &World| {
        let id = world.aged(50);
        crate::tools::set_aside(world, "doomed", &id);
    };
    let Some(full) = Full::new(doomed) else { return };
    let report = full.world.prune(&[]).run().exits(0).quietly().json();
    assert_eq!(report["pruned"].as_array().map(Vec::len), Some(21));
    assert_eq!(trash(&full.world), [""; 0]);
}

#[test]
fn a_workspace_that_fills_its_file_system_is_pruned() {
    let Some(full) = Full::new(|_| ()) else { return };
    fs::remove_file(&full.spare).expect("room for a claim");
    let id = &full.stale[0];
    fs::rename(full.world.base().join("ballast"), full.world.dir_of(id).join("ballast")).expect("a rename");
    let report = full.world.wsctl(["prune", "-y", id, "--format", "json"]).run().exits(0).quietly().json();
    assert!(report["freed_bytes"].as_u64().is_some_and(|bytes| bytes > 8 << 20), "{report}");
}

#[test]
fn a_full_xfs_is_pruned() {
    needs!("root", "mkfs.xfs", "python3");
    let world = World::new();
    let Some(_mounted) = Mounted::image(&world, &world.base(), 300, &["mkfs.xfs", "-q"]) else { return };
    let stale: Vec<_> = (0..100).map(|number| world.aged(31 + number)).collect();
    fill(&world.base());
    assert!(fs::write(world.base().join("more"), [7; 8192]).is_err(), "it is full");
    let report = world.prune(&[]).run().exits(0).quietly().json();
    assert_eq!((ids_in(&report["pruned"]), trash(&world)), (sorted(&stale), vec![]));
}

#[test]
fn a_full_tmpfs_is_pruned() {
    needs!("root", "mount", "python3");
    let world = World::new();
    let _mount = Mounted::tmpfs(&world, &world.base(), "size=256k,nr_inodes=200");
    let stale: Vec<_> = (0..20).map(|number| world.aged(31 + number)).collect();
    fill(&world.base());
    assert!(fs::create_dir(world.base().join("more")).is_err(), "it is full");
    let report = world.prune(&[]).run().exits(0).quietly().json();
    assert_eq!((ids_in(&report["pruned"]), trash(&world)), (sorted(&stale), vec![]));
    assert!(fs::create_dir(world.base().join("more")).is_ok(), "and that has freed something");
}

#[test]
fn earlier_batches_are_erased_before_a_claim_without_room_is_tried_again() {
    needs!("strace");
    let world = World::new();
    let ids = sorted((0..48).map(|_| world.aged(40)));
    let log = world.path("strace");
    // The first batch is erased at once, the second is in hand. Each takes 16 claims and 16 doomings.
    let full = ["-e", "trace=renameat2,unlinkat", "-e", "inject=renameat2:error=ENOSPC:when=65"];
    let strace = [&["strace", "-f", "-o", text(&log)], &full[..]].concat();
    let report = world.prune(&[]).through(strace).run().exits(0).json();
    assert_eq!(sorted(ids_in(&report["pruned"])), ids);
    let lines = fs::read_to_string(&log).expect("a log");
    let mut after = lines.lines().skip_while(|line| !line.contains("ENOSPC")).skip(1);
    assert!(after.next().is_some_and(|line| line.contains("unlinkat")), "{lines}");
}

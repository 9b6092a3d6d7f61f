//! Owners who never leave their workspace alone: prune and list end, report it as `busy`, and handle the others.

use crate::mounted::Mounted;
use crate::paused::Paused;
use crate::tools::{du, repository, set_aside, text, tool, trash};
use crate::world::{ORDINARY_USER, Ran, World};
use std::fs::{self, FileTimes};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

const LIST: [&str; 4] = ["list", "-s", "--format", "jsonl"];

/// Processes of an ordinary user that attack a workspace as fast as they can (`owner.c`); the drop ends them.
struct Owners(Vec<Child>);

impl Owners {
    /// Gives the workspace to the ordinary user, and begins so many attacks of one kind on it, all under way when this returns.
    fn begin(world: &World, attack: &str, many: usize, workspace: &Path) -> Self {
        let program = world.path("owner");
        tool(&["cc", "-O1", "-Wall", "-o", text(&program), text(&repository("tests/integration/owner.c"))]);
        tool(&["chown", "-R", &ORDINARY_USER.to_string(), text(workspace)]);
        let begin = |number: usize| {
            let mut owner = Command::new(&program);
            owner.args([attack, text(workspace), &number.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
            owner.spawn().expect("an owner")
        };
        let mut owners = Self((0..many).map(begin).collect());
        for owner in &mut owners.0 {
            owner.stdout.as_mut().expect("a pipe").read_exact(&mut [0; 5]).expect("an attack that is under way");
        }
        owners
    }
}

impl Drop for Owners {
    fn drop(&mut self) {
        for owner in &mut self.0 {
            let _ = (owner.kill(), owner.wait());
        }
    }
}

/// A base in memory, so that what owners write fills nothing else. The ordinary user owns it.
fn memory() -> (World, Mounted) {
    Mounted::base_in_memory(&format!("size=1g,nr_inodes=400k,mode=755,uid={ORDINARY_USER},gid={ORDINARY_USER}"))
}

#[test]
fn prune_and_list_end_while_owners_fill_a_workspace_link_its_inodes_anew_and_extend_its_directories() {
    needs!("root", "cc", "setpriv");
    for (attack, many, subcommand) in [
        ("fill", 4, "list"),
        ("fill", 4, "prune"),
        ("fill", 4, "prune by the owner"),
        ("stage", 3, "prune"),
        ("relink", 3, "list"),
        ("relink", 3, "prune"),
        ("extend", 1, "list"),
        ("extend", 2, "prune"),
    ] {
        let (world, _memory) = memory();
        let [attacked, other] = [world.aged(40), world.aged(50)];
        tool(&["chown", "-R", &ORDINARY_USER.to_string(), text(&world.dir_of(&other))]);
        let _owners = Owners::begin(&world, attack, many, &world.dir_of(&attacked));
        if subcommand == "list" {
            let ran = world.wsctl(LIST.iter().chain(&[&*attacked])).run().sanely();
            assert_eq!(ran.json()["id"], *attacked, "{attack}: {ran:#?}");
            assert!(ran.status == 0 || (ran.status == 75 && ran.stderr.contains(&attacked)), "{attack}: {ran:#?}");
            continue;
        }
        let run = world.prune(&[]);
        let run = if subcommand == "prune" { run } else { run.by_ordinary_user() };
        match run.run().sanely() {
            ran if ran.status == 0 => drop(ran.pruned([&attacked, &other])),
            ran => {
                let report = ran.finds_busy(&attacked);
                assert_eq!(report["pruned"][0]["id"], *other, "{attack}: {report:#}");
            }
        }
    }
}

#[test]
fn a_time_that_the_owner_of_the_base_sets_on_it_hides_no_directories_that_come_after_the_doom() {
    needs!("strace");
    let world = World::in_memory();
    let id = world.aged(40);
    // strace writes down no other call, which would take long.
    let paused = Paused::lacking(&world, &["-e", "trace=fsync"], "fsync", world.prune(&[]));
    let in_2090 = FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(3_786_912_000));
    fs::File::open(world.base()).and_then(|base| base.set_times(in_2090)).expect("a time");
    let doomed = world.base().join(&trash(&world)[0]);
    for number in 0..101_000 {
        fs::create_dir_all(doomed.join(format!("{number}/x"))).expect("directories");
    }
    let _ = paused.go_on().finds_busy(&id);
}

/// An earlier run may have begun to remove it after the base last changed.
#[test]
fn a_leftover_whose_directories_changed_after_the_base_is_removed_in_one_run() {
    let world = World::in_memory();
    let id = world.aged(40);
    let doomed = world.base().join(set_aside(&world, "doomed", &id));
    for number in 0..100_000 {
        fs::create_dir_all(doomed.join(format!("{number}/x"))).expect("directories");
    }
    world.prune(&[]).run().pruned([id]);
    assert_eq!(trash(&world), [""; 0]);
}

/// Makes a file of 64 MiB.
fn make_large(file: &Path) {
    fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
    tool(&["fallocate", "-l", "64M", text(file)]);
}

/// Asserts that a size is right, or too small and reported so.
#[track_caller]
fn is_true_or_told(ran: &Ran, id: &str, truth: u64) {
    let size = ran.json()["size_bytes"].as_u64().expect("a size");
    let told = ran.status == 75 && ran.stderr.contains("warning[busy]: ") && ran.stderr.contains(id);
    assert!(size <= truth, "{size} is more than {truth}: {ran:#?}");
    assert!(told || (ran.status == 0 && size == truth && ran.stderr.is_empty()), "{size} of {truth}: {ran:#?}");
}

/// The walk is paused where it has listed one of three directories, or (the last two rows) their parent.
#[test]
fn what_is_moved_ahead_of_the_walk_counts_once_and_what_is_moved_behind_it_is_missed_and_reported() {
    needs!("strace", "fallocate");
    let (file, dir) = ("large", "large/file");
    for (from, to, large) in [(0, 2, file), (0, 2, dir), (2, 0, file), (2, 0, dir), (3, 3, file), (3, 3, dir)] {
        let (world, id) = World::with(|it| it.file("a/x", b"x").file("b/x", b"x").file("c/x", b"x"));
        let entries = fs::read_dir(world.dir_of(&id)).expect("the workspace").map(|entry| entry.expect("an entry"));
        let mut dirs: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        dirs.push(world.dir_of(&id));
        make_large(&dirs[from].join(large));
        let truth = du(&world.dir_of(&id));
        let stop = if from == 3 { &dirs[3] } else { &dirs[1] };
        let paused = Paused::after(&world, "getdents64", Some(stop), world.wsctl(LIST));
        fs::rename(dirs[from].join("large"), dirs[to].join("moved")).expect("a rename");
        is_true_or_told(&paused.go_on(), &id, truth);
    }
}

#[test]
fn whatever_an_owner_moves_about_the_size_is_never_too_large() {
    needs!("root", "cc", "fallocate");
    let (world, _memory) = memory();
    let id = world.workspace().make();
    let dir = world.dir_of(&id);
    (0..300).for_each(|number| fs::create_dir(dir.join(number.to_string())).expect("a directory"));
    make_large(&dir.join("0/large"));
    make_large(&dir.join("0/dir/file"));
    let truth = du(&dir);
    let _other = world.workspace().days_ago(9).make();
    let _owners = Owners::begin(&world, "shuffle", 1, &dir);
    for _ in 0..20 {
        is_true_or_told(&world.wsctl(LIST.iter().chain(&[&*id])).run().sanely(), &id, truth);
        let ran = world.wsctl(["prune", "-y", "--max-total-size", "1GiB"]).run().sanely();
        assert!(ran.status == 0 || (ran.status == 75 && ran.stderr.contains(&id)), "{ran:#?}");
        assert_eq!(world.names().len(), 2, "{ran:#?}");
    }
}

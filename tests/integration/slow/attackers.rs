//! Attackers: another user's process owns the base and all that is in it, and swaps directories and files for links to a tree
//! of root's outside (the canary), while root prunes, touches and lists. Not one bit of the canary may change, which a naive removal
//! of the same workspaces damages.

use crate::tools::text;
use crate::world::{World, finish, lines, numbered, snapshot};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

struct Arena {
    world: World,
    ids: Vec<String>,
    bystander: String,
    canary: PathBuf,
    before: [Vec<String>; 3],
}

impl Arena {
    fn new() -> Self {
        let world = World::in_memory();
        let ids: Vec<_> = (0..3).map(|number| world.workspace().id(&numbered(number)).days_ago(400).make()).collect();
        let bystander = world.aged(1);
        world.give_away();
        std::os::unix::fs::chown(world.path(""), Some(0), Some(0)).expect("chown");
        let canary = world.path("canary");
        fs::create_dir_all(canary.join("data/deep")).expect("a canary");
        for file in (0..12).flat_map(|number| [format!("data/{number}"), format!("data/deep/{number}")]) {
            fs::write(canary.join(file), "precious").expect("a file");
        }
        let metadata = "{\"last_accessed\": \"2020-01-01T00:00:00+00:00Z\", \"whose\": \"root's\"}";
        fs::write(canary.join(".metadata.json"), metadata).expect("metadata");
        fs::write(world.path("linked"), metadata).expect("a file of root's with another name in the base");
        let mut arena = Self { world, ids, bystander, canary, before: Default::default() };
        arena.before = arena.state();
        arena
    }

    /// All of the canary and of a workspace that is not attacked; of a file that gets another name in the base all but the ctime.
    fn state(&self) -> [Vec<String>; 3] {
        let linked = lines(&self.world.path("linked"), |_, stat| {
            format!("{} {} {} {}", stat.ino(), stat.mtime(), stat.mtime_nsec(), stat.uid())
        });
        [snapshot(&self.canary), snapshot(&self.world.dir_of(&self.bystander)), linked]
    }

    /// Begins a process that attacks until its stdin ends.
    fn begin(&self) -> Child {
        let mut python = Command::new("python3");
        python.args(["-c", include_str!("attackers.py"), text(&self.world.base()), text(&self.canary)]).args(&self.ids);
        python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("python3")
    }
}

/// Ends the attack, and gives how often something was swapped.
fn end(mut attacker: Child) -> u64 {
    attacker.stdin = None;
    finish(attacker, &"the attacker").exits(0).quietly().stdout.trim().parse().expect("a number")
}

fn attacked(runs: usize) {
    needs!("root", "python3");
    let arena = Arena::new();
    let world = &arena.world;
    let attacker = arena.begin();
    let commands =
        ["prune -y --older-than 7d --format json", "prune -y --format json", "touch", "list -s --format json"];
    let mut counts = [0; 4];
    for number in 0..runs {
        // The file outside gets its name in the base, where the attacker finds it, unless it has it still.
        let _ = fs::hard_link(world.path("linked"), world.base().join("hard"));
        let (nth, command) = (number % 4, commands[number % 4]);
        let ids = if nth == 0 { &[][..] } else { &arena.ids };
        let ran = world.wsctl(command.split(' ').chain(ids.iter().map(String::as_str))).run().sanely();
        assert!([0, 65, 66, 74, 75, 77].contains(&ran.status), "{command}: {ran:#?}");
        counts[nth] += match nth {
            0 | 1 => ran.json()["pruned"].as_array().map_or(0, Vec::len),
            2 => usize::from(!ran.stderr.contains(&arena.ids[0])),
            _ => ran.json()["workspaces"].as_array().map_or(0, Vec::len),
        };
        assert!(arena.state() == arena.before, "{command}: {ran:?}: {:#?} {:#?}", arena.before, arena.state());
    }
    let swaps = end(attacker);
    println!("{runs} runs, {swaps} swaps; {counts:?} pruned by a rule, pruned by ID, touched, listed");
    let [by_rule, by_id, touched, listed] = counts;
    let all_tried = by_rule + by_id > 0 && touched > 0 && listed > 0;
    assert!(all_tried && swaps > 10 * runs as u64, "nothing was put to the test");
}

#[test]
fn nothing_outside_changes_whatever_an_attacker_swaps_meanwhile() {
    attacked(200);
}

#[test]
#[ignore = "the long form: 10,000 runs"]
fn nothing_outside_changes_in_10_000_attacked_runs() {
    attacked(10_000);
}

/// Removes trees as many a script does: it checks for links, and then goes on by path.
const NAIVE: &str = "import os, sys
def attempt(act, path):
    try: act(path)
    except OSError: pass
for top in sys.argv[1:]:
    for dir, dirs, files in os.walk(top, topdown=False):
        for name in files: attempt(os.remove, os.path.join(dir, name))
        for name in dirs: attempt(os.rmdir, os.path.join(dir, name))";

#[test]
fn a_naive_removal_under_the_same_attack_damages_the_canary() {
    needs!("root", "python3");
    let arena = Arena::new();
    let attacker = arena.begin();
    let is_damaged = (0..500).any(|_| {
        let dirs = arena.ids.iter().map(|id| arena.world.dir_of(id));
        let naive = Command::new("python3").args(["-c", NAIVE]).args(dirs).status();
        assert!(naive.expect("python3").success());
        snapshot(&arena.canary) != arena.before[0]
    });
    assert!(end(attacker) > 0 && is_damaged, "the attacker is too slow to prove anything");
}

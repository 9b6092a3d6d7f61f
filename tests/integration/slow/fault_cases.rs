//! The commands that `faults` and `power_cuts` strike at, and the bases that they run on.

use crate::tools::{set_aside, text, tool};
use crate::world::{AS_ORDINARY_USER, World, has, is_root, numbered};
use std::fs;
use std::thread;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Touch,
    Prune,
    Read,
}

pub struct Case {
    pub name: &'static str,
    pub world: World,
    pub args: Vec<String>,
    pub kind: Kind,
    pub always: Vec<&'static str>,
    /// What makes the ordinary user run it, if all this is that user's.
    pub user: &'static [&'static str],
}

impl Case {
    /// In the words of a command `#1` is the first workspace.
    fn new(name: &'static str, world: World, words: &str) -> Self {
        let expanded =
            |word: &str| word.strip_prefix('#').map_or(word.into(), |id| numbered(id.parse().expect("a number")));
        let kind = match words {
            _ if words.starts_with("touch") => Kind::Touch,
            _ if words.starts_with("prune") && !words.contains("-n") => Kind::Prune,
            _ => Kind::Read,
        };
        // There is only one thread: strace counts calls for each.
        let mut always = vec!["inject=clone3:error=EAGAIN"];
        if name.ends_with("on an old kernel") {
            always.push("inject=openat2,statx:error=ENOSYS");
        }
        let mut case = Self { name, world, args: words.split(' ').map(expanded).collect(), kind, always, user: &[] };
        if name.ends_with("by a user") {
            case.world.binary = case.world.binary_for_everybody();
            case.world.give_away();
            case.user = &AS_ORDINARY_USER;
        }
        case
    }

    pub fn targets(&self) -> impl Iterator<Item = &String> {
        self.args.iter().filter(|word| word.len() == 36)
    }

    /// Fills the empty base of another world with a copy.
    pub fn fill(&self, world: &World) {
        tool(&["cp", "-a", text(&self.world.base().join(".")), text(&world.base())]);
        tool(&["cp", "-a", text(&self.world.path("excluded")), text(&world.path(""))]);
        // What was changed just now is read twice: then the calls would not be the same each time.
        thread::sleep(Duration::from_millis(25));
    }
}

/// A base with what makes a prune and a touch take all their steps, also with directories deeper than descent goes.
fn all_kinds() -> World {
    let world = World::new();
    let workspace = |number: u32, days| world.workspace().id(&numbered(number)).days_ago(days);
    let _ids = [
        workspace(1, 50).file("a/b/c/d/e/f/g", b"deep").file("conversations.json", b"[]").make(),
        workspace(2, 40).file(".metadata.tmp.old.json", b"{").file(".wsctl-tmp.0123456789abcdef", b"{").make(),
        workspace(3, 45).file("data/x/y", b"excluded").make(),
        workspace(4, 0).file("data/x", b"x").make_without_metadata(),
        workspace(5, 1).file("x", b"x").file(".wsctl-tmp.0123456789abcde0", b"{").description("é").make(),
        workspace(6, 0).metadata("{\"last_accessed\": 7}").make(),
    ];
    fs::create_dir(world.base().join("monaco-2024")).expect("a directory");
    fs::write(world.base().join("monaco-2024/notes"), "not ours").expect("a file");
    fs::write(world.path("excluded"), format!("# stays\n{}\n", numbered(3))).expect("a file");
    world
}

/// The same with what killed prunes left: one claimed and fresh, one claimed and stale, one doomed.
fn leftovers() -> World {
    let world = all_kinds();
    for (number, days, stage) in [(7, 1, "claimed"), (8, 60, "claimed"), (9, 70, "doomed")] {
        let workspace = world.workspace().id(&numbered(number)).days_ago(days).file("data/x", b"x");
        set_aside(&world, stage, &workspace.file(".metadata.tmp.old.json", b"{").make());
    }
    world
}

/// The same with all but 1, 4, 5 and 7 modified long ago (if the metadata of the fresh ones seems to be a link, this is the only
/// time they have). There are no temporary files: what has swept one has modified the workspace, and a later run finds it so.
fn aged_by_mtime() -> World {
    let world = leftovers();
    let base = world.base();
    tool(&["find", text(&base), "-name", ".*tmp.*", "-delete"]);
    let find = ["find", text(&base), "-mindepth", "1", "-depth", "!", "-path", "*0000000[1457]-*"];
    tool(&[&find[..], &["-exec", "touch", "-d", "90 days ago", "{}", "+"]].concat());
    world
}

pub fn cases() -> Vec<Case> {
    let touch = "touch --at 2026-11-23T15:51:30Z #1 #4 #5";
    let prune = "prune -y --older-than 30d --format json --exclude-from excluded -j 1";
    let [by_mtime, dry] = ["--use-mtime", "-n"].map(|option| format!("{prune} {option}"));
    let mut cases = vec![
        Case::new("touch", all_kinds(), touch),
        Case::new("touch on an old kernel", all_kinds(), touch),
        Case::new("prune", leftovers(), prune),
        Case::new("prune on an old kernel", leftovers(), prune),
        Case::new("prune by ID", leftovers(), "prune -y --format json -j 1 #2 #4 #8"),
        Case::new("prune by size", all_kinds(), "prune -y --format json --max-total-size 1K -j 1"),
        Case::new("prune by free space", all_kinds(), "prune -y --format json --min-free 100% -j 1"),
        Case::new("prune by mtime", aged_by_mtime(), &by_mtime),
        Case::new("dry run", leftovers(), &dry),
        Case::new("list", leftovers(), "list --format json"),
        Case::new("list -s", leftovers(), "list -s --format json"),
        Case::new("validate", all_kinds(), "validate #1 #99 malformed #5"),
    ];
    if is_root() && has("setpriv") {
        cases.push(Case::new("touch by a user", all_kinds(), touch));
        cases.push(Case::new("prune by a user", leftovers(), prune));
    }
    cases
}

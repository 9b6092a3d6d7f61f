//! The commands that `faults` strikes at, and the bases that they run on.

use crate::tools::{set_aside, text};
use crate::world::{World, has, is_root, numbered};
use std::fs;
use std::time::{Duration, SystemTime};

const AT: &str = "2026-11-23T15:51:30Z";
const BY_AGE: [&str; 9] =
    ["prune", "-y", "--older-than", "30d", "--format", "json", "--exclude-from", "excluded", "-j"];
/// For the paths that are taken where openat2(2), or statx(2) too, is missing.
const NO_OPENAT2: &str = "inject=openat2:error=ENOSYS";
/// What a touch does itself must be enough, also where its sweep of leftovers sees nothing.
const NO_SWEEP: &str = "inject=getdents64:error=EIO";
const OLD_KERNEL: &str = "inject=openat2,statx:error=ENOSYS";

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Touch,
    Prune,
    /// It changes nothing.
    Read,
}

/// A command on a base.
pub struct Case {
    pub name: &'static str,
    pub world: World,
    pub args: Vec<String>,
    pub kind: Kind,
    /// What fails each time.
    pub always: Option<&'static str>,
    /// Whether several threads are at it, so that the order of calls is not the same each time.
    pub threads: bool,
    /// If it is the ordinary user who owns all this, and runs it: where the program is for everybody.
    pub everybodys: Option<World>,
}

impl Case {
    pub fn new(name: &'static str, world: World, args: &[String], kind: Kind) -> Self {
        Self { name, world, args: args.to_owned(), kind, always: None, threads: false, everybodys: None }
    }

    pub fn always(self, injection: &'static str) -> Self {
        Self { always: Some(injection), ..self }
    }

    pub fn threads(self) -> Self {
        Self { threads: true, ..self }
    }

    pub fn by_ordinary_user(mut self) -> Self {
        let everybodys = World::new();
        self.world.binary = everybodys.binary_for_everybody();
        self.world.give_away();
        Self { everybodys: Some(everybodys), ..self }
    }

    /// Whether the short form kills it at each call, not only at those that write.
    pub fn is_killed_everywhere(&self) -> bool {
        ["touch", "prune with leftovers"].contains(&self.name)
    }

    pub fn targets(&self) -> impl Iterator<Item = &String> {
        self.args.iter().filter(|word| word.len() == 36)
    }
}

/// A base with what makes a prune and a touch take all their steps: old and new workspaces, directories deeper than descent
/// goes, temporary files, metadata that is missing and corrupt, and somebody else's directory.
fn base_of_all_kinds() -> World {
    let world = World::new();
    let workspace = |number: u32, days| world.workspace().id(&numbered(number)).days_ago(days);
    let mut ids = vec![
        workspace(1, 50).file("a/b/c/d/e/f/g", b"deep").file("conversations.json", b"[]").make(),
        workspace(2, 40).file(".metadata.tmp.old.json", b"{").file(".wsctl-tmp.0123456789abcdef", b"{").make(),
        workspace(3, 45).file("data/x/y", b"excluded").make(),
        workspace(4, 0).file("data/x", b"x").make_without_metadata(),
        workspace(5, 1).file("x", b"x").file(".wsctl-tmp.0123456789abcde0", b"{").description("é").make(),
    ];
    ids.push(workspace(6, 0).metadata("{\"last_accessed\": 7}").make());
    fs::create_dir(world.base().join("monaco-2024")).expect("a directory");
    fs::write(world.base().join("monaco-2024/notes"), "not ours").expect("a file");
    fs::write(world.path("excluded"), format!("# stays\n{}\n", ids[2])).expect("a file");
    world
}

/// The same with what killed prunes left: one claimed and fresh, one claimed and stale, one doomed.
fn base_with_leftovers() -> World {
    let world = base_of_all_kinds();
    for (number, days, stage) in [(7, 1, "claimed"), (8, 60, "claimed"), (9, 70, "doomed")] {
        let workspace = world.workspace().id(&numbered(number)).days_ago(days).file("data/x", b"x");
        let id = workspace.file(".metadata.tmp.old.json", b"{").make();
        set_aside(&world, stage, &id);
    }
    world
}

/// The same with everything modified long ago, but for a stale workspace, one without metadata, and those that are fresh
/// anyway (if their metadata seems to be a link, this is the only time they have). There are no temporary files: what has
/// swept one has modified the workspace, and a later run finds it so.
fn aged_by_mtime(world: World) -> World {
    let time = SystemTime::now() - Duration::from_secs(90 * 86_400);
    for entry in walkdir::WalkDir::new(world.base()).min_depth(1).contents_first(true) {
        let path = entry.expect("an entry").into_path();
        if [".metadata.tmp.", ".wsctl-tmp."].iter().any(|start| text(&path).contains(start)) {
            fs::remove_file(path).expect("removal");
        } else if ![1, 4, 5, 7].iter().any(|number| text(&path).contains(&numbered(*number))) {
            fs::File::open(path).and_then(|file| file.set_modified(time)).expect("its time");
        }
    }
    world
}

/// Enough stale workspaces for two threads.
fn base_for_two_threads() -> World {
    let world = World::new();
    let stale = |number: u32| world.workspace().id(&numbered(number)).days_ago(31 + i64::from(number)).make();
    let ids: Vec<_> = (0..20).map(stale).collect();
    set_aside(&world, "doomed", &ids[0]);
    fs::write(world.path("excluded"), &ids[1]).expect("a file");
    world
}

pub fn cases() -> Vec<Case> {
    let id = |number| numbered(number);
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let touch = [words(&["touch", "--at", AT]), vec![id(1), id(4), id(5)]].concat();
    let by_age = |jobs| words(&[&BY_AGE[..], &[jobs]].concat());
    let by_id = [words(&["prune", "-y", "--format", "json", "-j", "1"]), vec![id(2), id(4), id(8)]].concat();
    let by_size = words(&["prune", "-y", "--format", "json", "--max-total-size", "1K", "-j", "1"]);
    let by_free = words(&["prune", "-y", "--format", "json", "--min-free", "100%", "-j", "1"]);
    let by_mtime = words(&[&BY_AGE[..], &["1", "--use-mtime"]].concat());
    let dry = words(&[&BY_AGE[..], &["1", "-n"]].concat());
    let validate = [words(&["validate"]), vec![id(1), id(99), "malformed".to_owned(), id(5)]].concat();
    let list = words(&["list", "--format", "json"]);
    let sizes = words(&["list", "-s", "--format", "json"]);
    let case = |name, world: World, args: &[String], kind| Case::new(name, world, args, kind);
    let mut cases = vec![
        case("touch", base_of_all_kinds(), &touch, Kind::Touch),
        case("touch without openat2", base_of_all_kinds(), &touch, Kind::Touch).always(NO_OPENAT2),
        case("touch without a sweep", base_of_all_kinds(), &touch, Kind::Touch).always(NO_SWEEP),
        case("prune by age", base_of_all_kinds(), &by_age("1"), Kind::Prune),
        case("prune with leftovers", base_with_leftovers(), &by_age("1"), Kind::Prune),
        case("prune without openat2", base_with_leftovers(), &by_age("1"), Kind::Prune).always(NO_OPENAT2),
        case("prune on an old kernel", base_with_leftovers(), &by_age("1"), Kind::Prune).always(OLD_KERNEL),
        case("prune by ID", base_with_leftovers(), &by_id, Kind::Prune),
        case("prune by size", base_of_all_kinds(), &by_size, Kind::Prune),
        case("prune by free space", base_of_all_kinds(), &by_free, Kind::Prune),
        case("prune by mtime", aged_by_mtime(base_with_leftovers()), &by_mtime, Kind::Prune),
        case("prune on two threads", base_for_two_threads(), &by_age("2"), Kind::Prune).threads(),
        case("dry run", base_with_leftovers(), &dry, Kind::Read),
        case("list", base_with_leftovers(), &list, Kind::Read),
        case("list -s", base_with_leftovers(), &sizes, Kind::Read),
        case("validate", base_of_all_kinds(), &validate, Kind::Read),
    ];
    if is_root() && has("setpriv") {
        cases.push(case("touch by a user", base_of_all_kinds(), &touch, Kind::Touch).by_ordinary_user());
        cases.push(case("prune by a user", base_with_leftovers(), &by_age("1"), Kind::Prune).by_ordinary_user());
    }
    cases
}

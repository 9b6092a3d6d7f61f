//! The commands that `faults` strikes at, and the bases that they run on.

use crate::tools::{set_aside, text};
use crate::world::{ORDINARY_USER, World, has, is_root, numbered};
use std::fs;
use std::time::{Duration, SystemTime};

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
    pub always: Vec<&'static str>,
    /// Whether several threads are at it, so that the order of calls is not the same each time.
    pub threads: bool,
    /// What makes the ordinary user run it, if all this is that user's.
    pub user: Vec<String>,
}

impl Case {
    /// In the words of a command `#1` is the first workspace.
    fn new(name: &'static str, world: World, words: &str, always: Option<&'static str>) -> Self {
        let expanded =
            |word: &str| word.strip_prefix('#').map_or(word.into(), |id| numbered(id.parse().expect("a number")));
        let kind = match words {
            _ if words.starts_with("touch") => Kind::Touch,
            _ if words.starts_with("prune") && !words.contains("-n") => Kind::Prune,
            _ => Kind::Read,
        };
        let threads = words.contains("-j 2");
        // Where it is not about threads there is only one: strace counts calls for each.
        let one_thread = (!threads).then_some("inject=clone3:error=EAGAIN");
        let always = always.into_iter().chain(one_thread).collect();
        Self { name, world, args: words.split(' ').map(expanded).collect(), kind, always, threads, user: vec![] }
    }

    fn by_ordinary_user(mut self) -> Self {
        self.world.binary = self.world.binary_for_everybody();
        self.world.give_away();
        let ids = ["reuid", "regid"].map(|id| format!("--{id}={ORDINARY_USER}"));
        self.user = [&["setpriv".to_owned()], &ids[..], &["--clear-groups".to_owned()]].concat();
        self
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

/// The same with everything modified long ago, but for a stale workspace, one without metadata, and those that are fresh
/// anyway (if their metadata seems to be a link, this is the only time they have). There are no temporary files: what has
/// swept one has modified the workspace, and a later run finds it so.
fn aged_by_mtime() -> World {
    let (world, time) = (leftovers(), SystemTime::now() - Duration::from_secs(90 * 86_400));
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
fn many_stale() -> World {
    let world = World::new();
    let stale = |number: u32| world.workspace().id(&numbered(number)).days_ago(31 + i64::from(number)).make();
    let ids: Vec<_> = (0..20).map(stale).collect();
    set_aside(&world, "doomed", &ids[0]);
    fs::write(world.path("excluded"), &ids[1]).expect("a file");
    world
}

pub fn cases() -> Vec<Case> {
    let touch = "touch --at 2026-11-23T15:51:30Z #1 #4 #5";
    let [by_age, on_two] =
        ["1", "2"].map(|jobs| format!("prune -y --older-than 30d --format json --exclude-from excluded -j {jobs}"));
    let [by_mtime, dry] = ["--use-mtime", "-n"].map(|option| format!("{by_age} {option}"));
    let no_openat2 = Some("inject=openat2:error=ENOSYS");
    let old_kernel = Some("inject=openat2,statx:error=ENOSYS");
    // What a touch does itself must be enough, also where its sweep of leftovers sees nothing.
    let no_sweep = Some("inject=getdents64:error=EIO");
    let case = |name, base: fn() -> World, words: &str, always| Case::new(name, base(), words, always);
    let mut cases = vec![
        case("touch", all_kinds, touch, None),
        case("touch without openat2", all_kinds, touch, no_openat2),
        case("touch without a sweep", all_kinds, touch, no_sweep),
        case("prune by age", all_kinds, &by_age, None),
        case("prune with leftovers", leftovers, &by_age, None),
        case("prune without openat2", leftovers, &by_age, no_openat2),
        case("prune on an old kernel", leftovers, &by_age, old_kernel),
        case("prune by ID", leftovers, "prune -y --format json -j 1 #2 #4 #8", None),
        case("prune by size", all_kinds, "prune -y --format json --max-total-size 1K -j 1", None),
        case("prune by free space", all_kinds, "prune -y --format json --min-free 100% -j 1", None),
        case("prune by mtime", aged_by_mtime, &by_mtime, None),
        case("prune on two threads", many_stale, &on_two, None),
        case("dry run", leftovers, &dry, None),
        case("list", leftovers, "list --format json", None),
        case("list -s", leftovers, "list -s --format json", None),
        case("validate", all_kinds, "validate #1 #99 malformed #5", None),
    ];
    if is_root() && has("setpriv") {
        cases.push(case("touch by a user", all_kinds, touch, None).by_ordinary_user());
        cases.push(case("prune by a user", leftovers, &by_age, None).by_ordinary_user());
    }
    cases
}

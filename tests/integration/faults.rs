//! Every system call that has to do with files fails once, with each error that it may give, and the run is killed at each:
//! whatever happens, the promises of the contract hold. strace lists the calls of a run, and makes them fail.
//!
//! What is asserted of each point is in `fault_checks`.

use crate::fault_checks::{self, Case, Forest, Kind, Point, Struck};
use crate::tools::{Mounted, set_aside, text, tree};
use crate::world::{Run, World, finish, has, is_root, numbered};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tempfile::TempDir;

const AT: &str = "2026-11-23T15:51:30Z";
const BY_AGE: [&str; 9] =
    ["prune", "-y", "--older-than", "30d", "--format", "json", "--exclude-from", "excluded", "-j"];
/// For the paths that are taken where openat2(2), or statx(2) too, is not to be had.
const NO_OPENAT2: &str = "inject=openat2:error=ENOSYS";
/// What a touch does itself must be enough, also where its sweep of leftovers sees nothing.
const NO_SWEEP: &str = "inject=getdents64:error=EIO";
const OLD_KERNEL: &str = "inject=openat2,statx:error=ENOSYS";
/// What is recorded: of these, those that [`errors`] knows are made to fail.
const TRACED: &str = "trace=%file,%desc,%process,socketpair";

/// The errors that a call may give, the most telling first. None for what has nothing to do with files.
fn errors(call: &str, line: &str) -> Vec<&'static str> {
    let list: &[&str] = match call {
        "openat" if line.contains("O_CREAT") => {
            &["ENOSPC", "EACCES", "EINTR", "EIO", "EDQUOT", "EROFS", "EPERM", "EMFILE", "ENFILE", "ENOMEM", "ESTALE"]
        }
        "openat" => &["EIO", "EMFILE", "EINTR", "EACCES", "EPERM", "ENFILE", "ENOMEM", "EAGAIN", "ESTALE", "ELOOP"],
        "openat2" => &[
            "EIO", "EMFILE", "EINTR", "EACCES", "ENOSYS", "EPERM", "ENFILE", "ENOMEM", "EAGAIN", "ESTALE", "ELOOP",
            "ETXTBSY",
        ],
        "newfstatat" => &["EIO", "EACCES", "EINTR", "ENOMEM", "ESTALE", "ELOOP"],
        "fstat" => &["EIO", "EINTR", "ENOMEM", "ESTALE"],
        "statx" => &["EIO", "EINTR", "EACCES", "ENOMEM", "ESTALE"],
        "read" => &["EIO", "EINTR", "EAGAIN", "ENOMEM", "ESTALE"],
        "write" => &["ENOSPC", "EIO", "EINTR", "EDQUOT", "EFBIG", "EPERM", "ENOMEM", "EAGAIN", "ESTALE"],
        "getdents64" => &["EIO", "EINTR", "ENOMEM", "EACCES", "ESTALE"],
        "lseek" => &["EIO", "ESTALE"],
        "unlinkat" => {
            &["EIO", "EACCES", "EINTR", "EROFS", "EPERM", "EBUSY", "ENOMEM", "ENOSPC", "EDQUOT", "ESTALE", "ETXTBSY"]
        }
        "renameat" => {
            &["EIO", "ENOSPC", "EINTR", "EACCES", "EROFS", "EPERM", "EBUSY", "ENOMEM", "EDQUOT", "ESTALE", "ETXTBSY"]
        }
        "renameat2" => &[
            "EIO", "ENOSPC", "EINTR", "ENOSYS", "EACCES", "EROFS", "EPERM", "EBUSY", "ENOMEM", "EDQUOT", "ESTALE",
            "ETXTBSY", "EINVAL",
        ],
        "fsync" => &["EIO", "ENOSPC", "EINTR", "EDQUOT", "EROFS", "ENOMEM"],
        "fchown" | "fchmod" | "fchmodat" | "chmod" => {
            &["EPERM", "EIO", "EINTR", "EROFS", "EACCES", "ENOSPC", "EDQUOT", "ENOMEM"]
        }
        "flock" => &["EAGAIN", "ENOLCK", "EINTR", "ENOSYS", "EIO"],
        "close" if line.contains(".metadata.json") => &["EIO", "EINTR", "ENOSPC", "EDQUOT"],
        "close" => &["EINTR"], // a directory has nothing to flush
        "poll" | "ppoll" => &["EINTR", "ENOMEM"],
        "readlink" => &["EIO", "EACCES", "ENOMEM"],
        "fstatfs" => &["EIO", "EINTR"],
        "fcntl" if line.contains("F_DUPFD") => &["EMFILE"],
        "socketpair" => &["EMFILE", "ENFILE", "ENOMEM"],
        "clone3" => &["EAGAIN", "ENOMEM"], // threads are many where the limits are few
        _ => &[],
    };
    list.to_vec()
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

/// Enough stale workspaces for two threads.
fn base_for_two_threads() -> World {
    let world = World::new();
    let stale = |number: u32| world.workspace().id(&numbered(number)).days_ago(31 + i64::from(number)).make();
    let ids: Vec<_> = (0..20).map(stale).collect();
    set_aside(&world, "doomed", &ids[0]);
    fs::write(world.path("excluded"), &ids[1]).expect("a file");
    world
}

fn cases() -> Vec<Case> {
    let id = |number| numbered(number);
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let touch = [words(&["touch", "--at", AT]), vec![id(1), id(4), id(5)]].concat();
    let by_age = |jobs| words(&[&BY_AGE[..], &[jobs]].concat());
    let by_id = [words(&["prune", "-y", "--format", "json", "-j", "1"]), vec![id(2), id(4), id(8)]].concat();
    let by_size = words(&["prune", "-y", "--format", "json", "--max-total-size", "1K", "-j", "1"]);
    let dry = words(&[&BY_AGE[..], &["1", "-n"]].concat());
    let validate = [words(&["validate"]), vec![id(1), id(99), "malformed".to_owned(), id(5)]].concat();
    let list = words(&["list", "--format", "json"]);
    let sizes = words(&["list", "-s", "--format", "json"]);
    let case = |name, world: World, args: &[String], kind| Case::new(name, world, args, kind);
    vec![
        case("touch", base_of_all_kinds(), &touch, Kind::Touch),
        case("touch without openat2", base_of_all_kinds(), &touch, Kind::Touch).always(NO_OPENAT2),
        case("touch without a sweep", base_of_all_kinds(), &touch, Kind::Touch).always(NO_SWEEP),
        case("prune by age", base_of_all_kinds(), &by_age("1"), Kind::Prune),
        case("prune with leftovers", base_with_leftovers(), &by_age("1"), Kind::Prune),
        case("prune without openat2", base_with_leftovers(), &by_age("1"), Kind::Prune).always(NO_OPENAT2),
        case("prune on an old kernel", base_with_leftovers(), &by_age("1"), Kind::Prune).always(OLD_KERNEL),
        case("prune by ID", base_with_leftovers(), &by_id, Kind::Prune),
        case("prune by size", base_of_all_kinds(), &by_size, Kind::Prune),
        case("prune on two threads", base_for_two_threads(), &by_age("2"), Kind::Prune).threads(),
        case("dry run", base_with_leftovers(), &dry, Kind::Read),
        case("list", base_with_leftovers(), &list, Kind::Read),
        case("list -s", base_with_leftovers(), &sizes, Kind::Read),
        case("validate", base_of_all_kinds(), &validate, Kind::Read),
    ]
}

/// A place for the copies of one worker, in memory.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        Self(tempfile::Builder::new().prefix("wsctl-fault.").tempdir_in(parent).expect("a directory"))
    }

    /// A fresh copy of the case's base, and what is beside it.
    fn lay(&self, case: &Case) {
        let place = self.0.path().join("world");
        if place.exists() {
            fs::remove_dir_all(&place).expect("removal");
        }
        let copied = Command::new("cp").arg("-a").arg(case.world.path("")).arg(&place).status();
        assert!(copied.expect("cp").success());
    }

    fn forest(&self) -> Forest {
        fault_checks::forest(&self.0.path().join("world/base"))
    }

    /// Runs the case's command here, under strace with these arguments if there are any.
    fn run(&self, case: &Case, strace: &[&str]) -> Struck {
        let log = self.0.path().join("log");
        let wrapper = ["strace", "-f", "-y", "-o", text(&log)];
        let args = case.args.iter().map(String::as_str);
        let run: Run<'_> = case.world.bare(args).env("WSCTL_BASE", self.0.path().join("world/base"));
        let run = if strace.is_empty() { run } else { run.through(wrapper.iter().chain(strace)) };
        let mut command = run.command();
        command.current_dir(self.0.path().join("world")).stdin(Stdio::null());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        let ran = finish(child, &command);
        let log = if strace.is_empty() { String::new() } else { fs::read_to_string(log).expect("a log") };
        Struck { ran, log, after: self.forest() }
    }

    /// The calls of a run that nothing fails in, from the first that has to do with the world.
    fn record(&self, case: &Case) -> Vec<(String, usize, String)> {
        self.lay(case);
        let strace: Vec<&str> =
            ["-e", TRACED].into_iter().chain(case.always.iter().flat_map(|it| ["-e", it])).collect();
        let log = self.run(case, &strace).log;
        let place = self.0.path().join("world");
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut start_up: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut begun, mut seen, mut calls) = (false, BTreeSet::new(), Vec::new());
        for line in log.lines() {
            let Some((pid, rest)) = line.split_once(' ') else { continue };
            let Some((call, _)) = rest.trim_start().split_once('(').filter(|(call, _)| !call.contains(['<', ' ']))
            else {
                continue;
            };
            let count = counts.entry((pid, call)).or_default();
            *count += 1;
            let count = *count;
            begun |=
                call != "execve" && (line.contains(&format!("{}/", text(&place))) || line.contains("\"excluded\""));
            if !begun {
                start_up.insert(call, count);
                continue;
            }
            // strace counts for each thread: a number that the loader reaches would strike there.
            let in_loader = start_up.get(call).is_some_and(|last| count <= *last);
            if !in_loader && !errors(call, line).is_empty() && seen.insert((call, count)) {
                calls.push((call.to_owned(), count, line.to_owned()));
            }
        }
        calls
    }
}

/// The points of a case: all of them, or the first, middle and last occurrence of each call with three errors each, and all
/// the kills where something is written.
fn points(case: &Case, calls: &[(String, usize, String)], all: bool) -> Vec<Point> {
    let sync = calls.iter().position(|(call, ..)| call == "fsync").unwrap_or(0);
    assert!(sync > 0 || case.kind == Kind::Read, "{} never syncs", case.name);
    let mut points = Vec::new();
    for (index, (call, occurrence, line)) in calls.iter().enumerate() {
        if case.always.is_some_and(|always| always.split(['=', ':', ',']).any(|word| word == call)) {
            continue;
        }
        let same: Vec<usize> = calls.iter().filter(|(other, ..)| other == call).map(|(_, at, _)| *at).collect();
        let chosen = [same[0], same[same.len() / 2], same[same.len() - 1]].contains(occurrence);
        let writes = ["openat", "write", "unlinkat", "renameat", "renameat2", "fsync", "close"].contains(&&**call);
        let killed = all || case.is_killed_everywhere() || (case.kind != Kind::Read && writes);
        let number = if all { usize::MAX } else { 3 * usize::from(chosen) };
        let errors = errors(call, line).into_iter().take(number).map(Some);
        points.extend(errors.chain(killed.then_some(None)).map(|error| Point {
            call: call.clone(),
            occurrence: *occurrence,
            error,
            line: line.clone(),
            before_sync: !case.threads
                && index <= sync
                && (error.is_none() || (call == "fsync" && error != Some("EINTR"))),
        }));
    }
    points
}

/// Strikes at one point of a fresh copy, checks what came of it, and lets the next run clean up.
fn strike(bench: &Bench, case: &Case, reference: &Struck, before: &Forest, point: &Point) -> Result<(), String> {
    bench.lay(case);
    let (call, occurrence) = (&point.call, point.occurrence);
    let inject = match point.error {
        Some(error) => format!("inject={call}:error={error}:when={occurrence}"),
        None => format!("inject={call}:signal=SIGKILL:when={occurrence}"),
    };
    let trace = format!("trace=openat2,statx,getdents64,{call}"); // what always fails must be traced, too
    let always = case.always.iter().flat_map(|it| ["-e", it]);
    let strace: Vec<&str> = ["-e", &trace, "-e", &inject].into_iter().chain(always).collect();
    let struck = bench.run(case, &strace);
    let context = |what: String| format!("{}: {inject}: {what}\n  {}\n  {:?}", case.name, point.line, struck.ran);
    let hit = match point.error {
        Some(error) => struck
            .log
            .lines()
            .any(|line| line.contains(&format!("{call}(")) && line.contains(error) && line.contains("(INJECTED)")),
        None => struck.ran.status == 137,
    };
    if !hit {
        // Which thread takes which batch is not for us to say.
        return if case.threads { Ok(()) } else { Err(context("it was never struck".to_owned())) };
    }
    fault_checks::check(case, point, before, reference, &struck).map_err(context)?;
    let next = bench.run(case, &[]);
    fault_checks::check_next(case, &struck, reference, &next)
        .map_err(|what| context(format!("then {what}: {:?}", next.ran)))
}

/// Works through all the cases on two threads; fails with all that went wrong.
fn inject(all: bool) {
    if !has("strace") {
        return;
    }
    let (begun, mut total, mut wrong) = (Instant::now(), 0, Vec::new());
    for case in cases() {
        let bench = Bench::new();
        bench.lay(&case);
        let before = bench.forest();
        let always: Vec<&str> =
            case.always.iter().flat_map(|it| ["-e", "trace=openat2,statx,getdents64", "-e", it]).collect();
        let reference = bench.run(&case, &always);
        assert!(reference.ran.status <= 1, "{}: {:?}", case.name, reference.ran);
        let points = points(&case, &bench.record(&case), all);
        let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            let bench = Bench::new();
            while let Some((at, point)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, points.get(at)?)))
            {
                if let Err(what) = strike(&bench, &case, &reference, &before, point) {
                    found.lock().expect("the list").push((at, what));
                }
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
        let mut found = found.into_inner().expect("the list");
        found.sort();
        eprintln!("{}: {} points, {} wrong, {:.1?} in all", case.name, points.len(), found.len(), begun.elapsed());
        total += points.len();
        wrong.extend(found.into_iter().map(|(_, what)| what));
    }
    println!("{total} points in {:.1?}", begun.elapsed());
    let shown = wrong.iter().take(500).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(wrong.is_empty(), "{} of {total} points:\n\n{shown}", wrong.len());
}

#[test]
fn whatever_call_fails_and_wherever_it_is_killed_the_promises_hold() {
    inject(false);
}

/// The long form, some minutes:
/// `cargo test --test integration every_call_fails -- --ignored --nocapture`
#[test]
#[ignore = "all the points take minutes"]
fn every_call_fails_with_every_error_and_is_killed_at_each() {
    inject(true);
}

/// Whether something is mounted inside cannot be told: then nothing is removed, for a tree that is begun is torn already.
#[test]
fn a_mount_is_not_overlooked_where_the_mount_table_cannot_be_read() {
    if !(is_root() && has("strace") && has("mount")) {
        return;
    }
    for injection in ["openat:error=EMFILE", "read:error=EIO", "openat:error=EMFILE:when=1", "read:error=ENOMEM:when=1"]
    {
        let world = World::new();
        let id = world.workspace().days_ago(40).file("data/x", b"x").file("other/y", b"y").make();
        let outside = world.path("outside");
        fs::create_dir(&outside).expect("a directory");
        let mounted = Mounted::bind(&world, &outside, &world.dir_of(&id).join("data"));
        let before = tree(&world.dir_of(&id));
        let inject = format!("inject={injection}");
        let strace = ["strace", "-f", "-o", "/dev/null", "-P", "/proc/self/mountinfo", "-e", &inject];
        let ran = world.wsctl(["prune", "-y", "--older-than", "30d", "-j", "1"]).through(strace).run();
        assert!([70, 74, 75].contains(&ran.status), "{injection}: {ran:?}");
        assert_eq!((world.names(), tree(&world.dir_of(&id))), (vec![id.clone()], before), "{injection}: {ran:?}");
        drop(mounted);
        world.wsctl(["prune", "-y", "--older-than", "30d"]).run().exits(0).quietly();
        assert_eq!(world.names(), [""; 0]);
    }
}

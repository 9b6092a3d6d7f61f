//! Every system call that has to do with files fails once, with each error that it may give, and the run is killed at each:
//! whatever happens, the promises of the contract hold. strace lists the calls of a run, and makes them fail.
//!
//! The commands are in `fault_cases`, the points in `fault_points`, and what is asserted of each in `fault_checks`.

use crate::mounted::Mounted;
use crate::quiet;
use crate::slow::fault_cases::{Case, cases};
use crate::slow::fault_checks::{self, Forest, Struck};
use crate::slow::fault_points::{Point, errors, points};
use crate::tools::{text, tree};
use crate::world::{Run, World, chmod, finish};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tempfile::TempDir;

/// What is recorded: of these, those that [`errors`] knows are made to fail.
const TRACED: &str = "trace=%file,%desc,%process,getrandom,socketpair";

/// A place for the copies of one worker, in memory.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let dir = tempfile::Builder::new().prefix("wsctl-fault.").tempdir_in(parent).expect("a directory");
        chmod(dir.path(), 0o755); // for the ordinary user
        Self(dir)
    }

    /// A fresh copy of the case's base, and what is beside it.
    fn lay(&self, case: &Case) {
        let place = self.0.path().join("world");
        if place.exists() {
            fs::remove_dir_all(&place).expect("removal");
        }
        let copied = Command::new("cp").arg("-a").arg(case.world.path("")).arg(&place).status();
        assert!(copied.expect("cp").success());
        // What was changed just now is read twice: then the calls would not be the same each time.
        std::thread::sleep(std::time::Duration::from_millis(25));
    }

    fn forest(&self) -> Forest {
        fault_checks::forest(&self.0.path().join("world/base"))
    }

    /// Runs the case's command here, under strace with these arguments if there are any; then its calls are counted, and what
    /// others mount meanwhile must not add to them.
    fn run(&self, case: &Case, strace: &[&str]) -> Struck {
        let (log, place) = (self.0.path().join("log"), self.0.path().join("world"));
        let wrapper = [quiet::wrapper(&place), ["strace", "-f", "-y", "-o", text(&log)].map(str::to_owned).to_vec()];
        let args = case.args.iter().map(String::as_str);
        let run: Run<'_> = case.world.bare(args).env("WSCTL_BASE", place.join("base"));
        let user: &[&str] = match (&case.everybodys, strace.is_empty()) {
            (None, _) => &[],
            (Some(_), true) => &["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"],
            (Some(_), false) => &["-u", "nobody"],
        };
        let wrapper = wrapper.iter().flatten().map(String::as_str).filter(|_| !strace.is_empty());
        let run = run.through(wrapper.chain(strace.iter().copied()).chain(user.iter().copied()));
        let mut command = run.command();
        command.current_dir(place).stdin(Stdio::null());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        let ran = finish(child, &command);
        let log = if strace.is_empty() { String::new() } else { fs::read_to_string(log).expect("a log") };
        Struck { ran, log, after: self.forest() }
    }

    /// The calls of a run that nothing fails in, from the first that has to do with the world.
    fn record(&self, case: &Case) -> Vec<(String, usize, String)> {
        self.lay(case);
        let strace: Vec<&str> = ["-e", TRACED].into_iter().chain(always(case)).collect();
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
                let last = start_up.entry(call).or_default();
                *last = count.max(*last);
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

/// What may always fail.
const ALWAYS: &str = "openat2,statx,getdents64,clone3";

/// What always fails in a case. Where it is not about threads there is only one: strace counts calls for each.
fn always(case: &Case) -> impl Iterator<Item = &str> {
    let one_thread = (!case.threads).then_some("inject=clone3:error=EAGAIN");
    case.always.iter().copied().chain(one_thread).flat_map(|it| ["-e", it])
}

/// Strikes at one point of a fresh copy, checks what came of it, and lets the next run clean up.
fn strike(bench: &Bench, case: &Case, reference: &Struck, before: &Forest, point: &Point) -> Result<(), String> {
    bench.lay(case);
    let (call, occurrence) = (&point.call, point.occurrence);
    let inject = match point.error {
        Some(error) => format!("inject={call}:error={error}:when={occurrence}"),
        None => format!("inject={call}:signal=SIGKILL:when={occurrence}"),
    };
    let trace = format!("trace={ALWAYS},{call}"); // what always fails must be traced, too
    let strace: Vec<&str> = ["-e", &trace].into_iter().chain(always(case)).chain(["-e", &inject]).collect();
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
    needs!("strace", "unshare", "nsenter");
    let (begun, mut total, mut wrong) = (Instant::now(), 0, Vec::new());
    for case in cases() {
        let bench = Bench::new();
        bench.lay(&case);
        let before = bench.forest();
        let trace = format!("trace={ALWAYS}");
        let reference = bench.run(&case, &["-e", &trace].into_iter().chain(always(&case)).collect::<Vec<_>>());
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

/// Where the mount table cannot be read nothing is removed, since a tree that is begun is torn already.
#[test]
fn a_mount_is_not_overlooked_where_the_mount_table_cannot_be_read() {
    needs!("root", "strace", "mount");
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

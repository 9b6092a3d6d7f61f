//! Every system call that has to do with files fails once, with each error that it may give, and the run is killed at each:
//! whatever happens, the promises of the contract hold. The commands are in `fault_cases`, the points in `fault_points`, and what is
//! asserted of each in `fault_checks`.

use crate::mounted::Mounted;
use crate::paused::{Call, calls};
use crate::slow::fault_cases::{Case, cases};
use crate::slow::fault_checks::{Forest, Struck, check_left, check_next, check_told, ensure, forest};
use crate::slow::fault_points::{Point, errors, points};
use crate::tools::{first_failure, text, tree};
use crate::world::World;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

fn copy(case: &Case) -> World {
    let mut copy = World::in_memory();
    copy.binary.clone_from(&case.world.binary);
    case.fill(&copy);
    copy
}

/// Runs the case's command, under strace with these expressions if there are any. What others mount meanwhile would make it read the
/// table of mounts again, and its calls are counted: it has a namespace of its own.
fn run(case: &Case, world: &World, strace: &[&str]) -> Struck {
    let (log, mut wrapper) = (world.path("log"), Vec::new());
    if let [first, rest @ ..] = strace {
        if rustix::process::geteuid().is_root() {
            wrapper.extend(["unshare", "--mount"]);
        }
        wrapper.extend(["strace", "-f", "-y", "-o", text(&log)]);
        let expressions = [first].into_iter().chain(&case.always).chain(rest);
        wrapper.extend(expressions.flat_map(|it| ["-e", it]));
    }
    let ran = world.wsctl(&case.args).through(wrapper.iter().chain(case.user)).run();
    Struck { ran, log: fs::read_to_string(log).unwrap_or_default(), after: forest(&world.base()) }
}

/// The calls of a run that may fail, from the first that has to do with its world.
fn failing_calls(world: &World, log: &str) -> Vec<Call> {
    let place = format!("{}/", text(&world.path("")).trim_end_matches('/'));
    let is_of_the_world =
        |call: &Call| call.name != "execve" && (call.line.contains(&place) || call.line.contains("\"excluded\""));
    let mut calls = calls(log);
    let work = calls.split_off(calls.iter().position(is_of_the_world).expect("a call that has to do with the world"));
    // strace counts for each thread: a number that the loader reaches would strike there.
    let in_loader = |call: &Call| calls.iter().any(|early| early.name == call.name && early.nth >= call.nth);
    let mut seen = BTreeSet::new();
    let may_fail = |call: &Call| errors(call).next().is_some() && !in_loader(call);
    work.into_iter().filter(|call| may_fail(call) && seen.insert((call.name.clone(), call.nth))).collect()
}

/// Strikes at one point of a fresh copy, checks what came of it, and lets the next run clean up.
fn strike(case: &Case, reference: &Struck, before: &Forest, point: &Point) -> Result<(), String> {
    let (world, Call { name, nth, line }) = (copy(case), &point.call);
    let what = point.error.map_or("signal=SIGKILL".to_owned(), |error| format!("error={error}"));
    let inject = format!("inject={name}:{what}:when={nth}");
    // What may always fail must always be traced.
    let struck = run(case, &world, &[&format!("trace=openat2,statx,clone3,{name}"), &inject]);
    let context = |what: String| format!("{}: {inject}: {what}\n  {line}\n  {:?}", case.name, struck.ran);
    let check = || {
        let is_hit = |line: &str, error| [&*format!("{name}("), error, "(INJECTED)"].iter().all(|it| line.contains(it));
        let hit = match point.error {
            Some(error) => struck.log.lines().any(|line| is_hit(line, error)),
            None => struck.ran.status == 128 + 9,
        };
        ensure(hit, "it was never struck")?;
        check_left(case, before, &reference.after, &struck.after)?;
        if point.error.is_some() {
            check_told(case, point, before, (reference, &struck))?;
        }
        check_next(case, &struck.after, reference, &run(case, &world, &[]))
    };
    check().map_err(context)
}

fn inject(all: bool) {
    needs!("strace", "unshare");
    let (begun, mut total) = (Instant::now(), 0);
    for case in cases() {
        let (before, world) = (forest(&case.world.base()), copy(&case));
        let reference = run(&case, &world, &["trace=%file,%desc,%process"]); // of which those fail that `errors` knows
        assert!(reference.ran.status <= 1, "{}: {:?}", case.name, reference.ran);
        let points = points(&case, &failing_calls(&world, &reference.log), all);
        let failure = first_failure(2, &points, |point| strike(&case, &reference, &before, point));
        assert!(failure.is_none(), "{}", failure.unwrap_or_default());
        eprintln!("{}: {} points, {:.1?} in all", case.name, points.len(), begun.elapsed());
        total += points.len();
    }
    println!("{total} points in {:.1?}", begun.elapsed());
}

#[test]
fn whatever_call_fails_and_wherever_it_is_killed_the_promises_hold() {
    inject(false);
}

#[test]
#[ignore = "the long form: all the points take minutes"]
fn every_call_fails_with_every_error_and_is_killed_at_each() {
    inject(true);
}

/// Where the mount table cannot be read nothing is removed, since a tree that is begun is torn already.
#[test]
fn a_mount_is_not_overlooked_where_the_mount_table_cannot_be_read() {
    needs!("root", "strace", "mount");
    for fault in ["openat:error=EMFILE", "read:error=EIO", "openat:error=EMFILE:when=1", "read:error=ENOMEM:when=1"] {
        let (world, id) = World::with(|it| it.days_ago(40).file("data/x", b"x").file("other/y", b"y"));
        fs::create_dir(world.path("outside")).expect("a directory");
        let mounted = Mounted::bind(&world, &world.path("outside"), &world.dir_of(&id).join("data"));
        let before = tree(&world.dir_of(&id));
        let ran = world.prune(&[]).injecting_at(Path::new("/proc/self/mountinfo"), fault).run();
        assert!([70, 74, 75].contains(&ran.status), "{fault}: {ran:?}");
        assert_eq!((world.names(), tree(&world.dir_of(&id))), (vec![id.clone()], before), "{fault}: {ran:?}");
        drop(mounted);
        world.prune(&[]).run().pruned([id]);
    }
}

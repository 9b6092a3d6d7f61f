//! `wsctl prune`: what it says, and that a dry run says the same.

use crate::mounted::Immutable;
use crate::run::finish;
use crate::tools::{du, set_aside, text};
use crate::world::{Ran, World, ids_in, sorted};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// A base with workspaces that differ in what `du` counts: two that are stale, one fresh, one of unknown age.
struct Mixed {
    world: World,
    stale: [String; 2],
    fresh: String,
    missing: String,
}

impl Mixed {
    fn new() -> Self {
        let world = World::new();
        let older = world.workspace().days_ago(50).accessed("2020-05-23T14:30:00.5+02:00Z").file("a/b/c/d", &[1; 9000]);
        let old = world.workspace().accessed("2020-06-01T08:00:00.123456+00:00Z").file("data/sparse", b"");
        let stale = [older.make(), old.make()];
        let inside = |path: &str| world.dir_of(&stale[1]).join(path);
        fs::File::create(inside("data/sparse")).and_then(|file| file.set_len(1 << 20)).expect("a sparse file");
        fs::write(inside("one"), vec![1; 50_000]).expect("a file");
        fs::write(inside(".metadata.tmp.abc.json"), [1; 5000]).expect("a temporary file");
        for number in 0..200 {
            fs::write(inside(&format!("data/{number:0200}")), "x").expect("a file"); // so that directories are large, too
        }
        let (fresh, missing) = (world.aged(1), world.workspace().make_without_metadata());
        Self { world, stale, fresh, missing }
    }

    fn prune(&self, args: &[&str]) -> Ran {
        self.world.wsctl(["prune", "--older-than", "30d"].iter().chain(args)).run()
    }
}

#[test]
fn the_text_is_a_summary_and_with_v_a_line_for_each_before_it() {
    let mixed = Mixed::new();
    let ran = mixed.prune(&["-n"]).exits(0);
    assert_eq!(ran.lines().len(), 1, "{ran:?}");
    assert!(ran.stdout.starts_with("would prune 2 workspaces, would free "), "{ran:?}");
    assert!(ran.stdout.ends_with("; kept 1, skipped 1\n"), "{ran:?}");
    let ran = mixed.prune(&["-y", "-v"]).exits(0);
    let mut lines = ran.lines();
    let summary = lines.pop().unwrap_or_default();
    assert!(summary.starts_with("pruned 2 workspaces, freed ") && summary.ends_with("; kept 1, skipped 1"), "{ran:?}");
    lines.sort_unstable();
    let mut starts: Vec<_> = mixed.stale.iter().map(|id| format!("pruned {id} (older-than): last accessed ")).collect();
    starts.sort_unstable();
    starts.push(format!("skipped {} (missing)", mixed.missing));
    assert_eq!(lines.len(), starts.len(), "{ran:?}");
    assert!(lines.iter().zip(&starts).all(|(line, start)| line.starts_with(start)), "{ran:?}");
    assert_eq!(mixed.world.names(), sorted([&mixed.fresh, &mixed.missing]));
}

#[test]
fn with_v_a_killed_prune_has_printed_a_line_for_each_workspace_that_went() {
    let world = World::new();
    let stale: Vec<_> = (0..1000).map(|number| world.aged(31 + number % 50)).collect();
    let mut run = world.wsctl(["prune", "-v", "-y", "--older-than", "30d"]).command();
    let mut child = run.stdout(Stdio::piped()).spawn().expect("the program");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
    let mut told = String::new();
    for _ in 0..100 {
        assert!(stdout.read_line(&mut told).expect("a line") > 0, "{told}");
    }
    child.kill().expect("a kill");
    stdout.read_to_string(&mut told).expect("the rest");
    let _ = child.wait();
    let names = world.names();
    let gone = stale.iter().filter(|id| !names.iter().any(|name| name.contains(id.as_str()))).count();
    let lines = told.lines().filter(|line| line.starts_with("pruned ")).count();
    assert!(gone < stale.len(), "it was killed too late");
    assert!((gone.saturating_sub(4)..=gone).contains(&lines), "each of four threads may owe a line: {gone} {lines}");
    assert!(told.ends_with('\n'), "{told}");
}

#[test]
fn a_failure_is_reported_while_the_run_goes_on() {
    needs!("root", "chattr");
    let world = World::new();
    let stuck = world.aged(99);
    let Some(_immutable) = Immutable::new(&world, &world.metadata_of(&stuck)) else { return };
    for _ in 0..200 {
        world.aged(40);
    }
    let ran = world.wsctl(["prune", "-v", "-y", "-j", "1", "--older-than", "30d"]).run().exits(77);
    let ran = ran.complains(&format!("error[permission-denied]: workspace {stuck}: "));
    let place = ran.lines().iter().position(|line| *line == format!("failed {stuck} (permission-denied)"));
    assert!(place.is_some_and(|place| place < 200), "{place:?}");
}

#[test]
fn a_line_that_cannot_be_written_is_an_error_at_the_end_and_stops_nothing() {
    let world = World::new();
    for _ in 0..3 {
        world.aged(40);
    }
    let full = fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let mut run = world.wsctl(["prune", "-v", "-y", "--older-than", "30d"]).command();
    let child = run.stdout(full).stderr(Stdio::piped()).spawn().expect("the program");
    let ran = finish(child, &run).exits(74);
    assert_eq!(ran.stderr, "error[io]: cannot write to stdout: No space left on device\n");
    assert!(world.names().is_empty());
}

/// Whether the first places of these keys in a text are in this order.
fn keys_in_order(text: &str, keys: &[&str]) -> bool {
    let places: Vec<_> = keys.iter().map(|key| text.find(&format!("\"{key}\":"))).collect();
    places.iter().all(Option::is_some) && places.is_sorted()
}

#[test]
fn the_json_document_has_just_this_shape_and_order() {
    let mixed = Mixed::new();
    let sizes = mixed.stale.each_ref().map(|id| du(&mixed.world.dir_of(id)));
    let absent = "00000000-0000-4000-8000-000000000000";
    let [a, b] = &mixed.stale;
    let ran = mixed.prune(&["-y", "--format", "json", a, b, &mixed.fresh, &mixed.missing, absent]).exits(66);
    let report = ran.json();
    let message = report["failed"][0]["message"].as_str().expect("a message");
    assert!(message.contains("does not exist"), "{message}");
    let expected = json!({
        "schema_version": 1,
        "dry_run": false,
        "base": text(&mixed.world.base()),
        "cutoff": report["cutoff"],
        "pruned": [
            {"id": a, "last_accessed": "2020-05-23T12:30:00.500Z", "size_bytes": sizes[0], "rule": "older-than"},
            {"id": b, "last_accessed": "2020-06-01T08:00:00.123456Z", "size_bytes": sizes[1], "rule": "older-than"},
        ],
        "kept": 1,
        "skipped": [{"id": mixed.missing, "reason": "missing"}],
        "failed": [{"id": absent, "category": "not-found", "message": message}],
        "freed_bytes": sizes[0] + sizes[1],
    });
    assert_eq!(report, expected);
    assert!(ran.stdout.ends_with("}\n") && ran.stdout.matches("\"schema_version\"").count() == 1, "{ran:?}");
    let keys = ["schema_version", "dry_run", "base", "cutoff", "pruned", "kept", "skipped", "failed", "freed_bytes"];
    assert!(keys_in_order(&ran.stdout, &keys), "{ran:?}");
    let part = |key: &str| ran.stdout.split(&format!("\"{key}\":")).nth(1).expect("a part");
    assert!(keys_in_order(part("pruned"), &["id", "last_accessed", "size_bytes", "rule"]), "{ran:?}");
    assert!(keys_in_order(part("skipped"), &["id", "reason"]), "{ran:?}");
    assert!(keys_in_order(part("failed"), &["id", "category", "message"]), "{ran:?}");
}

#[test]
fn the_cutoff_is_now_less_the_duration_and_null_without_older_than() {
    let mixed = Mixed::new();
    let before = chrono::Utc::now();
    let report = mixed.prune(&["-n", "--format", "json"]).exits(0).json();
    let cutoff = report["cutoff"].as_str().expect("a time");
    assert!(cutoff.ends_with('Z'), "{cutoff}");
    let cutoff = chrono::DateTime::parse_from_rfc3339(cutoff).expect("RFC 3339") + chrono::TimeDelta::days(30);
    assert!((before..=chrono::Utc::now()).contains(&cutoff.to_utc()), "{cutoff}");
    for rule in [["--max-total-size", "0B"], ["--min-free", "0B"], ["--", &mixed.fresh]] {
        let args = ["prune", "-n", "--format", "json"].iter().chain(&rule);
        assert_eq!(mixed.world.wsctl(args).run().exits(0).json()["cutoff"], Value::Null, "{rule:?}");
    }
}

#[test]
fn an_unknown_last_access_is_null_in_the_report() {
    let world = World::new();
    let id = world.workspace().make_without_metadata();
    let report = world.wsctl(["prune", "-y", "--format", "json", &id]).run().exits(0).json();
    let size = &report["freed_bytes"];
    assert_eq!(report["pruned"], json!([{"id": id, "last_accessed": null, "size_bytes": size, "rule": "id"}]));
}

#[test]
fn the_bytes_freed_are_those_that_du_counted_before() {
    let mixed = Mixed::new();
    let leftover = mixed.world.workspace().days_ago(40).file("data/x", &vec![1; 70_000]).make();
    let names = [mixed.stale[0].clone(), mixed.stale[1].clone(), set_aside(&mixed.world, "doomed", &leftover)];
    let mut expected = names.each_ref().map(|name| du(&mixed.world.base().join(name)));
    expected.sort_unstable();
    for how in ["-n", "-y"] {
        let report = mixed.prune(&[how, "--format", "json"]).exits(0).json();
        let pruned = report["pruned"].as_array().expect("an array").iter();
        let mut sizes: Vec<_> = pruned.map(|item| item["size_bytes"].as_u64().expect("a size")).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, expected, "{how}");
        assert_eq!(report["freed_bytes"].as_u64(), Some(expected.iter().sum()), "{how}");
    }
}

#[test]
fn prune_counts_an_inode_of_several_names_once() {
    let world = World::new();
    let id = world.workspace().days_ago(40).file("one", &vec![1; 70_000]).file("data/x", b"x").make();
    for name in ["two", "data/three"] {
        fs::hard_link(world.dir_of(&id).join("one"), world.dir_of(&id).join(name)).expect("a hard link");
    }
    let size = du(&world.dir_of(&id));
    for how in ["-n", "-y"] {
        let report = world.wsctl(["prune", how, "--format", "json", &id]).run().exits(0).json();
        assert_eq!((&report["pruned"][0]["size_bytes"], &report["freed_bytes"]), (&json!(size), &json!(size)), "{how}");
    }
}

#[test]
fn a_dry_run_reports_what_the_real_run_does_and_changes_nothing() {
    let mixed = Mixed::new();
    let world = &mixed.world;
    let _ = set_aside(world, "doomed", &world.aged(60));
    let _ = set_aside(world, "claimed", &world.aged(61));
    let _ = set_aside(world, "claimed", &world.aged(2));
    let _ = world.workspace().days_ago(-3).make();
    let _ = world.workspace().metadata("{").make();
    let before = world.snapshot();
    let args = ["--format", "json", "--keep-last", "2", "--max-total-size", "10K"];
    let dry = mixed.prune(&[&["-n"][..], &args].concat());
    assert_eq!(world.snapshot(), before);
    let dry_and_yes = mixed.prune(&[&["-n", "-y"][..], &args].concat());
    assert_eq!(world.snapshot(), before, "-y does not make it a real one");
    let real = mixed.prune(&[&["-y"][..], &args].concat());
    let [mut expected, mut both, got] = [dry.json(), dry_and_yes.json(), real.json()];
    assert_eq!((&expected["dry_run"], &both["dry_run"]), (&json!(true), &json!(true)));
    for report in [&mut expected, &mut both] {
        report["dry_run"] = json!(false);
        report["cutoff"] = got["cutoff"].clone(); // the clock goes on
    }
    assert_eq!((&got, &got), (&expected, &both));
    assert_eq!((real.status, &real.stderr), (dry.status, &dry.stderr));
    assert_eq!(got["pruned"].as_array().map(Vec::len), Some(4), "{got}");
    assert_ne!(world.snapshot(), before);
}

#[test]
fn without_yes_and_without_a_terminal_nothing_goes() {
    let mixed = Mixed::new();
    let before = mixed.world.snapshot();
    mixed.prune(&[]).exits(2).prints("").complains("error[usage]: ").mentions("--yes");
    mixed.world.wsctl(["prune", &mixed.fresh]).stdin("y\n").run().exits(2).prints("").mentions("--yes");
    assert_eq!(mixed.world.snapshot(), before);
}

#[test]
fn any_number_of_jobs_prunes_the_same_workspaces() {
    for jobs in ["1", "4", "256"] {
        let world = World::in_memory();
        let stale: Vec<_> = (0..70).map(|number| world.aged(31 + number)).collect();
        let fresh = world.aged(1);
        let sizes: u64 = stale.iter().map(|id| du(&world.dir_of(id))).sum();
        let args = ["prune", "-y", "--older-than", "30d", "--format", "json", "-j", jobs];
        let report = world.wsctl(args).run().exits(0).quietly().json();
        assert_eq!((ids_in(&report["pruned"]), report["freed_bytes"].as_u64()), (sorted(&stale), Some(sizes)));
        assert_eq!(world.names(), [fresh]);
    }
    let world = World::new();
    for jobs in ["0", "-1", "257", "many"] {
        world.wsctl(["prune", "-y", "--older-than", "30d", "-j", jobs]).run().exits(2).complains("error[usage]: ");
    }
}

#[test]
fn a_prune_with_nothing_to_do_succeeds() {
    let world = World::new();
    let said = "pruned 0 workspaces, freed 0 B; kept 0\n";
    world.wsctl(["prune", "-y", "--older-than", "30d"]).run().exits(0).prints(said).quietly();
    let _ = world.aged(1);
    let before = world.snapshot();
    let report = world.prune(&[]).run().exits(0).quietly().json();
    assert_eq!((&report["pruned"], &report["kept"], &report["freed_bytes"]), (&json!([]), &json!(1), &json!(0)));
    assert_eq!(world.snapshot(), before);
}

//! `wsctl prune`: what it says, and that a dry run says the same.

use crate::mounted::Immutable;
use crate::tools::{du, set_aside, text};
use crate::world::{Ran, World, sorted};
use serde_json::{Value, json};
use std::fs;

/// A base with workspaces that differ in what `du` counts: two that are stale, one fresh, one of unknown age.
fn mixed() -> (World, [String; 2], String, String) {
    let world = World::new();
    let older = world.workspace().accessed("2020-05-23T14:30:00.5+02:00Z").file("a/b/c/d", &[1; 9000]);
    let old = world.workspace().accessed("2020-06-01T08:00:00.123456+00:00Z").file("data/sparse", b"");
    let old = old.file("one", &vec![1; 50_000]).file(".metadata.tmp.abc.json", &[1; 5000]);
    // So many that directories are large, too.
    let old = (0..200).fold(old, |old, number| old.file(&format!("data/{number:0200}"), b"x"));
    let stale = [older.make(), old.make()];
    let inside = |path: &str| world.dir_of(&stale[1]).join(path);
    fs::File::create(inside("data/sparse")).and_then(|file| file.set_len(1 << 20)).expect("a sparse file");
    let swept = ".metadata.tmp.abc.json"; // before the removal
    for (file, name) in [("one", "two"), ("one", "data/three"), (swept, ".metadata.tmp.def.json"), (swept, "four")] {
        fs::hard_link(inside(file), inside(name)).expect("a hard link");
    }
    let (fresh, missing) = (world.aged(1), world.workspace().make_without_metadata());
    (world, stale, fresh, missing)
}

fn prune(world: &World, args: &[&str]) -> Ran {
    world.wsctl(["prune", "--older-than", "30d"].iter().chain(args)).run()
}

#[test]
fn the_text_is_a_summary_and_with_v_a_line_for_each_before_it() {
    let (world, stale, fresh, missing) = mixed();
    let gone = stale.each_ref().map(|id| format!("pruned {id} (older-than): last accessed "));
    let skipped = format!("skipped {missing} (missing)");
    for (options, summary, lines) in [
        (["-n", "-y"], "would prune 2 workspaces, would free ", vec![]),
        (["-v", "-y"], "pruned 2 workspaces, freed ", sorted(gone.iter().chain([&skipped]))),
    ] {
        let ran = prune(&world, &options).exits(0);
        let [told @ .., last] = &ran.lines()[..] else { panic!("{ran:?}") };
        assert!(last.starts_with(summary) && last.ends_with("; kept 1, skipped 1"), "{ran:?}");
        assert_eq!(told.len(), lines.len(), "{ran:?}");
        assert!(sorted(told).iter().zip(&lines).all(|(line, start)| line.starts_with(start)), "{ran:?}");
    }
    assert_eq!(world.names(), sorted([&fresh, &missing]));
}

#[test]
fn a_failure_is_reported_while_the_run_goes_on() {
    needs!("root", "chattr");
    let (world, stuck) = World::with_aged(99);
    let Some(_immutable) = Immutable::set(&world, "+i", &world.metadata_of(&stuck)) else { return };
    (0..200).for_each(|_| drop(world.aged(40)));
    let ran = world.wsctl(["prune", "-v", "-y", "-j", "1", "--older-than", "30d"]).run().exits(77);
    let ran = ran.complains(&format!("error[permission-denied]: workspace {stuck}: "));
    let place = ran.lines().iter().position(|line| *line == format!("failed {stuck} (permission-denied)"));
    assert!(place.is_some_and(|place| place < 200), "{place:?}");
}

#[test]
fn the_json_document_has_just_this_shape_and_the_bytes_freed_are_those_that_du_counted_before() {
    let (world, [a, b], fresh, missing) = mixed();
    let leftover = world.workspace().accessed("2026-05-23T14:30:00Z").file("data/x", &vec![1; 70_000]).make();
    let names = [a.clone(), b.clone(), set_aside(&world, "doomed", &leftover)];
    let sizes = names.map(|name| du(&world.dir_of(&name)));
    let absent = "00000000-0000-4000-8000-000000000000";
    for how in ["-n", "-y"] {
        let ran = prune(&world, &[how, "--format", "json", &a, &b, &fresh, &missing, absent]).exits(66);
        let report = ran.json();
        let message = report["failed"][0]["message"].as_str().expect("a message");
        assert!(message.contains("does not exist"), "{message}");
        let expected = json!({
            "schema_version": 1,
            "dry_run": how == "-n",
            "base": text(&world.base()),
            "cutoff": report["cutoff"],
            "pruned": [
                {"id": a, "last_accessed": "2020-05-23T12:30:00.500Z", "size_bytes": sizes[0], "rule": "older-than"},
                {"id": b, "last_accessed": "2020-06-01T08:00:00.123456Z", "size_bytes": sizes[1], "rule": "older-than"},
                {"id": leftover, "last_accessed": "2026-05-23T14:30:00Z", "size_bytes": sizes[2], "rule": "leftover"},
            ],
            "kept": 1,
            "skipped": [{"id": missing, "reason": "missing"}],
            "failed": [{"id": absent, "category": "not-found", "message": message}],
            "freed_bytes": sizes.iter().sum::<u64>(),
        });
        assert_eq!(report, expected);
        assert!(ran.stdout.ends_with("}\n"), "{ran:?}");
    }
}

#[test]
fn the_cutoff_is_now_less_the_duration_and_null_without_older_than() {
    let (world, _, fresh, _) = mixed();
    let before = chrono::Utc::now();
    let report = prune(&world, &["-n", "--format", "json"]).exits(0).json();
    let cutoff = report["cutoff"].as_str().expect("a time");
    let cutoff = chrono::DateTime::parse_from_rfc3339(cutoff).expect("RFC 3339") + chrono::TimeDelta::days(30);
    assert!((before..=chrono::Utc::now()).contains(&cutoff.to_utc()), "{cutoff}");
    for rule in [["--max-total-size", "0B"], ["--min-free", "0B"], ["--", &fresh]] {
        let args = ["prune", "-n", "--format", "json"].iter().chain(&rule);
        assert_eq!(world.wsctl(args).run().exits(0).json()["cutoff"], Value::Null, "{rule:?}");
    }
}

#[test]
fn a_dry_run_reports_what_the_real_run_does_and_changes_nothing() {
    let (world, ..) = mixed();
    for (stage, days) in [("doomed", 60), ("claimed", 61), ("claimed", 2)] {
        set_aside(&world, stage, &world.aged(days));
    }
    let _ = (world.workspace().days_ago(-3).make(), world.workspace().metadata("{").make());
    let before = world.snapshot();
    let run = |options: &[&str]| {
        let ran = prune(&world, &[options, &["--format=json", "--keep-last=2", "--max-total-size=10K"]].concat());
        let mut report = ran.json();
        report["cutoff"] = Value::Null; // the clock goes on
        (ran.status, ran.stderr, report)
    };
    let mut dry = run(&["-n", "-y"]);
    assert_eq!((world.snapshot(), dry.2["dry_run"].take()), (before, json!(true)), "-y does not make it a real one");
    let mut real = run(&["-y"]);
    assert_eq!(real.2["dry_run"].take(), json!(false));
    assert_eq!(real, dry);
    assert_eq!(real.2["pruned"].as_array().map(Vec::len), Some(4), "{real:?}");
}

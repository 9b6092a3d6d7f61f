//! What the program prints as JSON, for the tests in `schemas.rs`: of every kind, with all that may be in it.

use crate::mounted::Mounted;
use crate::tools::set_aside;
use crate::world::{Run, World, chmod, numbered};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::sync::LazyLock;

/// A document, with the name of its schema.
pub type Document = (&'static str, Value);

/// A base with a workspace of each status, all of them the ordinary user's: three stale ones, one fresh, four of unknown age.
fn of_each_status() -> World {
    let world = World::new();
    for number in 1..=3 {
        let _ = world.workspace().id(&numbered(number)).days_ago(40 + i64::from(number)).description("Spa").make();
    }
    let _ = world.workspace().id(&numbered(4)).accessed("2026-01-01T00:00:00Z").days_ago(1).make();
    let _ = world.workspace().id(&numbered(5)).make_without_metadata();
    let _ = world.workspace().id(&numbered(6)).metadata(r#"{"created_at": "2024-05-23T14:30:00.5Z"}"#).make();
    let _ = world.workspace().id(&numbered(7)).days_ago(-3).make();
    let denied = world.workspace().id(&numbered(8)).make();
    world.give_away();
    chmod(world.metadata_of(&denied), 0o000);
    world
}

/// What a run prints, whatever it exits with.
fn printed(name: &'static str, run: Run<'_>) -> Vec<Document> {
    run.run().lines().iter().map(|line| (name, serde_json::from_str(line).expect("JSON"))).collect()
}

fn lists() -> Vec<Document> {
    let world = of_each_status();
    let mut documents = Vec::new();
    for options in
        [&[][..], &["--size"], &["--limit", "1"], &["--older-than", "99years"], &[&numbered(1), &numbered(99)]]
    {
        for (name, format) in [("list", "json"), ("list-row", "jsonl")] {
            let list = world.wsctl([&["list", "--format", format], options].concat());
            documents.extend(printed(name, list.by_ordinary_user()));
        }
    }
    documents
}

fn prunes() -> Vec<Document> {
    let mut documents = Vec::new();
    for how in ["--dry-run", "--yes"] {
        for rule in ["--older-than=30d", "--max-total-size=0B", "--min-free=100%", "--use-mtime --older-than=1s"] {
            let world = of_each_status();
            let _ = set_aside(&world, "doomed", &numbered(1));
            let words = ["prune", how, "--format=json"].into_iter().chain(rule.split(' '));
            documents.extend(printed("prune", world.wsctl(words).by_ordinary_user()));
        }
        let refused = of_each_status();
        let words = ["prune", how, "--format=json", "--older-than=30d", "--max-delete=0"];
        documents.extend(printed("prune", refused.wsctl(words)));
        let world = of_each_status();
        fs::create_dir(world.dir_of(&numbered(2)).join("mount")).expect("a directory");
        let _busy = Mounted::tmpfs(&world, &world.dir_of(&numbered(2)).join("mount"), "size=64k");
        let ids = [1, 2, 5, 8, 99].map(numbered);
        let words = ["prune", how, "--format=json", "no ID"].into_iter().chain(ids.iter().map(String::as_str));
        documents.extend(printed("prune", world.wsctl(words)));
    }
    documents
}

fn validations() -> Vec<Document> {
    let world = of_each_status();
    let (id, absent) = (world.workspace().id(&numbered(0xabc)).make(), numbered(99));
    let upper = id.to_uppercase();
    let candidates = [&id, &upper, &absent, "", "../..", "-h"].map(OsStr::new);
    let words = ["validate", "--format=json", "--"].map(OsStr::new).into_iter().chain(candidates);
    let all = printed("validate", world.wsctl(words.chain([OsStr::from_bytes(b"\xff")])));
    [all, printed("validate", world.wsctl(["validate", "--format=json", "-"]))].concat()
}

/// All of it.
pub static DOCUMENTS: LazyLock<Vec<Document>> = LazyLock::new(|| [lists(), prunes(), validations()].concat());

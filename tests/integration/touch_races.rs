//! `wsctl touch` beside others: the application that rewrites the same file, a prune that takes the workspace away, itself.

use crate::paused::Paused;
use crate::tools::rewrite;
use crate::world::{AT, Ran, WRITTEN, World};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Touches a workspace, and does something to its directory while touch is paused after it has read the metadata and written
/// its temporary file, before it looks again and renames.
fn touch_while(world: &World, id: &str, meanwhile: impl FnOnce(&Path)) -> Ran {
    let paused = Paused::after(world, "fsync", None, world.wsctl(["touch", "--at", AT, id]));
    meanwhile(&world.dir_of(id));
    paused.go_on()
}

/// Asserts that a workspace holds nothing but its metadata, which is this.
#[track_caller]
fn assert_holds(world: &World, id: &str, content: &str) {
    assert_eq!(world.read_metadata(id), content);
    assert_eq!(fs::read_dir(world.dir_of(id)).expect("the workspace").count(), 1, "a temporary file was left");
}

#[test]
fn touch_keeps_what_the_application_writes_meanwhile() {
    needs!("strace");
    let newer = |time: &str| format!("{{\n  \"laps\": 57,\n  \"last_accessed\": \"{time}\"\n}}");
    let theirs = newer("2026-11-23T15:51:29+00:00Z");
    let appear: &[fn(&Path, &str)] = &[
        rewrite,
        |dir, content| fs::write(dir.join(".metadata.json"), content).expect("a write in place"),
        |dir, content| {
            let _ = fs::remove_file(dir.join(".metadata.json"));
            rewrite(dir, content);
        },
    ];
    for change in appear {
        let world = World::new();
        for id in [world.workspace().make(), world.workspace().make_without_metadata()] {
            touch_while(&world, &id, |dir| change(dir, &theirs)).exits(0).prints("").quietly();
            assert_holds(&world, &id, &newer(WRITTEN));
        }
    }
}

#[test]
fn metadata_that_turns_corrupt_meanwhile_is_not_overwritten() {
    needs!("strace");
    let world = World::new();
    let corrupt = "{\"last_accessed\": 7}";
    for id in [world.workspace().make(), world.workspace().make_without_metadata()] {
        touch_while(&world, &id, |dir| rewrite(dir, corrupt)).exits(65).complains("error[corrupt-metadata]: ");
        assert_holds(&world, &id, corrupt);
    }
}

#[test]
fn a_link_that_takes_the_place_of_the_metadata_meanwhile_is_not_followed() {
    needs!("strace");
    let world = World::new();
    let (id, target) = (world.workspace().make(), world.path("target"));
    fs::write(&target, "{}").expect("a target");
    let swap = |dir: &Path| {
        symlink(&target, dir.join("link")).expect("a link");
        fs::rename(dir.join("link"), dir.join(".metadata.json")).expect("a rename");
    };
    touch_while(&world, &id, swap).exits(65).prints("").complains("error[corrupt-metadata]: ");
    assert_eq!(fs::read_link(world.metadata_of(&id)).expect("the link"), target);
    assert_holds(&world, &id, "{}");
}

#[test]
fn metadata_that_vanishes_meanwhile_is_made_anew_or_left_missing() {
    needs!("strace");
    let world = World::new();
    let remove = |dir: &Path| fs::remove_file(dir.join(".metadata.json")).expect("unlink");
    let id = world.workspace().make();
    touch_while(&world, &id, remove).exits(0).prints("").complains("warning[not-found]: ");
    let json: serde_json::Value = world.json_of(&id);
    assert_eq!(json, serde_json::json!({"workspace_id": id, "created_at": WRITTEN, "last_accessed": WRITTEN}));
    let paused = Paused::after(&world, "fsync", None, world.wsctl(["touch", "-c", &id]));
    remove(&world.dir_of(&id));
    paused.go_on().exits(66).prints("").complains("warning[not-found]: ");
    assert_eq!(fs::read_dir(world.dir_of(&id)).expect("the workspace").count(), 0);
}

#[test]
fn a_temporary_file_that_somebody_sweeps_away_is_written_again() {
    needs!("strace");
    let world = World::new();
    let id = world.workspace().metadata("{\"last_accessed\":\"2020-01-01T00:00:00Z\"}").make();
    let sweep = |dir: &Path| {
        let names = fs::read_dir(dir).expect("the workspace").map(|entry| entry.expect("an entry").path());
        names.filter(|path| !path.ends_with(".metadata.json")).for_each(|path| fs::remove_file(path).expect("unlink"));
    };
    touch_while(&world, &id, sweep).exits(0).prints("").quietly();
    assert_holds(&world, &id, &format!("{{\"last_accessed\":\"{WRITTEN}\"}}"));
}

/// Does something to a directory, for which there is a second path.
type Act = fn(&Path, &Path);

#[test]
fn a_workspace_that_is_taken_away_meanwhile_is_busy_and_never_touched_with_success() {
    needs!("strace");
    let meanwhile: [(&str, Act); 4] = [
        ("claimed", |dir, away| fs::rename(dir, away).expect("a rename")),
        ("claimed, and made anew", |dir, away| {
            fs::rename(dir, away).expect("a rename");
            fs::create_dir(dir).expect("a workspace");
            rewrite(dir, "{\"laps\":1}");
        }),
        ("claimed, and a link in its place", |dir, away| {
            fs::rename(dir, away).expect("a rename");
            symlink(away, dir).expect("a link");
        }),
        ("removed", |dir, _| fs::remove_dir_all(dir).expect("a removal")),
    ];
    for (what, act) in meanwhile {
        let world = World::new();
        for id in [world.workspace().make(), world.workspace().make_without_metadata()] {
            let away = world.base().join(format!(".wsctl-claimed.{id}.0123456789abcdef"));
            let ran = touch_while(&world, &id, |dir| act(dir, &away));
            assert_eq!(ran.status, 75, "{what}: {ran:#?}");
            ran.prints("").complains(&format!("warning[busy]: workspace {id}: "));
            if what == "claimed, and made anew" {
                assert_holds(&world, &id, "{\"laps\":1}");
            }
        }
    }
}

#[test]
fn touch_gives_up_as_busy_when_others_keep_rewriting_the_file() {
    needs!("strace");
    let world = World::new();
    let id = world.workspace().make();
    let mut paused = Paused::after_each(&world, "fsync", world.wsctl(["touch", "--at", AT, &id]));
    let content = |number: usize| format!("{{\"laps\":{number},\"last_accessed\":\"2020-01-01T00:00:00Z\"}}");
    let mut stops = 0;
    let ran = loop {
        stops += 1;
        assert!(stops < 1000, "it never gives up");
        rewrite(&world.dir_of(&id), &content(stops));
        match paused.go_to_next() {
            Ok(next) => paused = next,
            Err(ran) => break ran,
        }
    };
    assert!(stops > 1, "it gives up at once");
    ran.exits(75).prints("").complains(&format!("warning[busy]: workspace {id}: "));
    assert_holds(&world, &id, &content(stops));
}

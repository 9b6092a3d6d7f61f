//! `wsctl touch` beside others: the application that rewrites the same file, a prune that takes the workspace away, itself.

use crate::paused::Paused;
use crate::tools::rewrite;
use crate::world::{AT, WRITTEN, World, names};
use serde_json::json;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::{fs, io};

/// What the application writes meanwhile.
const THEIRS: &str = "{\n  \"laps\": 57,\n  \"last_accessed\": \"2026-11-23T15:51:29+00:00Z\"\n}";
const CORRUPT: &str = "{\"last_accessed\": 7}";
const NEW: &str = "{\"laps\":1}";

/// What others do to a workspace; a claim moves it away.
fn act(what: &str, dir: &Path, away: &Path) -> io::Result<()> {
    let file = dir.join(".metadata.json");
    match what {
        "rewritten" => rewrite(dir, THEIRS),
        "written in place" => fs::write(file, THEIRS)?,
        "corrupted" => rewrite(dir, CORRUPT),
        "made a link" => {
            fs::write(away, CORRUPT)?;
            symlink(away, dir.join("link"))?;
            fs::rename(dir.join("link"), file)?;
        }
        "claimed" => fs::rename(dir, away)?,
        "claimed, and made anew" => {
            fs::rename(dir, away).and_then(|()| fs::create_dir(dir))?;
            rewrite(dir, NEW);
        }
        "claimed, and made a link" => fs::rename(dir, away).and_then(|()| symlink(away, dir))?,
        _ => fs::remove_dir_all(dir)?,
    }
    Ok(())
}

/// Each happens after touch has read the metadata and written its temporary file, before it looks again and renames.
#[test]
fn touch_keeps_what_others_do_meanwhile_and_is_busy_where_the_workspace_is_taken_away() {
    needs!("strace");
    let theirs = &*THEIRS.replace("2026-11-23T15:51:29+00:00Z", WRITTEN);
    let (corrupt, busy) = ("error[corrupt-metadata]: workspace ", "warning[busy]: workspace ");
    for (what, status, message, content) in [
        ("rewritten", 0, "", Some(theirs)),
        ("written in place", 0, "", Some(theirs)),
        ("corrupted", 65, corrupt, Some(CORRUPT)),
        ("made a link", 65, corrupt, Some(CORRUPT)),
        ("claimed", 75, busy, None),
        ("claimed, and made anew", 75, busy, Some(NEW)),
        ("claimed, and made a link", 75, busy, None),
        ("removed", 75, busy, None),
    ] {
        let world = World::new();
        for id in [world.workspace().make(), world.workspace().make_without_metadata()] {
            let paused = Paused::after(&world, "fsync", None, world.wsctl(["touch", "--at", AT, &id]));
            let away = world.base().join(format!(".wsctl-claimed.{id}.0123456789abcdef"));
            act(what, &world.dir_of(&id), &away).expect(what);
            let ran = paused.go_on();
            assert_eq!((ran.status, &*ran.stdout), (status, ""), "{what}: {ran:#?}");
            let lines: Vec<_> = ran.stderr.lines().collect();
            assert!(lines.len() == usize::from(status > 0) && ran.stderr.starts_with(message), "{what}: {ran:#?}");
            if let Some(content) = content {
                assert_eq!(world.read_metadata(&id), content, "{what}");
                assert_eq!(names(&world.dir_of(&id)), [".metadata.json"], "{what}");
            }
        }
    }
}

#[test]
fn metadata_that_vanishes_meanwhile_is_made_anew_or_left_missing() {
    needs!("strace");
    let world = World::new();
    for (option, status) in [("--null", 0), ("-c", 66)] {
        let id = world.workspace().make();
        let paused = Paused::after(&world, "fsync", None, world.wsctl(["touch", option, "--at", AT, &id]));
        fs::remove_file(world.metadata_of(&id)).expect("unlink");
        paused.go_on().exits(status).prints("").complains("warning[not-found]: ");
        if status > 0 {
            assert_eq!(names(&world.dir_of(&id)), [""; 0]);
        } else {
            let expected = json!({"workspace_id": id, "created_at": WRITTEN, "last_accessed": WRITTEN});
            assert_eq!(world.json_of(&id), expected);
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
    assert_eq!(world.read_metadata(&id), content(stops));
    assert_eq!(names(&world.dir_of(&id)), [".metadata.json"]);
}

//! `wsctl touch` beside others: the application that rewrites the same file, a prune that takes the workspace away, itself.

use crate::paused::Paused;
use crate::tools::rewrite;
use crate::world::{AT, WRITTEN, World, names};
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
        "unlinked" => drop(fs::remove_file(file)), // unless it was missing
        "claimed" => fs::rename(dir, away)?,
        "corrupted and claimed" => {
            rewrite(dir, CORRUPT);
            fs::rename(dir, away)?;
        }
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
    let anew = "{\n  \"workspace_id\": \"ID\",\n  \"created_at\": \"T\",\n  \"last_accessed\": \"T\"\n}";
    let (corrupt, busy) = ("error[corrupt-metadata]: workspace ", "warning[busy]: workspace ");
    for (what, status, message, content) in [
        ("rewritten", 0, "", Some(theirs)),
        ("written in place", 0, "", Some(theirs)),
        ("corrupted", 65, corrupt, Some(CORRUPT)),
        ("made a link", 65, corrupt, Some(CORRUPT)),
        ("unlinked", 0, "warning[not-found]: workspace ", Some(&*anew.replace('T', WRITTEN))),
        ("claimed", 75, busy, None),
        ("corrupted and claimed", 75, busy, None),
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
            let lines = usize::from(!message.is_empty());
            assert!(ran.stderr.starts_with(message) && ran.stderr.lines().count() == lines, "{what}: {ran:#?}");
            if let Some(content) = content {
                assert_eq!(world.read_metadata(&id), content.replace("ID", &id), "{what}");
                assert_eq!(names(&world.dir_of(&id)), [".metadata.json"], "{what}");
            }
        }
    }
}

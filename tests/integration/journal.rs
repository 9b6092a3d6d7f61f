//! Stderr as the journal reads it: with a priority in front of each line, where `JOURNAL_STREAM` names stderr's own device and
//! inode, and nowhere else. The stream is a real file here; to the program it is all the same.

use crate::world::{Run, World, numbered};
use std::fs;
use std::os::unix::fs::MetadataExt;

/// The lines that a run writes to a file, with this in `JOURNAL_STREAM`: `DEV` and `INO` are the file's device and inode.
fn lines(world: &World, run: Run<'_>, named: &str, status: i32) -> Vec<String> {
    let journal = world.path("journal");
    fs::write(&journal, "").expect("a file");
    let stat = journal.metadata().expect("a stat");
    let named = named.replace("DEV", &stat.dev().to_string()).replace("INO", &stat.ino().to_string());
    run.env("JOURNAL_STREAM", named).through_sh("exec \"$@\" 2>>journal").run().exits(status).quietly();
    fs::read_to_string(journal).expect("UTF-8").lines().map(str::to_owned).collect()
}

#[test]
fn in_the_journal_every_line_has_its_priority_and_no_colours_whatever_is_asked_for() {
    let world = World::new();
    let (absent, corrupt) = (numbered(0), world.workspace().metadata("").make());
    let all = ["<3>error[invalid-id]: ", "<4>warning[not-found]: ", "<6>info: ", "<7>debug: ", "<7>trace: "];
    for (args, status, marks) in [
        (&["-vvv", "list", "nonsense", &absent, &corrupt][..], 2, &all[..]),
        (&["list", "--bogus", "--color", "always"], 2, &["<3>error[usage]: "]),
        (&["-b", "nowhere", "list"], 66, &["<3>error[not-found]: "]),
    ] {
        let lines = lines(&world, world.wsctl(args).env("CLICOLOR_FORCE", "1"), "DEV:INO", status);
        assert!(!lines.concat().contains('\x1b'), "{lines:#?}");
        let is_marked = |line: &String| marks.iter().any(|mark| line.starts_with(mark));
        assert!(lines.iter().all(is_marked), "{lines:#?}");
        assert!(marks.iter().all(|mark| lines.iter().any(|line| line.starts_with(mark))), "{lines:#?}");
    }
}

#[test]
fn a_stream_that_is_not_the_one_named_gets_no_priorities() {
    let world = World::new();
    let list = || world.wsctl(["list", "nonsense"]);
    for named in ["DEV:INO0", "1DEV:INO", "INO:DEV", "DEV:INO:0", "DEV:", ":INO", ":", "", "99999999999999999999999:-1"]
    {
        let lines = lines(&world, list(), named, 2);
        assert!(lines.len() == 1 && lines[0].starts_with("error[invalid-id]: "), "{named:?}: {lines:#?}");
    }
}

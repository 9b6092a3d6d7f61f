//! Stderr as the journal reads it: with a priority in front of each line, where `JOURNAL_STREAM` names stderr's own device and
//! inode, and nowhere else. The stream is a real file here; to the program it is all the same.

use crate::world::{Run, World, numbered};
use std::fs;
use std::os::unix::fs::MetadataExt;

/// A world with a file that a run's stderr can go to.
struct Unit(World);

impl Unit {
    fn new() -> Self {
        let world = World::new();
        fs::write(world.path("journal"), "").expect("a file");
        Self(world)
    }

    /// The file's device and inode.
    fn numbers(&self) -> (u64, u64) {
        let stat = self.0.path("journal").metadata().expect("a stat");
        (stat.dev(), stat.ino())
    }

    /// What systemd would say of the file.
    fn named(&self) -> String {
        let (device, inode) = self.numbers();
        format!("{device}:{inode}")
    }

    /// The lines that a run writes to the file, with this in `JOURNAL_STREAM`.
    fn lines(&self, run: Run<'_>, named: &str, status: i32) -> Vec<String> {
        fs::write(self.0.path("journal"), "").expect("a file");
        run.env("JOURNAL_STREAM", named).through_sh("exec \"$@\" 2>>journal").run().exits(status).quietly();
        fs::read_to_string(self.0.path("journal")).expect("UTF-8").lines().map(str::to_owned).collect()
    }
}

#[test]
fn in_the_journal_every_line_has_its_priority_and_no_colours_whatever_is_asked_for() {
    let unit = Unit::new();
    let (absent, corrupt) = (numbered(0), unit.0.workspace().metadata("").make());
    let all = ["<3>error[invalid-id]: ", "<4>warning[not-found]: ", "<6>info: ", "<7>debug: ", "<7>trace: "];
    for (args, status, marks) in [
        (&["-vvv", "list", "nonsense", &absent, &corrupt][..], 2, &all[..]),
        (&["list", "--bogus", "--color", "always"], 2, &["<3>error[usage]: "]),
        (&["prune", "--older-than", "7d"], 2, &["<3>error[usage]: "]),
        (&["-b", "nowhere", "list"], 66, &["<3>error[not-found]: "]),
        (&[], 2, &[]), // help
    ] {
        let lines = unit.lines(unit.0.wsctl(args).env("CLICOLOR_FORCE", "1"), &unit.named(), status);
        assert!(!lines.is_empty() && !lines.concat().contains('\x1b'), "{lines:#?}");
        let is_marked = |line: &String| marks.iter().any(|mark| line.starts_with(mark));
        assert!(marks.is_empty() || lines.iter().all(is_marked), "{lines:#?}");
        assert!(marks.iter().all(|mark| lines.iter().any(|line| line.starts_with(mark))), "{lines:#?}");
    }
}

#[test]
fn a_stream_that_is_not_the_one_named_gets_no_priorities() {
    let unit = Unit::new();
    let (device, inode) = unit.numbers();
    let other = unit.0.base().metadata().expect("a stat").ino();
    let list = || unit.0.wsctl(["list", "nonsense"]);
    for named in [
        format!("{device}:{other}"),
        format!("1{device}:{inode}"),
        format!("{inode}:{device}"),
        format!("{device}:{inode}:0"),
        format!("{device}:{inode} "),
        format!("{device}:"),
        format!(":{inode}"),
        ":".into(),
        String::new(),
        "99999999999999999999999:-1".into(),
        "\u{2713}".into(),
    ] {
        let lines = unit.lines(list(), &named, 2);
        assert!(lines.len() == 1 && lines[0].starts_with("error[invalid-id]: "), "{named:?}: {lines:#?}");
    }
    let elsewhere = list().env("JOURNAL_STREAM", unit.named()).run().exits(2);
    assert!(elsewhere.stderr.starts_with("error[invalid-id]: "), "stderr is a pipe: {elsewhere:#?}");
}

//! Stderr as the journal reads it: with a priority in front of each line, where `JOURNAL_STREAM` names stderr's own device and
//! inode, and nowhere else. The stream is a real file here; to the program it is all the same.

use crate::world::{Run, World};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// A world with a file that a run's stderr can go to.
struct Unit {
    world: World,
    stream: PathBuf,
}

impl Unit {
    fn new() -> Self {
        let world = World::new();
        let stream = world.path("journal");
        fs::write(&stream, "").expect("a file");
        Self { world, stream }
    }

    /// What systemd would say of the file.
    fn named(&self) -> String {
        let stat = self.stream.metadata().expect("a stat");
        format!("{}:{}", stat.dev(), stat.ino())
    }

    /// The lines that a run writes to the file, with this in `JOURNAL_STREAM`.
    fn lines(&self, run: Run<'_>, named: &str, status: i32) -> Vec<String> {
        fs::write(&self.stream, "").expect("a file");
        let redirected = ["sh", "-c", "exec \"$@\" 2>>journal", "sh"];
        run.env("JOURNAL_STREAM", named).through(redirected).run().exits(status).quietly();
        fs::read_to_string(&self.stream).expect("UTF-8").lines().map(str::to_owned).collect()
    }
}

/// The numbers of syslog(3) for what the line says of itself.
fn is_marked(line: &str) -> bool {
    let marks = [("<3>", "error"), ("<4>", "warning"), ("<6>", "info"), ("<7>", "debug"), ("<7>", "trace")];
    marks.iter().any(|(mark, word)| {
        let rest = line.strip_prefix(mark).and_then(|line| line.strip_prefix(word));
        rest.is_some_and(|rest| rest.starts_with([':', '[']))
    })
}

#[test]
fn in_the_journal_every_line_has_its_priority() {
    let unit = Unit::new();
    let missing = unit.world.workspace().make_without_metadata();
    let _ = unit.world.aged(9);
    let prune = unit.world.wsctl(["-vvv", "prune", "-n", "--older-than", "1d", "--keep-last", "1", "nonsense"]);
    let mut lines = unit.lines(prune, &unit.named(), 2);
    lines.extend(unit.lines(unit.world.wsctl(["-vvv", "touch", &missing, &missing]), &unit.named(), 0));
    assert!(lines.iter().all(|line| is_marked(line)), "{lines:#?}");
    for mark in ["<3>error[invalid-id]: ", "<4>warning[not-found]: ", "<6>info: ", "<7>debug: ", "<7>trace: "] {
        assert!(lines.iter().any(|line| line.starts_with(mark)), "{mark}: {lines:#?}");
    }
}

#[test]
fn in_the_journal_a_wrong_command_line_and_a_missing_base_have_their_priority() {
    let unit = Unit::new();
    for (args, status, line) in [
        (&["list", "--bogus"][..], 2, "<3>error[usage]: "),
        (&["prune", "--older-than", "7d"], 2, "<3>error[usage]: "),
        (&["-b", "nowhere", "list"], 66, "<3>error[not-found]: "),
    ] {
        let lines = unit.lines(unit.world.wsctl(args), &unit.named(), status);
        assert!(lines.len() == 1 && lines[0].starts_with(line), "{lines:#?}");
    }
}

#[test]
fn the_journal_has_no_colours_whatever_is_asked_for() {
    let unit = Unit::new();
    for args in [&["--color", "always", "list", "nonsense"][..], &["list", "--bogus", "--color", "always"], &[]] {
        let lines = unit.lines(unit.world.wsctl(args).env("CLICOLOR_FORCE", "1"), &unit.named(), 2);
        assert!(!lines.is_empty() && !lines.concat().contains('\x1b'), "{lines:#?}");
    }
}

#[test]
fn a_stream_that_is_not_the_one_named_gets_no_priorities() {
    let unit = Unit::new();
    let [device, inode] = [0, 1].map(|part| unit.named().split(':').nth(part).expect("a number").to_owned());
    let other = unit.world.base().metadata().expect("a stat").ino();
    let list = || unit.world.wsctl(["list", "nonsense"]);
    for named in [
        format!("{device}:{other}"),
        format!("1{device}:{inode}"),
        format!("{inode}:{device}"),
        format!("{device}:{inode}:0"),
        format!("{device}:{inode} "),
        format!("{device}{inode}"),
        format!("{device}:"),
        format!(":{inode}"),
        ":".into(),
        "1".into(),
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

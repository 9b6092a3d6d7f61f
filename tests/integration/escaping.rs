//! Whatever comes from disk or from the command line reaches no terminal raw, and nothing of it is lost: [`Ran::sanely`]
//! asserts the former, [`tells_of_it`] the latter.
//!
//! Three accidents elsewhere are why. CVE-2021-25743: kubectl printed free text of cluster objects with the control sequences in
//! it. CVE-2024-43785: gix wrote paths and names from a repository as they were, so that a repository could forge messages.
//! CVE-2025-58160: tracing-subscriber before 0.3.20 wrote what was logged to terminals as it was.

use crate::ids::with;
use crate::world::{Ran, World, odd_name};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// Clears the screen, sets the title, goes up, forges a line; then a colour, a bell, C1's own CSI, a right-to-left override and
/// isolate, and a mark.
const NASTY: &str =
    "\x1b[2J\x1b]0;title\x07\x1b[1A\r\nerror[io]: all is lost\x1b[31m\t\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200f}z";
/// How all of them but the line end are to be read in text.
const ESCAPED: &str = r"\u{1b}[2J \u{1b}]0;title\u{7} \u{1b}[31m \r \t \u{7f} \u{9b} \u{202e} \u{2066}";

/// Asserts that `text` tells of [`NASTY`], escaped, and that nothing of it begins a line.
#[track_caller]
fn tells_of_it(text: &str) {
    assert!(ESCAPED.split(' ').all(|part| text.contains(part)), "{text}");
    assert!(!format!("\n{text}").contains("\nerror[io]: all is lost"), "{text}");
}

/// Asserts that a run's only line on stderr tells of it.
#[track_caller]
fn complains_of_it(ran: Ran) -> Ran {
    let ran = ran.sanely();
    assert!(ran.status != 0 && ran.stderr.lines().count() == 1, "{ran:#?}");
    tells_of_it(&ran.stderr);
    ran
}

#[test]
fn nothing_from_the_command_line_reaches_stderr_raw_and_nothing_of_it_is_lost() {
    let world = World::new();
    let flag = format!("--{NASTY}");
    let others = [flag.as_bytes(), b"\xff\x1b", b"--\xff\x1b"].map(OsStr::from_bytes);
    for line in [
        "",
        "list",
        "list --base",
        "list --older-than",
        "list --sort",
        "list --limit",
        "touch --at",
        "validate -v",
        "prune -n --max-total-size",
        "prune -n --older-than 1d --exclude",
        "prune -n --older-than 1d --exclude-from",
    ] {
        let args: Vec<_> = line.split_whitespace().collect();
        let ran = complains_of_it(world.wsctl(with(&args, NASTY)).run());
        assert!([1, 2, 66].contains(&ran.status), "{ran:#?}");
        for other in others {
            world.wsctl(with(&args, other)).run().sanely().complains(": ");
        }
    }
    let _ = complains_of_it(world.wsctl(["list", &format!("--sort={NASTY}")]).run()).exits(2);
    let validate = world.wsctl(["validate", "--format", "json", NASTY]).run().sanely().exits(1);
    assert_eq!(validate.json()[0]["input"], NASTY);
    let prune = world.wsctl(["prune", "-n", "--format", "json", NASTY]).run().sanely().exits(2);
    assert_eq!(prune.json()["failed"][0]["id"], NASTY);
}

#[test]
fn nothing_from_a_base_reaches_stdout_or_any_level_of_the_log_raw_and_the_description_is_kept() {
    let (world, ours) = World::with(|it| it.description(NASTY));
    for name in [world.base().join(NASTY), odd_name(&world.base())] {
        fs::create_dir(name).expect("a name that is not ours");
    }
    let table = world.wsctl(["list"]).run().sanely().exits(0).quietly();
    assert_eq!(table.lines().len(), 2, "a heading and a row: {table:#?}");
    tells_of_it(table.lines()[1]);
    for (format, row) in [("json", "/workspaces/0/description"), ("jsonl", "/description")] {
        let list = world.wsctl(["list", "--format", format]).run().sanely().exits(0).quietly();
        assert_eq!((list.lines().len(), list.json().pointer(row)), (1, Some(&NASTY.into())), "{list:#?}");
    }
    world.wsctl(["-vvv", "list", "--format", "ids"]).run().sanely().exits(0).prints(&format!("{ours}\n"));
    let time = serde_json::to_string(NASTY).expect("JSON");
    for metadata in [&format!("{{\"last_accessed\": {time}}}"), NASTY] {
        let _ = world.workspace().metadata(metadata).make();
    }
    for args in [&["list", "-vvv"][..], &["prune", "-n", "-vvv", "--older-than", "1d"], &["validate", "-vvv", NASTY]] {
        let ran = world.wsctl(args).run().sanely();
        assert!(!format!("\n{}{}", ran.stdout, ran.stderr).contains("\nerror[io]: all is lost"), "{ran:#?}");
    }
}

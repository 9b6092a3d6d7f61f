//! Named after what went wrong elsewhere (see `named`): what data from others did to terminals.

use crate::world::{Ran, World, numbered};
use std::fs;

/// Clears the screen, sets the title, goes up and forges a line; the last is the C1 form of the first.
const FORGED: &str = "\x1b[2J\x1b]0;title\x07\x1b[1A\r\nerror[io]: all is lost\u{9b}2J\u{202e}";

/// Asserts that nothing of [`FORGED`] has its effect, and that all of it can be read.
#[track_caller]
fn is_escaped(ran: &Ran, text: &str) {
    let harmful = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
    assert!(!ran.stdout.contains(harmful) && !ran.stderr.contains(harmful), "{ran:#?}");
    assert!(!format!("\n{}\n{}", ran.stdout, ran.stderr).contains("\nerror[io]: all is lost"), "{ran:#?}");
    assert!(text.contains("\\u{1b}[2J") && text.contains("\\u{9b}2J"), "{ran:#?}");
}

/// CVE-2021-25743: kubectl printed free text of cluster objects, as in events, with the control sequences in it. Here
/// the only free text in a table is the description, and its control and bidi characters are escaped there.
#[test]
fn cve_2021_25743_a_description_drives_no_terminal() {
    let world = World::new();
    let _ = world.workspace().days_ago(40).description(FORGED).make();
    for color in ["never", "auto"] {
        let ran = world.wsctl(["list", "--color", color]).run().exits(0);
        is_escaped(&ran, &ran.stdout);
        assert_eq!(ran.lines().len(), 2, "a heading and a row: {ran:#?}");
    }
}

/// CVE-2024-43785: gix and ein wrote paths, names and messages from a repository as they were, also into error messages,
/// which a repository could so alter or invent. Here every diagnostic is one line, and all in it that came from outside is
/// escaped.
#[test]
fn cve_2024_43785_no_name_from_outside_forges_a_diagnostic() {
    let world = World::new();
    let base = "base\x1b[2J\r\nerror[io]: all is lost\u{9b}2J";
    fs::create_dir(world.path(base)).expect("a base");
    let missing = FORGED.to_owned() + "/nowhere";
    for args in [
        &["touch", FORGED][..],
        &["prune", "-n", FORGED],
        &["list", "-b", &missing],
        &["prune", "-n", "--older-than", "1d", "--exclude-from", &missing],
        &["prune", "-n", "--older-than", FORGED],
    ] {
        let ran = world.wsctl(args).run();
        is_escaped(&ran, &ran.stderr);
        assert!(ran.status != 0 && ran.stderr.lines().count() == 1, "{ran:#?}");
    }
    let ran = world.bare(["touch", "-v", "-b", base, &numbered(1)]).run().exits(66);
    assert!(!ran.stderr.contains(['\x1b', '\u{9b}', '\r']), "{ran:#?}");
}

/// CVE-2025-58160: tracing-subscriber before 0.3.20 wrote what was logged to terminals with the escape sequences in it. Here
/// the log is escaped at every level, in text and for the journal.
#[test]
fn cve_2025_58160_no_level_of_the_log_passes_a_sequence_on() {
    let world = World::new();
    let time = serde_json::to_string(FORGED).expect("JSON");
    let _ = world.workspace().metadata(format!("{{\"last_accessed\": {time}}}")).make();
    let _ = world.workspace().metadata(FORGED).make();
    fs::create_dir(world.base().join("\x1b[2J\x1b]0;title\x07")).expect("a name that is not ours");
    for args in [&["list", "-vvv"][..], &["prune", "-n", "-vvv", "--older-than", "1d"], &["validate", "-vvv", FORGED]] {
        let ran = world.wsctl(args).run();
        assert!(!ran.stderr.contains(['\x1b', '\u{9b}', '\u{202e}', '\x07']), "{ran:#?}");
        assert!(!ran.stderr.contains("\nerror[io]: all is lost"), "{ran:#?}");
    }
    let ran = world.wsctl(["validate", "-vvv", FORGED]).env("RUST_LOG", "trace").run().exits(1);
    is_escaped(&ran, &ran.stderr);
}

//! The table on terminals of several widths, in its colours, and through a pipe.

use crate::terminal::at_terminal_of;
use crate::world::{Ran, Run, World, has, numbered};
use unicode_width::UnicodeWidthStr;

const HEADS: [&str; 7] = ["ID", "STATUS", "LAST ACCESSED", "CREATED", "SIZE", "FILES", "DESCRIPTION"];
const LONG: &str = "周冠宇 vs 角田裕毅: the last lap of Monaco, sector by sector, with tyres and fuel and everything";

/// A world with a long description, none, and a workspace without metadata.
fn world() -> World {
    let world = World::new();
    let _ = world.workspace().id(&numbered(1)).description(LONG).make();
    let _ = world.workspace().id(&numbered(2)).days_ago(5).make();
    let _ = world.workspace().id(&numbered(3)).days_ago(45).description("short").make();
    let _ = world.workspace().id(&numbered(4)).make_without_metadata();
    world
}

/// The lines without colours.
fn plain(ran: &Ran) -> Vec<String> {
    let mut pieces = ran.stdout.split("\x1b[");
    let first = pieces.next().unwrap_or_default().to_owned();
    let text = pieces.fold(first, |text, piece| text + piece.split_once('m').expect("a colour").1);
    text.lines().map(str::to_owned).collect()
}

/// The heads that a table has.
fn heads(lines: &[String]) -> Vec<&str> {
    HEADS.into_iter().filter(|head| lines[0].split("  ").any(|word| word.trim() == *head)).collect()
}

#[test]
fn the_table_fits_the_width_whatever_that_is_and_never_cuts_an_id() {
    if !has("python3") {
        return;
    }
    let world = world();
    for width in [36, 50, 72, 80, 81, 100, 120, 200] {
        for args in [&["list"][..], &["list", "--size"]] {
            let lines = plain(&at_terminal_of(width, world.wsctl(args), "").exits(0));
            assert_eq!(lines.len(), 5, "{lines:#?}");
            assert!(lines.iter().all(|line| line.width() <= width), "{width}: {lines:#?}");
            for number in 1..=4 {
                assert!(lines.iter().any(|line| line.starts_with(&numbered(number))), "{width}: {lines:#?}");
            }
        }
    }
    for width in [1, 20, 35] {
        let lines = plain(&at_terminal_of(width, world.wsctl(["list", "--sort", "id"]), "").exits(0));
        assert_eq!(lines[1..], [1, 2, 3, 4].map(numbered), "{width}: {lines:#?}");
    }
}

#[test]
fn where_not_all_columns_fit_the_ones_that_tell_least_are_left_out() {
    if !has("python3") {
        return;
    }
    let world = world();
    for (width, args, expected) in [
        (80, &["list"][..], &["ID", "STATUS", "LAST ACCESSED", "DESCRIPTION"][..]),
        (80, &["list", &numbered(2)], &["ID", "STATUS", "LAST ACCESSED", "CREATED"]),
        (80, &["list", "-s"], &["ID", "STATUS", "LAST ACCESSED", "SIZE", "FILES"]),
        (100, &["list"], &["ID", "STATUS", "LAST ACCESSED", "CREATED", "DESCRIPTION"]),
        (100, &["list", "-s"], &["ID", "STATUS", "LAST ACCESSED", "SIZE", "FILES", "DESCRIPTION"]),
        (120, &["list", "-s"], &HEADS),
        (50, &["list"], &["ID", "STATUS"]),
    ] {
        let lines = plain(&at_terminal_of(width, world.wsctl(args), "").exits(0));
        assert_eq!(heads(&lines), expected, "{width}: {lines:#?}");
    }
}

#[test]
fn a_description_is_shortened_to_what_is_left_and_wide_characters_count_twice() {
    if !has("python3") {
        return;
    }
    let world = world();
    for (width, shown) in [
        (100, "周冠宇 vs 角田裕毅…"),
        (99, "周冠宇 vs 角田裕…"),
        (98, "周冠宇 vs 角田裕…"),
        (97, "周冠宇 vs 角田…"),
        (79 + 2 + LONG.width(), LONG),
    ] {
        let lines = plain(&at_terminal_of(width, world.wsctl(["list", &numbered(1)]), "").exits(0));
        assert!(lines[1].ends_with(&format!("Z  {shown}")), "{width}: {lines:#?}");
    }
}

#[test]
fn numbers_stand_below_the_end_of_their_head() {
    let world = world();
    let many = (0..120).fold(world.workspace(), |made, number| made.file(&format!("data/{number}"), b"")).make();
    let ran = world.wsctl(["list", "--size", "--sort", "size"]).run().exits(0).quietly();
    let lines = ran.lines();
    let end = lines[0].find("FILES").expect("a column") + "FILES".len();
    for line in &lines[1..] {
        let number = line[..end].rsplit(' ').next().expect("a number");
        assert!(number.parse::<u64>().is_ok(), "{line}");
        assert_eq!(number == "121", line.starts_with(&many), "{line}");
    }
}

#[test]
fn a_pipe_gets_the_same_text_without_colours_and_all_of_it() {
    if !has("python3") {
        return;
    }
    let world = world();
    let args = ["list", "--size"];
    let piped = world.wsctl(args).run().exits(0).quietly();
    assert!(piped.stdout.contains(LONG) && !piped.stdout.contains(['…', '\x1b']), "{piped:#?}");
    let wide = at_terminal_of(1000, world.wsctl(args), "").exits(0);
    assert!(wide.stdout.contains('\x1b'), "{wide:#?}");
    assert_eq!(plain(&wide), piped.lines());
}

/// Whether a run has colours on a terminal.
fn coloured(run: Run<'_>) -> bool {
    at_terminal_of(100, run, "").exits(0).stdout.contains('\x1b')
}

#[test]
fn on_a_terminal_there_are_colours_unless_somebody_wants_none() {
    if !has("python3") {
        return;
    }
    let world = world();
    let list = |options: &[&str]| world.wsctl([&["list"], options].concat());
    assert!(coloured(list(&[])));
    assert!(coloured(list(&["--color", "auto"])));
    assert!(coloured(list(&["--color", "always"]).env("NO_COLOR", "1")));
    assert!(!coloured(list(&["--color", "never"])));
    assert!(!coloured(list(&["--color", "never"]).env("CLICOLOR_FORCE", "1")));
    assert!(!coloured(list(&[]).env("NO_COLOR", "1")));
    assert!(!coloured(list(&[]).env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1")));
    assert!(!coloured(list(&[]).env("TERM", "dumb")));
    assert!(coloured(list(&[]).env("TERM", "dumb").env("CLICOLOR_FORCE", "1")));
    assert!(!coloured(list(&["--format", "ids"]).env("CLICOLOR_FORCE", "1")));
}

#[test]
fn status_and_age_have_their_colours() {
    let world = world();
    let ahead = world.workspace().id(&numbered(5)).days_ago(-3).make();
    let corrupt = world.workspace().id(&numbered(6)).metadata("no JSON").make();
    let list = world.wsctl(["list", "--color", "always"]).run().exits(0).quietly();
    let line = |id: &str| *list.lines().iter().find(|line| line.starts_with(id)).expect("a row");
    for (id, parts) in [
        (numbered(1), &["\x1b[32mok\x1b[0m", "min ago\x1b[0m"][..]),
        (numbered(2), &["\x1b[32mok\x1b[0m", "   5d ago   "]),
        (numbered(3), &["\x1b[32mok\x1b[0m", "\x1b[33m45d ago\x1b[0m"]),
        (numbered(4), &["\x1b[33mmissing\x1b[0m"]),
        (ahead, &["\x1b[33mfuture\x1b[0m", "\x1b[33min 2d\x1b[0m"]),
        (corrupt, &["\x1b[31mcorrupt\x1b[0m"]),
    ] {
        assert!(parts.iter().all(|part| line(&id).contains(part)), "{parts:?}: {:?}", line(&id));
    }
}

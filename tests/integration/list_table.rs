//! The table on terminals of several widths and through a pipe. What colours it has is in the picture: see `picture.rs`.

use crate::terminal::at_terminal;
use crate::tools::du;
use crate::world::{Ran, Run, World, numbered};
use unicode_width::UnicodeWidthStr;

const LONG: &str = "周冠宇 vs 角田裕毅: the last lap of Monaco, sector by sector, with tyres and fuel and everything";

/// A world with a long description, none, and a workspace without metadata.
fn world() -> World {
    let world = World::new();
    let _ = world.workspace().id(&numbered(1)).days_ago(1).description(LONG).make();
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

/// The table on a terminal of so many columns, and what is below it.
fn shown(width: usize, run: Run<'_>) -> (Vec<String>, Vec<String>) {
    let lines = plain(&at_terminal(width, run.env("LANG", "C.UTF-8"), "").exits(0));
    let end = lines.iter().position(|line| line.contains(" workspace")).expect("a last line");
    (lines[..end].to_vec(), lines[end..].to_vec())
}

#[test]
fn where_not_all_columns_fit_the_least_useful_are_left_out_and_named_and_never_the_id() {
    needs!("python3");
    let world = world();
    for (width, args, expected, left_out) in [
        (80, &[][..], &["ID", "STATUS", "LAST ACCESSED", "DESCRIPTION"][..], "CREATED"),
        (55, &[], &["ID", "LAST ACCESSED"], "STATUS, CREATED and DESCRIPTION"),
        (100, &[], &["ID", "STATUS", "LAST ACCESSED", "CREATED", "DESCRIPTION"], ""),
        // What it is sorted by and what was asked for come right after the ID.
        (50, &["-s"], &["ID", "SIZE"], "FILES, STATUS, LAST ACCESSED, CREATED and DESCRIPTION"),
        (100, &["-s"], &["ID", "SIZE", "FILES", "STATUS", "LAST ACCESSED", "DESCRIPTION"], "CREATED"),
        (120, &["--sort", "size"], &["ID", "SIZE", "STATUS", "LAST ACCESSED", "CREATED", "DESCRIPTION"], ""),
        (50, &["--sort", "created"], &["ID", "CREATED"], "STATUS, LAST ACCESSED and DESCRIPTION"),
        (55, &["--sort", "id"], &["ID", "STATUS"], "LAST ACCESSED, CREATED and DESCRIPTION"),
        (80, &[&numbered(2)], &["ID", "STATUS", "LAST ACCESSED", "CREATED"], ""), // it has no description
    ] {
        let (lines, below) = shown(width, world.wsctl([&["list"], args].concat()));
        let heads: Vec<_> = lines[0].split("  ").map(str::trim).filter(|head| !head.is_empty()).collect();
        assert_eq!(heads, expected, "{width}: {lines:#?}");
        assert!(lines.iter().all(|line| line.width() <= width), "{width}: {lines:#?}");
        let is_whole = |line: &String| (1..=4).any(|number| line.starts_with(&numbered(number)));
        assert!(lines[1..].iter().all(is_whole) && [2, 5].contains(&lines.len()), "no ID is cut: {lines:#?}");
        let note = format!("no room for {left_out}: use a wider terminal, or --format json");
        assert_eq!(below[1..], [note][usize::from(left_out.is_empty())..], "{width}: {args:?}");
    }
}

#[test]
fn a_description_is_shortened_to_what_is_left_and_is_ascii_where_the_locale_is_not_utf_8() {
    needs!("python3");
    let world = world();
    let ascii = "\\u{5468}\\u{51a0}\\u{5b87}...";
    for (width, locale, text) in [
        (91, &[("LANG", "C.UTF-8")][..], "周冠宇 vs 角田裕…"), // a wide character takes two columns
        (100, &[("LC_ALL", ""), ("LC_CTYPE", "de_DE.utf8"), ("LANG", "C")], "周冠宇 vs 角田裕毅: the la…"),
        (100, &[], ascii),
        (100, &[("LANG", "C.UTF-8"), ("LC_ALL", "POSIX")], ascii),
    ] {
        // python3 would make a UTF-8 locale of none.
        let run = world.wsctl(["list", &numbered(1)]).env("PYTHONCOERCECLOCALE", "0");
        let run = locale.iter().fold(run, |run, (name, value)| run.env(name, value));
        let lines = plain(&at_terminal(width, run, "").exits(0));
        assert!(lines[1].ends_with(&format!("100d ago   {text}")), "{width} {locale:?}: {lines:#?}");
    }
}

#[test]
fn the_last_line_on_a_terminal_counts_what_is_shown_and_a_pipe_gets_the_same_table_whole_without_colours() {
    needs!("python3");
    let world = world();
    let size = wsctl::output::amounts::size(world.names().iter().map(|id| du(&world.dir_of(id))).sum());
    for (args, counted) in [
        (&[][..], "4 workspaces (3 ok, 1 missing)"),
        (&["--status", "ok"], "3 workspaces"),
        (&["--limit", "2"], "showing 2 of 4 workspaces"),
        (&["-s"], &format!("4 workspaces (3 ok, 1 missing), {size}")),
    ] {
        let args = [&["list"], args].concat();
        let (table, below) = shown(1000, world.wsctl(&args));
        let piped = world.wsctl(&args).run().exits(0).quietly();
        assert_eq!((&*below[0], piped.lines()), (counted, table.iter().map(|line| &**line).collect()));
        assert!(piped.stdout.contains(LONG) && !piped.stdout.contains(['…', '\x1b']), "{piped:#?}");
    }
}

#[test]
fn a_terminal_is_told_why_there_is_nothing_to_see() {
    needs!("python3");
    let world = World::new();
    let told = |args: &[&str]| plain(&at_terminal(200, world.wsctl([&["list"], args].concat()), "").exits(0));
    assert_eq!(told(&["--status", "corrupt"]), [format!("no workspaces in {}", world.base().display())]);
    let absent = at_terminal(200, world.wsctl(["list", &numbered(1)]), "").exits(66);
    assert!(!absent.stdout.contains("no workspaces in"), "its absence is told: {absent:#?}");
    let _ = [world.aged(1), world.aged(2)];
    assert_eq!(told(&["--older-than", "9d"]), ["none of 2 match the filters"]);
    for more in [&["-q"][..], &["--format", "ids"]] {
        assert_eq!(told(&[&["--older-than", "9d"], more].concat()), [""; 0]);
    }
    let piped = world.wsctl(["list", "--older-than", "9d"]).run().exits(0).quietly();
    assert_eq!(piped.lines().len(), 1, "the heads alone: {piped:#?}");
}

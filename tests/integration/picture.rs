//! The README's pictures of a terminal: drawn from what the program prints, and compared with the committed files.
//! `UPDATE=1 cargo test picture` draws it anew.

use crate::terminal::at_terminal;
use crate::tools::assert_committed;
use crate::world::{World, ago};
use chrono::TimeDelta;
use rustix::fs::{FallocateFlags, fallocate};
use std::fmt::Write as _;
use std::fs;

/// How wide and how high a character is, and what is around the text.
const CELL: (f64, f64) = (8.4, 20.0);
const MARGIN: f64 = 16.0;

/// A base on which a list is the same every day, on any file system.
fn base() -> World {
    let world = World::new();
    let workspace =
        |id: &str| world.workspace().id(id).file("data/laps.parquet", b"").file("conversations.json", b"[]");
    let ok = |id: &str, minutes: i64, created: i64, description: &str| {
        let [accessed, created] = [minutes, created].map(|minutes| ago(TimeDelta::minutes(minutes)));
        workspace(id).accessed(&accessed).created(&created).description(description).make()
    };
    let hours = |hours: i64| hours * 60 + 30;
    let days = |days: i64| hours(days * 24 + 1);
    let ids = [
        ok("0ce269d2-a33c-4ba0-9faf-f5278a53b0de", hours(2), hours(9), "Las Vegas 2026: qualifying"),
        ok("e89e0708-7b9a-438a-a21c-012da6076901", hours(5), days(3), "Sprint pace by stint"),
        ok("62bbc962-72c5-47d5-a71e-bc471994a683", days(3), days(24), ""),
        ok("bf486f56-8e0d-4b83-bcda-92f0407b4c1b", days(41), days(78), "Monza: undercut or overcut?"),
        ok("c969fd6b-5252-4ad2-9321-98d6b0ec6420", days(97), days(183), "Monaco: tyre degradation"),
        ok("d41be2c7-90aa-4c1e-8f0c-37a6f2e95b18", -days(2), days(22), "Written by a wrong clock"),
        workspace("6c7ab482-a9ca-49d7-9364-b3e425655d2e").make_without_metadata(),
        workspace("f3a7c1d0-64be-4f7a-9d53-0b1f6a2c88e4").metadata("{\"workspace_id\":").make(),
    ];
    for (id, tenths) in ids.iter().zip([182, 67, 31, 94, 26, 15, 12, 48]) {
        let file = fs::File::options().write(true).open(world.dir_of(id).join("data/laps.parquet")).expect("a file");
        fallocate(file, FallocateFlags::empty(), 0, tenths * (1 << 20) / 10).expect("space");
    }
    world
}

fn style(parameter: &str) -> &'static str {
    match parameter {
        "0" | "" => "",
        "1" => " font-weight=\"bold\"",
        "2" => " fill=\"#8b949e\"",
        "31" => " fill=\"#ff7b72\"",
        "32" => " fill=\"#3fb950\"",
        "33" => " fill=\"#d29922\"",
        other => panic!("there is no style for SGR {other}"),
    }
}

/// A line as SVG. Each word has its place and its length, so that columns stand in line in any font.
fn line(svg: &mut String, text: &str, y: f64) -> f64 {
    let width = |text: &str| text.chars().map(|_| CELL.0).sum::<f64>();
    let mut end = MARGIN;
    for (number, part) in text.split("\u{1b}[").enumerate() {
        let (parameter, part) = if number == 0 { ("", part) } else { part.split_once('m').expect("SGR") };
        for word in part.split_inclusive("  ") {
            let (x, trimmed) = (end + width(word) - width(word.trim_start()), word.trim());
            end += width(word);
            if !trimmed.is_empty() {
                let escaped = trimmed.replace('&', "&amp;").replace('<', "&lt;");
                let (length, style) = (width(trimmed), style(parameter));
                let _ =
                    writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\"{style}>{escaped}</text>");
            }
        }
    }
    end
}

fn svg(title: &str, shown: &str) -> String {
    let screen = format!("\u{1b}[2m$\u{1b}[0m {title}\n{}", shown.replace('\r', ""));
    let (mut texts, mut right, mut y) = (String::new(), 0_f64, MARGIN);
    for text in screen.lines() {
        right = right.max(line(&mut texts, text, y + 0.75 * CELL.1));
        y += CELL.1;
    }
    let (width, height) = (right + MARGIN, y + MARGIN);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\" \
         fill=\"#e6edf3\">\n<title>{title}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n{texts}</svg>\n"
    )
}

#[test]
fn the_committed_pictures_show_a_list_and_what_prune_asks() {
    needs!("python3");
    let world = base();
    let list = at_terminal(130, world.wsctl(["list", "--size"]).env("LANG", "C.UTF-8"), "").exits(0).stdout;
    assert_committed("dist/list.svg", &svg("wsctl list --size", &list));

    let run = world.wsctl(["-q", "prune", "--older-than", "30d", "--keep-last", "2"]);
    let asked = at_terminal(130, run, "n\\n").exits(78).stdout;
    let (question, _) = asked.split_once("[y/N] ").expect("a question");
    let question = question.replace(world.base().to_str().expect("a path"), "~/.pitlane/workspaces");
    // The day it is asked on is always the same.
    let asked_on = ago(TimeDelta::days(30)).replacen('T', " ", 1);
    let question = question.replace(&asked_on[..16], "2026-10-29 12:00");
    assert_committed(
        "dist/prune.svg",
        &svg("wsctl -q prune --older-than 30d --keep-last 2", &format!("{question}[y/N] ")),
    );
}

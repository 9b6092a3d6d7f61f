//! The committed manual pages are those of the program's own command line. `UPDATE=1 cargo test` writes them anew.
//!
//! Examples and exit statuses are what `--help` ends with. What is below is what `--help` has no place for.

use crate::tools::{assert_committed, repository};
use chrono::Utc;
use clap::Command;
use clap::builder::Resettable::Reset;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};
use std::fs;

const ENVIRONMENT: [(&str, &str); 8] = [
    ("WSCTL_BASE", "The workspaces' directory, if --base is not given. Empty counts as unset."),
    ("HOME", "The default base is in this directory."),
    ("RUST_LOG", "What to log if neither -v nor -q is given, such as info."),
    ("NO_COLOR", "If it is set, there are no colours, unless --color says otherwise."),
    ("CLICOLOR_FORCE", "If it is set, there are colours also without a terminal."),
    ("TZ", "The time zone of list --time local."),
    ("LC_ALL, LC_CTYPE, LANG", "Unless the first that is set is UTF-8, a table on a terminal is ASCII only."),
    (
        "JOURNAL_STREAM",
        "Set by systemd(1). If it names stderr, each diagnostic begins with its priority for the journal.",
    ),
];

const FILES: [(&str, &str); 5] = [
    ("~/.pitlane/workspaces", "The default base."),
    ("BASE/ID/.metadata.json", "The metadata of a workspace, such as its last access."),
    ("BASE/ID/.metadata.tmp.*.json", "A rewrite of it by the application, in progress or interrupted."),
    (
        "BASE/.wsctl-claimed.ID.TAG",
        "A workspace that a prune is looking at. If that prune was killed, the next one decides on it again.",
    ),
    (
        "BASE/.wsctl-doomed.ID.TAG",
        "A workspace that a prune is removing. If that prune was killed, the next one finishes it.",
    ),
];

const SEE_ALSO: [&str; 5] = ["du(1)", "crontab(5)", "systemd.timer(5)", "prometheus-node-exporter(1)", "sysexits(3)"];

/// The program and its subcommands.
fn commands() -> Vec<Command> {
    let mut program = wsctl::cli::command().disable_help_subcommand(true);
    program.build();
    let subcommands: Vec<_> = program.get_subcommands().cloned().collect();
    [vec![program], subcommands].concat()
}

fn name(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// Each of these with what it means.
fn explain<'a>(roff: &mut Roff, indent: Option<&str>, items: impl IntoIterator<Item = (&'a str, &'a str)>) {
    for (item, meaning) in items {
        roff.control("TP", indent).text([bold(item)]).text([roman(meaning)]);
    }
}

/// The sections after the options.
fn sections(command: &Command) -> Roff {
    let help = command.get_after_long_help().expect("what --help ends with").to_string();
    let (examples, exits) = help.split_once("\n\n").expect("examples, and then exit statuses");
    let (heading, exits) = exits.split_once(":\n").expect("a heading");
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]).text([roman(heading.replace('\n', " ") + ":")]);
    explain(&mut roff, Some("5"), exits.lines().map(|line| line.trim_start().split_once("  ").expect("a status")));
    for (heading, items) in [("ENVIRONMENT", &ENVIRONMENT[..]), ("FILES", &FILES)] {
        roff.control("SH", [heading]);
        explain(&mut roff, None, items.iter().copied());
    }
    roff.control("SH", ["EXAMPLES"]).control("EX", []);
    for line in examples.lines().skip(1) {
        roff.text([roman(line.trim_start())]);
    }
    roff.control("EE", []);
    let pages = commands().into_iter().map(|other| name(&other)).filter(|other| *other != name(command));
    let pages = pages.map(|page| page + "(1)").chain(SEE_ALSO.map(str::to_owned));
    let named: Vec<_> = pages.flat_map(|page| [roman(", "), italic(page)]).skip(1).collect();
    roff.control("SH", ["SEE ALSO"]).text(named);
    roff
}

fn page(command: &Command, date: &str) -> String {
    let usage = command.clone().render_usage().to_string();
    let shown = command.clone().override_usage(usage.trim_start_matches("Usage: ").to_owned());
    let source = concat!("wsctl ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(shown.after_long_help(Reset).version(Reset)).title(name(command).to_uppercase());
    let mut page = Vec::new();
    man.date(date).source(source).manual("wsctl").render(&mut page).expect("a page");
    String::from_utf8(page).expect("UTF-8") + &sections(command).to_roff()
}

/// The day on which a page last changed: the third word of its title.
fn date(page: &str) -> Option<&str> {
    page.lines().find_map(|line| line.strip_prefix(".TH "))?.split(' ').nth(2)
}

#[test]
fn the_committed_manual_pages_are_those_of_the_command_line() {
    for command in commands() {
        let file = format!("dist/man/{}.1", name(&command));
        let committed = fs::read_to_string(repository(&file)).unwrap_or_default();
        let unchanged = date(&committed).map(|date| page(&command, date)).filter(|page| *page == committed);
        let today = || page(&command, &Utc::now().format("%Y-%m-%d").to_string());
        assert_committed(&file, &unchanged.unwrap_or_else(today));
    }
}

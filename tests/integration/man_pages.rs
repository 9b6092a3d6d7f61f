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

const ENVIRONMENT: [(&str, &str); 6] = [
    ("WSCTL_BASE", "The workspaces' directory, where --base is not given. Empty counts as unset."),
    ("HOME", "Where the default base is looked for."),
    ("RUST_LOG", "What to log, where neither -v nor -q is given: info, for example."),
    ("NO_COLOR", "Set to anything: no colours, unless --color says otherwise."),
    ("CLICOLOR_FORCE", "Set to anything but 0: colours also where there is no terminal."),
    ("JOURNAL_STREAM", "Set by systemd(1). Where it names stderr, diagnostics carry their priority for the journal."),
];

const FILES: [(&str, &str); 5] = [
    ("~/.pitlane/workspaces", "The default base."),
    ("BASE/ID/.metadata.json", "What the application, and wsctl, know of a workspace."),
    ("BASE/ID/.metadata.tmp.*.json", "A rewrite of it by the application that is under way or was cut off."),
    (
        "BASE/.wsctl-claimed.ID.TAG",
        "A workspace that a prune is looking at. Left by one that was killed, the next decides afresh.",
    ),
    (
        "BASE/.wsctl-doomed.ID.TAG",
        "A workspace that is being removed. Left by a prune that was killed, the next finishes it.",
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

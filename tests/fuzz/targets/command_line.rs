#![no_main]
//! What changes nothing on disk is run in this process, without the signal handlers and the log of `wsctl::run`.

use clap::Parser;
use std::ffi::OsString;
use std::path::Path;
use std::sync::LazyLock;
use wsctl::cli::{Cli, Command};
use wsctl::commands::{self, Context, Screen, Terminal};
use wsctl::core::{Category, Timestamp};
use wsctl::signals::Signals;

static BASE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let base = tempfile::tempdir().expect("a base");
    std::env::set_current_dir(&base).expect("its directory");
    let valid = "{\"last_accessed\": \"2020-01-01T00:00:00+00:00Z\", \"description\": \"\u{202e}\"}";
    for (number, metadata) in [valid, "{"].iter().enumerate() {
        let workspace = base.path().join(format!("6c7ab482-a9ca-49d7-9364-b3e425655d2{number}"));
        std::fs::create_dir(&workspace).expect("a workspace");
        std::fs::write(workspace.join(".metadata.json"), metadata).expect("metadata");
    }
    base
});
static SIGNALS: LazyLock<Signals> = LazyLock::new(|| Signals::install().expect("handlers"));

fn run(args: Vec<OsString>, base: &Path) -> (u8, String) {
    let words = [OsString::from("wsctl")].into_iter().chain(args);
    let Ok(cli) = Cli::try_parse_from(words) else { return (2, String::new()) };
    let screen = Some(Screen { width: Some(80), utf8: true });
    let terminal = Terminal { interactive: false, show_progress: false, screen, color: anstream::ColorChoice::Never };
    let base = cli.global.base(|_| Some(base.into())).expect("a base");
    let now = Timestamp::from_unix(1_700_000_000, 0);
    let context =
        Context { base, now, verbosity: cli.global.verbosity(), terminal, time_zone: None, signals: &SIGNALS };
    let outcome = match &cli.command {
        Command::Validate(arguments) => commands::validate::run(arguments, &context),
        Command::List(arguments) => commands::list::run(arguments, &context),
        Command::Prune(arguments) => commands::prune::run(arguments, &context),
        Command::Touch(_) => unreachable!("it changes something"),
    };
    let mut out = Vec::new();
    let status = match outcome {
        Ok(outcome) => outcome.render(&mut out).map(|()| outcome.status().code()).expect("memory"),
        Err(error) => {
            let known = error.chain().find_map(|cause| cause.downcast_ref::<wsctl::core::Error>());
            wsctl::core::ExitStatus::Failure(known.map_or(Category::Unexpected, |error| error.category())).code()
        }
    };
    (status, String::from_utf8(out).expect("UTF-8").replace('\0', ""))
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    properties::command_line_by(bytes, |args| run(args, BASE.path()));
    assert_eq!(std::fs::read_dir(&*BASE).map(Iterator::count).ok(), Some(2), "something was made or is gone");
});

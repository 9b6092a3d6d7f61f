//! `wsctl` administers the workspaces of the web application PitLane AI.
//!
//! Data flows one way: command line → typed arguments → facts from disk → a decision → an action → an outcome → text or
//! JSON and one exit status. Each layer uses only the layers below it:
//!
//! | layer | what it does |
//! |---|---|
//! | this file | parses, dispatches, reports, and returns the exit status; reads the time of the run, the environment and the terminal |
//! | [`completion`] | answers shells that ask for completions |
//! | [`cli`], [`logging`] | defines the command line; sets up logging |
//! | [`commands`] | one file for each subcommand: its arguments, its flow, its outcome |
//! | [`args`], [`output`], [`signals`] | parses values; writes output; handles signals |
//! | [`core`] | finds, reads, rewrites, measures and removes workspaces |

pub mod args;
pub mod cli;
pub mod commands;
pub mod completion;
pub mod core;
pub mod logging;
pub mod output;
pub mod signals;

use crate::cli::{Cli, Command, Global, Lenient};
use crate::commands::{Context, Screen, Terminal};
use crate::core::{Category, Error, ExitStatus, Timestamp, threads};
use crate::output::metrics::{self, Gauge};
use crate::output::{Outcome, descriptor, diagnostics, stdout};
use crate::signals::Signals;
use anstream::ColorChoice;
use clap::FromArgMatches;
use log::LevelFilter;
use rustix::fs::{Mode, OFlags};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// Replaces each standard descriptor that was closed at the start by one that can be neither read nor written, also under names like
/// `/dev/stdin`: nobody can read his own memory from its beginning. Before `main`, std would open `/dev/null` there, which would make
/// `<&-` an empty list and `>&-` a silent success. A constructor runs before that.
#[ctor::ctor]
fn fill_closed_descriptors() {
    let open = |path| rustix::fs::open(path, OFlags::PATH, Mode::empty());
    let next = || open("/proc/self/mem").or_else(|_| open("/")).ok().filter(|fd| fd.as_raw_fd() <= 2);
    while let Some(fd) = next() {
        let _ = fd.into_raw_fd(); // it stays open
    }
}

/// Runs the program and returns its exit status. The first argument is the name of the program.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    signals::survive_file_size_limit();
    let args: Vec<OsString> = args.into_iter().collect();
    let request = env(completion::VARIABLE).and_then(|shell| completion::Request::of(&shell, &args));
    if let Some(request) = request {
        return answer_completion(request).code();
    }
    panic::set_hook(Box::new(|info| {
        diagnostics::report(&Error::new(Category::Unexpected, format!("a bug in wsctl: {info}")));
    }));
    let status = panic::catch_unwind(AssertUnwindSafe(|| execute(&args)));
    status.unwrap_or(ExitStatus::Failure(Category::Unexpected)).code()
}

/// Answers a shell that asks for completions. If something fails, it offers none and prints nothing else.
fn answer_completion(request: completion::Request) -> ExitStatus {
    panic::set_hook(Box::new(|_| {}));
    let mut answer = Vec::new();
    let is_for_script = request.is_for_script();
    let answered = panic::catch_unwind(AssertUnwindSafe(|| -> anyhow::Result<()> {
        Ok(request.answer(now()?, env, &mut answer)?)
    }));
    let is_answered = matches!(answered, Ok(Ok(())));
    let answer = if is_answered { &answer[..] } else { &[] };
    match stdout::write(|out| out.write_all(answer)) {
        Err(error) if is_for_script => ExitStatus::Failure(error.category()),
        _ => ExitStatus::Success,
    }
}

fn execute(args: &[OsString]) -> ExitStatus {
    match parse(args) {
        Ok(cli) if matches!(cli.command, Command::List(_) | Command::Prune(_)) => {
            threads::run_interruptibly(|| run_subcommand(&cli))
        }
        Ok(cli) => run_subcommand(&cli),
        Err(error) => show_help_or_error(error, args),
    }
}

fn run_subcommand(cli: &Cli) -> ExitStatus {
    logging::init(cli.global.verbosity(), cli.global.color(&io::stderr()));
    if let Some(Err(error)) = cli.command.metrics().map(metrics::check) {
        return diagnostics::report_chain(&error.into());
    }
    let (now, begun) = match now() {
        Ok(now) => (now, Instant::now()),
        Err(error) => return diagnostics::report_chain(&error),
    };
    let outcome = dispatch(cli, now);
    let status = match &outcome {
        Ok(outcome) => {
            let status = with_result(outcome.status(), stdout::write(|out| outcome.render(out)));
            status.max(descriptor::lost_output())
        }
        Err(error) => diagnostics::report_chain(error),
    };
    if let Ok(Some(note)) = outcome.as_ref().map(|outcome| outcome.note())
        && io::stderr().is_terminal()
        && cli.global.verbosity() > LevelFilter::Error
    {
        diagnostics::note(&note);
    }
    let Some(file) = cli.command.metrics() else { return status };
    let subcommand = if matches!(cli.command, Command::Prune(_)) { "prune" } else { "list" };
    let gauges = outcome.ok().map(|outcome| outcome.gauges());
    write_metrics((subcommand, &cli.global, file), (now, begun.elapsed()), status, gauges)
}

/// Writes the metrics of a run. `gauges` are those of its outcome, if there was one.
fn write_metrics(
    (subcommand, global, file): (&str, &Global, &Path),
    times: (Timestamp, Duration),
    status: ExitStatus,
    gauges: Option<Vec<Gauge>>,
) -> ExitStatus {
    let mut all = metrics::run_gauges(subcommand, times, status.code());
    match gauges {
        Some(gauges) => all.extend(gauges),
        None if subcommand == "prune" => all.extend(commands::prune::gauges_of_failure()),
        None => {}
    }
    with_result(status, metrics::replace(file, &global.base(env).unwrap_or_default(), &all))
}

/// Reads an environment variable.
fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Runs the subcommand.
fn dispatch(cli: &Cli, now: Timestamp) -> anyhow::Result<Box<dyn Outcome>> {
    let verbosity = cli.global.verbosity();
    let at_terminal = io::stderr().is_terminal();
    let signals = Signals::install()?;
    let context = Context {
        base: cli.global.base(env)?,
        now,
        verbosity,
        signals: &signals,
        terminal: Terminal {
            interactive: at_terminal && io::stdin().is_terminal(),
            show_progress: at_terminal && verbosity > LevelFilter::Error && can_erase(),
            screen: io::stdout()
                .is_terminal()
                .then(|| Screen { width: width(), utf8: is_utf8(|name| std::env::var(name).ok()) }),
            color: cli.global.color(&io::stdout()),
        },
        time_zone: env("TZ"),
    };
    match &cli.command {
        Command::Validate(arguments) => commands::validate::run(arguments, &context),
        Command::Touch(arguments) => commands::touch::run(arguments, &context),
        Command::List(arguments) => commands::list::run(arguments, &context),
        Command::Prune(arguments) => commands::prune::run(arguments, &context),
    }
}

/// Whether the terminal can erase what it shows.
fn can_erase() -> bool {
    env("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// Returns the width of stdout in columns, if it is a terminal with a known width.
fn width() -> Option<usize> {
    rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col.into()).filter(|width| *width > 0)
}

/// Whether the locale is UTF-8. The first of the variables that is not empty decides.
fn is_utf8(env: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(env).find(|locale| !locale.is_empty());
    locale.is_some_and(|locale| ["UTF-8", "UTF8"].iter().any(|name| locale.to_uppercase().contains(name)))
}

/// Parses the command line. For `COLUMNS=0`, clap would wrap the help at width 0.
fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    let is_zero = std::env::var("COLUMNS").is_ok_and(|columns| columns.parse() == Ok(0));
    let command = cli::command();
    let mut command = if is_zero { command.term_width(width().unwrap_or(100)) } else { command };
    let matches = command.try_get_matches_from_mut(args)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Reads the time of the run. Elsewhere, the clock is only compared with stamps of inodes. `chrono::Utc::now` panics if it is
/// before 1970.
#[allow(clippy::disallowed_methods)]
fn now() -> anyhow::Result<Timestamp> {
    Timestamp::new(SystemTime::now().into()).ok_or_else(|| anyhow::anyhow!("the clock is outside the years 1 to 9999"))
}

/// Shows help or version on stdout, or explains in one line on stderr what is wrong with the command line.
fn show_help_or_error(error: clap::Error, args: &[OsString]) -> ExitStatus {
    use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    let render = |color| match color {
        ColorChoice::Never => error.render().to_string(),
        _ => error.render().ansi().to_string(),
    };
    let line = &Lenient::of(args);
    let color = logging::init(line.global.verbosity(), line.global.color(&io::stderr()));
    match error.kind() {
        DisplayHelp | DisplayVersion => {
            let text = render(line.global.color(&io::stdout()));
            return with_result(ExitStatus::Success, stdout::write(|out| out.write_all(text.as_bytes())));
        }
        // Help without a subcommand. It quotes nothing from the command line, so it needs no escaping.
        DisplayHelpOnMissingArgumentOrSubcommand => drop(io::stderr().write_all(render(color).as_bytes())),
        _ => {
            diagnostics::report(&Error::new(Category::Usage, cli::usage_error(error, args, line)));
        }
    }
    let status = ExitStatus::Failure(Category::Usage);
    match (&line.subcommand, &line.metrics, now()) {
        (Some(subcommand), Some(file), Ok(now)) => {
            write_metrics((subcommand, &line.global, file), (now, Duration::ZERO), status, None)
        }
        _ => status,
    }
}

/// Reports a failed write, and returns the more severe status.
fn with_result(status: ExitStatus, written: core::Result<()>) -> ExitStatus {
    written.map_or_else(|error| status.max(diagnostics::report(&error)), |()| status)
}

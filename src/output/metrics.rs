//! Writes a file in Prometheus' text format, for the textfile collector of `node_exporter`.

use crate::core::atomic::{self, Ownership, Staged};
use crate::core::workspace::Status;
use crate::core::{Category, DirFd, Error, Result, Timestamp, metadata};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// A gauge: a number that goes up and down.
#[derive(Debug, Clone)]
pub struct Gauge {
    /// Its name, with the unit at its end, as Prometheus recommends.
    pub name: Cow<'static, str>,
    /// What it means, as a sentence without a full stop.
    pub help: &'static str,
    /// Its values, each with the label that tells it from the others.
    pub samples: Vec<(Option<(&'static str, &'static str)>, f64)>,
}

impl Gauge {
    /// Creates a gauge with a single value.
    pub fn new(name: impl Into<Cow<'static, str>>, help: &'static str, value: f64) -> Self {
        Self { name: name.into(), help, samples: vec![(None, value)] }
    }
}

/// The number of workspaces of each status, in the order of [`Status::ALL`].
pub type Counts = [u64; Status::ALL.len()];

/// Returns the gauges of what there is: workspaces by status and, if all were measured, the bytes they use and how many could not
/// be measured.
#[allow(clippy::cast_precision_loss)] // beyond 2⁵³, a byte does not matter
pub fn of_workspaces(counts: &Counts, measured: Option<(u64, u64)>) -> Vec<Gauge> {
    let mut gauges = vec![Gauge {
        name: "wsctl_workspaces".into(),
        help: "Workspaces there are after the run, by what is known of their last access",
        samples: Status::ALL.map(|status| (Some(("status", status.word())), counts[status as usize] as f64)).to_vec(),
    }];
    if let Some((used, unmeasured)) = measured {
        let help = "Workspaces of which not all could be measured, so that more is used than is said";
        gauges.extend([
            Gauge::new("wsctl_workspaces_used_bytes", "Disk usage of all workspaces after the run", used as f64),
            Gauge::new("wsctl_workspaces_unmeasured", help, unmeasured as f64),
        ]);
    }
    gauges
}

/// Returns the gauges of a run: when and how it went, and the version of the program.
pub fn of_run(subcommand: &str, (begun, took): (Timestamp, Duration), exit_status: u8) -> Vec<Gauge> {
    let name = |what: &str| format!("wsctl_{subcommand}_{what}");
    let (begun, version) = (begun.unix_seconds(), env!("CARGO_PKG_VERSION"));
    let mut gauges = vec![
        Gauge {
            name: "wsctl_build_info".into(),
            help: "The version of wsctl that ran",
            samples: vec![(Some(("version", version)), 1.0)],
        },
        Gauge::new(name("last_run_timestamp_seconds"), "When the last run began", begun),
        Gauge::new(name("last_run_duration_seconds"), "How long the last run took", took.as_secs_f64()),
        Gauge::new(name("last_run_exit_status"), "The exit status of the last run", exit_status.into()),
    ];
    if exit_status == 0 {
        let help = "When the last run that exited with 0 began";
        gauges.push(Gauge::new(name("last_success_timestamp_seconds"), help, begun));
    }
    gauges
}

/// Returns the gauges as text, each with the base as a label, because a host may have several.
fn text(base: &str, gauges: &[Gauge]) -> String {
    let mut text = String::new();
    for Gauge { name, help, samples } in gauges {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge"); // writing to a String cannot fail
        for (label, value) in samples {
            let label = label.map(|(name, value)| format!(",{name}=\"{value}\"")).unwrap_or_default();
            let _ = writeln!(text, "{name}{{base=\"{base}\"{label}}} {value}");
        }
    }
    text
}

/// Returns the lines of an older file that this run does not replace: those of the other subcommand and of the last success. So
/// one file serves all runs on a base.
fn kept(old: &str, base: &str, gauges: &[Gauge]) -> String {
    let lines: Vec<_> = old.lines().collect();
    let is_kept = |[help, kind, sample]: [&str; 3]| {
        let parted = sample.split_once(&format!("{{base=\"{base}\"}} "));
        let Some((name, value)) = parted else { return false };
        let is_of_run = ["wsctl_list_last_", "wsctl_prune_last_"].iter().any(|start| name.starts_with(start));
        let is_whole = help.starts_with(&format!("# HELP {name} ")) && kind == format!("# TYPE {name} gauge");
        is_of_run && is_whole && value.parse::<f64>().is_ok() && gauges.iter().all(|gauge| gauge.name != name)
    };
    let kept = lines.windows(3).filter(|lines| is_kept([lines[0], lines[1], lines[2]]));
    kept.flatten().flat_map(|line| [line, "\n"]).collect()
}

/// How often another run may sweep the new file away before it is renamed.
const TRIES: usize = 5;

/// Checks that the name is free or belongs to a regular file: root would also replace `/dev/null`.
///
/// # Errors
/// [`Category::Usage`] if it belongs to anything else.
pub fn check(file: &Path) -> Result<()> {
    let refused = |what| Err(Error::new(Category::Usage, format!("metrics {}: {what}", file.display())));
    let is_other = std::fs::metadata(file).is_ok_and(|found| !found.is_file());
    let is_descriptor = std::fs::read_link(file).is_ok_and(|target| target.starts_with("/proc"));
    if file.file_name().is_none() {
        return refused("it is not the path of a file");
    }
    if is_other || is_descriptor {
        return refused("there is something else than a regular file: name a file that may be replaced");
    }
    Ok(())
}

/// Replaces `file` atomically by one with these gauges, readable by all, because the collector is another user. Keeps what the
/// old file says about other runs.
///
/// # Errors
/// As in [`check`], or by errno if the file cannot be created. Then the old one stays.
pub fn replace(file: &Path, base: &Path, gauges: &[Gauge]) -> Result<()> {
    let failed = |errno, what: &str| Error::os(errno, format!("metrics {}: {what}", file.display())).severe();
    check(file)?;
    let name = file.file_name().unwrap_or_default();
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = DirFd::open(parent).map_err(|errno| failed(errno, "cannot open its directory"))?;
    let base = base.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut old = Vec::new();
    // Reads it like metadata: only a regular file of at most 64 KiB.
    let found = name.to_str().and_then(|name| metadata::read(&dir, name, &mut old).ok().flatten());
    let old = found.map_or_else(String::new, |_| String::from_utf8_lossy(&old).into_owned());
    let text = text(&base, gauges) + &kept(&old, &base, gauges);
    let put = || -> Result<rustix::io::Result<()>> {
        let staged = Staged::new(&dir, text.as_bytes(), Ownership { owner: None, mode: 0o644, attributes: None });
        Ok(staged.map_err(|error| error.of(format_args!("metrics {}", file.display())).severe())?.replace(name))
    };
    let mut replaced = Err(Errno::NOENT);
    for _ in 0..TRIES {
        replaced = put()?;
        // Another run may sweep the file away before it is locked.
        if replaced != Err(Errno::NOENT) {
            break;
        }
    }
    atomic::sweep(&dir);
    replaced.and_then(|()| dir.sync()).map_err(|errno| failed(errno, "cannot replace it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_older_file_only_what_this_program_wrote_of_this_base_is_kept() {
        let gauge = |name: &'static str| Gauge::new(name, "So long", 1.5);
        let (list, prune) = (gauge("wsctl_list_last_run_exit_status"), gauge("wsctl_prune_last_run_exit_status"));
        let old = text("/b", &[list, prune, gauge("wsctl_workspaces_used_bytes"), gauge("other_last_run")]);
        let of_prune = "# HELP wsctl_prune_last_run_exit_status So long\n# TYPE wsctl_prune_last_run_exit_status gauge\n\
                        wsctl_prune_last_run_exit_status{base=\"/b\"} 1.5\n";
        assert_eq!(kept(&old, "/b", &[gauge("wsctl_list_last_run_exit_status")]), of_prune);
        assert_eq!(kept(&old, "/c", &[]), "");
        assert_eq!(kept(&of_prune.replace("1.5", "much"), "/b", &[]), "");
        assert_eq!(kept(&of_prune.replace("# TYPE", "# KIND"), "/b", &[]), "");
    }
}

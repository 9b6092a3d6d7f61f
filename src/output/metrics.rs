//! Writes metrics in Prometheus' text format, for the textfile collector of `node_exporter`.

use crate::core::atomic::{self, Ownership, Staged};
use crate::core::workspace::Status;
use crate::core::{Category, DirFd, Error, Result, Timestamp, metadata};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// A metric that can go up and down.
#[derive(Debug, Clone)]
pub struct Gauge {
    /// The name. It ends in the unit, as Prometheus recommends.
    pub name: Cow<'static, str>,
    /// The description, without a full stop.
    pub help: &'static str,
    /// The values. If there are several, each has a label: its name and its value.
    pub samples: Vec<(Option<(&'static str, &'static str)>, f64)>,
}

impl Gauge {
    /// Creates a gauge with a single value.
    pub fn new(name: impl Into<Cow<'static, str>>, help: &'static str, value: f64) -> Self {
        Self { name: name.into(), help, samples: vec![(None, value)] }
    }
}

/// The number of workspaces with each status, in the order of [`Status::ALL`].
pub type Counts = [u64; Status::ALL.len()];

/// Returns the gauges of the workspaces: how many have each status. If they were measured, also the bytes that they use, and how
/// many could not be measured completely.
#[allow(clippy::cast_precision_loss)] // beyond 2⁵³, single bytes do not matter
pub fn workspace_gauges(counts: &Counts, measured: Option<(u64, u64)>) -> Vec<Gauge> {
    let mut gauges = vec![Gauge {
        name: "wsctl_workspaces".into(),
        help: "Workspaces after the run, by status",
        samples: Status::ALL.map(|status| (Some(("status", status.word())), counts[status as usize] as f64)).to_vec(),
    }];
    if let Some((used, unmeasured)) = measured {
        let help = "Workspaces that could not be measured completely and may use more bytes than reported";
        gauges.extend([
            Gauge::new("wsctl_workspaces_used_bytes", "Disk usage of all workspaces after the run", used as f64),
            Gauge::new("wsctl_workspaces_unmeasured", help, unmeasured as f64),
        ]);
    }
    gauges
}

/// Returns the gauges of a run: when it began, how long it took, its exit status, and the version of wsctl.
pub fn run_gauges(subcommand: &str, (begun, took): (Timestamp, Duration), exit_status: u8) -> Vec<Gauge> {
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

/// Formats gauges. Each has the base as a label, because a host may have several.
fn format(base: &str, gauges: &[Gauge]) -> String {
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

/// Returns the lines of the old file that stay valid, once each: those about runs on the same base that `gauges` do not replace.
/// So the file keeps the last run of the other subcommand and the last success.
fn valid_lines(old: &str, base: &str, gauges: &[Gauge]) -> String {
    let lines: Vec<_> = old.lines().collect();
    let mut names = HashSet::new();
    let mut is_valid = |[help, kind, sample]: [&str; 3]| {
        let parts = sample.split_once(&format!("{{base=\"{base}\"}} "));
        let Some((name, value)) = parts else { return false };
        let is_of_run = ["wsctl_list_last_", "wsctl_prune_last_"].iter().any(|start| name.starts_with(start));
        let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let is_whole = help.starts_with(&format!("# HELP {name} ")) && kind == format!("# TYPE {name} gauge");
        let is_ours = is_of_run && is_name && is_whole && value.parse::<f64>().is_ok();
        is_ours && gauges.iter().all(|gauge| gauge.name != name) && names.insert(name.to_owned())
    };
    let valid = lines.windows(3).filter(|lines| is_valid([lines[0], lines[1], lines[2]]));
    valid.flatten().flat_map(|line| [line, "\n"]).collect()
}

/// Waits, a second at most, for another run that is replacing a file in this directory: each keeps lines that the other wrote. It
/// waits no longer, because whoever may read the directory can hold the lock.
fn lock(dir: &DirFd) {
    for _ in 0..50 {
        match flock(dir, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::AGAIN) => thread::sleep(Duration::from_millis(20)),
            _ => return, // it is locked, or the file system has no locks
        }
    }
}

/// How often to try if others sweep the new file away before its rename.
const TRIES: usize = 5;

/// Checks that a file may be replaced. Otherwise root would replace `/dev/null`, too.
///
/// # Errors
/// [`Category::Usage`] if it exists and is not a regular file, or if the path cannot be that of a file.
pub fn check(file: &Path) -> Result<()> {
    let refused = |what| Err(Error::new(Category::Usage, format!("metrics {}: {what}", file.display())));
    let is_special = std::fs::metadata(file).is_ok_and(|found| !found.is_file());
    let is_descriptor = std::fs::read_link(file).is_ok_and(|target| target.starts_with("/proc"));
    if file.file_name().is_none() {
        return refused("it is not the path of a file");
    }
    if is_special || is_descriptor {
        return refused("it is not a regular file: name a file that may be replaced");
    }
    Ok(())
}

/// Replaces `file` atomically with one that has these gauges and the lines of the old file that stay valid. Everyone may read it,
/// because the collector runs as another user.
///
/// # Errors
/// As in [`check`], else by errno. Then the old file stays, unless only the last sync failed.
pub fn replace(file: &Path, base: &Path, gauges: &[Gauge]) -> Result<()> {
    check(file)?;
    try_replace(file, base, gauges).map_err(|error| error.about(format_args!("metrics {}", file.display())).severe())
}

fn try_replace(file: &Path, base: &Path, gauges: &[Gauge]) -> Result<()> {
    let name = file.file_name().unwrap_or_default();
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = DirFd::open(parent).map_err(|errno| Error::os(errno, "cannot open its directory"))?;
    lock(&dir);
    let base = base.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut old = Vec::new();
    // Like metadata, it is read only if it is a regular file of at most 64 KiB.
    let found = name.to_str().and_then(|name| metadata::read(&dir, name, &mut old).ok().flatten());
    let old = found.map_or_else(String::new, |_| String::from_utf8_lossy(&old).into_owned());
    let text = format(&base, gauges) + &valid_lines(&old, &base, gauges);
    let mut replaced = Err(Errno::NOENT);
    for _ in 0..TRIES {
        let ownership = Ownership { owner: None, may_give: false, mode: 0o644, attributes: None };
        replaced = Staged::new(&dir, text.as_bytes(), ownership)?.replace(name);
        // Another run may sweep the file away before it is locked.
        if replaced != Err(Errno::NOENT) {
            break;
        }
    }
    atomic::sweep(&dir);
    replaced.and_then(|()| dir.sync()).map_err(|errno| Error::os(errno, "cannot replace it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_lines_about_other_runs_on_the_same_base_stay() {
        let gauge = |name: &'static str| Gauge::new(name, "So long", 1.5);
        let (list, prune) = (gauge("wsctl_list_last_run_exit_status"), gauge("wsctl_prune_last_run_exit_status"));
        let old = format("/b", &[list, prune, gauge("wsctl_workspaces_used_bytes"), gauge("other_last_run")]);
        let prune_lines = "# HELP wsctl_prune_last_run_exit_status So long\n# TYPE wsctl_prune_last_run_exit_status gauge\n\
                        wsctl_prune_last_run_exit_status{base=\"/b\"} 1.5\n";
        assert_eq!(valid_lines(&old, "/b", &[gauge("wsctl_list_last_run_exit_status")]), prune_lines);
        assert_eq!(valid_lines(&old, "/c", &[]), "");
        assert_eq!(valid_lines(&prune_lines.replace("1.5", "much"), "/b", &[]), "");
        assert_eq!(valid_lines(&prune_lines.replace("# TYPE", "# KIND"), "/b", &[]), "");
        // Prometheus refuses a file with such names, or with one name twice.
        assert_eq!(valid_lines(&prune_lines.replace("_exit_", "_exit {"), "/b", &[]), "");
        assert_eq!(valid_lines(&prune_lines.repeat(2), "/b", &[]), prune_lines);
    }
}

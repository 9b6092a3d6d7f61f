//! What monitoring reads: a file in Prometheus' text format, for the textfile collector of `node_exporter`.

use crate::core::atomic::{self, Ownership, Staged};
use crate::core::workspace::Status;
use crate::core::{Category, DirFd, Error, Result};
use rustix::io::Errno;
use std::fmt::Write;
use std::path::Path;

/// A number that goes up and down.
#[derive(Debug)]
pub struct Gauge {
    /// Its name, with the unit at its end, as Prometheus recommends.
    pub name: &'static str,
    /// What it is, in a sentence without a full stop.
    pub help: &'static str,
    /// Its value, or one for each status.
    pub samples: Vec<(Option<Status>, f64)>,
}

impl Gauge {
    /// One with a single value.
    pub fn new(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, samples: vec![(None, value)] }
    }
}

/// The gauges in the text format, each labelled with the base: one host may have several.
pub fn text(base: &Path, gauges: &[Gauge]) -> String {
    let base = base.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut text = String::new();
    for Gauge { name, help, samples } in gauges {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge"); // a String takes all
        for (status, value) in samples {
            let status = status.map(|status| format!(",status=\"{}\"", status.word())).unwrap_or_default();
            let _ = writeln!(text, "{name}{{base=\"{base}\"{status}}} {value}");
        }
    }
    text
}

/// How often others may sweep the new file away before it is in place.
const TRIES: usize = 5;

/// Checks that there is nothing of that name but a file that may be replaced: root would replace `/dev/null` as well.
///
/// # Errors
/// [`Category::Usage`] if there is something else.
pub fn check(file: &Path) -> Result<()> {
    let is_other = std::fs::metadata(file).is_ok_and(|found| !found.is_file());
    let is_descriptor = std::fs::read_link(file).is_ok_and(|target| target.starts_with("/proc"));
    if is_other || is_descriptor {
        let what = "there is something else than a regular file: name a file that may be replaced";
        return Err(Error::new(Category::Usage, format!("metrics {}: {what}", file.display())));
    }
    Ok(())
}

/// Replaces `file` by this text, atomically, readable by everyone: the collector is another user.
///
/// # Errors
/// As in [`check`]; by errno, if the file cannot be made: the old one is there still.
pub fn replace(file: &Path, text: &str) -> Result<()> {
    let failed = |errno, what: &str| Error::os(errno, format!("metrics {}: {what}", file.display())).severe();
    check(file)?;
    let Some(name) = file.file_name() else {
        return Err(Error::new(Category::Usage, format!("metrics {}: names no file", file.display())));
    };
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = DirFd::open(parent).map_err(|errno| failed(errno, "cannot open its directory"))?;
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
    fn a_base_of_any_name_is_a_label() {
        let gauge = Gauge::new("a_seconds", "So long", 1.5);
        let shown = text(Path::new("/a\\b\"c\nd"), &[gauge]);
        assert_eq!(
            shown,
            "# HELP a_seconds So long\n# TYPE a_seconds gauge\na_seconds{base=\"/a\\\\b\\\"c\\nd\"} 1.5\n"
        );
    }
}

//! The workspaces that there are after a run, in numbers, and the run itself: what monitoring wants to know.

use super::done::{Done, TaskResult};
use super::plan::Plan;
use crate::output::metrics::{self, Gauge};

/// What there is. It is counted before anything goes, and then less what has gone.
#[derive(Debug, Default)]
pub(super) struct Totals {
    workspaces: metrics::Counts,
    used_bytes: u64,
    unmeasured: u64,
}

impl Totals {
    /// What there is before a run, which has measured all of it.
    pub(super) fn of(plan: &Plan) -> Self {
        let mut totals = Self::default();
        for (found, _) in plan.iter() {
            totals.workspaces[found.status as usize] += u64::from(found.counts());
            totals.used_bytes += found.bytes();
            totals.unmeasured += u64::from(found.unmeasured.is_some());
        }
        totals
    }

    /// Takes out what has gone: by this run, or by another one.
    pub(super) fn done(&mut self, done: &Done<'_>) {
        let found = done.found;
        let is_gone = matches!(done.result, TaskResult::Pruned | TaskResult::Elsewhere);
        if is_gone && found.counts() {
            let count = &mut self.workspaces[found.status as usize];
            *count = count.saturating_sub(1);
        }
        let freed = if is_gone { found.bytes() } else { done.freed };
        self.used_bytes = self.used_bytes.saturating_sub(freed);
    }

    /// What monitoring reads of it.
    pub(super) fn gauges(&self) -> Vec<Gauge> {
        metrics::of_workspaces(&self.workspaces, Some((self.used_bytes, self.unmeasured)))
    }
}

/// What a run came to.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) pruned: usize,
    pub(super) kept: usize,
    pub(super) skipped: usize,
    pub(super) failed: usize,
    pub(super) freed_bytes: u64,
}

impl Counts {
    /// What monitoring reads of it.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn gauges(&self) -> Vec<Gauge> {
        [
            ("wsctl_prune_last_run_pruned_workspaces", "Workspaces that the last run removed", self.pruned as f64),
            (
                "wsctl_prune_last_run_kept_workspaces",
                "Workspaces that the last run considered and left",
                self.kept as f64,
            ),
            (
                "wsctl_prune_last_run_skipped_workspaces",
                "Workspaces passed over since their last access is unknown",
                self.skipped as f64,
            ),
            (
                "wsctl_prune_last_run_failed_workspaces",
                "Workspaces that the last run could not deal with",
                self.failed as f64,
            ),
            ("wsctl_prune_last_run_freed_bytes", "Disk usage that the last run freed", self.freed_bytes as f64),
        ]
        .map(|(name, help, value)| Gauge::new(name, help, value))
        .into()
    }
}

/// The same of a run that failed before it could remove anything.
pub fn gauges_of_failure() -> Vec<Gauge> {
    Counts::default().gauges()
}

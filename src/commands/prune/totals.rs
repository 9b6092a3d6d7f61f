//! The numbers for monitoring: what there is after a run, and what the run did.

use super::plan::Plan;
use super::task::{Task, TaskResult};
use crate::output::metrics::{self, Gauge};

/// What there is. It is counted before the run, and what has gone is subtracted.
#[derive(Debug, Default)]
pub(super) struct Totals {
    workspaces: metrics::Counts,
    used_bytes: u64,
    unmeasured: u64,
}

impl Totals {
    /// Counts what there is before the run, which has measured all workspaces.
    pub(super) fn of(plan: &Plan) -> Self {
        let mut totals = Self::default();
        for (found, _) in plan.iter().filter(|(found, _)| found.counts()) {
            totals.workspaces[found.status as usize] += 1;
            totals.used_bytes += found.bytes();
            totals.unmeasured += u64::from(found.unmeasured.is_some());
        }
        totals
    }

    /// Subtracts a workspace that this run doomed or another run has, or the bytes that were freed of one that stays.
    pub(super) fn subtract(&mut self, task: &Task<'_>) {
        let found = task.found;
        if !found.counts() {
            return;
        }
        let is_gone = task.is_doomed || matches!(task.result, TaskResult::Elsewhere);
        self.workspaces[found.status as usize] -= u64::from(is_gone);
        self.unmeasured -= u64::from(is_gone && found.unmeasured.is_some());
        let freed = if is_gone { found.bytes() } else { task.freed };
        self.used_bytes = self.used_bytes.saturating_sub(freed);
    }

    /// Returns the gauges.
    pub(super) fn gauges(&self) -> Vec<Gauge> {
        metrics::workspace_gauges(&self.workspaces, Some((self.used_bytes, self.unmeasured)))
    }
}

/// Returns the gauges of what a run did.
#[allow(clippy::cast_precision_loss)]
pub(super) fn run_gauges(pruned: usize, kept: usize, skipped: usize, failed: usize, freed_bytes: u64) -> Vec<Gauge> {
    [
        ("wsctl_prune_last_run_pruned_workspaces", "Workspaces that the last run removed", pruned as f64),
        ("wsctl_prune_last_run_kept_workspaces", "Workspaces that the last run examined and kept", kept as f64),
        (
            "wsctl_prune_last_run_skipped_workspaces",
            "Workspaces that the last run skipped, because their last access is unknown",
            skipped as f64,
        ),
        ("wsctl_prune_last_run_failed_workspaces", "Workspaces that the last run failed on", failed as f64),
        ("wsctl_prune_last_run_freed_bytes", "Bytes that the last run freed", freed_bytes as f64),
    ]
    .map(|(name, help, value)| Gauge::new(name, help, value))
    .into()
}

/// Returns the gauges of a run that failed before it could remove anything.
pub fn gauges_of_failure() -> Vec<Gauge> {
    run_gauges(0, 0, 0, 0, 0)
}

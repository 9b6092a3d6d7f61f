//! The workspaces that there are after a run, in numbers, and the run itself: what monitoring wants to know.

use super::done::{Done, TaskResult};
use super::plan::Plan;
use crate::core::workspace::Status;
use crate::output::metrics::Gauge;

/// What there is. It is counted before anything goes, and then less what has gone.
#[derive(Debug, Default)]
pub(super) struct Totals {
    workspaces: [u64; Status::ALL.len()],
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
    #[allow(clippy::cast_precision_loss)] // beyond 2⁵³ a byte more or less is nothing
    pub(super) fn gauges(&self) -> Vec<Gauge> {
        let workspaces = Gauge {
            name: "wsctl_workspaces",
            help: "Workspaces there are after the run, by what is known of their last access",
            samples: Status::ALL.map(|status| (Some(status), self.workspaces[status as usize] as f64)).to_vec(),
        };
        let used = "Disk usage of all workspaces after the run";
        let unmeasured = "Workspaces of which not all could be measured, so that more is used than is said";
        vec![
            workspaces,
            Gauge::new("wsctl_workspaces_used_bytes", used, self.used_bytes as f64),
            Gauge::new("wsctl_workspaces_unmeasured", unmeasured, self.unmeasured as f64),
        ]
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

//! The workspaces that there are after a run, in numbers, and the run itself: what monitoring wants to know.

use super::candidates::Candidate;
use super::carry_out::{Ending, Task};
use crate::core::workspace::Status;
use crate::output::metrics::Gauge;

/// What there is. It is counted before anything goes, and then less what has gone.
#[derive(Debug, Default)]
pub(super) struct Stock {
    workspaces: [u64; Status::ALL.len()],
    used_bytes: u64,
    unmeasured: u64,
}

impl Stock {
    /// What there is before a run, which has measured all of it.
    pub(super) fn of(candidates: &[Candidate]) -> Self {
        let mut stock = Self::default();
        for candidate in candidates {
            if !candidate.is_doomed() {
                stock.workspaces[candidate.status as usize] += 1;
            }
            stock.used_bytes += candidate.size();
            stock.unmeasured += u64::from(candidate.unmeasured().is_some());
        }
        stock
    }

    /// Takes out what has gone: by this run, or by another one.
    pub(super) fn done(&mut self, task: &Task<'_>) {
        let candidate = &task.candidate;
        let gone = match task.ending {
            Ending::Pruned | Ending::Elsewhere => {
                let count = &mut self.workspaces[candidate.status as usize];
                *count -= u64::from(!candidate.is_doomed() && *count > 0);
                candidate.size()
            }
            Ending::Kept | Ending::Failed | Ending::Full => task.freed,
        };
        self.used_bytes = self.used_bytes.saturating_sub(gone);
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

/// What a run came to: how many were pruned, kept, skipped and failed, and the bytes that it freed.
#[allow(clippy::cast_precision_loss)]
pub(super) fn gauges_of_run([pruned, kept, skipped, failed]: [u64; 4], freed: u64) -> Vec<Gauge> {
    [
        ("wsctl_prune_last_run_pruned_workspaces", "Workspaces that the last run removed", pruned),
        ("wsctl_prune_last_run_kept_workspaces", "Workspaces that the last run considered and left", kept),
        (
            "wsctl_prune_last_run_skipped_workspaces",
            "Workspaces passed over since their last access is unknown",
            skipped,
        ),
        ("wsctl_prune_last_run_failed_workspaces", "Workspaces that the last run could not deal with", failed),
        ("wsctl_prune_last_run_freed_bytes", "Disk usage that the last run freed", freed),
    ]
    .map(|(name, help, value)| Gauge::new(name, help, value as f64))
    .into()
}

/// The same of a run that failed before it could remove anything.
pub fn gauges_of_failure() -> Vec<Gauge> {
    gauges_of_run([0; 4], 0)
}

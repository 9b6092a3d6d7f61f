//! What a plan would do, for the dry run and the question.

use super::claim;
use super::mounts::Mounts;
use super::plan::{Decision, Plan};
use super::survey::Found;
use super::task::{Task, TaskResult};
use crate::core::names::TrashName;
use crate::core::{Base, Error, threads, tree};
use crate::output::progress::{Labels, Progress};
use std::collections::HashSet;

/// Returns what would happen to each workspace that is to be deleted, in the order of the plan.
pub(super) fn rehearse<'p>(base: &Base, plan: &'p Plan, jobs: usize, show_progress: bool) -> Vec<Task<'p>> {
    let mounts = Mounts::read(base.dir());
    if mounts.is_base_on_overlay() {
        // The kernel does not show the option where it is the default.
        log::warn!(
            "the base is on an overlay: unless it has redirect_dir=on, workspaces in a lower layer cannot be claimed and would stay"
        );
    }
    let to_prune: Vec<_> = plan.to_prune().collect();
    let progress = Progress::new(show_progress, Labels::MEASURING, to_prune.len());
    threads::filter_map_in_threads(&to_prune, jobs, |(found, rule), scratch| {
        let name = found.name();
        let (result, freed) = match (mounts.check(&name, &|| false, scratch), found.size) {
            (Err(error), _) => (TaskResult::failed(error), 0),
            (Ok(()), Some(size)) => (TaskResult::Pruned(found.unmeasured.clone()), size.get()),
            (Ok(()), None) => match tree::measure(base.dir(), &name, &|| false, scratch) {
                usage if usage.is_gone() => return None,
                usage => (TaskResult::Pruned(usage.error.map(Box::new)), usage.bytes),
            },
        };
        progress.advance(freed);
        Some(Task { result, freed, ..Task::new((found, *rule)) })
    })
}

/// Returns the claims of earlier runs that could not be put back, as far as one can know without trying.
pub(super) fn put_back<'p>(base: &Base, plan: &'p Plan) -> Vec<(&'p Found, Decision, Error)> {
    let mut back = HashSet::new();
    let obstacle = |(found, decision, name): (_, _, TrashName)| {
        Some((found, decision, claim::put_back_error(base, name, !back.insert(name.id))?))
    };
    plan.claims_to_put_back().into_iter().filter_map(obstacle).collect()
}

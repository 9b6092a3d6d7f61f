//! `wsctl prune`: deletes stale workspaces.
//!
//! survey → plan → confirm → carry out → report. A dry run rehearses the plan instead of carrying it out.

mod args;
mod carry_out;
mod claim;
mod confirm;
mod look;
pub mod mounts;
pub mod plan;
mod rehearse;
mod report;
pub mod survey;
mod task;
mod totals;

use super::Context;
use crate::args::ids;
use crate::core::{Category, Error, threads};
use crate::output::{Outcome, diagnostics};
use carry_out::Work;
use confirm::Question;
use report::Report;
use task::Task;
use totals::Totals;

pub use args::{Arguments, EXAMPLES};
pub use totals::gauges_of_failure;

/// Decides, asks, and carries out what was decided.
pub fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<Box<dyn Outcome>> {
    let mut report = Report::new(context, arguments.format, arguments.dry_run, arguments.cutoff(context.now));
    let exclude = arguments.excluded()?;
    let are_given = !ids::are_missing(&arguments.ids, &arguments.input);
    let given = ids::read(&arguments.ids, &arguments.input, &context.base)?;
    let ids = are_given.then(|| given.ids.into_iter().collect());
    let base = context.open_base()?;
    let asks = !arguments.dry_run && !arguments.yes;
    if asks && !context.terminal.interactive {
        given.wrong.into_iter().try_for_each(|(_, error)| Err(error))?; // a wrong ID is reported first
        let what = "cannot ask without a terminal: pass --yes to delete without asking, or --dry-run to see what would be deleted";
        return Err(Error::new(Category::Usage, what).into());
    }
    given.wrong.iter().for_each(|(input, error)| report.fail_input(&input.to_string_lossy(), error));
    let free = match arguments.free(&base) {
        Ok(free) => free,
        Err(error) => {
            report.status.raise(diagnostics::report(&error)); // the summary says that nothing was pruned
            return Ok(Box::new(report));
        }
    };
    let rules = arguments.rules(free, exclude, ids, context.now);
    let jobs = arguments.jobs.map_or_else(threads::default_threads, usize::from);
    let show_progress = context.terminal.show_progress;

    let facts = survey::survey(&base, &arguments.scope(&rules), jobs, context.now, show_progress)?;
    let plan = plan::decide(facts, &rules);
    log::debug!("examined {} of {} workspaces", plan.iter().count(), plan.total());
    report.add_plan(&plan, rules.choose_by_size(), arguments.metrics().map(|_| Totals::of(&plan)));

    let mut allowed = confirm::guard(&plan, arguments.max_delete);
    if asks && allowed.is_ok() && !plan.is_empty() {
        let rehearsed = &rehearse::rehearse(&base, &plan, jobs, show_progress);
        allowed = confirm::ask(&Question { base: &base, rules: &rules, plan: &plan, rehearsed, now: context.now });
    }
    if let Err(refusal) = &allowed {
        report.status.raise(diagnostics::report(refusal));
    }
    if arguments.dry_run {
        report.add_claims_that_stay(&rehearse::put_back(&base, &plan));
        report.add_results(rehearse::rehearse(&base, &plan, jobs, show_progress));
    } else if allowed.is_ok() {
        context.defer_exit();
        report.add_claims_that_stay(&carry_out::put_back(&base, &plan, context.signals));
        let report_result = |task: &Task<'_>| report.report_result(task);
        let work =
            Work { base: &base, use_mtime: arguments.use_mtime, jobs, show_progress, report_result: &report_result };
        let tasks = carry_out::carry_out(&work, &plan, context.signals);
        report.add_results(tasks);
        report.status.raise(context.signals.caught().unwrap_or_default());
    } else {
        report.add_results(plan.to_prune().map(Task::new).collect()); // all stay
    }
    Ok(Box::new(report))
}

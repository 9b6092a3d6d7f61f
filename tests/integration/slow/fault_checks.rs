//! What must be true after a call has failed, or after a kill; see `faults`.

use crate::slow::fault_cases::{Case, Kind};
use crate::slow::fault_points::Point;
use crate::slow::forests::{self, Forest, ensure, id_of, ids_of, is_temporary, swept, tree_of};
use crate::world::Ran;
use serde_json::Value;
use std::collections::BTreeSet;

/// A run and what it left.
pub struct Struck {
    pub ran: Ran,
    pub log: String,
    pub after: Forest,
}

/// Checks what a fault or a kill came to.
pub fn check(case: &Case, point: &Point, before: &Forest, reference: &Struck, struck: &Struck) -> Result<(), String> {
    if point.error.is_some() {
        check_words(point, &reference.ran, &struck.ran)?;
    }
    match case.kind {
        Kind::Touch => check_touch(point, before, reference, struck),
        Kind::Prune => check_prune(point, before, reference, struck),
        Kind::Read => check_read(case, point, before, reference, struck),
    }
}

/// The exit status and stderr, whatever the command.
fn check_words(point: &Point, reference: &Ran, ran: &Ran) -> Result<(), String> {
    let known = [0, 1, 2, 65, 66, 70, 74, 75, 77, 78];
    ensure(known.contains(&ran.status), "an exit status that is not in the table")?;
    ensure(!ran.stderr.contains("panicked") && !ran.stderr.contains("a bug in"), "a panic")?;
    let to_stderr = point.is_on_stderr();
    let well_formed = |line: &str| {
        let rest = line.strip_prefix("error[").or_else(|| line.strip_prefix("warning["));
        rest.and_then(|rest| rest.split_once("]: "))
            .is_some_and(|(word, rest)| !rest.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
    };
    ensure(to_stderr || ran.stderr.lines().all(well_formed), "a line on stderr that has another form")?;
    let same = ran.status == reference.status;
    ensure(same || to_stderr || !ran.stderr.is_empty(), "it failed without a word")?;
    ensure(same || point.statuses().contains(&ran.status), "another status than the error has")?;
    if point.is_tried_again() {
        return ensure(same && lasting(&ran.stdout) == lasting(&reference.stdout), "the call was not made again");
    }
    let must_tell = point.call.name == "fsync" || (point.call.name == "write" && !to_stderr);
    ensure(!must_tell || !same, "nobody was told that it is not written")
}

fn check_touch(point: &Point, before: &Forest, reference: &Struck, struck: &Struck) -> Result<(), String> {
    let Struck { ran, after, .. } = struck;
    ensure(before.keys().eq(after.keys()), "a workspace has gone or come")?;
    let mut untouched = Vec::new();
    for (id, tree) in after {
        let (old, new) = (&before[id], &reference.after[id]);
        let whole = swept(tree) == swept(old) || swept(tree) == swept(new);
        ensure(whole, format!("{id} is neither the old nor the new: {tree:#?}"))?;
        let leftovers = tree.iter().filter(|line| is_temporary(line) && !old.contains(line)).count();
        ensure(point.error.is_none() || leftovers == 0, format!("a temporary file is left in {id}: {tree:#?}"))?;
        if swept(tree) != swept(new) {
            untouched.push(id);
        }
    }
    if point.error.is_none() {
        return Ok(());
    }
    if ran.status == 0 {
        ensure(untouched.is_empty(), format!("no failure, and not touched: {untouched:?}"))?;
        return ensure(
            point.may_be_silent(Kind::Touch) || *after == reference.after,
            "a leftover stays, and nobody says so",
        );
    }
    let fatal = !ran.stderr.contains("workspace ");
    let told = |id: &&String| ran.stderr.contains(&format!("workspace {id}: "));
    ensure(fatal || untouched.iter().all(told), format!("not touched without a word: {untouched:?}"))?;
    ensure(fatal || untouched.len() <= 1, format!("one failure stopped others: {untouched:?}"))
}

fn check_prune(point: &Point, before: &Forest, reference: &Struck, struck: &Struck) -> Result<(), String> {
    let Struck { ran, after, .. } = struck;
    let (had, has) = (ids_of(before), ids_of(after));
    let decided = &had - &ids_of(&reference.after);
    let gone = &had - &has;
    let is_whole =
        |name: &str, tree: &[String]| id_of(name).is_some_and(|id| swept(tree_of(before, id)) == swept(tree));
    forests::check(before, after, |id| decided.contains(id), is_whole)?;
    let whole = after.iter().all(|(name, tree)| id_of(name).is_none() || is_whole(name, tree));
    ensure(!point.before_sync || (whole && gone.is_empty()), "something went before the base was synced")?;
    let needless = |name: &&String| {
        name.starts_with('.') && !before.contains_key(*name) && id_of(name).is_some_and(|id| !decided.contains(id))
    };
    ensure(after.keys().find(needless).is_none(), "something was taken aside without need")?;
    // A run that comes to its end leaves nothing claimed, unless it is the put back that failed.
    let failed = |name: &String| point.call.name.starts_with("rename") && point.call.line.contains(&**name);
    let mut claimed = after.keys().filter(|name| name.starts_with(".wsctl-claimed."));
    let ended = point.error.is_some() && !(ran.stdout.is_empty() && ran.status > 1);
    ensure(!ended || claimed.all(failed), "something was not put back")?;
    if point.error.is_some() { check_report(point, &decided, &gone, &reference.ran, ran) } else { Ok(()) }
}

/// Whether the JSON report tells what happened.
fn check_report(
    point: &Point,
    decided: &BTreeSet<&str>,
    gone: &BTreeSet<&str>,
    reference: &Ran,
    ran: &Ran,
) -> Result<(), String> {
    let Ok(report) = serde_json::from_str::<Value>(&ran.stdout) else {
        return ensure(ran.status > 1 && ran.stdout.is_empty(), "no report, and no failure");
    };
    if ran.stderr.contains("]: base ") {
        return ensure(gone.is_empty() && ran.status > 1, "something went, though free space is not known");
    }
    let ids = |key: &str| {
        let list = report[key].as_array().into_iter().flatten();
        list.filter_map(|item| item["id"].as_str()).collect::<Vec<_>>()
    };
    let (mut pruned, failed, skipped) = (ids("pruned"), ids("failed"), ids("skipped"));
    pruned.sort_unstable();
    ensure(pruned.iter().eq(gone.iter()), format!("reported as pruned: {pruned:?}, gone: {gone:?}"))?;
    let fits = failed.is_empty() == (ran.status == 0) || ran.stderr.contains(" measure");
    ensure(fits, "the status and the failures that are reported do not fit")?;
    let told = |id: &&str| point.is_on_stderr() || ran.stderr.contains(&format!("workspace {id}: "));
    ensure(failed.iter().chain(&skipped).all(told), "a failure is reported in JSON alone")?;
    let mut left = decided.difference(gone);
    ensure(left.all(|id| failed.contains(id) || skipped.contains(id)), "something stays without a word")?;
    let usual = reference.json();
    let done = ran.status == 0 && usual["skipped"].as_array().map(Vec::len) == Some(skipped.len());
    ensure(!done || report["kept"] == usual["kept"], "another count of those that stay")
}

/// A document without what changes from run to run.
fn lasting(stdout: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(stdout) else { return stdout.to_owned() };
    for key in ["cutoff", "base"] {
        document[key].take();
    }
    for row in document["workspaces"].as_array_mut().into_iter().flatten() {
        row["age_seconds"].take();
        row["path"].take();
    }
    document.to_string()
}

fn check_read(case: &Case, point: &Point, before: &Forest, reference: &Struck, struck: &Struck) -> Result<(), String> {
    ensure(*before == struck.after, "it changed something")?;
    let (ran, usual) = (&struck.ran, &reference.ran);
    if point.error.is_none() {
        return Ok(());
    }
    if ran.status != usual.status {
        let fine = case.name != "validate" || ran.stdout.lines().all(|line| usual.stdout.contains(line));
        return ensure(fine, "validate said yes to what it could not see");
    }
    let same = lasting(&ran.stdout) == lasting(&usual.stdout);
    let skipped = ran.stderr.contains(": skipped (denied): "); // the warning that the contract asks for
    ensure(same || skipped || point.may_be_silent(case.kind), "another answer, and no failure")
}

/// Checks that the next run does all that there was to do.
pub fn check_next(case: &Case, struck: &Struck, reference: &Struck, next: &Struck) -> Result<(), String> {
    let absent = case.kind == Kind::Prune && case.targets().any(|id| !ids_of(&struck.after).contains(&**id));
    let status = if absent { 66 } else { reference.ran.status };
    ensure(next.ran.status == status, format!("the next run does not exit {status}"))?;
    let same = next.after.keys().eq(reference.after.keys())
        && next.after.iter().all(|(name, tree)| swept(tree) == swept(&reference.after[name]));
    ensure(same, format!("the next run leaves {:#?}", next.after.keys()))?;
    let leftover = |id: &String| next.after[id].iter().any(|line| line.starts_with(".wsctl-tmp."));
    ensure(case.kind != Kind::Touch || !case.targets().any(leftover), "the next touch leaves a temporary file")
}

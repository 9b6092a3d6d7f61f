//! What must be true after a call has failed, after a kill, or after a power cut; see `faults` and `power_cuts`.

use crate::slow::fault_cases::{Case, Kind};
use crate::slow::fault_points::Point;
use crate::world::{Ran, lines, names};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// For each name in a base the listing of its tree, a line a path.
pub type Forest = BTreeMap<String, Vec<String>>;

/// `Err` tells what is wrong.
type Checked = Result<(), String>;

pub fn forest(base: &Path) -> Forest {
    let tree = |name: &String| lines(&base.join(name), |_, stat| format!("{}:{}", stat.uid(), stat.gid()));
    names(base).into_iter().map(|name| (name.clone(), tree(&name))).collect()
}

pub fn ensure(condition: bool, what: impl Into<String>) -> Checked {
    if condition { Ok(()) } else { Err(what.into()) }
}

/// The workspace that a name in the base is of; `None`: not ours.
fn id_of(name: &str) -> Option<&str> {
    name.strip_prefix(".wsctl-claimed.").or_else(|| name.strip_prefix(".wsctl-doomed.")).unwrap_or(name).get(..36)
}

fn ids_of(forest: &Forest) -> BTreeSet<&str> {
    forest.keys().filter_map(|name| id_of(name)).collect()
}

fn is_temporary(line: &str) -> bool {
    line.starts_with("\".metadata.tmp.") || line.starts_with("\".wsctl-tmp.")
}

/// A tree without what both touch and prune sweep away.
pub fn swept(tree: &[String]) -> Vec<&String> {
    tree.iter().filter(|line| !is_temporary(line)).collect()
}

/// The tree that a workspace had, under whatever name.
fn tree_of<'a>(forest: &'a Forest, id: &str) -> &'a [String] {
    forest.iter().find(|(name, _)| id_of(name) == Some(id)).map_or(&[], |(_, tree)| tree)
}

pub struct Struck {
    pub ran: Ran,
    pub log: String,
    pub after: Forest,
}

/// Checks what is left in the base. `done` is what a run leaves that nothing strikes.
pub fn check_left(case: &Case, before: &Forest, done: &Forest, after: &Forest) -> Checked {
    match case.kind {
        Kind::Read => ensure(before == after, "it changed something"),
        Kind::Touch => {
            ensure(before.keys().eq(after.keys()), "a workspace has gone or come")?;
            after.iter().try_for_each(|(id, tree)| {
                let is_whole = [&before[id], &done[id]].iter().any(|whole| swept(whole) == swept(tree));
                ensure(is_whole, format!("{id} is neither the old nor the new: {tree:#?}"))
            })
        }
        Kind::Prune => check_pruned(before, done, after),
    }
}

/// Only what was decided on is doomed or gone; all else is there once, whole; metadata is the last to go.
fn check_pruned(before: &Forest, done: &Forest, after: &Forest) -> Checked {
    let (decided, gone) = (&ids_of(before) - &ids_of(done), &ids_of(before) - &ids_of(after));
    ensure(gone.is_subset(&decided), format!("more went than was decided: {gone:?}"))?;
    ensure(before.len() == after.len() + gone.len(), "something is there twice, or came, or somebody else's went")?;
    let lacks_metadata = |tree: &[String]| !tree.iter().any(|line| line.starts_with("\".metadata.json\" "));
    for (name, tree) in after {
        let Some(id) = id_of(name) else {
            ensure(before.get(name) == Some(tree), format!("{name} is not ours"))?;
            continue;
        };
        if name.starts_with(".wsctl-doomed.") {
            ensure(decided.contains(id), format!("{name} was never decided on"))?;
            let fine = !lacks_metadata(tree) || lacks_metadata(tree_of(before, id)) || tree.len() == 1;
            ensure(fine, format!("{name}: metadata goes last: {tree:#?}"))?;
        } else {
            ensure(swept(tree_of(before, id)) == swept(tree), format!("{name} is torn: {tree:#?}"))?;
        }
    }
    Ok(())
}

/// Checks what was told of a failed call: exit status, stderr, and report.
pub fn check_told(case: &Case, point: &Point, before: &Forest, (reference, struck): (&Struck, &Struck)) -> Checked {
    let (ran, usual) = (&struck.ran, &reference.ran);
    ensure(!ran.stderr.contains("panicked") && !ran.stderr.contains("a bug in"), "a panic")?;
    let (same, to_stderr) = (ran.status == usual.status, point.is_on_stderr());
    ensure(same || to_stderr || !ran.stderr.is_empty(), "it failed without a word")?;
    ensure(same || point.statuses().contains(&ran.status), "another status than the error has")?;
    if point.is_tried_again() {
        ensure(same && lasting(&ran.stdout) == lasting(&usual.stdout), "the call was not made again")?;
    } else {
        let must_tell = point.call.name == "fsync" || (point.call.name == "write" && !to_stderr);
        ensure(!must_tell || !same, "nobody was told that it is not written")?;
    }
    match case.kind {
        Kind::Touch => check_touch(point, before, reference, struck),
        Kind::Prune => check_prune(point, before, reference, struck),
        Kind::Read => check_read(case, point, usual, ran),
    }
}

fn check_touch(point: &Point, before: &Forest, reference: &Struck, struck: &Struck) -> Checked {
    let Struck { ran, after, .. } = struck;
    let is_new = |(id, line): &(&String, &String)| is_temporary(line) && !before[*id].contains(line);
    let mut lines = after.iter().flat_map(|(id, tree)| tree.iter().map(move |line| (id, line)));
    ensure(lines.find(is_new).is_none(), "a temporary file is left")?;
    let is_untouched = |id: &&String| swept(&after[*id]) != swept(&reference.after[*id]);
    let untouched: Vec<_> = after.keys().filter(is_untouched).collect();
    if ran.status == 0 {
        ensure(untouched.is_empty(), format!("no failure, and not touched: {untouched:?}"))?;
        let is_swept = *after == reference.after || point.may_be_silent(Kind::Touch);
        return ensure(is_swept, "a leftover stays, and nobody says so");
    }
    let fatal = !ran.stderr.contains("workspace ");
    let told = |id: &&String| ran.stderr.contains(&format!("workspace {id}: "));
    ensure(fatal || untouched.iter().all(told), format!("not touched without a word: {untouched:?}"))?;
    ensure(fatal || untouched.len() <= 1, format!("one failure stopped others: {untouched:?}"))
}

/// A run that comes to its end leaves nothing claimed, unless it is the put back that failed, and its report tells what happened.
fn check_prune(point: &Point, before: &Forest, reference: &Struck, struck: &Struck) -> Checked {
    let Struck { ran, after, .. } = struck;
    let decided = &ids_of(before) - &ids_of(&reference.after);
    let gone = &ids_of(before) - &ids_of(after);
    let is_unsynced = point.call.name == "fsync" && !point.is_tried_again();
    ensure(!is_unsynced || gone.is_empty(), "something went though the base was not synced")?;
    let Ok(report) = serde_json::from_str::<Value>(&ran.stdout) else {
        return ensure(ran.status > 1 && ran.stdout.is_empty(), "no report, and no failure");
    };
    let failed = |name: &String| point.call.name.starts_with("rename") && point.call.line.contains(&**name);
    let mut claimed = after.keys().filter(|name| name.starts_with(".wsctl-claimed."));
    ensure(claimed.all(failed), "something was not put back")?;
    if ran.stderr.contains("]: base ") {
        return ensure(gone.is_empty() && ran.status > 1, "something went, though free space is not known");
    }
    let ids = |key: &str| {
        report[key].as_array().into_iter().flatten().filter_map(|item| item["id"].as_str()).collect::<Vec<_>>()
    };
    let (mut pruned, failed, skipped) = (ids("pruned"), ids("failed"), ids("skipped"));
    pruned.sort_unstable();
    ensure(pruned.iter().eq(gone.iter()), format!("reported as pruned: {pruned:?}, gone: {gone:?}"))?;
    let fits = failed.is_empty() == (ran.status == 0) || ran.stderr.contains(" measure");
    ensure(fits, "the status and the failures that are reported do not fit")?;
    let told = |id: &&str| point.is_on_stderr() || ran.stderr.contains(&format!("workspace {id}: "));
    ensure(failed.iter().chain(&skipped).all(told), "a failure is reported in JSON alone")?;
    let mut left = decided.difference(&gone);
    ensure(left.all(|id| failed.contains(id) || skipped.contains(id)), "something stays without a word")
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

fn check_read(case: &Case, point: &Point, usual: &Ran, ran: &Ran) -> Checked {
    if ran.status != usual.status {
        let fine = case.name != "validate" || ran.stdout.lines().all(|line| usual.stdout.contains(line));
        return ensure(fine, "validate said yes to what it could not see");
    }
    let same = lasting(&ran.stdout) == lasting(&usual.stdout);
    let skipped = ran.stderr.contains(": skipped (denied): "); // the warning that the contract asks for
    ensure(same || skipped || point.may_be_silent(case.kind), "another answer, and no failure")
}

/// Checks that the next run does all that there was to do.
pub fn check_next(case: &Case, left: &Forest, reference: &Struck, next: &Struck) -> Checked {
    let absent = case.kind == Kind::Prune && case.targets().any(|id| !ids_of(left).contains(&**id));
    let status = if absent { 66 } else { reference.ran.status };
    ensure(next.ran.status == status, format!("the next run does not exit {status}: {:?}", next.ran))?;
    let same = next.after.keys().eq(reference.after.keys())
        && next.after.iter().all(|(name, tree)| swept(tree) == swept(&reference.after[name]));
    ensure(same, format!("the next run leaves {:#?}", next.after.keys()))?;
    let leftover = |id: &String| next.after[id].iter().any(|line| line.starts_with("\".wsctl-tmp."));
    ensure(case.kind != Kind::Touch || !case.targets().any(leftover), "the next touch leaves a temporary file")
}

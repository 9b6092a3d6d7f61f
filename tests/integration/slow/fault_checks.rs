//! What must be true after a call has failed, or after a kill; see `faults`.

use crate::slow::fault_cases::{Case, Kind};
use crate::slow::fault_points::Point;
use crate::world::Ran;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A run and what it left.
pub struct Struck {
    pub ran: Ran,
    pub log: String,
    pub after: Forest,
}

/// What is in a base: for each name in it the listing of its tree, a line a path.
pub type Forest = BTreeMap<String, Vec<String>>;

pub fn forest(base: &Path) -> Forest {
    let mut forest = Forest::new();
    for entry in walkdir::WalkDir::new(base).min_depth(1).sort_by_file_name() {
        let entry = entry.expect("an entry");
        let mut path = entry.path().strip_prefix(base).expect("below the base").to_str().expect("UTF-8").splitn(2, '/');
        let (name, rest) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
        let stat = entry.metadata().expect("a stat");
        let content = if stat.is_file() { fs::read_to_string(entry.path()).expect("a file") } else { String::new() };
        let line = format!("{rest} {:o} {}:{} {content:?}", stat.mode(), stat.uid(), stat.gid());
        forest.entry(name.to_owned()).or_default().push(line);
    }
    forest
}

/// Checks what a fault or a kill came to.
pub fn check(case: &Case, point: &Point, before: &Forest, reference: &Struck, struck: &Struck) -> Result<(), String> {
    let killed = point.error.is_none();
    if !killed {
        check_words(point, reference, &struck.ran)?;
    }
    match case.kind {
        Kind::Touch => check_touch(case, point, before, reference, struck),
        Kind::Prune => check_prune(point, before, reference, struck),
        Kind::Read => check_read(case, point, before, reference, struck),
    }
}

fn ensure(condition: bool, what: impl Into<String>) -> Result<(), String> {
    if condition { Ok(()) } else { Err(what.into()) }
}

/// The exit status and stderr, whatever the command.
fn check_words(point: &Point, reference: &Struck, ran: &Ran) -> Result<(), String> {
    let known = [0, 1, 2, 65, 66, 70, 74, 75, 77, 78];
    ensure(known.contains(&ran.status), "an exit status that is not in the table")?;
    ensure(!ran.stderr.contains("panicked") && !ran.stderr.contains("a defect in"), "a panic")?;
    let to_stderr = point.is_on_stderr();
    let well_formed = |line: &str| {
        let rest = line.strip_prefix("error[").or_else(|| line.strip_prefix("warning["));
        rest.and_then(|rest| rest.split_once("]: "))
            .is_some_and(|(word, rest)| !rest.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
    };
    ensure(to_stderr || ran.stderr.lines().all(well_formed), "a line on stderr that has another form")?;
    let same = ran.status == reference.ran.status;
    ensure(same || to_stderr || !ran.stderr.is_empty(), "it failed without a word")?;
    ensure(same || point.statuses().contains(&ran.status), "another status than the error has")?;
    let must_tell = point.call == "fsync" || (point.call == "write" && !to_stderr);
    // A pipe that does not block is waited for.
    let retried = point.error == Some("EINTR") || (point.error == Some("EAGAIN") && point.line.contains("write(1<"));
    ensure(!must_tell || retried || !same, "nobody was told that it is not written")?;
    ensure(!retried || same, "an interrupted call must be tried again")
}

fn is_temporary(line: &str) -> bool {
    line.starts_with(".metadata.tmp.") || line.starts_with(".wsctl-tmp.")
}

fn is_metadata(line: &str) -> bool {
    line.starts_with(".metadata.json ")
}

/// A tree without what both touch and prune sweep away.
fn swept(tree: &[String]) -> Vec<&String> {
    tree.iter().filter(|line| !is_temporary(line)).collect()
}

fn check_touch(case: &Case, point: &Point, before: &Forest, reference: &Struck, struck: &Struck) -> Result<(), String> {
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
    let told = |id: &&&String| ran.stderr.contains(&format!("workspace {id}: "));
    let fatal = !ran.stderr.contains("workspace ");
    if ran.status == 0 {
        ensure(untouched.is_empty(), format!("no failure, and not touched: {untouched:?}"))?;
        ensure(point.may_be_silent(case.kind) || *after == reference.after, "a leftover stays, and nobody says so")
    } else {
        ensure(fatal || untouched.iter().all(|id| told(&id)), format!("not touched without a word: {untouched:?}"))?;
        ensure(fatal || untouched.len() <= 1, format!("one failure stopped others: {untouched:?}"))
    }
}

/// The workspace that a name in the base is of; `None`: not ours.
fn id_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(".wsctl-claimed.").or_else(|| name.strip_prefix(".wsctl-doomed.")).unwrap_or(name);
    rest.get(..36)
}

fn ids_of(forest: &Forest) -> BTreeSet<&str> {
    forest.keys().filter_map(|name| id_of(name)).collect()
}

fn check_prune(point: &Point, before: &Forest, reference: &Struck, struck: &Struck) -> Result<(), String> {
    let Struck { ran, after, .. } = struck;
    let (had, has) = (ids_of(before), ids_of(after));
    let decided: BTreeSet<&str> = &had - &ids_of(&reference.after);
    let gone: BTreeSet<&str> = &had - &has;
    ensure(gone.is_subset(&decided), "more went than was decided")?;
    ensure(before.len() - gone.len() == after.len(), "something is there twice, or came, or somebody else's went")?;
    for (name, tree) in after {
        let Some(id) = id_of(name) else {
            ensure(before.get(name) == Some(tree), format!("{name} is not ours"))?;
            continue;
        };
        let whole = before.iter().any(|(old, old_tree)| id_of(old) == Some(id) && swept(old_tree) == swept(tree));
        if name.starts_with(".wsctl-doomed.") {
            ensure(decided.contains(id), format!("{name} was never decided on"))?;
            ensure(whole || !point.before_sync, format!("{name} is torn before the base is synced"))?;
            let had_metadata =
                before.iter().any(|(old, tree)| id_of(old) == Some(id) && tree.iter().any(|it| is_metadata(it)));
            let empty = tree.len() == 1;
            ensure(
                empty || !had_metadata || tree.iter().any(|it| is_metadata(it)),
                format!("{name}: metadata goes last"),
            )?;
        } else {
            ensure(whole, format!("{name} is torn: {tree:#?}"))?;
            let aside = name.starts_with('.') && !decided.contains(id) && !before.contains_key(name);
            ensure(!aside, format!("{name} was taken aside without need"))?;
        }
    }
    ensure(gone.is_empty() || !point.before_sync, "something went before the base was synced")?;
    // A run that comes to its end leaves nothing claimed, unless it is the put back that failed.
    let failed = |name: &String| point.call.starts_with("rename") && point.line.contains(&**name);
    let mut claimed = after.keys().filter(|name| name.starts_with(".wsctl-claimed."));
    let ended = point.error.is_some() && !(ran.stdout.is_empty() && ran.status > 1);
    ensure(!ended || claimed.all(failed), "something was not put back")?;
    if point.error.is_some() { check_report(point, &decided, &gone, reference, ran) } else { Ok(()) }
}

/// Whether the JSON report tells what happened.
fn check_report(
    point: &Point,
    decided: &BTreeSet<&str>,
    gone: &BTreeSet<&str>,
    reference: &Struck,
    ran: &Ran,
) -> Result<(), String> {
    let Ok(report) = serde_json::from_str::<Value>(&ran.stdout) else {
        return ensure(ran.status > 1 && ran.stdout.is_empty(), "no report, and no failure");
    };
    if ran.stderr.contains("]: base ") {
        return ensure(gone.is_empty() && ran.status > 1, "something went, though free space is not known");
    }
    let ids = |key: &str| {
        report[key]
            .as_array()
            .map_or_else(Vec::new, |list| list.iter().filter_map(|item| item["id"].as_str()).collect::<Vec<_>>())
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
    let same = |key: &str| report[key] == serde_json::from_str::<Value>(&reference.ran.stdout).unwrap_or_default()[key];
    let done = ran.status == 0 && skipped.len() == reference_skips(reference);
    ensure(!done || same("kept"), "another count of those that stay")?;
    ensure(point.error != Some("EINTR") || (gone == decided && same("kept")), "an interrupted call must be tried again")
}

fn reference_skips(reference: &Struck) -> usize {
    let report: Value = serde_json::from_str(&reference.ran.stdout).expect("JSON");
    report["skipped"].as_array().map_or(0, Vec::len)
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
    let ran = &struck.ran;
    let same = lasting(&ran.stdout) == lasting(&reference.ran.stdout);
    if point.error.is_none() {
        return Ok(());
    }
    ensure(point.error != Some("EINTR") || same, "an interrupted call must be tried again")?;
    if ran.status != reference.ran.status {
        let fine = case.name != "validate" || ran.stdout.lines().all(|line| reference.ran.stdout.contains(line));
        return ensure(fine, "validate said yes to what it could not see");
    }
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
    let leftover = |tree: &Vec<String>| tree.iter().any(|line| line.starts_with(".wsctl-tmp."));
    let touched = |name: &String| case.targets().any(|id| id == name);
    let clean = case.kind != Kind::Touch || !next.after.iter().any(|(name, tree)| touched(name) && leftover(tree));
    ensure(clean, "the next touch leaves a temporary file")
}

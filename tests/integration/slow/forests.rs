//! What is in a base, and what prune promises of that at any instant, whatever it met: a fault, a kill, another run, a power cut.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

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

pub fn ensure(condition: bool, what: impl Into<String>) -> Result<(), String> {
    if condition { Ok(()) } else { Err(what.into()) }
}

/// The workspace that a name in the base is of; `None`: not ours.
pub fn id_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(".wsctl-claimed.").or_else(|| name.strip_prefix(".wsctl-doomed.")).unwrap_or(name);
    rest.get(..36)
}

pub fn ids_of(forest: &Forest) -> BTreeSet<&str> {
    forest.keys().filter_map(|name| id_of(name)).collect()
}

pub fn is_temporary(line: &str) -> bool {
    line.starts_with(".metadata.tmp.") || line.starts_with(".wsctl-tmp.")
}

fn is_metadata(line: &str) -> bool {
    line.starts_with(".metadata.json ")
}

/// A tree without what both touch and prune sweep away.
pub fn swept(tree: &[String]) -> Vec<&String> {
    tree.iter().filter(|line| !is_temporary(line)).collect()
}

/// A tree without its metadata, too.
pub fn content(tree: &[String]) -> Vec<&String> {
    tree.iter().filter(|line| !is_temporary(line) && !is_metadata(line)).collect()
}

/// The tree that a workspace had, under whatever name.
pub fn tree_of<'a>(forest: &'a Forest, id: &str) -> &'a [String] {
    forest.iter().find(|(name, _)| id_of(name) == Some(id)).map_or(&[], |(_, tree)| tree)
}

/// Checks that only what may go is doomed or gone, that all else of ours is there once, under a name at which `is_whole` holds
/// of its tree, that metadata is the last to go, and that what is not ours is as it was.
pub fn check(
    before: &Forest,
    after: &Forest,
    may_go: impl Fn(&str) -> bool,
    is_whole: impl Fn(&str, &[String]) -> bool,
) -> Result<(), String> {
    let (had, has) = (ids_of(before), ids_of(after));
    let gone = &had - &has;
    ensure(gone.iter().all(|id| may_go(id)), format!("more went than was decided: {gone:?}"))?;
    ensure(before.len() == after.len() + gone.len(), "something is there twice, or came, or somebody else's went")?;
    for (name, tree) in after {
        let Some(id) = id_of(name) else {
            ensure(before.get(name) == Some(tree), format!("{name} is not ours"))?;
            continue;
        };
        if name.starts_with(".wsctl-doomed.") {
            ensure(may_go(id), format!("{name} was never decided on"))?;
            let lacks_metadata = |tree: &[String]| !tree.iter().any(|line| is_metadata(line));
            let fine = !lacks_metadata(tree) || lacks_metadata(tree_of(before, id)) || tree.len() == 1;
            ensure(fine, format!("{name}: metadata goes last: {tree:#?}"))?;
        } else {
            ensure(is_whole(name, tree), format!("{name} is torn: {tree:#?}"))?;
        }
    }
    Ok(())
}

//! What must be true of workspaces after a power cut, for `power_cuts`: how they were at first, and what was done to them.

use crate::tools::{text, tool, trash, tree};
use crate::world::{Run, World};
use chrono::{TimeDelta, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Prunes what is older than 30 days, on one thread.
pub const PRUNE: [&str; 6] = ["prune", "-y", "--older-than", "30d", "-j", "1"];
/// Only finishes what others have decided.
const FINISH: [&str; 6] = ["prune", "-y", "--older-than", "3650d", "--format", "json"];

/// A time of this run's own, as touch takes and writes it.
fn fresh_time() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let ago = TimeDelta::milliseconds(i64::try_from(COUNT.fetch_add(1, Ordering::Relaxed)).expect("a small number"));
    (Utc::now() - TimeDelta::hours(1) + ago).to_rfc3339_opts(chrono::SecondsFormat::Micros, false)
}

/// Workspaces on a disk, how they were at first, and what was done to them.
pub struct Scene<'a> {
    world: &'a World,
    /// Stale ones, that nobody touches, then stale ones that are touched, then fresh ones.
    pub ids: Vec<String>,
    trees: BTreeMap<String, Vec<String>>,
    metadata: BTreeMap<String, String>,
    /// For each touched one the times that touch was given, with whether it exited 0.
    touched: Mutex<BTreeMap<String, Vec<(String, bool)>>>,
    is_cut: AtomicBool,
}

/// What is in a tree beside its metadata and leftovers of a killed touch.
fn rest_of(dir: &Path) -> Vec<String> {
    let ours = |line: &String| line.starts_with("\".metadata.json\"") || line.starts_with("\".wsctl-tmp.");
    tree(dir).into_iter().filter(|line| !ours(line)).collect()
}

impl<'a> Scene<'a> {
    pub const STALE: usize = 16; // a batch; those that are touched are in the next
    pub const TOUCHED: usize = 6;

    pub fn new(world: &'a World) -> Self {
        let ages = (0..Self::STALE + Self::TOUCHED).rev().map(|number| 31 + i64::try_from(number).expect("small"));
        let ids: Vec<_> = ages.chain([1, 2, 3]).map(|days| world.aged(days)).collect();
        tool(&["sync", "-f", text(&world.base())]);
        let trees = ids.iter().map(|id| (id.clone(), rest_of(&world.dir_of(id)))).collect();
        let metadata = ids.iter().map(|id| (id.clone(), world.read_metadata(id))).collect();
        Self { world, ids, trees, metadata, touched: Mutex::default(), is_cut: AtomicBool::new(false) }
    }

    pub fn to_touch(&self) -> &[String] {
        &self.ids[Self::STALE..Self::STALE + Self::TOUCHED]
    }

    /// A touch of some, noted as one that need not have come to anything.
    pub fn touch_of(&self, ids: &[String]) -> Run<'a> {
        let time = fresh_time();
        let mut touched = self.touched.lock().expect("no panic");
        for id in ids {
            touched.entry(id.clone()).or_default().push((time.clone(), false));
        }
        self.world.wsctl(["touch", "-c", "--at", &time].into_iter().chain(ids.iter().map(String::as_str)))
    }

    /// Touches one to the end. If that exits 0, the power may go.
    pub fn touch(&self, id: &String) {
        let ran = self.touch_of(std::slice::from_ref(id)).run();
        let mut touched = self.touched.lock().expect("no panic");
        let in_time = ran.status == 0 && !self.is_cut.load(Ordering::SeqCst);
        touched.get_mut(id).and_then(|times| times.last_mut()).expect("it was noted").1 = in_time;
    }

    /// The power is about to go: a touch that ends later need not have come to anything.
    pub fn power_goes(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
    }

    /// Asserts that a workspace in this directory is as it was, with its old last access or a new one that it may have.
    fn assert_whole(&self, id: &str, dir: &Path) {
        assert_eq!(rest_of(dir), self.trees[id], "{id} is not whole");
        let now = fs::read_to_string(dir.join(".metadata.json")).expect("a metadata file");
        let touched = self.touched.lock().expect("no panic");
        let times = touched.get(id).map_or(&[][..], |times| times);
        let durable = times.iter().rposition(|(_, exited_0)| *exited_0);
        let json: Value = serde_json::from_str(&now).expect("whole metadata");
        let is_new = times[durable.unwrap_or(0)..].iter().any(|(time, _)| json["last_accessed"] == time.as_str());
        let is_old = durable.is_none() && now == self.metadata[id];
        assert!(is_new || is_old, "{id} was touched at {times:?}, and has {now}");
    }

    /// The stages in which there is something of a workspace: `own` path, `claimed` or `doomed`.
    fn places(&self) -> BTreeMap<String, Vec<(String, PathBuf)>> {
        let mut places: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for name in self.world.names() {
            let mut words = name.trim_start_matches(".wsctl-").split('.');
            let (first, second) = (words.next().unwrap_or_default().to_owned(), words.next());
            let (stage, id) = second.map_or(("own".into(), first.clone()), |id| (first.clone(), id.to_owned()));
            places.entry(id).or_default().push((stage, self.world.base().join(&name)));
        }
        places
    }

    /// Checks the promises on what the disk holds after the cut, then after the next prune and the next touch. Gives whether the
    /// cut came in the midst of a prune.
    pub fn check(&self) -> bool {
        let places = self.places();
        let in_the_midst = !trash(self.world).is_empty();
        let mut stay = BTreeSet::new();
        for (at, id) in self.ids.iter().enumerate() {
            let [(stage, dir)] = places.get(id).map_or(&[][..], |places| places) else {
                assert!(!places.contains_key(id), "two of {id}: {places:?}");
                self.assert_might_go(at);
                continue;
            };
            if stage == "doomed" {
                self.assert_might_go(at);
                let left = fs::read_to_string(dir.join(".metadata.json"));
                let whole = left.is_ok_and(|text| serde_json::from_str::<Value>(&text).is_ok());
                assert!(whole || fs::read_dir(dir).expect("it").count() == 0, "metadata goes last: {:?}", tree(dir));
            } else {
                self.assert_whole(id, dir);
                stay.insert(id.clone());
            }
        }
        let _ = self.world.wsctl(FINISH).run().exits(0).quietly();
        let left: BTreeSet<_> = self.world.names().into_iter().filter(|name| name != "lost+found").collect();
        assert_eq!(left, stay, "nothing is left aside, and what was not decided on is at its own path");
        for id in &stay {
            self.assert_whole(id, &self.world.dir_of(id));
        }
        let _ = self.world.wsctl(["touch", "-c"].into_iter().chain(stay.iter().map(String::as_str))).run().exits(0);
        let has_temporary = |id: &String| tree(&self.world.dir_of(id)).iter().any(|line| line.starts_with("\".wsctl-"));
        assert!(!stay.iter().any(has_temporary), "a touch sweeps what killed ones left");
        for id in &stay {
            fs::remove_dir_all(self.world.dir_of(id)).expect("a removal");
        }
        in_the_midst
    }

    /// Asserts that a prune might have decided on this one.
    fn assert_might_go(&self, at: usize) {
        let id = &self.ids[at];
        let touched = self.touched.lock().expect("no panic");
        let durable = touched.get(id).is_some_and(|times| times.iter().any(|(_, exited_0)| *exited_0));
        assert!(at < Self::STALE + Self::TOUCHED && !durable, "{id} is gone: {:?}", touched.get(id));
    }

    /// The run that is to be stopped, and what goes before it.
    pub fn begin(&self, prunes: bool) -> Run<'a> {
        let (first, then) = self.to_touch().split_at(Self::TOUCHED / 2);
        for id in first {
            self.touch(id);
        }
        if prunes { self.world.wsctl(PRUNE) } else { self.touch_of(then) }
    }
}

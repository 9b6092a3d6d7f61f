//! What must be true of workspaces after a power cut, for `power_cuts`: how they were at first, and what was done to them.

use crate::slow::forests::{self, Forest, content, forest, id_of, ids_of, tree_of};
use crate::tools::{text, tool, trash};
use crate::world::{Run, World, sorted};
use chrono::{TimeDelta, Utc};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
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
    ids: Vec<String>,
    before: Forest,
    metadata: BTreeMap<String, String>,
    /// For each touched one the times that touch was given, with whether it exited 0.
    touched: Mutex<BTreeMap<String, Vec<(String, bool)>>>,
    is_cut: AtomicBool,
}

impl<'a> Scene<'a> {
    const STALE: usize = 16; // a batch; those that are touched are in the next
    const TOUCHED: usize = 6;

    pub fn new(world: &'a World) -> Self {
        let ages = (0..Self::STALE + Self::TOUCHED).rev().map(|number| 31 + i64::try_from(number).expect("small"));
        let ids: Vec<_> = ages.chain([1, 2, 3]).map(|days| world.aged(days)).collect();
        tool(&["sync", "-f", text(&world.base())]);
        let metadata = ids.iter().map(|id| (id.clone(), world.read_metadata(id))).collect();
        let (before, touched) = (forest(&world.base()), Mutex::default());
        Self { world, ids, before, metadata, touched, is_cut: AtomicBool::new(false) }
    }

    pub fn to_touch(&self) -> &[String] {
        &self.ids[Self::STALE..Self::STALE + Self::TOUCHED]
    }

    /// A touch of some, noted as one that need not have come to anything.
    fn touch_of(&self, ids: &[String]) -> Run<'a> {
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

    /// The run that is to be stopped, and what goes before it.
    pub fn begin(&self, prunes: bool) -> Run<'a> {
        let (first, then) = self.to_touch().split_at(Self::TOUCHED / 2);
        for id in first {
            self.touch(id);
        }
        if prunes { self.world.wsctl(PRUNE) } else { self.touch_of(then) }
    }

    /// What others touch meanwhile. Each sync of theirs writes the journal, too.
    pub fn touch_others(&self) {
        let fresh = &self.ids[Self::STALE + Self::TOUCHED..];
        self.to_touch()[Self::TOUCHED / 2..].iter().chain(fresh).for_each(|id| self.touch(id));
    }

    /// The power is about to go: a touch that ends later need not have come to anything.
    pub fn power_goes(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
    }

    /// Whether a prune might have decided on a workspace: it is stale, and no touch of it is on the disk for certain.
    fn may_go(&self, id: &str) -> bool {
        let touched = self.touched.lock().expect("no panic");
        let durable = touched.get(id).is_some_and(|times| times.iter().any(|(_, exited_0)| *exited_0));
        self.ids[..Self::STALE + Self::TOUCHED].iter().any(|stale| stale == id) && !durable
    }

    /// Whether a workspace, under this name, is as it was, with its old last access or a new one that it may have.
    fn is_whole(&self, name: &str, tree: &[String]) -> bool {
        let id = id_of(name).expect("one of ours");
        let now = fs::read_to_string(self.world.base().join(name).join(".metadata.json")).expect("a metadata file");
        let touched = self.touched.lock().expect("no panic");
        let times = touched.get(id).map_or(&[][..], |times| times);
        let durable = times.iter().rposition(|(_, exited_0)| *exited_0);
        let json: Value = serde_json::from_str(&now).expect("whole metadata");
        let is_new = times[durable.unwrap_or(0)..].iter().any(|(time, _)| json["last_accessed"] == time.as_str());
        let is_old = durable.is_none() && now == self.metadata[id];
        if !(is_new || is_old) {
            println!("{id} was touched at {times:?}, and has {now}");
        }
        (is_new || is_old) && content(tree) == content(tree_of(&self.before, id))
    }

    /// Checks the promises on what the disk holds after the cut, then after the next prune and the next touch. Gives whether the
    /// cut came in the midst of a prune.
    pub fn check(&self) -> bool {
        let in_the_midst = !trash(self.world).is_empty();
        let check = |before: &Forest, after: &Forest, may_go: &dyn Fn(&str) -> bool| {
            forests::check(before, after, may_go, |name, tree| self.is_whole(name, tree)).expect("what prune promises");
        };
        let cut = forest(&self.world.base());
        check(&self.before, &cut, &|id| self.may_go(id));
        let _ = self.world.wsctl(FINISH).run().exits(0).quietly();
        let left = forest(&self.world.base());
        let doomed = |id: &str| cut.keys().any(|name| name.starts_with(".wsctl-doomed.") && name.contains(id));
        check(&cut, &left, &doomed);
        let stay = sorted(ids_of(&left));
        assert_eq!(trash(self.world), [""; 0]);
        assert!(!stay.iter().any(|id| doomed(id)), "what was decided is finished: {:?}", left.keys());
        let _ = self.world.wsctl(["touch", "-c"].into_iter().chain(stay.iter().map(String::as_str))).run().exits(0);
        let left = forest(&self.world.base()).into_values().flatten();
        let leftovers: Vec<_> = left.filter(|line| line.starts_with(".wsctl-")).collect();
        assert_eq!(leftovers, [""; 0], "a touch sweeps what killed ones left");
        for id in stay {
            fs::remove_dir_all(self.world.dir_of(&id)).expect("a removal");
        }
        in_the_midst
    }
}

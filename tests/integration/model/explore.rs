//! Goes through all interleavings, breadth first, so that the way to a broken promise is the shortest there is.
//!
//! The crate `stateright` does this, too, but brings 44 crates with it, a web server among them.

use super::disk::Disk;
use super::state::{Model, State};
use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What was found.
pub struct Explored {
    pub states: usize,
    /// How many different disks a kill or a power cut may leave.
    pub disks: usize,
    /// A promise that is broken, and the way there.
    pub broken: Option<(&'static str, Vec<String>)>,
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Of states that were seen 64 bits are kept: among a million, two are alike once in ten million times.
pub fn explore(model: &Model) -> Explored {
    let first = State::new(model);
    let (mut seen, mut disks) = (HashSet::from([hash(&first)]), HashSet::new());
    // Each step with where the one before it stands.
    let mut steps: Vec<(usize, String)> = vec![(0, String::new())];
    let mut queue = VecDeque::from([(0, first)]);
    let mut broken = None;
    while let (None, Some((at, state))) = (&broken, queue.pop_front()) {
        let next = model.next(&state);
        let is_new = &mut |disk: &Disk| disks.insert(hash(disk));
        let promise = state.broken(next.is_empty()).or_else(|| model.broken_by_crash(&state, is_new));
        broken = promise.map(|promise| (promise, way(&steps, at)));
        for (step, state) in next {
            if seen.insert(hash(&state)) {
                steps.push((at, step));
                queue.push_back((steps.len() - 1, state));
            }
        }
    }
    Explored { states: seen.len(), disks: disks.len(), broken }
}

fn way(steps: &[(usize, String)], last: usize) -> Vec<String> {
    let back = std::iter::successors(Some(last), |at| Some(steps[*at].0)).take_while(|at| *at > 0);
    let mut way: Vec<_> = back.map(|at| steps[at].1.clone()).collect();
    way.reverse();
    way
}

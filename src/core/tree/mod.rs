//! Trees that their owner may have built to break a walker: one walker, and what is done at each step.
//!
//! Only [`mod@walk`] descends. [`measure()`] and [`remove()`] are its steps.

pub mod measure;
pub mod names;
pub mod remove;
pub mod walk;

pub use measure::{Usage, measure};
pub use names::Names;
pub use remove::{Removed, Tree, remove};
pub use walk::Scratch;

use std::collections::HashSet;

use super::stat::Stat;

/// Whether to give up. It is asked before each name.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// The inodes with several names that were counted, so that each counts once, as for `du`.
#[derive(Debug, Default)]
struct Links(HashSet<(u64, u64)>);

impl Links {
    /// Returns what an inode takes on disk, in bytes, or 0 if it was counted under another name.
    fn allocated(&mut self, stat: &Stat) -> u64 {
        // While it is removed, it loses its other names.
        let counted = match stat.links {
            _ if stat.is_dir() => false,
            2.. => !self.0.insert(stat.identity()),
            _ => self.0.contains(&stat.identity()),
        };
        if counted { 0 } else { stat.allocated }
    }
}

//! Measures and removes trees, even hostile ones. Only [`mod@walk`] descends, for [`measure()`] and [`remove()`].

mod empty;
pub mod measure;
pub mod names;
pub mod remove;
pub mod walk;

pub use measure::{Usage, measure, search};
pub use names::Names;
pub use remove::{Removed, Tree, remove};
pub use walk::Scratch;

use std::collections::HashSet;

use super::stat::Stat;

/// Whether to stop. It is called before each name.
pub type Stop<'a> = &'a dyn Fn() -> bool;

/// The inodes with several names that were already counted, so that each counts once, as for `du`.
#[derive(Debug, Default)]
struct Links(HashSet<(u64, u64)>);

impl Links {
    /// Returns the allocated bytes of an inode, or 0 if it was counted under another name.
    fn allocated(&mut self, stat: &Stat) -> u64 {
        // During a removal, its other names disappear, so it may have only one left.
        let counted = match stat.links {
            _ if stat.is_dir() => false,
            2.. => !self.0.insert(stat.identity()),
            _ => self.0.contains(&stat.identity()),
        };
        if counted { 0 } else { stat.allocated }
    }
}

//! Trees that somebody else may have made to break whoever walks them: one walker, and what is done at each step of it.
//!
//! [`mod@walk`] is the only code that descends, [`measure()`] and [`remove()`] are what is done with what it meets.

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

/// Whether the work is to be given up: asked at each name.
pub type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// The inodes of several names that were counted, so that each counts once, as for `du`.
#[derive(Debug, Default)]
struct Links(HashSet<(u64, u64)>);

impl Links {
    /// What an inode takes on disk, in bytes, or 0 if it was counted under another name.
    fn allocated(&mut self, stat: &Stat) -> u64 {
        // One that is being removed loses its other names on the way.
        let counted = match stat.links {
            _ if stat.is_dir() => false,
            2.. => !self.0.insert(stat.identity()),
            _ => self.0.contains(&stat.identity()),
        };
        if counted { 0 } else { stat.allocated }
    }
}

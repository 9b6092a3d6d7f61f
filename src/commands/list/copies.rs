//! Copies that earlier prunes left aside beside workspaces that have been made anew: what is in them is out of sight.

use crate::core::names::{Stage, TrashName};
use crate::core::workspace::examine;
use crate::core::{Base, Category, Error, Timestamp};
use crate::output::{amounts, diagnostics};

/// Warns of each, with its age.
pub(super) fn warn_of_each(base: &Base, mut trash: Vec<TrashName>, now: Timestamp) {
    // One that a prune puts back in this instant seems to lie beside itself, but is gone when it is examined.
    trash.retain(|name| name.stage == Stage::Claimed && base.contains(name.id).unwrap_or(false));
    trash.sort_unstable();
    for name in trash {
        let Some(facts) = examine(base.dir(), &name.to_string(), now, &mut Vec::new()) else { continue };
        let age = facts.last_accessed.map_or_else(|| "at an unknown time".to_owned(), |time| amounts::age(time, now));
        let what = format!(
            "an earlier prune left a copy of it aside as {name}, last accessed {age}; prune says how to get it back, and \
             removes it once it is stale"
        );
        diagnostics::remark(&Error::new(Category::Busy, what).of(name.id.subject()));
    }
}

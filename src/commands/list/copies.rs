//! Warns of copies: earlier prunes left them aside, and new workspaces with the same IDs hide them.

use crate::core::names::{Stage, TrashName};
use crate::core::workspace::examine;
use crate::core::{Base, Category, Error, Timestamp};
use crate::output::{amounts, diagnostics};

/// Warns of each copy, with its age.
pub(super) fn warn_of_each(base: &Base, mut trash: Vec<TrashName>, now: Timestamp) {
    // A workspace that is being put back may look like a copy. It is gone when it is examined.
    trash.retain(|name| name.stage == Stage::Claimed && base.contains(name.id).unwrap_or(false));
    trash.sort_unstable();
    for name in trash {
        let Some(facts) = examine(base.dir(), &name.to_string(), now, &mut Vec::new()) else { continue };
        let age = amounts::last_access(facts.last_accessed, now);
        let what = format!(
            "an earlier prune left a claimed copy of it as {name} ({age}); the next prune says how to put it back, or removes it once it is stale"
        );
        diagnostics::report(&Error::new(Category::Busy, what).about(name.id.subject()));
    }
}

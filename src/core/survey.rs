//! Looking at many workspaces: what is there, and the same look at each of them, by several threads once that pays.

use super::base::{Base, Entry};
use super::error::Result;
use super::id::WorkspaceId;
use super::names::TrashName;
use rustix::io::Errno;
use std::thread;

/// Fewer items than this are not worth a thread.
const WORTH_A_THREAD: usize = 200;

/// The names that are ours in a base, each kind in order.
#[derive(Debug, Default)]
pub struct Names {
    /// The workspaces at their own path.
    pub workspaces: Vec<WorkspaceId>,
    /// What prunes have taken aside.
    pub trash: Vec<TrashName>,
}

impl Names {
    /// Reads the base.
    pub fn read(base: &Base) -> Result<Self> {
        loop {
            match Self::read_once(base) {
                // std does not go on with a directory that a signal came to.
                Err(error) if error.errno() == Some(Errno::INTR) => {}
                read => return read,
            }
        }
    }

    fn read_once(base: &Base) -> Result<Self> {
        let mut names = Self::default();
        for entry in base.entries() {
            match entry? {
                Entry::Workspace(id) => names.workspaces.push(id),
                Entry::Trash(name) => names.trash.push(name),
            }
        }
        names.workspaces.sort_unstable();
        names.trash.sort_unstable();
        Ok(names)
    }
}

/// Applies `look` to every item, with a buffer to read files into, on at most `threads` threads. The results keep the order
/// of the items; an item whose look gives `None` has none.
pub fn look_at_all<I: Sync, R: Send>(
    items: &[I],
    threads: usize,
    look: impl Fn(&I, &mut Vec<u8>) -> Option<R> + Sync,
) -> Vec<R> {
    let look_at = |items: &[I]| {
        let mut buffer = Vec::new();
        items.iter().filter_map(|item| look(item, &mut buffer)).collect::<Vec<_>>()
    };
    let threads = threads.min(items.len() / WORTH_A_THREAD).max(1);
    let mut shares = items.chunks(items.len().div_ceil(threads).max(1));
    let first = shares.next().unwrap_or_default();
    thread::scope(|scope| {
        let spawn = |share| thread::Builder::new().spawn_scoped(scope, move || look_at(share)).map_err(|_| share);
        let others: Vec<_> = shares.map(spawn).collect();
        let mut results = look_at(first);
        for other in others {
            results.extend(match other {
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(share) => look_at(share), // no thread was to be had (EAGAIN)
            });
        }
        results
    })
}

/// How many threads serve best, unless somebody says otherwise: as many as there are processors, but no more than four, since
/// they wait for the same file system.
pub fn default_threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(4)
}

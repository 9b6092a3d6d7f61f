//! Runs the same work on several threads.

use nix::sched::{CloneFlags, unshare};
use std::thread;

/// Returns how many threads work best: two for each processor, because they wait for a disk, but at most four, because it is the
/// same disk.
pub fn default_threads() -> usize {
    thread::available_parallelism().map_or(2, |processors| 2 * processors.get()).min(4)
}

/// Runs `work` on this thread and on at most `others` more, and waits for all. It must close what it opens: each thread has its
/// own table of descriptors, so that opening a file takes no shared lock.
pub fn on_this_and(others: usize, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..others {
            let own = || {
                let _ = unshare(CloneFlags::CLONE_FILES); // if a container forbids it, they share the table
                work();
            };
            // If there is no thread to be had (EAGAIN), fewer do the work.
            let _ = thread::Builder::new().spawn_scoped(scope, own);
        }
        work();
    });
}

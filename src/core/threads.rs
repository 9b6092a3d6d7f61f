//! Runs the same work on several threads.

use nix::sched::{CloneFlags, unshare};
use std::thread;

/// Returns the default number of threads: two for each processor, because they wait for the disk, but at most four, because they
/// share it.
pub fn default_threads() -> usize {
    thread::available_parallelism().map_or(2, |processors| 2 * processors.get()).min(4)
}

/// Runs `work` on this thread and on at most `others` more, and waits for all of them. `work` must close what it opens, because
/// each thread has its own descriptor table. Then opening a file shares no lock, and using one shares no reference count.
pub fn run_with_others(others: usize, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..others {
            let own = || {
                let _ = unshare(CloneFlags::CLONE_FILES); // if a container forbids it, the threads share a table
                work();
            };
            // If there can be no more threads (EAGAIN), fewer do the work.
            let _ = thread::Builder::new().spawn_scoped(scope, own);
        }
        work();
    });
}

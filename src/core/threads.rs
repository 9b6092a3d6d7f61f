//! The same work on several threads.

use nix::sched::{CloneFlags, unshare};
use std::thread;

/// How many threads serve best, unless somebody says otherwise: twice as many as there are processors, since they wait for a
/// disk, but no more than four, since it is the same one.
pub fn default_threads() -> usize {
    thread::available_parallelism().map_or(2, |processors| 2 * processors.get()).min(4)
}

/// Does `work` on this thread and at most `others` more, until all of them have ended. What it opens it must close: each thread
/// has its own table of descriptors, so that no lock is shared when it opens a file, and no count when it uses one.
pub fn on_this_and(others: usize, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..others {
            let own = || {
                let _ = unshare(CloneFlags::CLONE_FILES); // a container may forbid it: then the table is shared
                work();
            };
            // A thread that is not to be had (EAGAIN) is done without.
            let _ = thread::Builder::new().spawn_scoped(scope, own);
        }
        work();
    });
}

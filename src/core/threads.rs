//! Runs the same work on several threads.

use nix::sched::{CloneFlags, unshare};
use std::panic::resume_unwind;
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
            // If there can be no more threads (EAGAIN), fewer do the work.
            let _ = thread::Builder::new().spawn_scoped(scope, || with_own_descriptors(&work));
        }
        work();
    });
}

/// Runs `work` on another thread while this one waits, so that this one can handle a signal. A thread that waits for a file
/// server cannot.
pub fn run_interruptibly<T: Send>(work: impl Fn() -> T + Sync) -> T {
    thread::scope(|scope| match thread::Builder::new().spawn_scoped(scope, || with_own_descriptors(&work)) {
        Ok(other) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
        Err(_) => work(), // there can be no more threads (EAGAIN)
    })
}

fn with_own_descriptors<T>(work: impl Fn() -> T) -> T {
    let _ = unshare(CloneFlags::CLONE_FILES); // if a container forbids it, the threads share a table
    work()
}

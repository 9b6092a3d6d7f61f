//! Runs the same work on several threads.

use nix::sched::{CloneFlags, unshare};
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How many items are worth another thread.
const WORTH_A_THREAD: usize = 200;
/// How many items a thread takes at a time.
const CHUNK: usize = 64;

/// Returns the default number of threads: two for each processor, because they wait for the disk, but at most four, because they
/// share it.
pub fn default_threads() -> usize {
    thread::available_parallelism().map_or(2, |processors| 2 * processors.get()).min(4)
}

/// Runs `work` on this thread and on at most `others` more, and waits for all of them. Each other thread has its own descriptor
/// table, so that they do not wait for each other's lock or reference counts. So `work` must close what it opens.
pub fn run_with_others(others: usize, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..others {
            // If there can be no more threads (EAGAIN), fewer do the work.
            let _ = thread::Builder::new().spawn_scoped(scope, || with_own_descriptors(&work));
        }
        work();
    });
}

/// Calls `work` for each item, on at most `threads` threads. Each thread keeps a `scratch` value from item to item, such as a
/// buffer. Returns the results in the order of the items, without those that are `None`.
pub fn filter_map_in_threads<I: Sync, R: Send, S: Default>(
    items: &[I],
    threads: usize,
    work: impl Fn(&I, &mut S) -> Option<R> + Sync,
) -> Vec<R> {
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let chunks = Mutex::new(items.chunks(CHUNK).zip(results.chunks_mut(CHUNK)));
    let next_chunk = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        let mut scratch = S::default();
        while let Some((items, results)) = next_chunk() {
            items.iter().zip(results).for_each(|(item, result)| *result = work(item, &mut scratch));
        }
    };
    run_with_others(threads.min(items.len() / WORTH_A_THREAD).saturating_sub(1), run);
    #[allow(clippy::filter_map_identity)] // it reuses the allocation, which `flatten` does not
    results.into_iter().filter_map(|result| result).collect()
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

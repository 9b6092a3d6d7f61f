//! All schedules of up to two pauses of a prune beside a touch, the application's writer, and a second prune.
//!
//! A pause needs no code in the program: strace stops it right after any of its system calls, so the points of the schedules
//! are all the calls that matter, and the binary is the one that is shipped. What a schedule has to show is the same each
//! time: an access that succeeded is not lost, nobody sees a torn workspace, each workspace is reported once.

use crate::slow::schedule_scenes::{
    PRUNE, TOUCH, points, prune_beside_prune, prune_beside_recreation, prune_beside_touch, prune_beside_writer,
    sync_before_unlink, touch_beside_writer,
};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub type Schedule<'a> = (String, Box<dyn Fn() -> Result<(), String> + Send + Sync + 'a>);

/// Runs schedules, several at a time since they mostly wait, until all are done or one fails, and gives the failure.
pub fn first_failure(schedules: &[Schedule<'_>]) -> Option<String> {
    let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((name, schedule)) = schedules.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = schedule() {
                        next.store(schedules.len(), Ordering::Relaxed);
                        failure.lock().expect("no panic").get_or_insert(format!("{name}: {why}"));
                    }
                }
            });
        }
    });
    failure.into_inner().expect("no panic")
}

/// Every schedule of one kind.
pub fn touches(binary: &Path) -> Vec<Schedule<'_>> {
    let (prunes, touches) = (points(binary, &PRUNE), points(binary, &TOUCH));
    let mut schedules: Vec<Schedule<'_>> = Vec::new();
    for prune in &prunes {
        for touch in &touches {
            for first in [true, false] {
                let name = format!("prune {prune:?}, touch {touch:?}, prune first {first}");
                let (prune, touch) = (prune.clone(), touch.clone());
                schedules.push((name, Box::new(move || prune_beside_touch(binary, &prune, &touch, first))));
            }
        }
    }
    schedules
}

pub fn prunes(binary: &Path) -> Vec<Schedule<'_>> {
    let points = points(binary, &PRUNE);
    let mut schedules: Vec<Schedule<'_>> = Vec::new();
    for one in &points {
        for other in &points {
            let (one, other) = (one.clone(), other.clone());
            let name = format!("prune {one:?}, prune {other:?}");
            schedules.push((name, Box::new(move || prune_beside_prune(binary, &one, &other))));
        }
    }
    schedules
}

pub fn writers(binary: &Path) -> Vec<Schedule<'_>> {
    let mut schedules: Vec<Schedule<'_>> = Vec::new();
    for pause in points(binary, &PRUNE) {
        for before in [true, false] {
            let (name, pause) = (format!("writer at {pause:?}, begun before {before}"), pause.clone());
            schedules.push((name, Box::new(move || prune_beside_writer(binary, &pause, before))));
        }
        let name = format!("made anew at {pause:?}");
        schedules.push((name, Box::new(move || prune_beside_recreation(binary, &pause))));
    }
    for pause in points(binary, &TOUCH) {
        let name = format!("writer at {pause:?} of touch");
        schedules.push((name, Box::new(move || touch_beside_writer(binary, &pause))));
    }
    schedules.push(("sync before unlink".into(), Box::new(move || sync_before_unlink(binary))));
    schedules
}

fn shipped() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_wsctl"))
}

fn all_hold(kind: fn(&Path) -> Vec<Schedule<'_>>) {
    needs!("strace");
    let schedules = kind(shipped());
    assert!(schedules.len() > 20, "{}", schedules.len());
    println!("{} schedules", schedules.len());
    let failure = first_failure(&schedules);
    assert!(failure.is_none(), "{}", failure.unwrap_or_default());
}

#[test]
fn no_schedule_of_a_prune_and_a_touch_loses_an_access_or_tears_a_workspace() {
    all_hold(touches);
}

#[test]
fn no_schedule_of_two_prunes_reports_a_workspace_twice_or_fails() {
    all_hold(prunes);
}

#[test]
fn no_schedule_of_a_prune_and_the_applications_writer_loses_an_access() {
    all_hold(writers);
}

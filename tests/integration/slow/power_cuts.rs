//! Power cuts: ext4 and xfs on loop devices, shut down (`FS_IOC_SHUTDOWN`: from that call on nothing reaches the disk) while
//! touches and a prune are at it, then mounted again, which recovers the journal.
//!
//! Most cuts come while the program is paused after its k-th file-system call, for one k after the other; some come while
//! everything runs free. A loop device forgets nothing that was written to it, so a missing cache flush does not show there:
//! what shows is what was still in the kernel's memory. Therefore others come at random moments on a disk that has a cache and
//! loses it ([`CachedDisk`]): nothing is shut down, the disk is copied in the midst of it all, and the copy is mounted.

use crate::paused::{Paused, straced};
use crate::slow::power_disks::{CachedDisk, Cutter, Disk, Unflushed};
use crate::slow::power_scenes::{PRUNE, Scene};
use crate::slow::soak::random;
use crate::tools::{Ended, trash};
use crate::world::World;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The calls after which the power goes: those that change something. `flock` follows the creation of a temporary file.
const CALLS: [&str; 8] = ["flock", "write", "fchown", "fchmod", "fsync", "renameat", "renameat2", "unlinkat"];

/// Where to stop: in the prune or in a touch, after which call.
type Moment = (bool, &'static str, usize);

/// Every moment that there is in a prune, or in a touch, by a run that nothing stops.
fn moments(world: &World, prunes: bool) -> Vec<Moment> {
    let mut moments = Vec::new();
    let scene = Scene::new(world);
    let (ran, log) = straced(world, scene.begin(prunes), &CALLS.join(","));
    let _ = ran.exits(0);
    for call in CALLS {
        let times = log.iter().filter(|line| line.contains(&format!(" {call}("))).count();
        moments.extend((1..=times).map(|nth| (prunes, call, nth)));
    }
    scene.ids.iter().for_each(|id| drop(fs::remove_dir_all(world.dir_of(id))));
    moments
}

/// Cuts while the program is paused; every other time others went on touching before the cut.
fn cut_standing(disk: &Disk, world: &World, (prunes, call, nth): Moment, number: usize) {
    let (scene, cutter) = (Scene::new(world), Cutter::new(disk, number % 4 == 3));
    let paused = Paused::try_after(world, (call, nth), scene.begin(prunes)).expect("a stop");
    if number % 2 == 1 {
        let others = scene.to_touch()[Scene::TOUCHED / 2..].iter().chain(&scene.ids[Scene::STALE + Scene::TOUCHED..]);
        others.for_each(|id| scene.touch(id));
    }
    cutter.cut();
    drop(paused); // SIGKILL
    disk.restart();
    scene.check();
}

/// Touches and prunes; does something in the midst of it.
fn amidst(world: &World, scene: &Scene<'_>, act: impl FnOnce()) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let ids = scene.to_touch().iter().cycle();
            ids.take_while(|_| !over.load(Ordering::Relaxed)).for_each(|id| scene.touch(id));
        });
        scope.spawn(|| drop(world.wsctl(PRUNE).run()));
        let _ended = Ended(&over);
        act();
    });
}

/// Cuts while touches and a prune run.
fn cut_running(disk: &Disk, world: &World, number: usize) {
    let (scene, cutter) = (Scene::new(world), Cutter::new(disk, number % 4 == 3));
    amidst(world, &scene, || {
        thread::sleep(Duration::from_millis(number as u64 * 7 % 41));
        cutter.cut();
    });
    disk.restart();
    scene.check();
}

/// The same on a disk with a cache, at a random moment before `longest` is over. Gives what [`Scene::check`] does.
fn copy_running(disk: &mut CachedDisk, world: &World, longest: Duration, unflushed: Unflushed) -> bool {
    let scene = Scene::new(world);
    let moment = Duration::from_micros(random(u64::try_from(longest.as_micros()).expect("a short time")));
    println!("{moment:?} of {longest:?}, what was not flushed is {unflushed:?}"); // shown where it fails
    amidst(world, &scene, || {
        thread::sleep(moment);
        scene.power_goes();
        disk.cut(unflushed);
    });
    disk.restart();
    scene.check()
}

/// Cuts so many times by copying, on both file systems.
fn copy(times: usize) {
    needs!("root", "mkfs.ext4", "mkfs.xfs", "mount");
    for kind in ["ext4", "xfs"] {
        let world = World::new();
        let Some(mut disk) = CachedDisk::new(kind, &world) else { return };
        let scene = Scene::new(&world);
        let begun = Instant::now();
        amidst(&world, &scene, || drop(world.wsctl(PRUNE).run()));
        let longest = begun.elapsed();
        scene.check();
        let manners = [Unflushed::Lost, Unflushed::Torn, Unflushed::Written].into_iter().cycle().take(times / 2);
        let cuts = manners.map(|unflushed| copy_running(&mut disk, &world, longest, unflushed));
        println!("{kind}: {} of {} cuts in the midst of a prune", cuts.filter(|it| *it).count(), times / 2);
        assert_eq!(trash(&world), [""; 0]);
    }
}

/// Cuts so many times, on both file systems. Every fifth cut comes while everything runs.
fn cut(times: usize) {
    needs!("root", "mkfs.ext4", "mkfs.xfs", "mount", "python3", "strace");
    for kind in ["ext4", "xfs"] {
        let world = World::new();
        let Some(disk) = Disk::new(kind, world.base()) else { return };
        let moments = [true, false].map(|prunes| moments(&world, prunes));
        for number in 0..times / 2 {
            let moments = &moments[usize::from(number % 3 == 2)]; // every third in a touch
            let moment = moments[(number * 2 + usize::from(kind == "xfs")) * moments.len() / times % moments.len()];
            println!("{kind}, cut {number} of {}: {moment:?}", times / 2); // shown where it fails
            if number % 5 == 4 {
                cut_running(&disk, &world, number);
            } else {
                cut_standing(&disk, &world, moment, number);
            }
        }
        assert_eq!(trash(&world), [""; 0]);
    }
}

#[test]
fn after_a_power_cut_at_any_moment_nothing_is_lost_and_the_next_prune_finishes_what_was_decided() {
    cut(20);
}

#[test]
fn after_a_power_cut_at_a_random_moment_a_disk_that_loses_its_cache_has_lost_nothing_that_was_promised() {
    copy(10);
}

#[test]
#[ignore = "the long form: 300 cuts"]
fn after_300_power_cuts_nothing_is_lost() {
    cut(300);
}

#[test]
#[ignore = "the long form: 300 cuts"]
fn after_300_power_cuts_a_disk_that_loses_its_cache_has_lost_nothing_that_was_promised() {
    copy(300);
}

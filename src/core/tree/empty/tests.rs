use super::super::walk::{Scratch, walk};
use super::*;
use rustix::fs::Mode;
use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

#[test]
fn a_removal_gives_up_after_too_many_names_in_directories_that_others_changed() {
    const PAGE: u64 = 4096;
    let (before, after) = (10, -10);
    // When it was doomed: so many seconds before the changes; how often its root was emptied; how many names may still be
    // new; the bytes that it frees, or `None` if it gives up.
    for (doomed, retries, left, expected) in [
        (after, 0, 0, Some(3 * PAGE)),
        (after, 1, 0, Some(3 * PAGE)),
        (before, 0, 4 + NAMES_PER_DIRECTORY, Some(3 * PAGE)),
        (before, 0, 3 + NAMES_PER_DIRECTORY, None),
        (before, 1, 4 + NAMES_PER_DIRECTORY, Some(PAGE)),
    ] {
        let temp = tempfile::tempdir_in("/dev/shm").expect("a directory");
        fs::create_dir(temp.path().join("dir")).expect("a directory");
        for name in ["a", "b", "dir/c"] {
            fs::write(temp.path().join(name), "x").expect("a file");
        }
        let dir = DirFd::open(temp.path()).expect("an open directory");
        let stat = dir.stat_self().expect("a stat");
        let never = || false;
        let mut emptying = Emptying::new(stat.changed.plus_seconds(-doomed), &never);
        emptying.new_names = MAX_NEW_NAMES - left;
        let level = emptying.root_level(&stat, retries);
        let walked = walk(Entered::new(dir, stat, level), &mut emptying, &mut Scratch::default());
        let freed = walked.is_ok().then_some(emptying.bytes);
        assert_eq!(freed, expected, "doomed {doomed} s before, {retries} retries, {left} left");
        assert!(freed.is_none() || emptying.names == 4, "{} names", emptying.names);
    }
}

#[test]
fn what_a_wrong_clock_has_stamped_did_not_change_after_the_doom() {
    const HOUR: i64 = 3600;
    for (doomed_at, changed, expected) in
        [(-HOUR, -HOUR, false), (-HOUR, -1, true), (-1, HOUR, false), (HOUR, HOUR + 1, true), (HOUR, 2 * HOUR, false)]
    {
        let [doomed_at, changed] = [doomed_at, changed].map(|seconds| FileTime::now().plus_seconds(seconds));
        let emptying = Emptying::new(doomed_at, &|| false);
        assert_eq!(emptying.has_changed(changed), expected, "{doomed_at:?} {changed:?}");
    }
}

#[test]
fn a_directory_and_the_one_above_are_taken_over_once_names_appear_but_not_because_another_run_works_there() {
    const MORE_THAN_A_PIECE: u32 = 2000;
    for (names, is_taken) in [
        ("new files", true),
        ("old files", false),
        ("changed names of one file", false),
        ("new directories", true),
        ("changed directories", false),
    ] {
        let temp = tempfile::tempdir_in("/dev/shm").expect("a directory");
        let [root, dir] = [temp.path().to_owned(), temp.path().join("dir")];
        fs::create_dir(&dir).expect("a directory");
        let path = |number: u32| dir.join(number.to_string());
        let set_mode = |path: &Path| rustix::fs::chmod(path, Mode::from_raw_mode(0o755)).expect("a mode");
        let wait = || thread::sleep(Duration::from_millis(30)); // longer than the tick of the clock that stamps inodes
        let doom = || {
            wait();
            let doomed_at = FileTime::now();
            wait();
            doomed_at
        };
        let early = doom();
        for number in 0..MORE_THAN_A_PIECE {
            match names {
                "new directories" | "changed directories" => fs::create_dir(path(number)),
                "changed names of one file" if number > 0 => fs::hard_link(path(0), path(number)),
                _ => fs::write(path(number), ""),
            }
            .expect("a name");
        }
        let doomed_at = if names.starts_with("new") { early } else { doom() };
        if names.starts_with("changed") {
            (0..MORE_THAN_A_PIECE).for_each(|number| set_mode(&path(number)));
        }
        set_mode(&root);
        set_mode(&dir);
        let seen = Cell::new(false);
        let mode = |path: &Path| fs::metadata(path).map_or(0, |stat| stat.permissions().mode() & 0o777);
        let look = || {
            seen.set(seen.get() || [&root, &dir].map(|path| mode(path)) == [0o700; 2]);
            false
        };
        let root = DirFd::open(&root).expect("an open directory");
        let stat = root.stat_self().expect("a stat");
        let mut emptying = Emptying::new(doomed_at, &look);
        let level = emptying.root_level(&stat, 0);
        walk(Entered::new(root, stat, level), &mut emptying, &mut Scratch::default()).expect("a walk to the end");
        assert_eq!(seen.get(), is_taken, "{names}");
    }
}

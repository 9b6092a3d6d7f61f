//! `wsctl prune`: what its rules choose.

use crate::mounted::Mounted;
use crate::tools::{du, rules};
use crate::world::{World, ago, ids_in, sorted};
use chrono::TimeDelta;

/// What a dry run with these arguments would prune.
#[track_caller]
fn chosen(world: &World, args: &[&str]) -> Vec<String> {
    let args = ["prune", "-n", "--format", "json"].iter().chain(args);
    ids_in(&world.wsctl(args).run().exits(0).json()["pruned"])
}

#[test]
fn older_than_prunes_what_was_last_accessed_longer_ago() {
    let world = World::new();
    let [old, newer] = [world.aged(40), world.aged(30)];
    let [fresh, newest] = [world.aged(29), world.aged(0)];
    world.wsctl(["prune", "--older-than", "30d", "-y"]).run().exits(0).quietly();
    assert_eq!(world.names(), sorted([fresh, newest]), "without {old} and {newer}");
}

#[test]
fn rules_ignore_when_a_workspace_was_created() {
    let world = World::new();
    let old = world.workspace().days_ago(40).created(&ago(TimeDelta::zero())).make();
    let odd = world.workspace().days_ago(40).created("yesterday").make();
    let new = world.workspace().created("1999-12-31T23:59:59Z").make();
    assert_eq!(chosen(&world, &["--older-than", "30d"]), sorted([old, odd]), "without {new}");
}

#[test]
fn a_duration_may_have_several_units_and_zero_makes_all_of_the_past_stale() {
    let world = World::new();
    let at = |hours: i64, minutes: i64| {
        world.workspace().accessed(&ago(TimeDelta::hours(hours) + TimeDelta::minutes(minutes))).make()
    };
    for (duration, hours) in [("1day 12h", 36), ("2weeks", 336), ("0s", 0)] {
        let (over, under) = (at(hours, 10), at(hours, -10));
        assert_eq!(chosen(&world, &[&over, &under, "--older-than", duration]), [over], "{duration}");
    }
}

#[test]
fn max_total_size_takes_the_least_recently_accessed_until_the_rest_fits() {
    let world = World::new();
    let ids = [40, 30, 20, 10].map(|days| world.workspace().days_ago(days).file("data", &vec![1; 20_000]).make());
    let sizes = ids.each_ref().map(|id| du(&world.dir_of(id)));
    let total: u64 = sizes.iter().sum();
    let chosen = |limit: u64| chosen(&world, &["--max-total-size", &format!("{limit}B")]);
    assert_eq!(chosen(total), [""; 0]);
    assert_eq!(chosen(total - 1), [ids[0].clone()]);
    assert_eq!(chosen(total - sizes[0]), [ids[0].clone()]);
    assert_eq!(chosen(total - sizes[0] - 1), sorted(&ids[..2]));
    assert_eq!(chosen(0), sorted(&ids));
}

#[test]
fn max_total_size_counts_what_may_not_go_and_takes_from_the_others() {
    let world = World::new();
    let big = || world.workspace().file("data", &vec![1; 100_000]);
    let unknown = big().make_without_metadata();
    let future = big().days_ago(-2).make();
    let [old, new] = [world.aged(20), world.aged(10)];
    let report = world.wsctl(["prune", "-y", "--max-total-size", "200000B", "--format", "json"]).run().exits(0).json();
    assert_eq!(rules(&report), [(&*old, "max-total-size"), (&*new, "max-total-size")]);
    assert_eq!(ids_in(&report["skipped"]), sorted([&unknown, &future]));
    assert_eq!(world.names(), sorted([unknown, future]));
}

/// All units are in a test beside the code.
#[test]
fn a_size_with_an_i_or_no_b_is_in_powers_of_1024_and_one_with_a_b_alone_of_1000() {
    let world = World::new();
    let id = world.workspace().file("data", &vec![1; 1_015_808]).make();
    let size = du(&world.dir_of(&id));
    assert!((1_020_000..1_044_480).contains(&size), "{size}");
    for (limit, fits) in [("1M", true), ("1MB", false), ("1020KiB", true), ("1020KB", false)] {
        let gone = if fits { vec![] } else { vec![id.clone()] };
        assert_eq!(chosen(&world, &["--max-total-size", limit]), gone, "{limit}");
    }
}

/// A base of its own file system of 8 MiB, with four workspaces of 1 MiB and a page in it, the oldest first.
fn small_file_system(world: &World) -> (Mounted, [String; 4]) {
    let mounted = Mounted::tmpfs(world, &world.base(), "size=8m,mode=755");
    let ids = [40, 30, 20, 10].map(|days| world.workspace().days_ago(days).file("data", &vec![1; 1 << 20]).make());
    (mounted, ids)
}

#[test]
fn min_free_is_an_io_error_where_the_file_system_does_not_tell_its_size() {
    needs!("strace");
    let world = World::new();
    let stale = sorted([world.aged(40), world.aged(50)]);
    // A statfs that says nothing but its type and its block size, as FUSE gives it without a daemon's answer.
    let zeros = format!("fstatfs:poke_exit=@arg2={}", "00".repeat(64));
    for (rule, more, answer) in [
        ("5%", &[][..], &*zeros),
        ("10GiB", &["-n"], &zeros),
        ("1K", &["--older-than", "30d"], &zeros),
        ("1K", &[], "fstatfs:error=ENOSYS"),
        ("5%", &["-n"], "fstatfs:error=EOPNOTSUPP"),
    ] {
        let run = world.wsctl(["prune", "-y", "--min-free", rule].iter().chain(more));
        let ran = run.injecting([answer]).run();
        let ran = ran.exits(74).complains("error[io]: base ");
        assert!(ran.stdout.contains("prune 0 workspaces") || ran.stdout.contains("pruned 0 workspaces"), "{ran:#?}");
        assert_eq!(world.names(), stale, "{rule}");
    }
}

#[test]
fn min_free_takes_the_least_recently_accessed_until_so_much_is_free() {
    needs!("root", "mount");
    let world = World::new();
    let (_mounted, ids) = small_file_system(&world);
    let free = 4 * ((1 << 20) - 4096_u64);
    let size = (1 << 20) + 4096;
    let chosen = |wanted: &str| chosen(&world, &["--min-free", wanted]);
    let bytes = |number: u64| format!("{number}B");
    assert_eq!(chosen(&bytes(free)), [""; 0]);
    assert_eq!(chosen(&bytes(free + 1)), ids[..1]);
    assert_eq!(chosen(&bytes(free + size)), ids[..1]);
    assert_eq!(chosen(&bytes(free + size + 1)), sorted(&ids[..2]));
    assert_eq!(chosen("4MiB"), ids[..1]);
    assert_eq!(chosen("49%"), [""; 0]);
    assert_eq!(chosen("50%"), ids[..1]);
    assert_eq!(chosen("62%"), ids[..1]);
    assert_eq!(chosen("63%"), sorted(&ids[..2]));
    assert_eq!(chosen("100%"), sorted(&ids));
}

#[test]
fn min_free_as_a_share_of_the_file_system_is_what_is_free_afterwards() {
    needs!("root", "mount");
    let world = World::new();
    let (_mounted, [a, b, c, d]) = small_file_system(&world);
    let report = world.wsctl(["prune", "-y", "--min-free", "70%", "--format", "json"]).run().exits(0).quietly().json();
    assert_eq!(rules(&report), [(&*a, "min-free"), (&*b, "min-free")]);
    assert_eq!(world.names(), sorted([c, d]));
    let space = rustix::fs::statvfs(world.base()).expect("its space");
    assert!(space.f_bavail * 10 >= space.f_blocks * 7, "{} of {}", space.f_bavail, space.f_blocks);
}

#[test]
fn the_rules_by_size_take_only_what_age_has_left_to_do_and_each_says_what_it_chose() {
    needs!("root", "mount");
    let world = World::new();
    let (_mounted, [a, b, c, d]) = small_file_system(&world);
    let args = ["prune", "-y", "--older-than", "35d", "--max-total-size", "2500KiB", "--min-free", "6MiB"];
    let report = world.wsctl(args.iter().chain(&["--format", "json"])).run().exits(0).json();
    assert_eq!(rules(&report), [(&*a, "older-than"), (&*b, "max-total-size"), (&*c, "min-free")]);
    assert_eq!(world.names(), [d]);
}

#[test]
fn ids_alone_are_pruned_whatever_their_age() {
    let world = World::new();
    let [old, fresh, other] = [world.aged(40), world.aged(0), world.aged(50)];
    let args = ["prune", "-y", "--format", "json", &old, &fresh.to_uppercase(), &old];
    let report = world.wsctl(args).run().exits(0).json();
    assert_eq!(rules(&report), [(&*old, "id"), (&*fresh, "id")]);
    assert_eq!(world.names(), [other]);
}

#[test]
fn ids_with_older_than_prune_only_the_stale_ones() {
    let world = World::new();
    let [old, fresh, other] = [world.aged(40), world.aged(0), world.aged(50)];
    let args = ["prune", "-y", "--format", "json", "--older-than", "30d", &old, &fresh];
    let report = world.wsctl(args).run().exits(0).json();
    assert_eq!(rules(&report), [(&*old, "older-than")]);
    assert_eq!((report["kept"].as_u64(), world.names()), (Some(1), sorted([fresh, other])));
}

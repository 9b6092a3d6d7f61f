//! `wsctl prune`: what its rules choose. See the table beside `plan.rs` for how they go together.

use crate::mounted::Mounted;
use crate::tools::{du, rules};
use crate::world::{World, ids_in, numbered, sorted};

/// What a dry run with these arguments would prune.
#[track_caller]
fn chosen(world: &World, args: &[&str]) -> Vec<String> {
    let args = ["prune", "-n", "--format", "json"].iter().chain(args);
    ids_in(&world.wsctl(args).run().exits(0).json()["pruned"])
}

#[test]
fn rules_ids_and_protections_choose_among_the_workspaces() {
    let world = World::new();
    let id = |letter: char| numbered(letter.to_ascii_lowercase().into());
    for (letter, days) in [('a', 70), ('b', 50), ('c', 30), ('d', 29), ('e', 0), ('f', -2)] {
        let created = if letter == 'e' { "1999-12-31T23:59:59Z" } else { "yesterday" }; // decides nothing
        let _ = world.workspace().id(&id(letter)).days_ago(days).created(created).make();
    }
    let _ = world.workspace().id(&id('g')).make_without_metadata();
    // A letter is the workspace's ID, upper or lower case; `f` lies ahead of the clock, and `g` has no metadata. Oldest first.
    for (args, rule, expected) in [
        ("--older-than 30d", "older-than", "abc"),
        ("--older-than 0s", "older-than", "abcde"),
        ("--older-than 30d --keep-last 4", "older-than", "a"),
        ("--older-than 30d --exclude B --exclude a", "older-than", "c"),
        ("--older-than 30d a B d", "older-than", "ab"),
        ("--keep-last 2 a d", "id", "a"),
        ("a E a", "id", "ae"),
        ("--exclude A b g a", "id", "gb"),
        ("--max-total-size 0B --keep-last 1 --exclude a", "max-total-size", "bcd"),
    ] {
        let words = args.split(' ').map(|word| match word.as_bytes() {
            [letter @ b'a'..=b'z'] => id(char::from(*letter)),
            [letter @ b'A'..=b'Z'] => id(char::from(*letter)).to_uppercase(),
            _ => word.to_owned(),
        });
        let dry_run = ["prune", "-n", "--format", "json"].map(str::to_owned).into_iter();
        let report = world.wsctl(dry_run.chain(words)).run().exits(0).json();
        let chosen: Vec<_> = rules(&report).into_iter().map(|(id, rule)| (id.to_owned(), rule)).collect();
        let expected: Vec<_> = expected.chars().map(|letter| (id(letter), rule)).collect();
        assert_eq!(chosen, expected, "{args}");
    }
}

#[test]
fn max_total_size_takes_the_least_recently_accessed_until_the_rest_fits_also_beside_what_may_not_go() {
    let world = World::new();
    let big = || world.workspace().file("data", &vec![1; 20_000]);
    let ids = [40, 30, 20, 10].map(|days| big().days_ago(days).make());
    let stays = [big().make_without_metadata(), big().days_ago(-2).make()];
    let size = |id: &String| du(&world.dir_of(id));
    let total: u64 = ids.iter().chain(&stays).map(size).sum();
    for (limit, gone) in [
        (total, &ids[..0]),
        (total - 1, &ids[..1]),
        (total - size(&ids[0]), &ids[..1]),
        (total - size(&ids[0]) - 1, &ids[..2]),
        (0, &ids),
    ] {
        assert_eq!(chosen(&world, &["--max-total-size", &format!("{limit}B")]), sorted(gone), "{limit} of {total}");
    }
    let report = world.wsctl(["prune", "-y", "--max-total-size", "1K", "--format", "json"]).run().exits(0).json();
    assert_eq!(rules(&report), ids.each_ref().map(|id| (&**id, "max-total-size")));
    assert_eq!((ids_in(&report["skipped"]), world.names()), (sorted(&stays), sorted(&stays)));
}

/// A base of its own file system of 8 MiB, with four workspaces of 1 MiB and a page in it, the oldest first.
fn small_file_system() -> (World, Mounted, [String; 4]) {
    let (world, mounted) = Mounted::base_in_memory("size=8m,mode=755");
    let ids = [40, 30, 20, 10].map(|days| world.workspace().days_ago(days).file("data", &vec![1; 1 << 20]).make());
    (world, mounted, ids)
}

#[test]
fn min_free_is_an_io_error_where_the_file_system_does_not_tell_its_size() {
    needs!("strace");
    let world = World::new();
    let stale = sorted([world.aged(40), world.aged(50)]);
    // A statfs that says nothing but its type and its block size, as FUSE gives it without a daemon's answer.
    let zeros = format!("fstatfs:poke_exit=@arg2={}", "00".repeat(64));
    // One that counts blocks, but gives them no size.
    let sizeless =
        format!("fstatfs:poke_exit=@arg2={}{}{}", "00".repeat(16), "ffffffff00000000".repeat(3), "00".repeat(40));
    for (rule, more, answer) in [
        ("10GiB", &[][..], &*sizeless),
        ("10GiB", &["-n"], &zeros),
        ("1K", &["--older-than", "30d"], &zeros),
        ("5%", &[], "fstatfs:error=ENOSYS"),
    ] {
        let run = world.wsctl(["prune", "-y", "--min-free", rule].iter().chain(more));
        let ran = run.injecting([answer]).run().exits(74).complains("error[io]: base ");
        assert!(ran.stdout.contains("prune 0 workspaces") || ran.stdout.contains("pruned 0 workspaces"), "{ran:#?}");
        assert_eq!(world.names(), stale, "{rule}");
    }
}

#[test]
fn min_free_takes_the_least_recently_accessed_until_so_much_is_free() {
    needs!("root", "mount");
    let (world, _mounted, ids) = small_file_system();
    let size = (1 << 20) + 4096;
    let free = (8 << 20) - 4 * size;
    for (wanted, gone) in [
        (&*format!("{free}B"), 0),
        (&format!("{}B", free + 1), 1),
        (&format!("{}B", free + size), 1),
        (&format!("{}B", free + size + 1), 2),
        ("49%", 0),
        ("50%", 1),
        ("100%", 4),
    ] {
        assert_eq!(chosen(&world, &["--min-free", wanted]), sorted(&ids[..gone]), "{wanted}");
    }
}

#[test]
fn size_rules_delete_only_what_the_age_rule_left_and_the_report_names_the_rule() {
    needs!("root", "mount");
    let (world, _mounted, [a, b, c, d]) = small_file_system();
    let args = ["prune", "-y", "--older-than", "35d", "--max-total-size", "2500KiB", "--min-free", "6MiB"];
    let report = world.wsctl(args.iter().chain(&["--format", "json"])).run().exits(0).json();
    assert_eq!(rules(&report), [(&*a, "older-than"), (&*b, "max-total-size"), (&*c, "min-free")]);
    assert_eq!(world.names(), [d]);
    let space = rustix::fs::statvfs(world.base()).expect("its space");
    assert!(space.f_bavail * 4 >= space.f_blocks * 3, "{} of {}", space.f_bavail, space.f_blocks);
}

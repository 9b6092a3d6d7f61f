//! `wsctl validate`.

use crate::paused::straced;
use crate::world::{World, chmod, numbered};
use serde_json::json;
use std::fs;

#[test]
fn malformed_and_absent_look_the_same_without_v() {
    let (world, id) = World::with(|it| it.id(&numbered(0xabc_def)));
    let upper = id.to_uppercase();
    let present = world.wsctl(["validate", "--format", "json", &upper]).run().exits(0).quietly();
    assert_eq!(present.json(), json!([{"input": upper, "id": id, "valid": true}]));
    let absent = numbered(0);
    for (id, reason) in [("nonsense", "malformed"), (&absent, "absent")] {
        world.wsctl(["validate", id]).run().exits(1).prints("").quietly();
        let json = world.wsctl(["validate", "--format", "json", id]).run().exits(1).quietly().json();
        assert_eq!(json, json!([{"input": id, "id": null, "valid": false}]));
        world.wsctl(["validate", "-v", id]).run().exits(1).complains(reason);
    }
}

#[test]
fn an_id_that_cannot_be_looked_up_is_named_and_neither_absent_nor_malformed() {
    needs!("root", "setpriv");
    let (world, id) = World::with_aged(1);
    world.give_away();
    chmod(world.base(), 0o600);
    let ran = world.wsctl(["validate", "-v", &id, "nonsense"]).by_ordinary_user().run().exits(77).prints("");
    let expected = [&id, "nonsense"].map(|id| format!("'{id}': cannot look it up: Permission denied"));
    let told: Vec<_> = ran.stderr.lines().map(|line| line.trim_start_matches("error[permission-denied]: ")).collect();
    assert_eq!(told, expected);
}

#[test]
fn malformed_absent_and_present_ids_cost_the_same_calls_with_one_hit_and_one_miss_among_many_other_directories() {
    needs!("strace");
    let world = World::new();
    (0..500).for_each(|n| fs::create_dir(world.base().join(format!("named-by-hand-{n:050}"))).expect("a directory"));
    let calls = |id: &str| {
        let (_, log) = straced(&world, world.wsctl(["validate", id]), "file,desc");
        let looks = log.iter().filter(|line| line.contains("statx(") && line.contains("AT_SYMLINK_NOFOLLOW"));
        let (misses, hits): (Vec<_>, Vec<_>) = looks.partition(|line| line.contains("ENOENT"));
        assert!(matches!((&*misses, &*hits), ([_], [_])), "{id}: {log:#?}");
        let calls = log.iter().filter_map(|line| Some((line.split('(').next()?.split_whitespace().nth(1)?, line)));
        // The answer itself is written only for one that is present.
        let calls = calls.filter(|(call, line)| line.contains('(') && !(*call == "write" && line.contains("write(1<")));
        calls.map(|(call, line)| (call.to_owned(), line.contains("AT_SYMLINK_NOFOLLOW"))).collect::<Vec<_>>()
    };
    let expected = calls(&world.aged(1));
    for id in [&*numbered(0), "nonsense", "", "../..", &"x".repeat(5000)] {
        assert_eq!(calls(id), expected, "{id}");
    }
}

#[test]
fn the_library_gives_the_canonical_id_or_nothing() {
    let (world, id) = World::with_aged(1);
    let base = wsctl::core::Base::open(&world.base()).expect("the base");
    let checker = wsctl::core::check::Checker::new(&base).expect("a checker");
    let check = |cookie: &str| checker.check(cookie.as_bytes()).expect("an answer").map(|id| id.to_string());
    assert_eq!((check(""), check("nonsense")), (None, None));
    assert_eq!(check("00000000-0000-0000-0000-000000000000"), None, "not even the one that stands in for others");
    assert_eq!(check(&id.to_uppercase()), Some(id));
}

#[test]
fn after_two_dashes_a_hostile_cookie_is_an_id_and_stdin_is_not_read() {
    let (world, id) = World::with_aged(1);
    let line = format!("{id}\n");
    for cookie in ["-", "--", "--help", "-h", "", " ", "../..", "-0"] {
        world.wsctl(["validate", "--", cookie]).stdin(&*line).run().exits(1).prints("").quietly();
        let _ = world.wsctl(["touch", "--", cookie]).stdin(&*line).run().exits(2).complains("[invalid-id]");
    }
    let each_line = "while read -r cookie; do \"$@\" \"$cookie\"; done; true";
    let run = world.wsctl(["validate", "--"]).through_sh(each_line).stdin(format!("-\n{line}"));
    run.run().exits(0).prints(&line).quietly(); // the loop keeps its input
}

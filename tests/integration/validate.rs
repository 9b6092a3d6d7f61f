//! `wsctl validate`.

use crate::world::World;
use std::fs;

#[test]
fn each_valid_id_is_printed_in_canonical_form_in_the_order_given() {
    let world = World::new();
    let (a, b) = (world.aged(1), world.aged(2));
    world.wsctl(["validate", &b.to_uppercase(), &a]).run().exits(0).prints(&format!("{b}\n{a}\n")).quietly();
}

#[test]
fn malformed_and_absent_look_the_same_without_v() {
    let world = World::new();
    let absent = "00000000-0000-4000-8000-000000000000";
    for id in ["nonsense", absent] {
        world.wsctl(["validate", id]).run().exits(1).prints("").quietly();
        let json = world.wsctl(["validate", "--format", "json", id]).run().exits(1).quietly().json();
        assert_eq!(json, serde_json::json!([{"input": id, "id": null, "valid": false}]));
    }
    world.wsctl(["validate", "-v", "nonsense"]).run().exits(1).complains("malformed");
    world.wsctl(["validate", "-v", absent]).run().exits(1).complains("absent");
}

#[test]
fn malformed_absent_and_present_ids_cost_the_same_system_calls_in_the_same_order() {
    needs!("strace");
    let world = World::new();
    let present = world.aged(1);
    let calls = |id: &str| {
        let log = world.path("strace");
        let strace = ["strace", "-o", log.to_str().expect("UTF-8"), "-e", "trace=file,desc"];
        let _ = world.wsctl(["validate", id]).through(strace).run();
        let text = fs::read_to_string(&log).expect("a log");
        let calls = text.lines().filter(|line| line.contains('(') && !line.starts_with("write(1,"));
        let name_and_flags = |line: &str| {
            let name = line.split('(').next().expect("a name");
            if line.contains("AT_SYMLINK_NOFOLLOW") { format!("{name} nofollow") } else { name.to_owned() }
        };
        calls.map(name_and_flags).collect::<Vec<_>>()
    };
    let expected = calls(&present);
    assert_eq!(expected.iter().filter(|call| *call == "statx nofollow").count(), 2, "{expected:?}");
    for id in ["00000000-0000-4000-8000-000000000000", "nonsense", "", "../..", &"x".repeat(5000)] {
        assert_eq!(calls(id), expected, "{id}");
    }
}

#[test]
fn the_library_takes_an_absent_cookie_and_gives_the_canonical_id_or_nothing() {
    let world = World::new();
    let id = world.aged(1);
    let base = wsctl::core::Base::open(&world.base()).expect("the base");
    let checker = wsctl::core::check::Checker::new(&base).expect("a checker");
    let check = |cookie: Option<&str>| {
        let found = checker.check(cookie.map(str::as_bytes)).expect("an answer");
        found.map(|id| id.to_string())
    };
    assert_eq!(check(None), None);
    assert_eq!(check(Some("nonsense")), None);
    assert_eq!(check(Some("00000000-0000-0000-0000-000000000000")), None, "not even the one that stands in for others");
    assert_eq!(check(Some(&id.to_uppercase())), Some(id));
}

#[test]
fn a_text_that_differs_from_an_id_in_one_bit_is_no_id() {
    let world = World::new();
    let id = world.workspace().id("abcdef01-2345-4678-89ab-cdef01234567").make();
    let flipped = (0..id.len() * 7).map(|bit| {
        let mut bytes = id.clone().into_bytes();
        bytes[bit / 7] ^= 1 << (bit % 7);
        String::from_utf8(bytes).expect("ASCII")
    });
    let others: Vec<_> = flipped.filter(|text| *text.to_lowercase() != id && !text.contains('\0')).collect();
    world.wsctl(["validate", "--"].into_iter().chain(others.iter().map(String::as_str))).run().exits(1).prints("");
}

#[test]
fn after_two_dashes_a_hostile_cookie_is_an_id_and_stdin_is_not_read() {
    let world = World::new();
    let id = world.aged(1);
    for cookie in ["-", "--", "--help", "-h", "", " ", "../..", "-0"] {
        let ran = world.wsctl(["validate", "--", cookie]).stdin(format!("{id}\n")).run();
        ran.exits(1).prints("").quietly();
        let _ = world.wsctl(["touch", "--", cookie]).stdin(format!("{id}\n")).run().exits(2).complains("[invalid-id]");
    }
    world.wsctl(["validate", "--", &id]).run().exits(0).prints(&format!("{id}\n"));
    world.wsctl(["validate", "-"]).stdin("").run().exits(1).prints(""); // nobody was told yes
    let loop_ = format!("printf '%s\\n' - {id} | while read -r cookie; do \"$0\" validate -- \"$cookie\"; done");
    let binary = world.binary.to_str().expect("UTF-8").to_owned();
    let _ = world.wsctl(["validate", "-"]).through_sh("exec \"$@\" <&-").run().exits(74);
    let output =
        std::process::Command::new("sh").args(["-c", &loop_, &binary]).env("WSCTL_BASE", world.base()).output();
    assert_eq!(String::from_utf8_lossy(&output.expect("sh").stdout), format!("{id}\n"), "the loop keeps its input");
}

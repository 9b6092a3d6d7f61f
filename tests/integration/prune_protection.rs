//! `wsctl prune`: what stays in any case.

use crate::tools::{set_aside, text, tree};
use crate::world::{World, chmod, ids_in, is_root, sorted};
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn keep_last_keeps_those_last_accessed_and_future_ones_do_not_count() {
    let world = World::new();
    let [a, b, c, d] = [70, 60, 50, 40].map(|days| world.aged(days));
    let future = world.workspace().days_ago(-2).make();
    let missing = world.workspace().make_without_metadata();
    let report = world.prune(&["--keep-last", "2"]).run().exits(0).json();
    assert_eq!(ids_in(&report["pruned"]), sorted([a, b]));
    assert_eq!(world.names(), sorted([c, d, future, missing]));
}

#[test]
fn keep_last_counts_among_all_workspaces_also_where_ids_are_given() {
    let world = World::new();
    let [old, new] = [world.aged(40), world.aged(1)];
    world.wsctl(["prune", "-y", "--keep-last", "1", &old, &new]).run().exits(0).quietly();
    assert_eq!(world.names(), [new]);
}

#[test]
fn keep_last_and_exclude_hold_against_the_rules_by_size_too() {
    let world = World::new();
    let [a, b, c] = [40, 30, 20].map(|days| world.aged(days));
    let args = ["prune", "-y", "--max-total-size", "0B", "--keep-last", "1", "--exclude", &a];
    world.wsctl(args).run().exits(0).quietly();
    assert_eq!(world.names(), sorted([a, c]), "without {b}");
}

#[test]
fn an_excluded_workspace_stays_also_if_it_is_given_by_id() {
    let world = World::new();
    let [a, b, c] = [40, 41, 42].map(|days| world.aged(days));
    let args = ["prune", "-y", &a, &b, &c, "--exclude", &a.to_uppercase(), "--exclude", &b, "--format", "json"];
    let report = world.wsctl(args).run().exits(0).json();
    assert_eq!((ids_in(&report["pruned"]), report["kept"].as_u64()), (vec![c], Some(2)));
    assert_eq!(world.names(), sorted([a, b]));
}

#[test]
fn exclude_from_reads_ids_comments_blank_lines_and_crlf() {
    let world = World::new();
    let [a, b, c, d] = [40, 41, 42, 43].map(|days| world.aged(days));
    let file = world.path("excluded");
    fs::write(&file, format!("# keep\r\n\r\n{a}\r\n   \n\t# {d}\n{} # why\n{c}", b.to_uppercase())).expect("a file");
    world.prune(&["--exclude-from", text(&file)]).run().exits(0).quietly();
    assert_eq!(world.names(), sorted([a, b, c]), "without {d}");
}

#[test]
fn exclude_from_may_be_a_pipe() {
    needs!("bash");
    let world = World::new();
    let [kept, other] = [world.aged(40), world.aged(41)];
    let script = format!("\"$@\" --exclude-from <(echo {kept})");
    let run = world.wsctl(["prune", "-y", "--older-than", "30d"]).through(["bash", "-c", &script, "bash"]);
    run.run().exits(0).quietly();
    assert_eq!(world.names(), [kept], "without {other}");
}

#[test]
fn a_line_in_exclude_from_that_is_no_id_stops_the_prune_before_it_deletes_anything() {
    let world = World::new();
    let [a, b] = [world.aged(40), world.aged(41)];
    let before = world.snapshot();
    for bad in ["monaco-2024", "{}", "\u{1b}[2J", &b.replace('-', "")] {
        let file = world.path("excluded");
        fs::write(&file, format!("{a}\n\n{bad}\n{b}\n")).expect("a file");
        let ran = world.prune(&["--exclude-from", text(&file)]).run().sanely().exits(2);
        ran.complains("error[invalid-id]: --exclude-from: ").complains("line 3: ");
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn an_exclude_from_that_cannot_be_read_stops_the_prune_before_it_deletes_anything() {
    let world = World::new();
    let _ = world.aged(40);
    let before = world.snapshot();
    let prune = |file: &str| world.prune(&["--exclude-from", file]).run().prints("");
    prune("absent").exits(66).complains("error[not-found]: --exclude-from: cannot read absent: No such file");
    prune("base").exits(2).complains("error[usage]: --exclude-from: cannot read base: Is a directory");
    assert_eq!(world.snapshot(), before);
    if is_root() {
        let file = world.path("secret");
        fs::write(&file, "").expect("a file");
        world.give_away();
        chmod(&file, 0o0);
        let before = world.snapshot();
        let run = world.wsctl(["prune", "-y", "--older-than", "30d", "--exclude-from", text(&file)]).by_ordinary_user();
        run.run().exits(77).prints("").complains("error[permission-denied]: ");
        assert_eq!(world.snapshot(), before);
    }
}

#[test]
fn more_than_max_delete_and_nothing_is_deleted_not_even_leftovers() {
    let world = World::new();
    let stale = [50, 51, 52].map(|days| world.aged(days));
    let others = [1, 2, 3, 4].map(|days| world.aged(days));
    let doomed = set_aside(&world, "doomed", &world.aged(60));
    let claimed = set_aside(&world, "claimed", &others[3]); // fresh: it would be put back
    let before = world.snapshot();
    for limit in ["0", "2", "0%", "42%"] {
        let ran = world.prune(&["--max-delete", limit]).run().exits(78).complains("error[refused]: ");
        assert_eq!((&ran.json()["pruned"], &ran.json()["freed_bytes"]), (&json!([]), &json!(0)), "{limit}");
        assert_eq!(ran.json()["kept"], json!(7), "{limit}: all but the leftover, since all stay");
        assert_eq!(world.snapshot(), before, "{limit}");
        let dry = world.prune(&["-n", "--max-delete", limit]).run().exits(78).complains("error[refused]: ").json();
        assert_eq!(dry["pruned"].as_array().map(Vec::len), Some(4), "{limit}: it shows what would go");
    }
    for limit in ["3", "43%", "100%"] {
        world.prune(&["-n", "--max-delete", limit]).run().exits(0).quietly();
    }
    let report = world.prune(&["--max-delete", "3"]).run().exits(0).quietly().json();
    assert_eq!(report["pruned"].as_array().map(Vec::len), Some(4), "{doomed} too: {report}");
    assert_eq!(world.names(), sorted(&others), "without {stale:?}, and {claimed} put back");
}

#[test]
fn names_that_are_not_ours_and_links_and_files_of_a_workspaces_name_are_never_touched() {
    let world = World::new();
    let id = world.aged(40);
    let outside = world.path("outside");
    fs::create_dir(&outside).expect("a directory");
    fs::copy(world.metadata_of(&id), outside.join(".metadata.json")).expect("a copy");
    let trash = |stage: &str, tag: &str| format!(".wsctl-{stage}.{id}.{tag}");
    for name in [
        "monaco-2024",
        "6C7AB482-A9CA-49D7-9364-B3E425655D2E",
        "{6c7ab482-a9ca-49d7-9364-b3e425655d2e}",
        "6c7ab482a9ca49d79364b3e425655d2e",
        "6c7ab482-a9ca-49d7-9364-b3e425655d2e ",
        ".wsctl-doomed",
        &trash("doomed", "0123"),
        &trash("doomed", "00C0FFEE00C0FFEE"),
        &trash("claimed", "00c0ffee00c0ffee.x"),
        &trash("finished", "00c0ffee00c0ffee"),
        ".wsctl-doomed.monaco-2024.00c0ffee00c0ffee",
    ] {
        fs::create_dir(world.base().join(name)).expect("a directory");
        fs::copy(outside.join(".metadata.json"), world.base().join(name).join(".metadata.json")).expect("a copy");
    }
    let link = "11111111-1111-4111-8111-111111111111";
    let file = "22222222-2222-4222-8222-222222222222";
    for name in [link, &trash("doomed", "00c0ffee00c0ffee"), &trash("claimed", "00c0ffee00c0ffee")] {
        symlink(&outside, world.dir_of(name)).expect("a link");
    }
    fs::copy(outside.join(".metadata.json"), world.dir_of(file)).expect("a file");
    world.wsctl(["prune", "-y", &id]).run().exits(0).quietly(); // what stays is what there was but for this one
    let before = (world.snapshot(), tree(&outside));
    assert_eq!(world.prune(&["--max-total-size", "0B"]).run().exits(0).quietly().json()["kept"], json!(0));
    let _ = world.wsctl(["prune", "-y", link, file]).run().exits(66);
    assert_eq!((world.snapshot(), tree(&outside)), before);
}

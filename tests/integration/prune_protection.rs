//! `wsctl prune`: what stays in any case.

use crate::tools::{outside, set_aside, text, tree};
use crate::world::{World, chmod, numbered, sorted};
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn exclude_from_reads_ids_comments_blank_lines_and_crlf_also_from_a_pipe() {
    let (world, [a, b, c, d]) = World::with_each_aged([40, 41, 42, 43]);
    let list = format!("# keep\r\n\r\n{a}\r\n   \n\t# {d}\n{} # why\n{c}", b.to_uppercase());
    fs::write(world.path("excluded"), &list).expect("a file");
    for args in [&["--exclude-from", "excluded", "-n"][..], &["--exclude-from", "/dev/stdin"]] {
        world.prune(args).stdin(&*list).run().pruned([&d]);
    }
    assert_eq!(world.names(), sorted([a, b, c]));
}

#[test]
fn an_exclude_from_with_a_line_that_is_no_id_or_that_cannot_be_read_stops_the_prune_before_it_deletes_anything() {
    let (world, [a, b]) = World::with_each_aged([40, 41]);
    let secret = world.path("secret");
    fs::write(&secret, "").expect("a file");
    let before = world.snapshot();
    let prune = |file: &str| world.prune(&["--exclude-from", file]).run().sanely().prints("");
    for bad in ["monaco-2024", "\u{1b}[2J", &b.replace('-', "")] {
        fs::write(world.path("excluded"), format!("{a}\n\n{bad}\n{b}\n")).expect("a file");
        prune("excluded").exits(2).complains("error[invalid-id]: --exclude-from: ").complains("line 3: ");
    }
    prune("absent").exits(66).complains("error[not-found]: --exclude-from: cannot read absent: No such file");
    prune("base").exits(2).complains("error[usage]: --exclude-from: cannot read base: Is a directory");
    let closed = world.prune(&["--exclude-from", "/dev/stdin"]).through_sh("exec \"$@\" <&-").run();
    closed.exits(74).complains("error[io]: --exclude-from: cannot read /dev/stdin: ");
    assert_eq!(world.snapshot(), before);
    needs!("root", "setpriv");
    world.give_away();
    chmod(&secret, 0o0);
    let before = world.snapshot();
    let ran = world.prune(&["--exclude-from", text(&secret)]).by_ordinary_user().run();
    ran.exits(77).prints("").complains("error[permission-denied]: ");
    assert_eq!(world.snapshot(), before);
}

#[test]
fn beyond_max_delete_nothing_is_deleted_not_even_leftovers() {
    let (world, stale) = World::with_each_aged([50, 51, 52]);
    let others = [1, 2, 3, 4].map(|days| world.aged(days));
    let doomed = world.aged(60);
    set_aside(&world, "doomed", &doomed);
    set_aside(&world, "claimed", &others[3]); // fresh: it would be put back
    let before = world.snapshot();
    for limit in ["0", "2", "0%", "42%"] {
        let report = world.prune(&["--max-delete", limit]).run().exits(78).complains("error[refused]: ").json();
        assert_eq!((&report["pruned"], &report["freed_bytes"]), (&json!([]), &json!(0)), "{limit}");
        assert_eq!(report["kept"], json!(7), "{limit}: all but the leftover, since all stay");
        let dry = world.prune(&["-n", "--max-delete", limit]).run().exits(78).complains("error[refused]: ").json();
        assert_eq!(dry["pruned"].as_array().map(Vec::len), Some(4), "{limit}: it shows what would go");
        assert_eq!(world.snapshot(), before, "{limit}");
    }
    for args in [&["--max-delete", "43%", "-n"][..], &["--max-delete", "100%", "-n"], &["--max-delete", "3"]] {
        world.prune(args).run().pruned(stale.iter().chain([&doomed]));
    }
    assert_eq!(world.names(), sorted(&others), "and the claimed one is put back");
}

#[test]
fn names_that_are_not_ours_and_links_and_files_of_a_workspaces_name_are_never_touched() {
    let (world, id) = World::with_aged(40);
    let (outside, _) = outside(&world);
    let metadata = outside.join(".metadata.json");
    fs::rename(world.metadata_of(&id), &metadata).expect("metadata");
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
        fs::create_dir(world.dir_of(name)).expect("a directory");
        fs::copy(&metadata, world.metadata_of(name)).expect("a copy");
    }
    for name in [numbered(1), trash("doomed", "00c0ffee00c0ffee"), trash("claimed", "00c0ffee00c0ffee")] {
        symlink(&outside, world.dir_of(&name)).expect("a link");
    }
    fs::copy(&metadata, world.dir_of(&numbered(2))).expect("a file");
    fs::remove_dir_all(world.dir_of(&id)).expect("the one that is ours");
    let before = (world.snapshot(), tree(&outside));
    assert_eq!(world.prune(&["--max-total-size", "0B"]).run().pruned([""; 0])["kept"], json!(0));
    assert_eq!((world.snapshot(), tree(&outside)), before);
}

//! A wrong command line is answered with one line that says what to write instead.

use crate::world::{World, numbered};

/// Runs each command line, all of them wrong, and looks for these parts in the one line on stderr. Nothing may happen.
fn each(status: i32, complaints: &[(&[&str], &[&str])]) {
    let world = World::new();
    let _ = world.aged(9);
    let before = world.snapshot();
    for (args, parts) in complaints {
        let mut ran = world.wsctl(*args).run().exits(status).prints("");
        for part in *parts {
            ran = ran.complains(part);
        }
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn a_mistyped_word_is_answered_with_the_right_one() {
    each(
        2,
        &[
            (&["prnue"], &["'prnue'", "'prune'", "try 'wsctl --help'"]),
            (&["lst"], &["'list'"]),
            (&["vaildate"], &["'validate'"]),
            (&["prune", "--oldr-than", "7d"], &["'--oldr-than'", "'--older-than'", "try 'wsctl prune --help'"]),
            (&["prune", "--older_than=7d"], &["'--older-than'"]),
            (&["prune", "--older-than", "7d", "--dryrun"], &["'--dry-run'"]),
            (&["list", "--limt", "7"], &["'--limit'", "try 'wsctl list --help'"]),
            (&["list", "--sort", "siez"], &["accessed, created, size, id", "'size'"]),
            (&["list", "--status", "corupt"], &["ok, missing, corrupt, denied, future", "'corrupt'"]),
            (&["list", "--format", "jsno"], &["'json'", "table, json, jsonl, ids"]),
            (&["--dry-run", "prune", "--older-than", "7d"], &["'prune --dry-run' exists"]),
        ],
    );
}

#[test]
fn options_and_commands_of_other_programs_are_answered_with_those_of_this_one() {
    let id = numbered(1);
    each(
        2,
        &[
            (&["list", "--json"], &["'--json'", "write --format json", "try 'wsctl list --help'"]),
            (&["ls", "-o", "json"], &["'-o'", "write --format json"]),
            (&["validate", "--json", &id], &["write --format json"]),
            (&["prune", "-n", "--older-than", "7d", "-ojson"], &["write --format json"]),
            (&["prune", "--force", &id], &["'--force'", "write --yes"]),
            (&["prune", "-nf", &id], &["'-f'", "write --yes"]),
            (&["prune", "--days", "7"], &["'--days'", "write --older-than 7d"]),
            (&["list", "--days=12"], &["write --older-than 12d"]),
            (&["rm", &id], &["'rm'", "write wsctl prune ID", "--older-than"]),
            (&["delete", &id], &["write wsctl prune ID"]),
            (&["remove", &id], &["write wsctl prune ID"]),
            (&["clean"], &["write wsctl prune ID"]),
            (&["version"], &["write wsctl --version"]),
            (&["help", "version"], &["write wsctl --version"]),
        ],
    );
}

#[test]
fn an_option_is_not_suggested_to_a_subcommand_that_lacks_it() {
    let world = World::new();
    for (args, option) in
        [(["touch", "--json"], "--format"), (["list", "--force"], "--yes"), (["touch", "--days"], "-th")]
    {
        let ran = world.wsctl(args).run().exits(2).prints("").complains(args[1]);
        assert!(!ran.stderr.contains(option), "{ran:#?}");
    }
}

#[test]
fn a_base_that_took_the_subcommand_is_named() {
    each(
        2,
        &[
            (&["--base", "list"], &["--base took 'list' as its directory: write --base DIR list"]),
            (&["-b", "ls", "--size"], &["--base took 'ls'"]),
            (&["--base=prune", "--older-than", "7d"], &["write --base DIR prune"]),
            (&["-b", "touch", &numbered(1)], &["--base took 'touch'"]),
            (&["-b", "nowhere"], &["requires a subcommand"]),
        ],
    );
}

#[test]
fn an_unknown_subcommand_is_answered_with_the_four_there_are() {
    each(
        2,
        &[
            (&["frobnicate"], &["the subcommands are validate, touch, list and prune"]),
            (&["help", "frobnicate"], &["the subcommands are"]),
        ],
    );
}

#[test]
fn a_wrong_value_is_answered_with_a_right_one() {
    let prune = |option, value| ["prune", "-y", option, value];
    each(
        2,
        &[
            (&prune("--older-than", "7"), &["'7'", "a unit is needed: write 7d, 7h or 7min"]),
            (&prune("--older-than", "0"), &["a unit is needed"]),
            (&prune("--older-than", "5m"), &["5min or 5months"]),
            (&prune("--older-than", "1month 5M"), &["5min or 5months"]),
            (&prune("--older-than", "-3d"), &["negative"]),
            (&prune("--older-than", "99999999999d"), &["10,000 years"]),
            (&prune("--older-than", ""), &["write 7d"]),
            (&["list", "--older-than", "7"], &["a unit is needed: write 7d"]),
            (&prune("--older-than", "7x"), &["`x` is not a unit: write min, h, d, weeks, months or years"]),
            (&prune("--older-than", "soon"), &["write 7d"]),
            (&prune("--older-than", "2026-11-23"), &["'2026-11-23'", "not a duration: write 7d"]),
            (&["list", "--newer-than", "2026-11-23T15:51:30Z"], &["not a duration: write 7d"]),
            (&prune("--max-total-size", "ten"), &["write 10GiB"]),
            (&prune("--max-total-size", "-1G"), &["write 10GiB"]),
            (&prune("--max-total-size", "10XB"), &["write 10GiB"]),
            (&prune("--min-free", "10"), &["10 has no unit", "10GiB", "10B", "5%"]),
            (&prune("--max-total-size", "0"), &["0 has no unit", "0GiB", "0B"]),
            (&prune("--min-free", "101%"), &["0% to 100%: write 5%"]),
            (&prune("--min-free", "some"), &["write 10GiB", "5%"]),
            (&prune("--max-delete", "some"), &["write 100 or 20%"]),
            (&prune("--max-delete", "101%"), &["write"]),
            (&prune("--max-delete", "-1%"), &["write"]),
            (&prune("--keep-last", "-1"), &["not a whole number: write 10"]),
            (&prune("--keep-last", "99999999999999999999999"), &["the number is too large"]),
            (&prune("--jobs", "0"), &["from 1 to 256: write 4"]),
            (&prune("--jobs", "-1"), &["from 1 to 256: write 4"]),
            (&prune("--exclude", "foo"), &["'foo'", "a UUID of 36 characters"]),
            (&["list", "--limit", "1.5"], &["not a whole number: write 10"]),
            (&["touch", "--at", "now", "x"], &["write 2026-"]),
        ],
    );
}

#[test]
fn an_option_without_its_value_is_answered_with_one() {
    each(
        2,
        &[
            (&["list", "-b"], &["--base needs a value: write --base /srv/workspaces"]),
            (&["list", "--base", ""], &["--base needs a value"]),
            (&["prune", "--older-than"], &["write --older-than 30d"]),
            (&["prune", "--max-total-size"], &["write --max-total-size 10GiB"]),
            (&["prune", "--min-free"], &["write --min-free 5%"]),
            (&["prune", "--max-delete"], &["write --max-delete 20%"]),
            (&["prune", "--keep-last"], &["write --keep-last 10"]),
            (&["prune", "--exclude"], &["write --exclude 6c7ab482-"]),
            (&["prune", "--exclude-from"], &["write --exclude-from ids.txt"]),
            (&["touch", "--at"], &["write --at 2026-"]),
            (&["list", "--sort"], &["'--sort <KEY>'", "accessed, created, size, id"]),
            (&["list", "--color"], &["auto, always, never"]),
        ],
    );
}

#[test]
fn a_missing_argument_is_named() {
    each(
        2,
        &[
            (&["prune"], &["no rule or ID given: pass --older-than 30d, ", "try 'wsctl prune --help'"]),
            (&["prune", "-y", "--keep-last", "3"], &["no rule or ID given"]),
            (&["prune", "-y", "--max-delete", "9", "--use-mtime"], &["no rule or ID given"]),
            (&["prune", "-y", "--exclude", &numbered(1)], &["no rule or ID given"]),
            (&["touch"], &["no ID was given", "`wsctl list`", "stdin"]),
            (&["validate"], &["no ID was given"]),
            (&["prune", "--older-than", "1d"], &["pass --yes to delete without asking, or --dry-run to see"]),
        ],
    );
}

#[test]
fn filters_that_nothing_can_pass_are_a_usage_error() {
    let between = &["list", "--older-than", "30d", "--newer-than", "10d"];
    each(2, &[(between, &["error[usage]: --newer-than is shorter than --older-than", "swap the two"])]);
}

#[test]
fn a_duration_in_the_place_of_an_id_is_answered_with_its_option() {
    each(
        2,
        &[
            (&["prune", "7d"], &["'7d' is not a workspace ID", "--older-than 7d"]),
            (&["prune", "-qn", "2weeks"], &["--older-than 2weeks"]),
            (&["list", "--format", "ids", "12h"], &["--older-than 12h"]),
        ],
    );
}

#[test]
fn a_wrong_id_or_option_is_reported_before_a_missing_terminal() {
    let id = numbered(1);
    each(
        2,
        &[
            (&["prune", &id, "nonsense"], &["error[invalid-id]: 'nonsense' is not"]),
            (&["prune", "--older-than", "7d", "--exclude-from", "base"], &["--exclude-from: cannot read base"]),
            (&["prune", "--older-than", "7d", "--metrics", "base"], &["metrics base: "]),
            (&["prune", &id], &["no terminal to ask on: pass --yes"]),
        ],
    );
    each(66, &[(&["-b", "nowhere", "prune", &id], &["base nowhere: no such directory"])]);
}

#[test]
fn only_validate_suggests_two_dashes_before_an_id_that_begins_with_a_hyphen() {
    each(2, &[(&["validate", "-x"], &["'-- -x'"]), (&["list", "-x"], &["'-x' found; try 'wsctl list --help'"])]);
}

#[test]
fn no_tip_repeats_what_only_escapes_can_show() {
    let odd = "'-\\u{1b}' found; try 'wsctl validate --help'";
    each(2, &[(&["validate", "-\u{1b}[31m"], &[odd]), (&["validate", "--a\r"], &["'--a\\r' found; try "])]);
}

#[test]
fn a_base_that_does_not_exist_is_answered_with_how_to_name_another() {
    let advice = "name the workspaces' directory with --base or WSCTL_BASE";
    let id = numbered(1);
    each(
        66,
        &[
            (&["-b", "nowhere", "list"], &["base nowhere: no such directory", advice]),
            (&["-b", "nowhere", "touch", &id], &[advice]),
            (&["-b", "nowhere", "validate", &id], &[advice]),
            (&["-b", "/etc/passwd", "list"], &["not a directory", advice]),
        ],
    );
}

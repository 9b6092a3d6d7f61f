//! What holds whatever bytes come in, on what is generated here and on what the fuzzers have found (`tests/fuzz/`).

#[path = "../fuzz/properties.rs"]
pub mod properties;

use crate::tools::repository;
use crate::world::World;
use properties::command_line_by;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use std::fmt::Debug;
use std::fs;

type Property = fn(&[u8]);

const ID: &str = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";
const TIME: &str = "(0000|0001|9999|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[TTTt ]([01][0-9]|2[0-3])\
    :[0-5][0-9]:([0-5][0-9]|59|60)([.][0-9]{1,9})?([+-]([01][0-9]|2[0-3]):[0-5][0-9])?Z?[Zz]?";

/// Runs a command line in a base of its own, which is empty.
fn command_line(bytes: &[u8]) {
    let world = World::new();
    command_line_by(bytes, |args| {
        let ran = world.wsctl(&args).run().sanely();
        (u8::try_from(ran.status).expect("a status"), format!("{}{}", ran.stdout, ran.stderr))
    });
}

#[test]
fn inputs_that_fuzzers_found_keep_every_property() {
    needs!("python3");
    let all: [(&str, Property); 10] = [
        ("metadata", properties::metadata),
        ("timestamp", properties::timestamp),
        ("id", properties::id),
        ("size", properties::size),
        ("duration", properties::duration),
        ("mounts", properties::mounts),
        ("trash_name", properties::trash_name),
        ("exclude_from", properties::exclude_from),
        ("escape", properties::escape),
        ("command_line", command_line),
    ];
    let found = repository("tests/fuzz/found");
    assert_eq!(fs::read_dir(&found).expect("what was found").count(), all.len());
    for (name, property) in all {
        let inputs = fs::read(found.join(name).with_extension("json")).expect(name);
        let inputs: Vec<String> = serde_json::from_slice(&inputs).expect(name);
        assert!(!inputs.is_empty(), "{name}");
        for input in inputs {
            println!("{name}: {input:?}"); // shown if it fails
            let bytes: Vec<u8> = input.chars().map(|c| u8::try_from(c).expect("a byte")).collect();
            property(&bytes);
        }
    }
}

/// Tries a property on what a strategy makes, as often as `PROPTEST_CASES` says.
fn check<T: AsRef<[u8]> + Debug>(property: Property, strategy: impl Strategy<Value = T>) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let tried = TestRunner::new(config).run(&strategy, |input| {
        property(input.as_ref());
        Ok(())
    });
    tried.unwrap_or_else(|failed| panic!("{failed}"));
}

/// Any JSON value, as deep and as odd as a file of the application's may hold.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<Option<bool>>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let any = leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    });
    prop_oneof![
        any.prop_map(|value| value.to_string()),
        TIME.prop_map(|time| format!("\"{time}\"")),
        "\"(\\\\u[0-9a-f]{4}){0,3}\""
    ]
}

#[test]
fn metadata_is_read_as_python_reads_it_and_an_edit_keeps_every_other_byte() {
    needs!("python3");
    let key = prop_oneof![
        select(vec!["last_accessed", "created_at", "description", "last\\u005faccessed", "\0"]).prop_map(str::to_owned),
        "[a-z]{3}",
    ];
    let space = || "[ \t\n\r]{0,2}";
    let member = (space(), key, space(), space(), value(), space());
    let member = member.prop_map(|(a, key, b, c, value, d)| format!("{a}\"{key}\"{b}:{c}{value}{d}"));
    let object = prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")));
    check(properties::metadata, object);
    check(properties::metadata, "\\{[\\{\\}\\[\\]\",:a1 ]*\\}");
    check(properties::metadata, prop::collection::vec(any::<u8>(), 0..200));
}

#[test]
fn times_sizes_and_durations_are_read_as_python_reads_them() {
    needs!("python3");
    check(properties::timestamp, prop_oneof![TIME, "\\PC*", "[0-9TZW:+. -]{8,35}"]);
    check(properties::size, prop_oneof!["[0-9]{1,20}([.][0-9]{0,10})? ?([kmgtpeKMGTPE]?[iI]?[bB]?|%)", "\\PC*"]);
    let unit = "(ns|us|ms|s|sec|min|h|hours|d|days?|weeks?|w|months|y|years|m|M|x)?";
    let parts = format!(" ?([0-9]{{1,12}}([.][0-9]{{1,3}})? ?{unit} ?){{1,4}}");
    check(properties::duration, prop_oneof![parts.as_str(), "\\PC*"]);
}

#[test]
fn an_id_is_what_the_uuid_crate_reads_in_its_canonical_form() {
    let of = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-F]{8}(-[0-9A-Fa-f]{4}){3}-[0-9a-fA-F]{12}";
    check(properties::id, prop_oneof![of, "(urn:uuid:)?[{]?[0-9a-f-]{32,40}[}]?", "\\PC*"]);
    check(properties::trash_name, format!("[.]wsctl-(claimed|doomed|lost)[.]({of})[.][0-9a-fA-F]{{15,17}}").as_str());
    check(properties::exclude_from, format!("(({of}|[#] ?{ID}|[ \t\r]|x?)[ \t]?\r?\n){{0,5}}").as_str());
}

#[test]
fn what_is_mounted_in_a_workspace_is_found_in_the_table() {
    let points = format!("((/a base/)?([.]wsctl-doomed[.])?({ID}|x)([.]0{{14}}ff)?(/[^\0\n]{{0,8}})?\n){{0,6}}");
    check(properties::mounts, points.as_str());
    check(properties::mounts, prop::collection::vec(any::<u8>(), 0..200));
}

#[test]
fn whatever_is_shown_is_one_harmless_line_and_json_stays_the_same_json() {
    check(properties::escape, prop_oneof!["\\PC*", ".*", "[\u{1b}\u{7f}-\u{9f}\u{200a}-\u{2070}\u{feff}\\\\\"n]*"]);
}

#[test]
fn no_command_line_ends_in_a_defect_or_in_a_status_that_is_not_in_the_table() {
    let known = "validate list prune touch --older-than --newer-than --max-total-size --min-free --use-mtime --keep-last --exclude \
        --exclude-from --max-delete -y -n -j --format json jsonl ids text -0 --sort size -r --limit --status ok,missing -s -v -q -b \
        --base --help --version -- - 7d 5% 10GiB 3 --at -c";
    let words: Vec<_> = known.split_whitespace().map(str::to_owned).chain([ID.to_owned()]).collect();
    let word = prop_oneof![5 => select(words), 1 => "\\PC{0,8}", 1 => "--?[a-z]{1,4}=?.{0,4}"];
    let subcommand = select(vec!["validate", "list", "prune"]);
    let line = (subcommand, prop::collection::vec(word, 0..6));
    check(command_line, line.prop_map(|(first, rest)| format!("{first}\n{}", rest.join("\n"))));
}

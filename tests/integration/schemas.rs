//! The JSON Schemas in `dist/schema/`: what the program prints as JSON keeps to them. They are read by Python's jsonschema, which
//! Debian has: the crate of that name would add half as many crates again as there are.

use crate::mounted::Mounted;
use crate::slow::deployments::shipped;
use crate::tools::{set_aside, text, tool};
use crate::world::{Run, World, chmod, numbered};
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// A document, with the name of its schema.
type Document = (&'static str, Value);

/// A base with a workspace of each status, all of them the ordinary user's: three stale ones, one fresh, four of unknown age.
fn of_each_status() -> World {
    let world = World::new();
    for number in 1..=3 {
        let _ = world.workspace().id(&numbered(number)).days_ago(40 + i64::from(number)).description("Spa").make();
    }
    let _ = world.workspace().id(&numbered(4)).days_ago(1).make();
    let _ = world.workspace().id(&numbered(5)).make_without_metadata();
    let _ = world.workspace().id(&numbered(6)).metadata(r#"{"created_at": "2024-05-23T14:30:00.5Z"}"#).make();
    let _ = world.workspace().id(&numbered(7)).days_ago(-3).make();
    let denied = world.workspace().id(&numbered(8)).make();
    world.give_away();
    chmod(world.metadata_of(&denied), 0o000);
    world
}

fn printed(name: &'static str, run: Run<'_>) -> Vec<Document> {
    run.run().lines().iter().map(|line| (name, serde_json::from_str(line).expect("JSON"))).collect()
}

fn lists() -> Vec<Document> {
    let (world, mut documents) = (of_each_status(), Vec::new());
    let ids = format!("{} {}", numbered(1), numbered(99));
    for options in ["-v", "--size", "--limit 1", "--older-than 99years", &ids] {
        for (name, format) in [("list", "json"), ("list-row", "jsonl")] {
            let list = world.wsctl(["list", "--format", format].into_iter().chain(options.split(' ')));
            documents.extend(printed(name, list.by_ordinary_user()));
        }
    }
    documents
}

fn prunes() -> Vec<Document> {
    let mut documents = Vec::new();
    for how in ["--dry-run", "--yes"] {
        let refused = "--older-than=30d --max-delete=0";
        let by_mtime = "--use-mtime --older-than=1s";
        for rule in ["--older-than=30d", "--max-total-size=0B", "--min-free=100%", by_mtime, refused] {
            let world = of_each_status();
            let _ = set_aside(&world, "doomed", &numbered(1));
            let words = ["prune", how, "--format=json"].into_iter().chain(rule.split(' '));
            documents.extend(printed("prune", world.wsctl(words).by_ordinary_user()));
        }
        let world = of_each_status();
        fs::create_dir(world.dir_of(&numbered(2)).join("mount")).expect("a directory");
        let _busy = Mounted::tmpfs(&world, &world.dir_of(&numbered(2)).join("mount"), "size=64k");
        let ids = [1, 2, 5, 8, 99].map(numbered);
        let words = ["prune", how, "--format=json", "no ID"].into_iter().chain(ids.iter().map(String::as_str));
        documents.extend(printed("prune", world.wsctl(words)));
    }
    documents
}

fn validations() -> Vec<Document> {
    let world = of_each_status();
    let (id, absent) = (world.workspace().id(&numbered(0xabc)).make(), numbered(99));
    let upper = id.to_uppercase();
    let candidates = [&id, &upper, &absent, "", "../..", "-h"].map(OsStr::new);
    let words = ["validate", "--format=json", "--"].map(OsStr::new).into_iter().chain(candidates);
    let all = printed("validate", world.wsctl(words.chain([OsStr::from_bytes(b"\xff")])));
    [all, printed("validate", world.wsctl(["validate", "--format=json", "-"]))].concat()
}

/// Prints what is wrong with each document of a file by the schemas in a directory, without fields that they do not name.
const VALIDATE: &str = r#"
import json, pathlib, sys, warnings
warnings.simplefilter("ignore") # newer versions have something else than RefResolver, and this still
from jsonschema import Draft202012Validator as Validator, RefResolver
place, documents = pathlib.Path(sys.argv[1]), json.load(open(sys.argv[2]))
def close(part):
    if isinstance(part, dict) and part.get("type") == "object":
        assert "additionalProperties" not in part, f"a later version may add a field: {part}"
        part["additionalProperties"] = False
    for inside in part.values() if isinstance(part, dict) else part if isinstance(part, list) else []:
        close(inside)
schemas = {file.as_uri(): json.loads(file.read_text()) for file in place.iterdir()}
for schema in schemas.values():
    Validator.check_schema(schema)
    close(schema)
def errors(name, document):
    schema = schemas[(place / f"{name}.schema.json").as_uri()]
    validator = Validator(schema, resolver=RefResolver(place.as_uri() + "/", schema, store=schemas))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]
print(json.dumps([errors(*of) for of in documents]))
"#;

fn known(name: &str, pointer: &str) -> BTreeSet<String> {
    let file = shipped("schema").join(format!("{name}.schema.json"));
    let schema: Value = serde_json::from_str(&fs::read_to_string(file).expect("a schema")).expect("JSON");
    let words = schema.pointer(pointer).and_then(Value::as_array).expect("words").iter();
    words.map(|word| word.as_str().expect("a word").to_owned()).collect()
}

#[test]
fn every_json_output_keeps_to_its_schema_and_has_no_field_that_it_does_not_name() {
    needs!("root", "mount", "/usr/lib/python3/dist-packages/jsonschema");
    let documents = [lists(), prunes(), validations()].concat();
    let seen = |name: &str, list: &str, key: &str| -> BTreeSet<_> {
        let lists = documents.iter().filter(|(of, _)| *of == name).filter_map(|(_, it)| it[list].as_array());
        lists.flatten().map(|item| item[key].as_str().expect("a word").to_owned()).collect()
    };
    let file = tempfile::NamedTempFile::new().expect("a file");
    serde_json::to_writer(&file, &documents).expect("JSON");
    let errors = tool(&["/usr/bin/python3", "-c", VALIDATE, text(&shipped("schema")), text(file.path())]);
    let errors: Vec<Vec<String>> = serde_json::from_str(&errors).expect("JSON");
    assert_eq!(errors.len(), documents.len());
    for ((name, document), errors) in documents.iter().zip(errors) {
        assert!(errors.is_empty(), "{name}: {errors:#?} in {document:#}");
    }
    for (name, list, key, pointer) in [
        ("list", "workspaces", "status", "/$defs/workspace/properties/status/enum"),
        ("prune", "pruned", "rule", "/properties/pruned/items/properties/rule/enum"),
        ("prune", "skipped", "reason", "/properties/skipped/items/properties/reason/enum"),
    ] {
        assert_eq!(seen(name, list, key), known(name, pointer), "{name}: {key}");
    }
    let failures = seen("prune", "failed", "category");
    assert!(failures.is_superset(&["busy", "invalid-id", "not-found"].map(str::to_owned).into()), "{failures:?}");
}

#[test]
fn the_words_for_failures_in_the_schema_are_those_of_the_program() {
    use wsctl::core::Category::{Busy, CorruptMetadata, InvalidId, Io, NotFound, PermissionDenied, Unexpected};
    let of_workspaces = [NotFound, Busy, InvalidId, CorruptMetadata, PermissionDenied, Io, Unexpected];
    let words = of_workspaces.map(|category| category.word().to_owned());
    assert_eq!(known("prune", "/properties/failed/items/properties/category/enum"), words.into());
}

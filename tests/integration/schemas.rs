//! The JSON Schemas in `dist/schema/`: what the program prints as JSON keeps to them, and what it must not print does not. They are
//! read by Python's jsonschema, which Debian has: the crate of that name would add half as many crates again as there are.

use crate::schema_cases::{DOCUMENTS, Document};
use crate::slow::systemd::shipped;
use crate::tools::{text, tool};
use crate::world::{World, names};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Reads the schemas and references between them from a directory, the documents from a file, and prints what is wrong with each.
const VALIDATE: &str = r#"
import json, pathlib, sys, warnings
warnings.simplefilter("ignore") # newer versions have something else than RefResolver, and this still
from jsonschema import Draft202012Validator as Validator, RefResolver
place, documents = pathlib.Path(sys.argv[1]), json.load(open(sys.argv[2]))
def validator(name):
    schema = json.loads((place / f"{name}.schema.json").read_text())
    Validator.check_schema(schema)
    return Validator(schema, resolver=RefResolver(place.as_uri() + "/", schema))
validators = {name: validator(name) for name in {name for name, _ in documents}}
errors = [validators[name].iter_errors(document) for name, document in documents]
print(json.dumps([[f"{error.json_path}: {error.message}" for error in errors] for errors in errors]))
"#;

/// What is wrong with each of these documents by the schemas in a directory.
fn errors(place: &Path, documents: &[Document]) -> Vec<Vec<String>> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    serde_json::to_writer(&file, documents).expect("JSON");
    let errors = tool(&["/usr/bin/python3", "-c", VALIDATE, text(place), text(file.path())]);
    serde_json::from_str(&errors).expect("JSON")
}

fn schema(name: &str) -> Value {
    let file = shipped("schema").join(name);
    serde_json::from_str(&fs::read_to_string(file).expect("a schema")).expect("JSON")
}

/// Copies of the schemas that know no other fields than those that they name.
fn strict_copies(world: &World) {
    fn close(schema: &mut Value) {
        if schema["type"] == "object" {
            assert!(schema.get("additionalProperties").is_none(), "a later version may add a field: {schema:#}");
            schema["additionalProperties"] = json!(false);
        }
        match schema {
            Value::Object(members) => members.values_mut().for_each(close),
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
    fs::create_dir(world.path("schema")).expect("a directory");
    for name in names(&shipped("schema")) {
        let mut schema = schema(&name);
        close(&mut schema);
        fs::write(world.path("schema").join(name), schema.to_string()).expect("a schema");
    }
}

/// The words that all documents of a schema have for a key of the items of a list.
fn seen(name: &str, list: &str, key: &str) -> BTreeSet<String> {
    let lists = DOCUMENTS.iter().filter(|(of, _)| *of == name).filter_map(|(_, document)| document[list].as_array());
    lists.flatten().map(|item| item[key].as_str().expect("a word").to_owned()).collect()
}

/// The words that a schema allows at a place.
fn known(name: &str, pointer: &str) -> BTreeSet<String> {
    let schema = schema(&format!("{name}.schema.json"));
    let words = schema.pointer(pointer).and_then(Value::as_array).expect("words").iter();
    words.map(|word| word.as_str().expect("a word").to_owned()).collect()
}

#[test]
fn every_json_output_keeps_to_its_schema_and_has_no_field_that_it_does_not_name() {
    needs!("root", "mount", "/usr/lib/python3/dist-packages/jsonschema");
    let world = World::new();
    strict_copies(&world);
    for ((name, document), errors) in DOCUMENTS.iter().zip(errors(&world.path("schema"), &DOCUMENTS)) {
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

/// The pointers to everything in a document.
fn pointers(document: &Value) -> Vec<String> {
    let below = |key: &str, value: &Value| {
        let pointers = pointers(value).into_iter();
        pointers.map(|pointer| format!("/{key}{pointer}")).collect::<Vec<_>>()
    };
    let inside: Vec<_> = match document {
        Value::Object(members) => members.iter().flat_map(|(key, value)| below(key, value)).collect(),
        Value::Array(items) => items.iter().enumerate().flat_map(|(at, item)| below(&at.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    [vec![String::new()], inside].concat()
}

#[test]
fn a_schema_misses_no_field_that_is_gone_or_has_another_type_or_form() {
    needs!("root", "mount", "/usr/lib/python3/dist-packages/jsonschema");
    let mut wrong = Vec::new();
    for name in ["list", "list-row", "prune", "validate"] {
        let documents = DOCUMENTS.iter().filter(|(of, _)| *of == name).map(|(_, document)| document);
        let longest = documents.max_by_key(|document| document.to_string().len()).expect("a document");
        for pointer in pointers(longest) {
            let is_word = ["id", "status", "rule", "category", "reason"].iter().any(|key| pointer.ends_with(key));
            let mut values = vec![json!({"unknown": []})]; // which is of no right type
            match longest.pointer(&pointer).expect("a value") {
                Value::Object(members) => values.extend(members.keys().map(|key| {
                    let others = members.iter().filter(|(it, _)| *it != key);
                    others.map(|(key, value)| (key.clone(), value.clone())).collect()
                })),
                Value::Number(_) => values.extend([json!("1"), json!(0.5)]),
                Value::Bool(_) => values.push(json!("true")),
                Value::String(time) if time.ends_with('Z') => values.push(json!(time.replace('Z', "+00:00"))),
                Value::String(_) if is_word => values.push(json!("A-B")),
                _ => {}
            }
            for value in values {
                let mut document = longest.clone();
                *document.pointer_mut(&pointer).expect("a value") = value;
                wrong.push((name, document));
            }
        }
    }
    assert!(wrong.len() > 250, "{}", wrong.len());
    let errors = errors(&shipped("schema"), &wrong);
    let missed: Vec<_> = wrong.iter().zip(errors).filter(|(_, errors)| errors.is_empty()).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// The properties of a schema and of all in it.
fn properties(schema: &Value) -> Vec<(&str, &Value)> {
    let own = schema["properties"].as_object().filter(|_| schema["type"] == "object").into_iter().flatten();
    let below: Box<dyn Iterator<Item = &Value>> = match schema {
        Value::Object(members) => Box::new(members.values()),
        Value::Array(items) => Box::new(items.iter()),
        _ => Box::new(std::iter::empty()),
    };
    own.map(|(key, value)| (key.as_str(), value)).chain(below.flat_map(properties)).collect()
}

#[test]
fn every_field_is_described_and_the_readme_s_table_has_it_and_no_other() {
    let schemas: Vec<_> = names(&shipped("schema")).iter().map(|name| schema(name)).collect();
    let fields: Vec<_> = schemas.iter().flat_map(properties).collect();
    for (field, it) in &fields {
        let description = it["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.'), "{field}: {description:?}");
    }
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README.md");
    let section = readme.split("\n## ").find_map(|section| section.strip_prefix("JSON\n")).expect("a section on JSON");
    let first_cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let told: BTreeSet<_> = first_cells.flat_map(|cell| cell.split(", ")).map(|it| it.trim_matches('`')).collect();
    assert_eq!(told, fields.iter().map(|(field, _)| *field).collect());
}

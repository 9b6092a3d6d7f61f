//! Who may use whom: `main → lib → completion → cli → commands → {args, output, signals} → core`, and nobody in a circle.

use crate::tools::repository;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The floor on which a room of the crate lies; a room may use its own floor's neighbours below, and itself.
fn floor(room: &str) -> u32 {
    match room {
        "core" => 0,
        "args" | "signals" | "output" => 1,
        "logging" => 2,
        "commands" => 3,
        "cli" => 4,
        "completion" => 5,
        "lib" | "main" => 6,
        _ => panic!("{room}: a room without a floor; say in tests/integration/layering.rs where it belongs"),
    }
}

fn sources() -> Vec<(String, String)> {
    let src = repository("src");
    let paths = walkdir::WalkDir::new(&src).into_iter().map(|entry| entry.expect("an entry").into_path());
    let name = |path: &Path| path.strip_prefix(&src).expect("below src").to_string_lossy().into_owned();
    let rust = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| (name(&path), fs::read_to_string(path).expect("source"))).collect()
}

/// The name of the room that a path begins with: `commands/prune/mod.rs` and `commands::prune` are in `commands`.
fn room(path: &str) -> &str {
    path.split(['/', ':', '.', ';', ' ']).next().expect("a room")
}

#[test]
fn no_floor_knows_the_one_above_it_and_the_core_nothing_of_command_line_logging_stdout_or_clock() {
    let strangers =
        ["clap", "anyhow", "env_logger", "log::", "std::io::stdout", "Utc::now", "SystemTime::now", "std::env"];
    for (file, text) in sources() {
        assert!(!text.contains("crate::{"), "src/{file}: this test reads `use crate::<room>`, one a line");
        for used in text.split("crate::").skip(1) {
            let (own, other) = (room(&file), room(used));
            if other.chars().all(char::is_lowercase) && own != other {
                assert!(floor(other) < floor(own), "src/{file} uses crate::{other}");
            }
        }
        let known = strangers.iter().find(|stranger| room(&file) == "core" && text.contains(**stranger));
        assert_eq!(known, None, "src/{file}");
    }
}

/// Which modules of a folder use which others there. What is in a folder below counts as its module.
fn uses_in(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let module = |path: &str| path.split(['/', '.']).next().unwrap_or_default().to_owned();
    let inside = |(file, text): (String, String)| Some((file.strip_prefix(folder)?.to_owned(), text));
    let files: Vec<_> = sources().into_iter().filter_map(inside).filter(|(file, _)| file != "mod.rs").collect();
    let names: BTreeSet<_> = files.iter().map(|(file, _)| module(file)).collect();
    let whole = format!("crate::{}", folder.replace('/', "::"));
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in &files {
        // `a.rs` says `super::b`; `a/mod.rs` too, and `a/x.rs` `super::super::b`. Each may say `crate::folder::b`.
        let up = "super::".repeat(file.trim_end_matches("mod.rs").trim_end_matches('/').split('/').count());
        let paths = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let others = paths.filter_map(|path| path.strip_prefix(&up).or_else(|| path.strip_prefix(&whole)));
        let open = format!(" {up}{{");
        let braced = text.split(&open).skip(1).filter_map(|rest| rest.split('}').next());
        let braced = braced.flat_map(|inside| inside.split(',').map(str::trim));
        let others = others.map(|rest| rest.split(':').next().unwrap_or(rest)).chain(braced);
        let here = others.filter(|other| names.contains(*other)).map(str::to_owned);
        uses.entry(module(file)).or_default().extend(here);
    }
    uses
}

/// Whether one module leads to another.
fn leads_to(uses: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str, seen: &mut BTreeSet<String>) -> bool {
    uses[from].iter().any(|next| next == to || (seen.insert(next.clone()) && leads_to(uses, next, to, seen)))
}

#[test]
fn no_two_modules_of_a_folder_know_each_other_or_go_in_a_circle_and_no_command_uses_another() {
    for folder in ["core/", "core/tree/", "commands/prune/", "output/", "args/"] {
        let uses = uses_in(folder);
        for module in uses.keys() {
            let is_circle = leads_to(&uses, module, module, &mut BTreeSet::new());
            assert!(!is_circle, "src/{folder}{module} uses itself: {uses:#?}");
        }
        assert!(uses.values().any(|others| !others.is_empty()) || folder == "args/", "src/{folder}: {uses:?}");
    }
    let commands = uses_in("commands/");
    assert!(commands.len() == 4 && commands.values().all(BTreeSet::is_empty), "{commands:#?}");
}

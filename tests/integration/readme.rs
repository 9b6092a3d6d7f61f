//! The README's commands. Those in `console` blocks are run, one by one, on a copy of `tests/samples`, a `sh` block as a script,
//! unless it is marked `no-run`, and a `cron` block as cron runs it, both on a base of all kinds.

use crate::hosts::{bash, home, reach, shell};
use crate::needs::has;
use crate::tools::{repository, text, tool};
use crate::world::{World, numbered};
use std::fs;

/// The workspace that the README names.
const NAMED: &str = "6c7ab482-a9ca-49d7-9364-b3e425655d2e";

/// The blocks with this info string, and the heading above each.
fn all(info: &str) -> Vec<(&'static str, String)> {
    let (mut blocks, mut heading, mut lines) = (Vec::new(), "", include_str!("../../README.md").lines());
    while let Some(line) = lines.next() {
        if let Some(found) = line.strip_prefix("```") {
            let text =
                lines.by_ref().take_while(|line| !line.starts_with("```")).flat_map(|line| [line, "\n"]).collect();
            if found == info {
                blocks.push((heading, text));
            }
        } else if line.starts_with('#') {
            heading = line.trim_start_matches(['#', ' ']);
        }
    }
    blocks
}

#[test]
fn every_command_in_the_readme_works_on_the_samples() {
    let (_, tried) = all("sh no-run").into_iter().find(|block| block.0 == "Try it").expect("a first command");
    let tried = tried.replace("cargo run -q --", "wsctl").replace("-b tests/samples", "");
    let blocks = all("console");
    let commands: Vec<_> = blocks.iter().flat_map(|it| it.1.lines()).filter_map(|it| it.strip_prefix("$ ")).collect();
    assert!(commands.len() >= 12, "{commands:#?}");
    for command in commands.into_iter().chain([&*tried]) {
        let world = World::new();
        tool(&["cp", "-r", text(&repository("tests/samples/.")), text(&world.base())]);
        shell(&world, command).exits(0).quietly();
    }
}

/// What the scripts find: a base with three stale workspaces among many, one without metadata and one with corrupt metadata;
/// two others below `/srv`, and two hosts with one each, all with a stale workspace and a fresh one.
/// `None`, loudly, if the script needs what this machine lacks.
fn lab(script: &str) -> Option<(World, [World; 4])> {
    let (world, others) = (World::new(), [(); 4].map(|()| World::with_each_aged([40, 1]).0));
    for (number, days, size) in [(1, 100, 0), (2, 45, 90_000), (3, 20, 0)] {
        let _ = world.workspace().id(&numbered(number)).days_ago(days).file("data", &vec![1; size]).make();
    }
    let _ = world.workspace().id(NAMED).days_ago(80).make();
    let _ = world.workspace().id(&numbered(4)).make_without_metadata();
    let _ = world.workspace().id(&numbered(5)).metadata("{\"workspace_id\":").make();
    let _ = world.workspace().id(&numbered(6)).metadata("{\"description\": \"kept\"}").make();
    for number in 10..25 {
        let _ = world.workspace().id(&numbered(number)).make();
    }
    for (other, name) in others.iter().zip(["a", "b"]) {
        let site = world.path("srv").join(name);
        fs::create_dir_all(&site).expect("a directory");
        std::os::unix::fs::symlink(other.base(), site.join("workspaces")).expect("a link");
    }
    reach(&world, &[("pit-1", &home(&others[2])), ("pit-2", &home(&others[3]))]);
    let mut tools = ["jq", "parallel", "tar"].into_iter().filter(|tool| script.contains(tool));
    (has("bash") && tools.all(has)).then_some((world, others))
}

/// Whether a script has done what the text around it says.
fn has_done(heading: &str, world: &World, others: &[World; 4], stdout: &str) -> bool {
    let [old, stale, fresh, named] =
        [&*numbered(1), &numbered(2), &numbered(3), NAMED].map(|id| world.dir_of(id).exists());
    let left = others.each_ref().map(|other| other.names().len());
    let statuses = || shell(world, "wsctl list --status missing,corrupt --format ids").exits(0).stdout;
    match heading {
        "Every night" | "Monitoring" => !old && !stale && !named && fresh,
        "Keep some, whatever their age" => !old && stale && named, // the second one is the largest
        "Repair a missing or a corrupt file" => {
            let repaired = world.read_metadata(&numbered(6));
            let told = stdout.contains(&numbered(5)) && statuses().is_empty();
            told && old && repaired.contains("kept") && repaired.contains("last_accessed")
        }
        "What breaks the application's listing" => statuses() == format!("{}\n", numbered(5)) && old,
        "Move to another host" => old && !stale && !named && left == [2, 2, 2, 20],
        "Many hosts" if stdout.contains("/srv/") => left == [1, 1, 2, 2] && old,
        "Many hosts" if stdout.contains("pit-") => left == [2, 2, 1, 1] && old,
        "Many hosts" => !old && !stale && !named && left == [2; 4],
        "A quota, or free space" => stdout.contains("pruned "), // what goes is the machine's to say
        other => panic!("what should the script under {other:?} have done?"),
    }
}

#[test]
fn every_script_in_the_readme_does_what_it_says_and_that_of_cron_says_nothing() {
    let (scripts, for_cron) = (all("sh"), all("cron"));
    assert!(scripts.len() + for_cron.len() >= 9 && !for_cron.is_empty(), "{scripts:?}");
    for (info, (heading, script)) in scripts.iter().map(|it| ("sh", it)).chain(for_cron.iter().map(|it| ("cron", it))) {
        let Some((world, others)) = lab(script) else { continue };
        // Cron gives to sh all after the user, up to a bare `%`.
        let words = || script.split_whitespace().skip(6).collect::<Vec<_>>().join(" ").replace("\\%", "\0");
        let command = || words().split('%').next().expect("a command").replace('\0', "%");
        let script = if info == "cron" { command() } else { script.clone() };
        let here = |place: &str| format!("{}/", text(&world.path(place)));
        let script = script.replace("/srv/", &here("srv")).replace("/var/lib/prometheus/node-exporter/", &here("home"));
        let ran = shell(&world, &script.replace("/home/pitlane/", &here("home"))).exits(0);
        let stderr = ran.stderr.replace("error[corrupt-metadata]", "what is to be repaired");
        assert!(!stderr.contains("error"), "{heading}: {ran:#?}");
        assert!(info != "cron" || (ran.stdout.is_empty() && stderr.is_empty()), "{heading}: {ran:#?}");
        assert!(has_done(heading, &world, &others, &ran.stdout), "{heading}: {ran:#?} {:?}", world.names());
    }
}

#[test]
fn the_script_for_moving_deletes_nothing_that_has_not_arrived_at_the_other_host() {
    let (_, moving) = all("sh").into_iter().find(|block| block.0 == "Move to another host").expect("a script");
    // A connection that breaks, one that swallows all, and a host on whose disk there is something else.
    let elsewhere = "case $2 in *-x*) cat >/dev/null;; *) cd / && HOME=/dev/null sh -c \"$2\";; esac";
    for ssh in ["cat >/dev/null; return 255", "cat >/dev/null; case $2 in *-x*) ;; *) false;; esac", elsewhere] {
        let Some((world, _others)) = lab("tar") else { return };
        let before = world.snapshot();
        let ran = bash(&world, &[], &format!("ssh() {{ {ssh}; }}\n{moving}"));
        assert!(ran.status != 0 && world.snapshot() == before, "{ssh}: {ran:#?}");
    }
}

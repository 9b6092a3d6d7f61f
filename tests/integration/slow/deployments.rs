//! What is in `dist/` for cron and Ansible, run, and what each tool's own checker says of its file. See `containers.rs` for the
//! image and the cron job of Kubernetes.

use crate::slow::systemd::shipped;
use crate::tools::{text, tool};
use crate::world::{Ran, World, has, sorted};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// A base with five fresh workspaces and a stale one, and the fresh ones' IDs.
pub fn mostly_fresh(world: &World) -> Vec<String> {
    let _stale = world.aged(40);
    sorted((0..5).map(|_| world.aged(1)))
}

/// `PATH` with the program under test in front.
fn path() -> OsString {
    let path = std::env::var_os("PATH").expect("PATH");
    let own = Path::new(env!("CARGO_BIN_EXE_wsctl")).parent().expect("a directory").to_owned();
    std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&path))).expect("a path")
}

#[test]
fn the_line_for_cron_prunes_and_says_nothing() {
    let world = World::new();
    let fresh = mostly_fresh(&world);
    let table = fs::read_to_string(shipped("wsctl-prune.cron")).expect("a crontab");
    let starts_with_a_digit = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
    let line = table.lines().find(starts_with_a_digit).expect("a line with a time");
    let mut fields = line.splitn(7, ' ');
    assert_eq!(fields.nth(5), Some("root"), "{line}");
    let command = fields.next().expect("a command");
    assert!(!command.replace("\\%", "").contains('%'), "cron takes a bare % for a line end: {command}");
    let command = command.replace("\\%", "%");
    let shell = world.wsctl::<&str>([]).env("PATH", path()).through(["/bin/sh", "-c", &command]);
    shell.run().exits(0).prints("").quietly();
    assert_eq!(world.names(), fresh);
}

/// A run of the playbook on this machine, in a world whose program it is.
fn ansible(world: &World, words: &[&str]) -> Ran {
    let (inventory, base) = (world.path("inventory"), format!("wsctl_base={}", text(&world.base())));
    fs::write(&inventory, "[pitlane]\nlocalhost ansible_connection=local ansible_become=false\n").expect("a file");
    let run = world.bare(words).env("PATH", path()).env("LC_ALL", "C.UTF-8").env("ANSIBLE_NOCOLOR", "1");
    run.through(["ansible-playbook", "-i", text(&inventory), "-e", &base]).run()
}

#[test]
fn the_playbook_prunes_tells_a_change_from_none_and_changes_nothing_in_check_mode() {
    needs!("ansible-playbook");
    let world = World::of(&shipped("ansible.yml"));
    let fresh = mostly_fresh(&world);
    let before = world.snapshot();
    let checked = ansible(&world, &["--check"]).exits(0);
    assert!(checked.stdout.contains("changed: [localhost]") && world.snapshot() == before, "{checked:#?}");
    assert!(checked.stdout.contains("\"would prune 1, would free "), "{checked:#?}");
    let pruned = ansible(&world, &[]).exits(0);
    assert!(pruned.stdout.contains("\"pruned 1, freed ") && world.names() == fresh, "{pruned:#?}");
    let again = ansible(&world, &[]).exits(0);
    assert!(again.stdout.contains("changed=0") && again.stdout.contains("; kept 5\""), "{again:#?}");
    let refused = ansible(&world, &["-e", "wsctl_older_than=1h"]).exits(2);
    assert!(refused.stdout.contains("\"rc\": 78") && world.names() == fresh, "{refused:#?}");
    let nowhere = format!("wsctl_base={}", text(&world.path("nowhere")));
    for (variable, status) in [("wsctl_older_than=7", "\"rc\": 2"), (&nowhere, "\"rc\": 66")] {
        let failed = ansible(&world, &["-e", variable]).exits(2);
        let says_why = failed.stdout.contains(status) && failed.stdout.contains("error[");
        assert!(says_why && !failed.stdout.contains("\"changed\": true"), "{failed:#?}");
    }
}

#[test]
fn the_checkers_of_ansible_containers_kubernetes_and_prometheus_find_nothing_and_each_alert_fires_when_it_should() {
    let alert_tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/slow/prometheus-alerts.test.yml");
    for (words, file) in [
        ("ansible-lint --offline --strict --profile=production", shipped("ansible.yml")),
        ("hadolint --failure-threshold style", shipped("Containerfile")),
        ("kubernetes-validate --strict", shipped("kubernetes.yaml")),
        ("promtool check rules --lint-fatal", shipped("prometheus-alerts.yml")),
        ("promtool test rules", alert_tests),
    ] {
        let words: Vec<_> = words.split(' ').chain([text(&file)]).collect();
        if has(words[0]) {
            tool(&words);
        }
    }
}

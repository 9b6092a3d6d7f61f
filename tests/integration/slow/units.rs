//! The systemd units in `dist/`, run by systemd itself.

use crate::slow::systemd::{BASE, analyzed, boot, instance, metrics_of, shipped};
use crate::tools::{text, tool};
use crate::world::{ORDINARY_USER, World, chmod, sorted};
use std::fs::{self};
use std::os::unix::fs::{MetadataExt, lchown};

/// Somebody who is neither root nor the application's user.
const SOMEBODY: u32 = 4321;

/// A stale workspace with what an ordinary user can put in root's way: directories that are locked, or sticky and somebody
/// else's.
fn in_the_way(world: &World) -> String {
    let id = world.workspace().days_ago(40).file("locked/file", b"1").file("sticky/file", b"2").make();
    world.give_away();
    for name in ["sticky/file", "sticky"] {
        lchown(world.dir_of(&id).join(name), Some(SOMEBODY), Some(SOMEBODY)).expect("chown");
    }
    chmod(world.dir_of(&id).join("sticky"), 0o1777);
    chmod(world.dir_of(&id).join("locked"), 0o000);
    chmod(world.base(), 0o700);
    id
}

fn rules(rules: &str) -> String {
    format!("[Service]\nEnvironment=\"PRUNE_RULES={rules}\"\n")
}

#[test]
fn the_service_prunes_what_others_own_under_all_its_restrictions() {
    needs!("root", "unshare", "systemd-escape", "/lib/systemd/systemd");
    let world = World::new();
    let fresh: Vec<_> = (0..5).map(|_| world.aged(1)).collect();
    let stale = in_the_way(&world);
    let booted = boot(&world, &instance("service"), &[]);
    assert_eq!(booted.result, "success 0", "{booted:#?}");
    assert!(booted.stdout.starts_with(&format!("pruned {stale} (older-than): ")), "{booted:#?}");
    assert!(booted.stdout.contains("\npruned 1 workspace, "), "{booted:#?}");
    assert_eq!((booted.stderr.as_str(), world.names()), ("", sorted(fresh)), "{booted:#?}");
    let metrics = booted.metrics.clone().expect("metrics");
    assert!(metrics.contains(&format!("\nwsctl_prune_last_run_exit_status{{base=\"{BASE}\"}} 0\n")), "{metrics}");
    assert_eq!(metrics_of(&world).metadata().expect("a stat").mode() & 0o777, 0o644, "node_exporter has to read it");
    let alerts = fs::read_to_string(shipped("prometheus-alerts.yml")).expect("rules");
    let words = alerts.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    for name in words.filter(|word| word.starts_with("wsctl_")) {
        assert!(metrics.lines().any(|line| line == format!("# TYPE {name} gauge")), "{name} is not in {metrics}");
    }
}

#[test]
fn the_service_has_no_capability_that_it_could_do_without() {
    needs!("root", "unshare", "systemd-escape", "/lib/systemd/systemd");
    for left in ["CAP_FOWNER", "CAP_DAC_OVERRIDE"] {
        let world = World::new();
        let _stale = in_the_way(&world);
        let without = format!("[Service]\nCapabilityBoundingSet=\nCapabilityBoundingSet={left}\n");
        let all = rules("--older-than 30d");
        let booted =
            boot(&world, &instance("service"), &[("wsctl-prune@.service", &without), ("wsctl-prune@.service", &all)]);
        assert_eq!(booted.result, "exit-code 77", "with only {left}: {booted:#?}");
    }
}

#[test]
fn the_service_runs_as_another_user_without_any_capability() {
    needs!("root", "unshare", "systemd-escape", "/lib/systemd/systemd");
    let world = World::new();
    let id = world.workspace().days_ago(40).file("locked/file", b"1").make();
    fs::create_dir_all(metrics_of(&world).parent().expect("a directory")).expect("a directory");
    world.give_away();
    chmod(world.dir_of(&id).join("locked"), 0o2000);
    let user = format!("[Service]\nUser={ORDINARY_USER}\nCapabilityBoundingSet=\n");
    let all = rules("--older-than 30d");
    let booted = boot(&world, &instance("service"), &[("wsctl-prune@.service", &user), ("wsctl-prune@.service", &all)]);
    assert_eq!((booted.result.as_str(), world.names()), ("success 0", vec![]), "{booted:#?}");
}

#[test]
fn the_service_fails_on_a_refused_prune_and_not_on_a_busy_workspace() {
    needs!("root", "unshare", "systemd-escape", "/lib/systemd/systemd");
    let world = World::new();
    let stale = in_the_way(&world);
    let refused = boot(&world, &instance("service"), &[]);
    assert_eq!((refused.result.as_str(), world.names()), ("exit-code 78", vec![stale]), "{refused:#?}");
    assert!(refused.metrics.as_ref().is_some_and(|metrics| metrics.contains("\"} 78\n")), "{refused:#?}");
    for (status, result) in [(75, "success 75"), (143, "success 143"), (66, "exit-code 66")] {
        let exits = format!("[Service]\nExecStart=\nExecStart=/bin/sh -c 'exit {status}'\n");
        let booted = boot(&world, &instance("service"), &[("wsctl-prune@.service", &exits)]);
        assert_eq!(booted.result, result, "{booted:#?}");
    }
}

#[test]
fn the_timer_makes_up_for_a_night_that_the_host_slept_through() {
    needs!("root", "unshare", "systemd-escape", "/lib/systemd/systemd");
    let world = World::new();
    let (_stale, all) = (in_the_way(&world), rules("--older-than 30d"));
    let timer = instance("timer");
    let stamp = world.path("stamps").join(format!("stamp-{timer}"));
    fs::create_dir(world.path("stamps")).expect("a directory");
    fs::write(&stamp, "").expect("a stamp");
    tool(&["touch", "-d", "3 days ago", text(&stamp)]);
    let at_once = "[Timer]\nRandomizedDelaySec=0\n";
    let booted = boot(&world, &timer, &[("wsctl-prune@.timer", at_once), ("wsctl-prune@.service", &all)]);
    assert_eq!((booted.result.as_str(), world.names()), ("success 0", vec![]), "{booted:#?}");
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units_and_little_exposed() {
    needs!("systemd-analyze");
    let world = World::new();
    let said = |words: &[&str], unit| {
        let output = analyzed(&world, words, unit);
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), text)
    };
    assert_eq!(said(&["verify", "--man=no"], "wsctl-prune@.service"), (true, String::new()));
    assert_eq!(said(&["verify", "--man=no"], "wsctl-prune@.timer"), (true, String::new()));
    let (safe, text) = said(&["security", "--offline=true", "--threshold=17", "--no-pager"], "wsctl-prune@.service");
    assert!(safe, "{text}");
}

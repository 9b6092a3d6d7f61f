//! The systemd units in `dist/`, run by systemd itself.

use crate::slow::systemd::{BASE, boot, instance, metrics_of, shipped};
use crate::tools::{text, tool};
use crate::world::{ORDINARY_USER, Ran, World, chmod, sorted};
use std::fs;
use std::os::unix::fs::{MetadataExt, lchown};
use std::process::Command;

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

/// Rules by which nothing is refused.
const ALL: &str = "Environment=\"PRUNE_RULES=--older-than 30d\"\n";

#[test]
fn the_service_prunes_what_others_own_under_all_its_restrictions() {
    needs!("root", "unshare", "systemd-escape", "/lib/systemd/systemd");
    let world = World::new();
    let fresh: Vec<_> = (0..5).map(|_| world.aged(1)).collect();
    let stale = in_the_way(&world);
    let booted = boot(&world, "service", "");
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
fn the_service_fails_where_it_is_refused_or_lacks_a_capability_and_not_on_a_busy_workspace() {
    needs!("root", "unshare", "systemd-escape", "/lib/systemd/systemd");
    let exits = |status| format!("ExecStart=\nExecStart=/bin/sh -c 'exit {status}'\n");
    let only = |capability| format!("{ALL}CapabilityBoundingSet=\nCapabilityBoundingSet={capability}\n");
    for (lines, result) in [
        (String::new(), "exit-code 78"), // the only workspace is more than 20 %
        (exits(75), "success 75"),
        (exits(143), "success 143"),
        (exits(66), "exit-code 66"),
        (only("CAP_FOWNER"), "exit-code 77"),
        (only("CAP_DAC_OVERRIDE"), "exit-code 77"),
    ] {
        let world = World::new();
        let stale = in_the_way(&world);
        let booted = boot(&world, "service", &lines);
        assert_eq!(booted.result, result, "{lines}: {booted:#?}");
        if result == "exit-code 78" {
            assert_eq!(world.names(), [stale], "{booted:#?}");
            assert!(booted.metrics.as_ref().is_some_and(|metrics| metrics.contains("\"} 78\n")), "{booted:#?}");
        }
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
    let booted = boot(&world, "service", &format!("{ALL}User={ORDINARY_USER}\nCapabilityBoundingSet=\n"));
    assert_eq!((booted.result.as_str(), world.names()), ("success 0", vec![]), "{booted:#?}");
}

#[test]
fn the_timer_makes_up_for_a_night_that_the_host_slept_through() {
    needs!("root", "unshare", "systemd-escape", "/lib/systemd/systemd");
    let world = World::new();
    let _stale = in_the_way(&world);
    let stamp = world.path("stamps").join(format!("stamp-{}", instance("timer")));
    fs::create_dir(world.path("stamps")).and_then(|()| fs::write(&stamp, "")).expect("a stamp");
    tool(&["touch", "-d", "3 days ago", text(&stamp)]);
    let booted = boot(&world, "timer", ALL);
    assert_eq!((booted.result.as_str(), world.names()), ("success 0", vec![]), "{booted:#?}");
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units_and_little_exposed() {
    needs!("systemd-analyze");
    let world = World::new();
    for unit in ["wsctl-prune@.service", "wsctl-prune@.timer"] {
        let service = fs::read_to_string(shipped(unit)).expect("a unit");
        fs::write(world.path(unit), service.replace("/usr/bin/wsctl", text(&world.binary))).expect("a unit");
    }
    let unit = |kind| text(&world.path(&format!("wsctl-prune@.{kind}"))).to_owned();
    for kind in ["service", "timer"] {
        let verified = Command::new("systemd-analyze").args(["verify", "--man=no", &unit(kind)]).output();
        Ran::new(verified.expect("systemd-analyze")).exits(0).prints("").quietly();
    }
    tool(&["systemd-analyze", "security", "--offline=true", "--threshold=17", "--no-pager", &unit("service")]);
}

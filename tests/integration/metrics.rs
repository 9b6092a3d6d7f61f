//! `prune --metrics` and `list --metrics`: what monitoring reads.

use crate::tools::{du, set_aside, text, tool};
use crate::world::{Ran, World, chmod, finish, has, is_root, names};
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

fn file(world: &World) -> PathBuf {
    world.path("wsctl.prom")
}

fn prune(world: &World, args: &[&str]) -> Ran {
    let file = file(world);
    world.wsctl(["prune", "--yes", "--metrics", text(&file)].iter().chain(args)).run()
}

/// The values by name, and by name and status.
fn values(world: &World) -> HashMap<String, f64> {
    let content = fs::read_to_string(file(world)).expect("metrics");
    let base = format!("base=\"{}\"", text(&world.base()));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a value");
        assert!(name.contains(&base), "{line}");
        (name.replace(&base, "").replace("{}", "").replace("{,", "{"), value.parse().expect("a number"))
    };
    content.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

fn is_found_in_order_by_promtool(world: &World) {
    let content = fs::read(file(world)).expect("metrics");
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = promtool.spawn().expect("promtool");
    child.stdin.take().expect("a pipe").write_all(&content).expect("a write");
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}

/// Asserts that these metrics have these values.
#[track_caller]
fn are<'a>(world: &World, expected: impl IntoIterator<Item = (&'a str, u64)>) {
    let values = values(world);
    for (name, expected) in expected {
        let value = values.get(&format!("wsctl_{name}")).unwrap_or_else(|| panic!("no {name}: {values:?}"));
        assert_eq!(format!("{value}"), expected.to_string(), "{name}: {values:?}");
    }
}

/// How many workspaces there are of each status.
fn of_status([ok, missing, corrupt, denied, future]: [u64; 5]) -> [(&'static str, u64); 5] {
    [
        ("workspaces{status=\"ok\"}", ok),
        ("workspaces{status=\"missing\"}", missing),
        ("workspaces{status=\"corrupt\"}", corrupt),
        ("workspaces{status=\"denied\"}", denied),
        ("workspaces{status=\"future\"}", future),
    ]
}

#[test]
fn the_metrics_are_the_numbers_of_the_report_and_of_what_is_left() {
    let world = World::new();
    let stale = world.workspace().days_ago(40).file("data/x", &[1; 15_000]).make();
    let _ = (world.aged(1), world.workspace().metadata("no JSON").make());
    let _ = (world.workspace().make_without_metadata(), world.workspace().days_ago(-3).make());
    let freed = du(&world.dir_of(&stale));
    let report = prune(&world, &["--older-than", "30d", "--format", "json"]).exits(0).json();
    assert_eq!(report["freed_bytes"].as_u64(), Some(freed));
    are(&world, of_status([1, 1, 1, 0, 1]));
    are(
        &world,
        [
            ("prune_last_run_pruned_workspaces", 1),
            ("prune_last_run_kept_workspaces", 1),
            ("prune_last_run_skipped_workspaces", 3),
            ("prune_last_run_failed_workspaces", 0),
            ("prune_last_run_freed_bytes", freed),
            ("prune_last_run_exit_status", 0),
            ("workspaces_used_bytes", world.names().iter().map(|name| du(&world.dir_of(name))).sum()),
            (concat!("build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1),
        ],
    );
    let values = values(&world);
    let run = chrono::DateTime::from_timestamp_millis(
        format!("{:.0}", values["wsctl_prune_last_run_timestamp_seconds"] * 1000.0).parse().expect("a time"),
    );
    let age = chrono::Utc::now() - run.expect("a time");
    assert!(
        (-1..3600).contains(&age.num_seconds()) && values["wsctl_prune_last_run_duration_seconds"] > 0.0,
        "{values:?}"
    );
}

#[test]
fn a_copy_that_a_prune_removes_is_no_workspace_less() {
    let world = World::new();
    let id = world.aged(40);
    set_aside(&world, "claimed", &id);
    let _ = world.workspace().id(&id).days_ago(1).make();
    let _ = prune(&world, &["--older-than", "30d"]).exits(0);
    assert_eq!(world.names(), [id]);
    are(&world, of_status([1, 0, 0, 0, 0]));
}

#[test]
fn promtool_accepts_the_metrics_however_the_run_ends() {
    needs!("promtool");
    let world = World::new();
    let _ = [world.aged(40), world.aged(41)];
    for (args, status, left) in [
        (&["--older-than", "30d", "--max-delete", "1"][..], 78, Some(2)),
        (&["--older-than", "30d", "--exclude-from", "nowhere"], 66, None),
        (&["--older-than", "30d"], 0, Some(0)),
    ] {
        let _ = prune(&world, args).exits(status);
        is_found_in_order_by_promtool(&world);
        are(&world, [("prune_last_run_exit_status", status.unsigned_abs().into())]);
        match left {
            Some(left) => are(&world, of_status([left, 0, 0, 0, 0])),
            None => assert!(!values(&world).contains_key("wsctl_workspaces{status=\"ok\"}"), "{args:?}"),
        }
    }
}

/// A list that leaves its metrics where the prune leaves them.
fn list(world: &World, args: &[&str]) -> Ran {
    let file = file(world);
    world.wsctl(["list", "--format", "ids", "--metrics", text(&file)].iter().chain(args)).run()
}

#[test]
fn a_list_counts_all_workspaces_whatever_it_shows_of_them() {
    let world = World::new();
    let _ = [world.aged(1), world.aged(40), world.workspace().make_without_metadata()];
    let used: u64 = world.names().iter().map(|name| du(&world.dir_of(name))).sum();
    for (args, shown) in [(&["-s"][..], 3), (&["--sort", "size", "--limit", "1"], 1), (&["--older-than", "30d"], 1)] {
        let listed = list(&world, args).exits(0).quietly();
        let values = values(&world);
        assert_eq!(listed.lines().len(), shown);
        are(&world, of_status([2, 1, 0, 0, 0]));
        let is_measured = args[0] != "--older-than";
        let bytes = values.get("wsctl_workspaces_used_bytes").map(|bytes| format!("{bytes}"));
        assert_eq!(bytes, is_measured.then(|| used.to_string()), "{args:?}: {values:?}");
        assert_eq!(values.contains_key("wsctl_workspaces_unmeasured"), is_measured);
        are(&world, [("list_last_run_exit_status", 0)]);
        assert!(values["wsctl_list_last_run_duration_seconds"] > 0.0, "{values:?}");
        assert!(values["wsctl_list_last_run_timestamp_seconds"] > 1e9, "{values:?}");
    }
}

#[test]
fn a_list_of_some_ids_or_that_fails_leaves_only_its_exit_status_in_the_metrics() {
    let world = World::new();
    let id = world.aged(1);
    let nowhere = world.path("nowhere");
    for (given, status) in [(&[&*id][..], 2), (&["--", &id], 2), (&["-"], 2), (&["-b", text(&nowhere)], 66)] {
        let ran = list(&world, given).exits(status);
        assert!(status != 2 || ran.stderr.contains("--metrics"), "{ran:#?}");
        let content = fs::read_to_string(file(&world)).expect("metrics");
        let shown = content.lines().find(|line| line.starts_with("wsctl_list_last_run_exit_status{"));
        assert!(shown.is_some_and(|line| line.ends_with(&format!("}} {status}"))), "{content}");
        assert!(!content.contains("wsctl_prune") && !content.contains("wsctl_workspaces"), "{content}");
    }
}

#[test]
fn list_and_prune_share_one_file_and_the_last_success_stays_until_the_next() {
    let world = World::new();
    let _ = [world.aged(40), world.aged(41)];
    let of = |what: &str| values(&world).get(&format!("wsctl_{what}")).copied();
    let success = || of("prune_last_success_timestamp_seconds");
    let _ = prune(&world, &["--older-than", "30d", "--max-delete", "1"]).exits(78);
    assert_eq!(success(), None, "it never succeeded");
    let _ = prune(&world, &["--older-than", "30d"]).exits(0);
    let first = success().expect("a success");
    assert_eq!(of("prune_last_run_timestamp_seconds"), Some(first));

    let _ = world.aged(40);
    let _ = prune(&world, &["--older-than", "30d", "--max-delete", "0"]).exits(78);
    assert_eq!((success(), of("prune_last_run_exit_status")), (Some(first), Some(78.0)));
    assert!(of("prune_last_run_timestamp_seconds") > Some(first), "{:?}", values(&world));
    let _ = list(&world, &[]).exits(0);
    assert_eq!((success(), of("prune_last_run_exit_status")), (Some(first), Some(78.0)));
    let listed = of("list_last_success_timestamp_seconds");
    let _ = prune(&world, &["--older-than", "30d"]).exits(0);
    assert!(success() > Some(first) && listed > Some(first), "{:?}", values(&world));
    assert_eq!(of("list_last_success_timestamp_seconds"), listed);
    if has("promtool") {
        is_found_in_order_by_promtool(&world);
    }
}

#[test]
fn a_list_and_a_prune_at_the_same_time_keep_what_the_other_wrote() {
    needs!("strace");
    let world = World::new();
    let metrics = file(&world);
    let list = world.wsctl(["list", "--metrics", text(&metrics)]).injecting(["renameat:delay_enter=400000"]);
    let list = list.command().stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("strace");
    while !names(&world.path("")).iter().any(|name| name.starts_with(".wsctl-tmp.")) {
        thread::sleep(Duration::from_millis(1)); // it has read the file, and not yet replaced it
    }
    let _ = prune(&world, &["--older-than", "30d"]).exits(0);
    let _ = finish(list, &"list").exits(0);
    are(&world, [("list_last_run_exit_status", 0), ("prune_last_run_exit_status", 0)]);
}

#[test]
fn metrics_of_other_programs_in_the_file_are_not_kept() {
    let world = World::new();
    let _ = world.aged(1);
    let family =
        |name: &str, base: &str| format!("# HELP {name} Foreign\n# TYPE {name} gauge\n{name}{{base=\"{base}\"}} 7\n");
    let (ours, base) = ("wsctl_prune_last_success_timestamp_seconds", world.base());
    let sample = family(ours, text(&base));
    let strange = [
        family("node_load1", text(&base)),
        family(ours, "/elsewhere"),
        sample.replace("} 7", "} seven"),
        sample.clone() + &"#".repeat(70_000),
    ];
    for content in strange {
        fs::write(file(&world), &content).expect("a file");
        let _ = list(&world, &[]).exits(0).quietly();
        let left = fs::read_to_string(file(&world)).expect("metrics");
        assert!(!left.contains("Foreign"), "{left}");
    }
    fs::write(file(&world), format!("{}{sample}", family("node_load1", "x"))).expect("a file");
    let _ = list(&world, &[]).exits(0).quietly();
    assert!(fs::read_to_string(file(&world)).expect("metrics").ends_with(&sample));
}

#[test]
fn a_prune_that_fails_before_it_begins_leaves_its_exit_status_in_the_metrics() {
    let world = World::new();
    let nowhere = world.path("nowhere");
    let file = file(&world);
    let args = ["prune", "--yes", "--older-than", "1d", "-b", text(&nowhere), "--metrics", text(&file)];
    let _ = world.wsctl(args).run().exits(66);
    let content = fs::read_to_string(&file).expect("metrics");
    assert!(content.contains(&format!("_exit_status{{base=\"{}\"}} 66\n", text(&nowhere))), "{content}");
    // Nobody is there to be asked.
    let _ = world.wsctl(["prune", "--older-than", "1d", "--metrics", text(&file)]).run().exits(2);
    let content = fs::read_to_string(&file).expect("metrics");
    assert!(content.contains("_exit_status{") && content.contains("} 2\n"), "{content}");
}

#[test]
fn the_metrics_file_is_replaced_atomically_and_everyone_may_read_it() {
    let world = World::new();
    let _ = world.aged(40);
    let elsewhere = world.path("elsewhere");
    fs::write(&elsewhere, "precious").and_then(|()| symlink(&elsewhere, file(&world))).expect("a link");
    let metrics = file(&world);
    let run = world.wsctl(["prune", "--yes", "--older-than", "30d", "--metrics", text(&metrics)]);
    let _ = run.through_sh("umask 077; exec \"$@\"").run().exits(0);
    let metadata = fs::symlink_metadata(&metrics).expect("metrics");
    assert!(metadata.is_file() && metadata.permissions().mode() & 0o7777 == 0o644, "{metadata:?}");
    assert_eq!(fs::read_to_string(&elsewhere).expect("a file"), "precious");
    let _ = prune(&world, &["--older-than", "30d"]).exits(0);
    assert_ne!(fs::metadata(&metrics).expect("metrics").ino(), metadata.ino(), "it was written in place");
    let beside = fs::read_dir(world.path("")).expect("a listing").filter_map(Result::ok);
    assert!(beside.into_iter().all(|entry| !text(&entry.path()).contains(".wsctl-tmp")), "a temporary file is left");
}

#[test]
fn a_dry_run_leaves_the_metrics_file_as_it_was() {
    let world = World::new();
    let _ = world.aged(40);
    fs::write(file(&world), "old").expect("a file");
    let metrics = file(&world);
    let _ = world.wsctl(["prune", "-n", "--older-than", "30d", "--metrics", text(&metrics)]).run().exits(0);
    assert_eq!(fs::read_to_string(&metrics).expect("a file"), "old");
}

#[test]
fn where_metrics_cannot_be_written_the_prune_is_done_and_the_failure_reported() {
    let world = World::new();
    let metrics = world.path("nowhere/wsctl.prom");
    let id = world.aged(40);
    let ran = world.wsctl(["prune", "--yes", "--older-than", "30d", "--metrics", text(&metrics)]).run().exits(66);
    assert!(ran.stderr.starts_with("error[not-found]: metrics "), "{ran:?}");
    assert!(ran.stdout.starts_with("pruned 1 workspace") && !world.dir_of(&id).exists(), "{ran:?}");
    let id = world.aged(40);
    let ran = world.wsctl(["prune", "--yes", "--older-than", "30d", "--metrics", "/"]).run().exits(2);
    assert!(ran.stderr.contains("it is not the path of a file") && world.dir_of(&id).exists(), "{ran:?}");
}

#[test]
fn metrics_replace_nothing_but_a_regular_file() {
    let world = World::new();
    let id = world.aged(40);
    let (fifo, dir, link) = (world.path("fifo"), world.path("dir"), world.path("link"));
    tool(&["mkfifo", text(&fifo)]);
    fs::create_dir(&dir).and_then(|()| symlink("/proc/self/fd/1", &link)).expect("a directory and a link");
    let device = world.path("device");
    if is_root() {
        tool(&["mknod", text(&device), "c", "1", "3"]); // as /dev/null is, which a regression shall not harm
    } else {
        symlink("/dev/null", &device).expect("a link");
    }
    for file in [&fifo, &dir, &link, &device].map(|file| text(file)) {
        let before = fs::symlink_metadata(file).expect("what is there").ino();
        let out = world.path("out"); // a regular file, which the link then names
        let run = world.wsctl(["prune", "--yes", "--older-than", "30d", "--metrics", file]);
        let ran = run.through(["sh", "-c", &format!("\"$@\" >{}", text(&out)), "sh"]).run().exits(2);
        assert!(ran.stderr.starts_with(&format!("error[usage]: metrics {file}: it is not a regular file")), "{ran:?}");
        assert!(fs::symlink_metadata(file).expect("what was there").ino() == before && world.dir_of(&id).exists());
    }
}

#[test]
fn a_wrong_command_line_leaves_its_exit_status_in_the_metrics() {
    let world = World::new();
    let metrics = file(&world);
    let slips: [&[&str]; 5] =
        [&["--older-than", "7"], &["--oldr-than", "7d"], &[], &["--older-than", "1d", "-b", ""], &["-Z"]];
    let given = ["--yes", "--metrics", text(&metrics)];
    for slip in slips.into_iter().flat_map(|slip| [[&given, slip].concat(), [slip, &given].concat()]) {
        let _ = fs::remove_file(&metrics);
        let _ = world.wsctl([&["prune"], &slip[..]].concat()).run().exits(2);
        let content = fs::read_to_string(&metrics).expect("metrics");
        assert!(
            content.contains("wsctl_prune_last_run_exit_status{")
                && content.contains("_pruned_workspaces{")
                && content.contains("} 2\n"),
            "{slip:?}: {content}"
        );
    }
    let list = ["list", "--older-than", "7", "--metrics", text(&metrics)];
    let _ = fs::remove_file(&metrics);
    let _ = world.wsctl(list).run().exits(2);
    let content = fs::read_to_string(&metrics).expect("metrics");
    assert!(content.contains("wsctl_list_last_run_exit_status{") && !content.contains("prune"), "{content}");
    let others =
        [&["prune", "--older-than", "7"][..], &["prune", "--help"], &["prune", "--oldr-than=7d"], &["-n", "prune"]];
    for other in others {
        let _ = fs::remove_file(&metrics);
        let _ = world.wsctl([other, &["--metrics", text(&metrics), "-n"]].concat()).run();
        assert!(!metrics.exists(), "{other:?}");
    }
}

#[test]
fn in_a_setgid_directory_the_metrics_file_has_the_group_of_the_directory() {
    needs!("root", "strace");
    let world = World::new();
    let dir = world.path("collector");
    fs::create_dir(&dir).expect("a directory");
    chown(&dir, None, Some(4321)).expect("chown");
    chmod(&dir, 0o2775);
    let metrics = dir.join("wsctl.prom");
    let run = world.wsctl(["prune", "--yes", "--older-than", "30d", "--metrics", text(&metrics)]);
    // A service may be kept from changing owners.
    let _ = run.injecting(["fchown:error=EPERM"]).run().exits(0).quietly();
    let stat = fs::metadata(&metrics).expect("metrics");
    assert_eq!((stat.gid(), stat.mode() & 0o7777), (4321, 0o644));
}

#[test]
fn metrics_count_unmeasured_workspaces_and_a_prune_fails_only_if_it_needs_their_size() {
    needs!("root", "setpriv");
    let world = World::new();
    let id = world.workspace().days_ago(1).file("data/x", b"x").make();
    for dir in [world.path(""), world.base(), world.dir_of(&id)] {
        chmod(dir, 0o777);
    }
    chmod(world.dir_of(&id).join(".metadata.json"), 0o644);
    chmod(world.dir_of(&id).join("data"), 0o700);
    let metrics = file(&world);
    for (rule, status) in [(["--older-than", "30d"], 0), (["--max-total-size", "100G"], 77)] {
        let run = world.wsctl(["prune", "--yes", "--metrics", text(&metrics)].into_iter().chain(rule));
        let ran = run.through(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]).run().exits(status);
        assert_eq!(ran.stderr.matches(&id).count(), usize::from(status != 0), "{ran:#?}");
        are(&world, [("workspaces_unmeasured", 1)]);
    }
}

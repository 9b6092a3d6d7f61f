//! `wsctl prune`: workspaces whose last access cannot be known.

use crate::tools::{text, tree};
use crate::world::{World, chmod, ids_in, sorted};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Each ID in `skipped` with its reason, sorted.
fn skipped(report: &Value) -> Vec<(String, String)> {
    let word = |item: &Value, key: &str| item[key].as_str().expect("a word").to_owned();
    let items = report["skipped"].as_array().expect("an array").iter();
    let mut skipped: Vec<_> = items.map(|item| (word(item, "id"), word(item, "reason"))).collect();
    skipped.sort();
    skipped
}

/// A workspace of each kind whose last access cannot be known, with the reason that a report gives.
fn of_unknown_age(world: &World) -> Vec<(String, String)> {
    let corrupt = |bytes: &[u8]| (world.workspace().metadata(bytes).make(), "corrupt");
    let in_its_place = |make: &dyn Fn(&Path)| {
        let id = world.workspace().make_without_metadata();
        make(&world.metadata_of(&id));
        (id, "corrupt")
    };
    let all = [
        (world.workspace().make_without_metadata(), "missing"),
        (world.workspace().days_ago(-2).make(), "future"),
        corrupt(b""),
        corrupt(b"[]"),
        corrupt(b"\xff"),
        corrupt(b"{}"),
        corrupt(b"{\"last_accessed\": \"yesterday\"}"),
        corrupt(b"{\"last_accessed\": \"2020-01-01T00:00:00Z\", \"last_accessed\": \"2020-01-01T00:00:00Z\"}"),
        corrupt(format!("{{\"last_accessed\": \"2020-01-01T00:00:00Z\"{}}}", " ".repeat(65_536)).as_bytes()),
        in_its_place(&|path| fs::create_dir(path).expect("a directory")),
        in_its_place(&|path| symlink("/etc/passwd", path).expect("a link")),
        in_its_place(&|path| drop(std::os::unix::net::UnixListener::bind(path).expect("a socket"))),
        in_its_place(&|path| {
            let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
            rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).expect("a FIFO");
        }),
    ];
    let mut all: Vec<_> = all.into_iter().map(|(id, reason)| (id, reason.to_owned())).collect();
    all.sort();
    all
}

#[test]
fn a_workspace_of_unknown_age_is_skipped_by_a_rule_with_a_warning_each_and_exit_0() {
    let world = World::new();
    let unknown = of_unknown_age(&world);
    let before: Vec<_> = world.snapshot().split_off(1);
    let stale = world.aged(40);
    let ran = world.prune(&["--max-total-size", "0B"]).run().exits(0);
    assert_eq!((ids_in(&ran.json()["pruned"]), skipped(&ran.json())), (vec![stale], unknown.clone()));
    for (id, reason) in &unknown {
        let about = |line: &&str| line.starts_with("warning") && line.contains(id) && line.contains(reason);
        assert_eq!(ran.stderr.lines().filter(about).count(), 1, "{id} {reason}: {ran:#?}");
    }
    assert_eq!(ran.stderr.lines().count(), unknown.len());
    assert_eq!(world.snapshot().split_off(1), before);
    let ids = unknown.iter().map(|(id, _)| &**id).collect::<Vec<_>>();
    assert_eq!(skipped(&world.prune(&ids).run().exits(0).json()), unknown, "with --older-than also if given by ID");
}

#[test]
fn a_workspace_of_unknown_age_goes_if_it_is_given_by_id() {
    let world = World::new();
    let unknown = of_unknown_age(&world);
    let ids = unknown.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    let run = world.wsctl(["prune", "-y", "--format", "json", "-"]).stdin(ids.join("\n"));
    assert_eq!(ids_in(&run.run().exits(0).quietly().json()["pruned"]), ids);
    assert_eq!(world.names(), [""; 0]);
    assert!(Path::new("/etc/passwd").exists());
}

#[test]
fn a_workspace_that_may_not_be_read_is_skipped_as_denied_and_goes_if_it_is_given_by_id() {
    needs!("root", "setpriv");
    let world = World::new();
    let [file, dir] = [world.aged(40), world.aged(41)];
    world.give_away();
    for path in [world.metadata_of(&file), world.dir_of(&dir)] {
        chmod(path, 0o0);
    }
    let denied = sorted([&file, &dir]).into_iter().map(|id| (id, "denied".to_owned())).collect::<Vec<_>>();
    let rules: [&[&str]; 3] = [&[], &["--max-total-size", "0B"], &["--use-mtime"]];
    for rule in rules {
        let args = ["prune", "-y", "--older-than", "30d", "--format", "json"].iter().chain(rule);
        let report = world.wsctl(args).by_ordinary_user().run().exits(0).json();
        assert_eq!((&report["pruned"], skipped(&report)), (&json!([]), denied.clone()), "{rule:?}");
    }
    let report = world.wsctl(["prune", "-y", "--format", "json", &file, &dir]).by_ordinary_user().run().exits(0).json();
    assert_eq!(ids_in(&report["pruned"]), sorted([file, dir]));
}

#[test]
fn a_denied_workspace_given_by_id_goes_also_with_use_mtime() {
    needs!("root", "setpriv");
    let world = World::new();
    let id = world.aged(40);
    world.give_away();
    chmod(world.metadata_of(&id), 0o0);
    let _ = world.wsctl(["prune", "-y", "--use-mtime", &id]).by_ordinary_user().run().exits(0);
    assert_eq!(world.names(), [""; 0]);
}

/// A process that holds a lease on a file until it is dropped.
struct Lease(Child);

impl Lease {
    fn on(path: &Path) -> Self {
        let script = "import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
fcntl.fcntl(os.open(sys.argv[1], os.O_RDWR), fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('held', flush=True)
sys.stdin.read()";
        let mut command = Command::new("python3");
        command.args(["-c", script, text(path)]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
        assert_eq!(line, "held\n");
        Self(child)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_workspace_whose_metadata_is_leased_is_reported_as_failed_without_waiting() {
    needs!("python3");
    let world = World::new();
    let [leased, stale] = [world.aged(40), world.aged(41)];
    let before = tree(&world.dir_of(&leased));
    let lease = Lease::on(&world.metadata_of(&leased));
    let ran = world.prune(&[]).run().exits(75).complains("warning[busy]: ");
    let report = ran.json();
    assert_eq!((ids_in(&report["failed"]), &report["failed"][0]["category"]), (vec![leased.clone()], &json!("busy")));
    assert_eq!((ids_in(&report["pruned"]), &report["skipped"]), (vec![stale], &json!([])));
    drop(lease);
    assert_eq!(tree(&world.dir_of(&leased)), before);
    let _lease = Lease::on(&world.metadata_of(&leased));
    world.wsctl(["prune", "-y", &leased]).run().exits(0).quietly();
    assert_eq!(world.names(), [""; 0]);
}

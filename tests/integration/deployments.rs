//! What is in `dist/` for cron, Kubernetes, Ansible and Prometheus: checked by each one's own checker, and run.

use crate::builds;
use crate::quiet;
use crate::systemd::shipped;
use crate::tools::{text, tool};
use crate::world::{Ran, World, has, is_root, sorted};
use serde_json::Value;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// A base with five fresh workspaces and a stale one, and the fresh ones' IDs.
fn mostly_fresh(world: &World) -> Vec<String> {
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
    if !has("ansible-playbook") {
        return;
    }
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
    for (variable, status) in [("wsctl_older_than=7", "\"rc\": 2"), ("wsctl_base=/nonexistent", "\"rc\": 66")] {
        let failed = ansible(&world, &["-e", variable]).exits(2);
        let says_why = failed.stdout.contains(status) && failed.stdout.contains("error[");
        assert!(says_why && !failed.stdout.contains("\"changed\": true"), "{failed:#?}");
    }
}

#[test]
fn ansible_lint_finds_nothing_in_the_playbook() {
    if has("ansible-lint") {
        tool(&["ansible-lint", "--offline", "--strict", "--profile=production", text(&shipped("ansible.yml"))]);
    }
}

#[test]
fn promtool_finds_the_alerts_in_order_and_each_of_them_fires_when_it_should() {
    if has("promtool") {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/prometheus-alerts.test.yml");
        tool(&["promtool", "check", "rules", "--lint-fatal", text(&shipped("prometheus-alerts.yml"))]);
        tool(&["promtool", "test", "rules", text(&tests)]);
    }
}

#[test]
fn the_cron_job_is_what_kubernetes_takes() {
    if has("kubernetes-validate") {
        tool(&["kubernetes-validate", "--strict", text(&shipped("kubernetes.yaml"))]);
    }
}

/// Puts together what a container of the job has: a read-only root with nothing but the program, `/proc`, and the volume.
/// A shell's $0 is the world, $1 the volume's place, $2 the user and group; what follows is the command.
const CONTAINER: &str = r#"
set -e
image=$0/image volume=$1 user=$2
shift 2
mkdir -p "$image/proc" "$image$volume"
mount --bind "$image" "$image"
mount -t proc wsctl-test "$image/proc"
mount --bind "$0/base" "$image$volume"
mount -o remount,bind,ro "$image"
exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$image" "$@"
"#;

/// The job, as `kubectl` would read it.
fn cron_job() -> Value {
    let read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let json = tool(&["/usr/bin/python3", "-c", read, text(&shipped("kubernetes.yaml"))]);
    serde_json::from_str(&json).expect("JSON")
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|word| word.as_str().expect("a word")).collect()
}

#[test]
fn the_container_of_the_cron_job_prunes_with_a_static_build_in_an_image_with_nothing_else() {
    if !(is_root() && has("unshare") && has("setpriv") && Path::new("/usr/bin/python3").exists()) {
        return;
    }
    let program = builds::static_release();
    let job = cron_job();
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let (container, user) = (&pod["containers"][0], &pod["securityContext"]);
    let (owner, volume) = (format!("{}:{}", user["runAsUser"], user["runAsGroup"]), &container["volumeMounts"][0]);
    let world = World::of(Path::new(words(&container["command"])[0]));
    let fresh = mostly_fresh(&world);
    fs::create_dir(world.path("image")).expect("an image");
    tool(&["cp", text(&program), text(&world.path("image"))]);
    tool(&["chown", "-R", &owner, text(&world.base())]);
    let (root, mount) = (world.path(""), volume["mountPath"].as_str().expect("a path"));
    let unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child"].map(str::to_owned);
    let begin = ["sh", "-c", CONTAINER, text(&root), mount, &owner].map(str::to_owned);
    let mut run = world.bare(words(&container["args"]));
    for variable in container["env"].as_array().expect("variables") {
        run = run.env(variable["name"].as_str().expect("a name"), variable["value"].as_str().expect("a value"));
    }
    let wrapper = [&quiet::wrapper(&root)[..], &unshare, &begin].concat();
    run.through(wrapper).run().exits(0).quietly();
    assert_eq!(world.names(), fresh);
}

//! What is in `dist/` for cron, Kubernetes, systemd, Ansible, Prometheus and Debian: its commands are run, the package is unpacked,
//! and each tool's own checker reads its file.

use crate::builds;
use crate::hosts::shell;
use crate::paused::calls;
use crate::tools::{repository, text, tool};
use crate::world::{World, chmod, has, names, sorted};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::lchown;
use std::path::{Path, PathBuf};

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub fn shipped(name: &str) -> PathBuf {
    repository("dist").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(shipped(name)).expect("a file of dist/")
}

/// A base with a stale workspace and five fresh ones, and the IDs of these.
fn mostly_fresh() -> (World, Vec<String>) {
    let (world, [_stale, fresh @ ..]) = World::with_each_aged([40, 1, 1, 1, 1, 1]);
    (world, sorted(fresh))
}

#[test]
fn the_commands_for_cron_and_kubernetes_prune_what_is_stale() {
    needs!("bash");
    let (crontab, job) = (read("wsctl-prune.cron"), read("kubernetes.yaml"));
    let line = crontab.lines().find(|line| line.starts_with("17 3 * * * root ")).expect("a line for every night");
    let from_cron = line.splitn(7, ' ').nth(6).expect("a command").replace("\\%", "percent");
    assert!(!from_cron.contains('%'), "cron takes a bare % for a line end: {line}");
    let args = job.lines().find_map(|line| line.trim().strip_prefix("args: ")).expect("arguments");
    let args: Vec<String> = serde_json::from_str(args).expect("a list");
    for command in [from_cron.replace("percent", "%"), format!("wsctl {}", args.join(" "))] {
        let (world, fresh) = mostly_fresh();
        let ran = shell(&world, &command).exits(0).quietly();
        assert_eq!((world.names(), ran.stdout.is_empty()), (fresh, command.contains("-q")), "{command}: {ran:#?}");
    }
}

#[test]
fn the_playbook_prunes_changes_nothing_in_check_mode_and_fails_where_it_is_refused() {
    needs!("bash", "ansible-playbook");
    let (world, fresh) = mostly_fresh();
    for (options, status, says, left) in [
        ("--check", 0, "\"would prune 1, would free ", 6),
        ("", 0, "\"pruned 1, freed ", 5),
        ("", 0, "changed=0", 5),
        ("-e wsctl_older_than=1h", 2, "\"rc\": 78", 5),
        ("-e wsctl_older_than=7", 2, "error[usage]", 5),
    ] {
        let script = format!(
            "printf '[pitlane]\\nlocalhost ansible_connection=local ansible_become=false\\n' > inventory
            export LC_ALL=C.UTF-8 ANSIBLE_NOCOLOR=1
            ansible-playbook -i inventory -e wsctl_base={} {options} {}",
            text(&world.base()),
            text(&shipped("ansible.yml"))
        );
        let ran = shell(&world, &script).exits(status);
        assert!(ran.stdout.contains(says) && world.names().len() == left, "{options}: {ran:#?}");
    }
    assert_eq!(world.names(), fresh);
}

/// The calls in one of systemd's sets, and in those that are in it; a name of a call is itself.
fn calls_in(set: &str) -> Vec<String> {
    if !set.starts_with('@') {
        return vec![set.to_owned()];
    }
    let text = tool(&["systemd-analyze", "syscall-filter", set]);
    let inside = text.lines().map(str::trim).filter(|line| !line.starts_with('#') && *line != set && !line.is_empty());
    inside.flat_map(calls_in).collect()
}

#[test]
fn the_service_may_make_each_call_and_has_each_capability_that_it_needs_and_leaves_metrics_for_each_alert() {
    needs!("root", "setpriv", "strace", "systemd-analyze");
    let (unit, world, log) = (read("wsctl-prune@.service"), World::new(), World::new());
    let id = world.workspace().days_ago(40).file("locked/file", b"1").file("sticky/file", b"2").make();
    world.give_away();
    for name in ["sticky/file", "sticky"] {
        lchown(world.dir_of(&id).join(name), Some(4321), Some(4321)).expect("chown");
    }
    chmod(world.dir_of(&id).join("sticky"), 0o1777);
    chmod(world.dir_of(&id).join("locked"), 0o000);
    chmod(world.base(), 0o700);
    let (metrics, log) = (log.path("metrics"), log.path("log"));
    let capabilities = unit.lines().find_map(|line| line.strip_prefix("CapabilityBoundingSet=CAP_"));
    let capabilities = capabilities.expect("capabilities").replace(" CAP_", ",+").to_lowercase();
    let setpriv = ["setpriv", "--no-new-privs", &format!("--bounding-set=-all,+{capabilities}")];
    let run = world.wsctl(["-v", "prune", "--older-than", "30d", "--yes", "--metrics", text(&metrics)]);
    run.through([&setpriv[..], &["strace", "-f", "-qq", "-o", text(&log)]].concat()).run().exits(0).quietly();
    assert_eq!(world.names(), [""; 0]);
    let mut allowed = BTreeSet::new();
    for filter in unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        let calls: BTreeSet<_> = filter.trim_start_matches('~').split_whitespace().flat_map(calls_in).collect();
        allowed = if filter.starts_with('~') { &allowed - &calls } else { &allowed | &calls };
    }
    let refused = calls(&fs::read_to_string(log).expect("a log")).into_iter().find(|it| !allowed.contains(&it.name));
    assert!(refused.is_none(), "{refused:?}");
    let (alerts, metrics) = (read("prometheus-alerts.yml"), fs::read_to_string(metrics).expect("metrics"));
    let words = alerts.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    for name in words.filter(|word| word.starts_with("wsctl_")) {
        assert!(metrics.contains(&format!("# TYPE {name} gauge\n")), "{name} is not in {metrics}");
    }
}

/// Makes the Debian package of the release build. Nothing is fetched.
fn package() -> PathBuf {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wsctl.deb");
    let release = builds::release();
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let target = format!("CARGO_TARGET_DIR={}", text(release.ancestors().nth(2).expect("a target directory")));
    let deb = [cargo, "deb", "--no-build", "--no-strip", "--output", text(&package)];
    let env = ["env", "-C", env!("CARGO_MANIFEST_DIR"), "CARGO_NET_OFFLINE=true", &target];
    tool(&[&env[..], &deb].concat());
    package
}

#[test]
fn the_debian_package_has_the_program_below_usr_enables_nothing_and_lintian_finds_nothing() {
    needs!("cargo-deb", "dpkg-deb");
    let (world, package) = (World::new(), package());
    let root = world.path("root");
    tool(&["dpkg-deb", "--raw-extract", text(&package), text(&root)]);
    assert_eq!(names(&root), ["DEBIAN", "usr"]);
    let control = names(&root.join("DEBIAN"));
    assert_eq!(control, ["control"], "no script and no configuration file");
    assert_eq!(tool(&[text(&root.join("usr/bin/wsctl")), "--version"]), format!("wsctl {VERSION}\n"));
    for file in [
        "lib/systemd/system/wsctl-prune@.timer",
        "share/man/man1/wsctl-prune.1.gz",
        "share/bash-completion/completions/wsctl",
        "share/fish/vendor_completions.d/wsctl.fish",
        "share/zsh/vendor-completions/_wsctl",
    ] {
        assert!(root.join("usr").join(file).exists(), "{file}");
    }
    if has("lintian") {
        assert_eq!(tool(&["lintian", "--allow-root", "--fail-on=error,warning", text(&package)]), "");
    }
}

#[test]
fn the_changelogs_and_the_cron_job_name_this_version_and_the_changelogs_the_same_day() {
    let (debian, changelog) = (read("debian/changelog"), read("../CHANGELOG.md"));
    assert!(debian.starts_with(&format!("wsctl ({VERSION}-1) ")), "{debian}");
    let signed = debian.lines().find_map(|line| line.strip_prefix(" -- ")?.split_once("  ")).expect("a signature").1;
    let day = chrono::DateTime::parse_from_rfc2822(signed).expect("a time").date_naive();
    assert!(changelog.contains(&format!("\n## [{VERSION}] - {day}\n")), "{changelog}");
    assert!(read("kubernetes.yaml").contains(&format!("/wsctl:{VERSION}\n")));
}

#[test]
fn the_checkers_of_ansible_containers_kubernetes_prometheus_and_systemd_find_nothing_and_each_alert_fires() {
    let alert_tests = repository("tests/integration/slow/prometheus-alerts.test.yml");
    for (words, file) in [
        ("ansible-lint --offline --strict --profile=production", shipped("ansible.yml")),
        ("hadolint --failure-threshold style", shipped("Containerfile")),
        ("kubernetes-validate --strict", shipped("kubernetes.yaml")),
        ("promtool check rules --lint-fatal", shipped("prometheus-alerts.yml")),
        ("promtool test rules", alert_tests),
        ("systemd-analyze security --offline=true --threshold=17 --no-pager", shipped("wsctl-prune@.service")),
    ] {
        let words: Vec<_> = words.split(' ').chain([text(&file)]).collect();
        if has(words[0]) {
            tool(&words);
        }
    }
}

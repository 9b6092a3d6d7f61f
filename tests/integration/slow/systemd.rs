//! A systemd of its own, with no other units than ours: it runs what is in `dist/` as a server's does, under all that a unit
//! says of capabilities, system calls and mounts. It lives in namespaces and a control group that go with it.

use crate::quiet;
use crate::tools::{text, tool};
use crate::world::World;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the base is in there: a name with all that has to be escaped.
pub const BASE: &str = "/srv/pit lane-1/.workspaces";

/// What else than our units has to be there, with nothing in it.
const TARGETS: [&str; 6] =
    ["basic.target", "shutdown.target", "sysinit.target", "time-sync.target", "timers.target", "network.target"];

/// Prepares a world's file system and control group, and starts systemd (a shell's $0 is the world, $1 the first unit).
const BEGIN: &str = r#"
set -e
mount -t cgroup2 wsctl-test /sys/fs/cgroup
group=/sys/fs/cgroup/wsctl-test.$$
mkdir "$group"
mount -t overlay -o "lowerdir=$0/bin:/usr/bin" wsctl-test /usr/bin
for own in /run /srv; do mount -t tmpfs wsctl-test "$own"; done
mount --bind "$0/lib" /var/lib
mkdir -p "/srv/pit lane-1/.workspaces" /var/lib/systemd/timers
mount --bind "$0/base" "/srv/pit lane-1/.workspaces"
if [ -d "$0/stamps" ]; then cp -p "$0/stamps/"* /var/lib/systemd/timers; fi
export container=wsctl-test SYSTEMD_UNIT_PATH="$0/units" SYSTEMD_LOG_TARGET=null
set +e
(
    echo 0 > "$group/cgroup.procs"
    exec timeout --signal=KILL 250 unshare --cgroup --pid --fork --kill-child --mount-proc --uts --ipc --net sh -c '
        umount /sys/fs/cgroup && mount -t cgroup2 wsctl-test /sys/fs/cgroup && exec "$0" --unit="$1" --show-status=no' \
        /lib/systemd/systemd "$1"
)
status=$?
find "$group" -depth -type d -exec rmdir {} \;
exit $status
"#;

/// A unit of `dist/` for the base in there.
pub fn instance(kind: &str) -> String {
    tool(&["systemd-escape", "--path", &format!("--template=wsctl-prune@.{kind}"), BASE]).trim().to_owned()
}

/// A file of `dist/`.
pub fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dist").join(name)
}

/// What came of the service: what it printed, and what systemd says of it.
#[derive(Debug)]
pub struct Booted {
    pub stdout: String,
    pub stderr: String,
    /// Its result and its exit status: `exit-code 78`.
    pub result: String,
    /// What it left for `node_exporter`.
    pub metrics: Option<String>,
}

/// Boots with the service or its timer, until the service has run once. `lines` are further ones for the service.
pub fn boot(world: &World, kind: &str, lines: &str) -> Booted {
    let (units, bin) = (world.path("units"), world.path("bin"));
    for dir in [&units, &bin, &world.path("lib")] {
        fs::create_dir_all(dir).expect("a directory");
    }
    tool(&["cp", text(&world.binary), text(&bin.join("wsctl"))]);
    for name in TARGETS {
        fs::write(units.join(name), "[Unit]\n").expect("a unit");
    }
    let [out, err, result] = ["out", "err", "result"].map(|name| text(&world.path(name)).to_owned());
    let service = format!(
        "[Unit]\nSuccessAction=exit-force\nFailureAction=exit-force\n[Service]\nStandardOutput=append:{out}\n\
         StandardError=append:{err}\nExecStopPost=+/bin/sh -c 'echo \"$SERVICE_RESULT $EXIT_STATUS\" >>{result}'\n{lines}"
    );
    for (kind, lines) in [("service", &*service), ("timer", "[Timer]\nRandomizedDelaySec=0\n")] {
        let unit = units.join(format!("wsctl-prune@.{kind}"));
        tool(&["cp", text(&shipped(&format!("wsctl-prune@.{kind}"))), text(&unit)]);
        let drop_in = units.join(format!("wsctl-prune@.{kind}.d"));
        fs::create_dir(&drop_in).and_then(|()| fs::write(drop_in.join("test.conf"), lines)).expect("a drop-in");
    }
    let begin = ["unshare", "--mount", "sh", "-c", BEGIN, text(&world.path("")), &instance(kind)].map(str::to_owned);
    let systemd = world.bare::<&str>([]).through([quiet::wrapper(&world.path("")), begin.to_vec()].concat()).run();
    let read = |name| fs::read_to_string(name).unwrap_or_default();
    let result = read(result).trim().to_owned();
    assert!(!result.is_empty(), "the service did not run: {systemd:#?}");
    Booted { stdout: read(out), stderr: read(err), result, metrics: fs::read_to_string(metrics_of(world)).ok() }
}

/// Where the service leaves its metrics.
pub fn metrics_of(world: &World) -> PathBuf {
    let name = instance("service").replacen("wsctl-prune@", "wsctl-", 1).replace(".service", ".prom");
    world.path("lib/prometheus/node-exporter").join(name)
}

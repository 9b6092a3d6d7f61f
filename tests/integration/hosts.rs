//! A shell in which `wsctl` is the program, and hosts that it reaches over ssh: an sshd each on the loopback, with keys made on
//! the spot. They end when they are dropped.

use crate::needs;
use crate::run::TOO_LONG;
use crate::tools::{text, tool};
use crate::world::{Ran, World};
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Runs a script in which `wsctl` is this build, on the default base, and no part of a pipeline may fail.
#[must_use]
pub fn shell(world: &World, script: &str) -> Ran {
    bash(world, &["-e", "-u", "-o", "pipefail"], script)
}

/// The same with other options of bash, or none.
#[must_use]
pub fn bash(world: &World, options: &[&str], script: &str) -> Ran {
    let _ = home(world);
    let binary = world.binary.parent().expect("a directory");
    let path = [text(&world.path("bin")), text(binary), &std::env::var("PATH").expect("PATH")].join(":");
    let bash = [&["bash"], options, &["-c", script]].concat();
    world.bare::<&str>([]).env("PATH", path).through(bash).run()
}

/// A home directory in which the world's base is the default one.
pub fn home(world: &World) -> PathBuf {
    let home = world.path("home");
    fs::create_dir_all(home.join(".pitlane")).expect("a directory");
    let base = home.join(".pitlane/workspaces");
    if !base.is_symlink() {
        symlink(world.base(), base).expect("a link");
    }
    home
}

/// Some hosts.
pub struct Hosts(Vec<Child>);

impl Hosts {
    /// A host for each name, with this directory as the home of whoever logs in there; the [`shell`] in this world reaches them
    /// by name. `None`, loudly, where there is no sshd, or nobody whom it lets log in.
    pub fn new(world: &World, hosts: &[(&str, &Path)]) -> Option<Self> {
        if !needs::all(&["root", "ssh", "ssh-keygen", "sshd"]) {
            return None;
        }
        // What Debian's start script does: sshd keeps its unprivileged half there, and does not begin without.
        fs::create_dir_all("/run/sshd").expect("/run/sshd");
        let mut made = Self(Vec::new());
        let client = key(world, "client");
        let mut config = format!(
            "User root\nIdentityFile {}\nIdentitiesOnly yes\nBatchMode yes\nHostName 127.0.0.1\nLogLevel ERROR\n\
             StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n",
            text(&client)
        );
        for (name, home) in hosts {
            let _ = writeln!(config, "Host {name}\n  Port {}", made.start(world, name, home));
        }
        fs::write(world.path("ssh_config"), config).expect("a configuration");
        let script = format!("#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n", text(&world.path("ssh_config")));
        fs::write(world.path("ssh"), script).expect("a script");
        // By another process, since what is open for writing, or was when somebody forked, cannot be run.
        tool(&["install", "-D", text(&world.path("ssh")), text(&world.path("bin/ssh"))]);
        Some(made)
    }

    /// Starts an sshd on a port that is free, and waits until it listens there. It lets in just the one key, and a command
    /// there finds this build of the program. No start-up file of a shell has a say in that, since the home is not the user's own.
    fn start(&mut self, world: &World, name: &str, home: &Path) -> u16 {
        let server = format!(
            "ListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
             PasswordAuthentication no\nPermitRootLogin prohibit-password\nSetEnv PATH={}:/usr/bin:/bin HOME={}\n",
            text(&key(world, name)),
            text(&world.path("client.key.pub")),
            text(world.binary.parent().expect("a directory")),
            text(home)
        );
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
            let (config, log) = (world.path(&format!("{name}.config")), world.path(&format!("{name}.{port}.log")));
            fs::write(&config, format!("{server}Port {port}\n")).expect("a configuration");
            let mut sshd = Command::new("/usr/sbin/sshd");
            sshd.args(["-D", "-f", text(&config), "-E", text(&log)]).stdin(Stdio::null());
            let mut child = sshd.spawn().expect("sshd");
            let begun = Instant::now();
            while begun.elapsed() < TOO_LONG {
                if fs::read_to_string(&log).is_ok_and(|log| log.contains("Server listening on")) {
                    self.0.push(child);
                    return port;
                }
                if child.try_wait().expect("sshd").is_some() {
                    break; // somebody else has taken the port since
                }
                thread::sleep(Duration::from_millis(5));
            }
            let _ = (child.kill(), child.wait());
        }
        panic!("sshd does not start: see {name}.*.log");
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for daemon in &mut self.0 {
            let _ = (daemon.kill(), daemon.wait());
        }
    }
}

/// Makes a pair of keys, and gives the file of the private one.
fn key(world: &World, name: &str) -> PathBuf {
    let file = world.path(&format!("{name}.key"));
    tool(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", text(&file)]);
    file
}

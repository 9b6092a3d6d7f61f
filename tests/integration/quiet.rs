//! A mount namespace in which nothing changes, for runs whose system calls are counted.
//!
//! `prune` reads the table of mounts, and reads it again when the kernel says that it changed. Whatever another test mounts
//! meanwhile, in a world of its own, changes that one table: then the nth `read` is not the same as the last time.

use crate::tools::text;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

/// Unmounts, here only, what tests in other processes have mounted: here it would stay in use for as long as the namespace is.
/// Then says so, and stays until stdin ends, which it does with this process.
const HOLD: &str = "mounts=$(cat /proc/self/mountinfo)
while read -r _ _ _ _ point _; do
    case $point in */wsctl-*) umount -l \"$point\" 2>/dev/null ;; esac
done <<EOF
$mounts
EOF
echo held
read -r _";

/// The process that keeps the namespace. `None` where there can't be one: then nobody can mount anything, either.
static HOLDER: LazyLock<Option<Child>> = LazyLock::new(|| {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private", "sh", "-c", HOLD]);
    let mut child = unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    std::io::Read::read_exact(child.stdout.as_mut()?, &mut [0; 5]).ok()?;
    Some(child)
});

/// To be called before anything is mounted: what is mounted by then is in the namespace, too, and an `umount` elsewhere does
/// not end its use.
pub fn before_a_mount() {
    LazyLock::force(&HOLDER);
}

/// The words that put a command into the namespace; it begins in this directory.
pub fn wrapper(dir: &Path) -> Vec<String> {
    let Some(holder) = &*HOLDER else { return vec![] };
    let namespace = format!("--mount=/proc/{}/ns/mnt", holder.id());
    ["nsenter", &namespace, "env", "-C", text(dir)].map(str::to_owned).to_vec()
}

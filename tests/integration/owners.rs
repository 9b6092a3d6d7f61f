//! Owners who never leave their workspace alone (`owner.c`): processes of an ordinary user that fill it, link, move and swap
//! what is in it, as fast as they can, for as long as they live.

use crate::mounted::Mounted;
use crate::tools::{text, tool};
use crate::world::{ORDINARY_USER, World};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Processes that attack a workspace; the drop ends them.
pub struct Owners(Vec<Child>);

impl Owners {
    /// Gives the workspace to the ordinary user, and begins so many attacks of one kind on it. Each of them is under way when
    /// this returns. The caller must be root.
    pub fn begin(world: &World, attack: &str, many: usize, workspace: &Path) -> Self {
        let program = world.path("owner");
        if !program.exists() {
            let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration/owner.c");
            tool(&["cc", "-O1", "-Wall", "-o", text(&program), source]);
        }
        tool(&["chown", "-R", &ORDINARY_USER.to_string(), text(workspace)]);
        let mut owners = Self(vec![]);
        for number in 0..many {
            let mut owner = Command::new(&program);
            owner.args([attack, text(workspace), &number.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
            owners.0.push(owner.spawn().expect("an owner"));
        }
        for owner in &mut owners.0 {
            owner.stdout.as_mut().expect("a pipe").read_exact(&mut [0; 5]).expect("an attack that is under way");
        }
        owners
    }
}

impl Drop for Owners {
    fn drop(&mut self) {
        for owner in &mut self.0 {
            let _ = owner.kill();
            let _ = owner.wait();
        }
    }
}

/// Mounts a file system in memory on the base, so that what owners write fills nothing else. Like the application's user, the
/// ordinary user owns it. The caller must be root.
pub fn memory(world: &World) -> Mounted {
    let owner = format!("uid={ORDINARY_USER},gid={ORDINARY_USER}");
    Mounted::tmpfs(world, &world.base(), &format!("size=1g,nr_inodes=400k,mode=755,{owner}"))
}

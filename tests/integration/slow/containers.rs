//! What is in `dist/` for containers: the Containerfile, built by buildah and run as the cron job of `kubernetes.yaml` runs it.

use crate::builds;
use crate::quiet;
use crate::slow::deployments::mostly_fresh;
use crate::slow::systemd::shipped;
use crate::tools::{text, tool};
use crate::world::{World, names};
use serde_json::Value;
use std::path::Path;

/// Builds the Containerfile by its own commands. No registry can be reached here, so that it starts from an empty image, into which
/// this machine's system and toolchain are mounted; what cargo has compiled stays for the next time. A shell's $0 is the world, $1
/// the repository, $2 the place for what is compiled, $3 the target and $4 rustc's flags for it.
const BUILD: &str = r#"
set -e
cargo=${CARGO_HOME:-$HOME/.cargo} rustup=${RUSTUP_HOME:-$HOME/.rustup}
buildah() { command buildah --root "$0/storage" --runroot "$0/run" --storage-driver vfs "$@"; }
mkdir -p "$0/empty" "$0/tmp" "$2"
cat > "$0/empty/Containerfile" <<EOF
FROM scratch
ENV PATH=$cargo/bin:/usr/bin:/bin CARGO_HOME=$cargo RUSTUP_HOME=$rustup CARGO_NET_OFFLINE=true
ENV CARGO_BUILD_TARGET=$3 RUSTFLAGS=$4 ${RUSTUP_TOOLCHAIN:+RUSTUP_TOOLCHAIN=$RUSTUP_TOOLCHAIN}
EOF
buildah build --tag localhost/rust "$0/empty" >&2
repository=$1 compiled=$2
set --
for part in /bin /lib /lib64 /usr /etc "$cargo" "$rustup"; do
    [ ! -e "$part" ] || set -- "$@" --volume "$(realpath "$part"):$part:ro"
done
buildah build --isolation chroot --from localhost/rust "$@" --volume "$0/tmp:/tmp" --volume "$compiled:/build/target" \
    --output "type=local,dest=$0/image" --tag localhost/wsctl -f "$repository/dist/Containerfile" "$repository" >&2
chmod 755 "$0/image" # as a runtime has it; buildah keeps it to itself
buildah inspect --type image localhost/wsctl
"#;

/// Builds the image into the world's directory `image`, and gives its configuration.
fn build_image(world: &World) -> Value {
    let (target, flags) = builds::static_target();
    let (root, compiled) = (world.path(""), Path::new(env!("CARGO_TARGET_TMPDIR")).join("static"));
    let begin = ["sh", "-c", BUILD, text(&root), env!("CARGO_MANIFEST_DIR"), text(&compiled), &target, flags];
    let image: Value = serde_json::from_str(&tool(&begin)).expect("JSON");
    image["OCIv1"]["config"].clone()
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
fn the_image_has_nothing_but_the_program_and_prunes_as_the_cron_job_s_user_in_a_read_only_root() {
    needs!("root", "buildah", "unshare", "setpriv", "/usr/bin/python3");
    let job = cron_job();
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let (container, user) = (&pod["containers"][0], &pod["securityContext"]);
    let (owner, volume) = (format!("{}:{}", user["runAsUser"], user["runAsGroup"]), &container["volumeMounts"][0]);
    let world = World::of(Path::new(words(&container["command"])[0]));
    let fresh = mostly_fresh(&world);
    let image = build_image(&world);
    assert_eq!(names(&world.path("image")), ["LICENSE", "wsctl"]);
    assert_eq!((image["User"].as_str(), words(&image["Entrypoint"])), (Some(&*owner), words(&container["command"])));
    let variables = container["env"].as_array().expect("variables").iter();
    let variables: Vec<_> =
        variables.map(|it| [&it["name"], &it["value"]].map(|word| word.as_str().expect("a word"))).collect();
    assert!(words(&image["Env"]).contains(&&*variables[0].join("=")), "{image}");

    tool(&["chown", "-R", &owner, text(&world.base())]);
    let (root, mount) = (world.path(""), volume["mountPath"].as_str().expect("a path"));
    let unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child"].map(str::to_owned);
    let begin = ["sh", "-c", CONTAINER, text(&root), mount, &owner].map(str::to_owned);
    let run = variables.iter().fold(world.bare(words(&container["args"])), |run, [name, value]| run.env(name, value));
    let wrapper = [&quiet::wrapper(&root)[..], &unshare, &begin].concat();
    run.through(wrapper).run().exits(0).quietly();
    assert_eq!(world.names(), fresh);
}

//! Many touches at once beside an application that writes all the time. Nothing is paused here; what is decided at one
//! certain call is in `touch_races`.

use crate::world::{AT, WRITTEN, World, finish};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// What the application does, in a loop until its stdin ends: it reads, counts in a key of its own, and replaces the file.
const APPLICATION: &str = r#"
import datetime, json, os, select, sys, tempfile
dir, count = sys.argv[1], 0
path = os.path.join(dir, ".metadata.json")
while count == 0 or not select.select([sys.stdin], [], [], 0)[0]:
    data = json.load(open(path))
    assert "workspace_id" in data and (count == 0 or "count" in data), data
    datetime.datetime.fromisoformat(data["last_accessed"].rstrip("Z"))
    count += 1
    data.update(count=count, last_accessed=datetime.datetime.now(datetime.timezone.utc).isoformat() + "Z")
    handle, temporary = tempfile.mkstemp(prefix=".metadata.tmp.", suffix=".json", dir=dir)
    with os.fdopen(handle, "w") as file:
        json.dump(data, file, indent=2)
    os.replace(temporary, path)
"#;

/// Reads the metadata again and again until `done`, and asserts that it is whole each time. Gives how often.
fn watch(file: &Path, done: &AtomicBool) -> usize {
    let mut times = 0;
    while !done.load(Ordering::Relaxed) || times == 0 {
        let bytes = fs::read(file).expect("there is a file at every instant");
        let json: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON at every instant");
        assert!(json["workspace_id"].is_string() && json["last_accessed"].is_string(), "{json}");
        times += 1;
    }
    times
}

/// Ends what goes on until then, also where the test fails.
pub struct Ended<'a>(pub &'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn many_touches_beside_a_writing_application_leave_the_file_whole_at_every_instant() {
    needs!("python3");
    let world = World::new();
    let id = world.workspace().make();
    let (file, done) = (world.metadata_of(&id), AtomicBool::new(false));
    let mut python = Command::new("python3");
    python.args(["-c", APPLICATION]).arg(world.dir_of(&id)).stdin(Stdio::piped());
    let mut application = python.stderr(Stdio::piped()).spawn().expect("python3");
    world.wsctl(["touch", &id]).run().exits(0).quietly();
    let (statuses, application) = thread::scope(|scope| {
        let ended = Ended(&done);
        let watcher = scope.spawn(|| watch(&file, &done));
        let touches = || (0..40).map(|_| world.wsctl(["touch", &id]).run().status).collect::<Vec<_>>();
        let others = scope.spawn(touches);
        let mut statuses = touches();
        statuses.extend(others.join().expect("touches"));
        drop(application.stdin.take());
        let application = finish(application, &"the application");
        drop(ended);
        watcher.join().expect("the file was whole at every instant");
        (statuses, application)
    });
    application.exits(0).quietly();
    assert!(statuses.iter().all(|status| [0, 75].contains(status)), "{statuses:?}");
    world.wsctl(["touch", "--at", AT, &id]).run().exits(0).quietly();
    let json: serde_json::Value = world.json_of(&id);
    assert!(json["count"].as_u64().is_some_and(|count| count > 0) && json["last_accessed"] == WRITTEN, "{json}");
    assert_eq!(fs::read_dir(world.dir_of(&id)).expect("the workspace").count(), 1, "a temporary file was left");
}

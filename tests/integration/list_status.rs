//! What `wsctl list` says of what cannot be read.

use crate::tools::Lease;
use crate::world::{World, chmod, numbered};

#[test]
fn a_workspace_that_may_not_be_read_or_measured_has_its_row_and_is_77() {
    needs!("root");
    for (locked, status, more) in [("", "denied", "-s"), (".metadata.json", "denied", "-r"), ("charts", "ok", "-s")] {
        let world = World::new();
        let [ok, id] = [1, 2].map(|number| world.workspace().id(&numbered(number)).file("charts/x", b"").make());
        world.give_away();
        chmod(world.dir_of(&id).join(locked), 0o000);
        let list = world.wsctl(["list", "--sort", "accessed", "--format", "json", more]);
        let ran = list.by_ordinary_user().run().exits(77);
        let rows = &ran.complains("error[permission-denied]: ").complains(&id).json()["workspaces"];
        let row = |id: &str| rows.as_array().expect("rows").iter().find(|row| row["id"] == id).expect("a row");
        assert_eq!((&row(&ok)["status"], &row(&id)["status"]), (&"ok".into(), &status.into()), "{locked:?} {more}");
        let unknown = ["created_at", "last_accessed", "age_seconds"];
        assert!(unknown.iter().all(|key| row(&id)[key].is_null() == (status == "denied")), "{rows}");
        let chosen = world.wsctl(["list", "--status", "denied", "--format", "ids"]).by_ordinary_user().run();
        let is_denied = status == "denied";
        let _ = chosen.exits(if is_denied { 77 } else { 0 }).prints(&if is_denied { id + "\n" } else { String::new() });
    }
}

#[test]
fn metadata_under_a_lease_is_denied_and_busy_and_keeps_nobody_waiting() {
    needs!("python3");
    let world = World::new();
    let (leased, free) = (world.aged(1), world.aged(2));
    let _lease = Lease::on(&world.metadata_of(&leased));
    let ran = world.wsctl(["list", "--format", "json"]).run().exits(75);
    let rows = &ran.complains("warning[busy]: ").complains(&leased).json()["workspaces"];
    let status = |id: &str| rows.as_array().expect("rows").iter().find(|row| row["id"] == id).map(|row| &row["status"]);
    assert_eq!((status(&leased), status(&free)), (Some(&"denied".into()), Some(&"ok".into())));

    let _ = world.wsctl(["list", &leased, &numbered(0)]).run().exits(75).mentions("not-found");
    let _ = world.wsctl(["list", &leased, "nonsense"]).run().exits(2).mentions("busy");
}

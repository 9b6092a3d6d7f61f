//! Stdout that cannot be written is an error; a reader that closes it early is none.

use crate::world::{World, finish, numbered};
use rustix::fs::OFlags;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

/// Command lines that have something to say on stdout, on a world with the workspace `ID`.
const TALKATIVE: [&str; 8] = [
    "validate ID",
    "validate --format json ID nonsense",
    "list",
    "list --format json",
    "prune --dry-run --older-than 1d",
    "prune --dry-run --format json ID",
    "--help",
    "--version",
];

#[test]
fn a_stdout_that_cannot_be_written_is_an_io_error_which_decides_the_exit_status() {
    for redirection in [">/dev/full", ">&-", "1</dev/null"] {
        let (world, id) = World::with_aged(400);
        let sh = format!("exec \"$@\" {redirection}");
        let error = "error[io]: cannot write to stdout: ";
        for line in TALKATIVE {
            world.wsctl(line.replace("ID", &id).split(' ')).through_sh(&sh).run().sanely().exits(74).complains(error);
        }
        let list = world.wsctl(["list", "nonsense", &numbered(0)]).through_sh(&sh).run().exits(74);
        let _ = list.mentions(error).mentions("error[invalid-id]: ").mentions("warning[not-found]: ");
        world.wsctl(["touch", &id]).through_sh(&sh).run().exits(0).quietly(); // it has nothing to say
        world.wsctl(["prune", "--yes", &id]).through_sh(&sh).run().exits(74).complains(error);
        assert!(world.names().is_empty(), "what was done is done");
    }
}

#[test]
fn a_stdout_closed_by_its_reader_is_no_error_and_prints_nothing() {
    let (world, id) = World::with_aged(400);
    for line in TALKATIVE {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = world.wsctl(line.replace("ID", &id).split(' ')).command();
        command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
        let child = command.spawn().expect("the program");
        drop(command); // and its end of the pipe
        finish(child, &line).exits(i32::from(line.contains("nonsense"))).quietly();
    }
}

/// Whoever shares a pipe can make it non-blocking, for all. A reader that is slow then loses nothing.
#[test]
fn a_pipe_that_does_not_block_is_waited_for() {
    let (world, id) = World::with_aged(1);
    let ids = format!("{id}\n").repeat(9000) + &"nonsense\n".repeat(2000);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let (input, mut answer) = std::io::pipe().expect("a pipe");
    for end in [writer.as_fd(), input.as_fd()] {
        rustix::fs::fcntl_setfl(end, OFlags::NONBLOCK).expect("a flag");
    }
    let mut command = world.wsctl(["validate", "-v", "-"]).command();
    let stderr = writer.try_clone().expect("a descriptor");
    let child = command.stdin(input).stdout(writer).stderr(stderr).spawn().expect("the program");
    drop(command); // and its ends of the pipes
    answer.write_all(ids.as_bytes()).expect("a pipe that is read");
    thread::sleep(Duration::from_millis(300)); // so that it meets an empty and a full pipe
    drop(answer);
    thread::sleep(Duration::from_millis(300));
    let read = std::io::read_to_string(reader).expect("its output");
    let _ = finish(child, &"validate").exits(1);
    let lines = |part: &str| read.lines().filter(|line| line.contains(part)).count();
    assert_eq!((lines(&id), lines("'nonsense'")), (9000, 2000), "{} bytes", read.len());
}

/// A FUSE daemon may answer EINTR to a write when a signal comes.
#[test]
fn a_write_that_is_interrupted_makes_nothing_appear_twice() {
    needs!("strace");
    let (world, stale) = World::with_each_aged([40; 60]);
    let _ = world.prune(&[]).injecting(["write:error=EINTR:when=2"]).run().pruned(stale);
}

//! The floors: the least that the kernel must be asked for, without safety and without output. Each runs in a process of its
//! own, as wsctl does:
//!
//! | arguments | what is done |
//! |---|---|
//! | `floor start` | nothing |
//! | `floor list THREADS BASE` | the names in the base; of each metadata file openat, fstat, read, close |
//! | `floor remove THREADS BASE` | unlinkat of everything in the base, depth first |

use anyhow::{Context, bail};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, fstat, openat, unlinkat};
use rustix::io::Result;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The word that makes the benchmark a floor.
pub(crate) const WORD: &str = "floor";

pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    match *arguments {
        ["start"] => Ok(()),
        ["list", threads, base] => on_each(threads, base, examine),
        ["remove", threads, base] => on_each(threads, base, remove),
        _ => bail!("no such floor: {arguments:?}"),
    }
}

struct Name {
    text: CString,
    is_directory: bool,
}

/// Works on every name in the base, on so many threads.
fn on_each(threads: &str, base: &str, work: fn(&OwnedFd, &Name, &mut Vec<u8>) -> Result<()>) -> anyhow::Result<()> {
    let base = openat(CWD, Path::new(base), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let names = names(&base)?;
    let next = AtomicUsize::new(0);
    let worker = || -> Result<()> {
        let mut buffer = Vec::with_capacity(4096);
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(&base, name, &mut buffer)?;
        }
        Ok(())
    };
    let threads: usize = threads.parse()?;
    thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        started
            .into_iter()
            .try_for_each(|thread| thread.join().ok().context("a thread panicked")?.context("a call failed"))
    })
}

fn names(dir: &OwnedFd) -> Result<Vec<Name>> {
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    let mut entries = RawDir::new(dir, &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = entries.next().transpose()? {
        let text = entry.file_name();
        if text != c"." && text != c".." {
            names.push(Name { text: text.to_owned(), is_directory: entry.file_type() == FileType::Directory });
        }
    }
    Ok(names)
}

fn examine(base: &OwnedFd, name: &Name, buffer: &mut Vec<u8>) -> Result<()> {
    let mut path = [0; 64];
    let parts = name.text.to_bytes().iter().chain(b"/.metadata.json");
    path.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
    let path = CStr::from_bytes_until_nul(&path).unwrap_or(c"");
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(base, path, flags, Mode::empty())?;
    fstat(&file)?;
    buffer.clear();
    rustix::io::read(file, rustix::buffer::spare_capacity(buffer))?;
    Ok(())
}

fn remove(dir: &OwnedFd, name: &Name, _: &mut Vec<u8>) -> Result<()> {
    remove_all_of(dir, name)
}

fn remove_all_of(dir: &OwnedFd, name: &Name) -> Result<()> {
    if !name.is_directory {
        return unlinkat(dir, &name.text, AtFlags::empty());
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let inner = openat(dir, &name.text, flags, Mode::empty())?;
    names(&inner)?.iter().try_for_each(|name| remove_all_of(&inner, name))?;
    unlinkat(dir, &name.text, AtFlags::REMOVEDIR)
}

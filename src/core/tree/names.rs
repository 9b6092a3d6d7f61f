//! Reads the listing of a directory piece by piece.

use super::super::dirfd::DirFd;
use rustix::io::{Errno, Result};
use std::ffi::CStr;

/// The size of a piece, in bytes: about 800 names.
const PIECE: usize = 32 * 1024;

/// The buffer into which the kernel writes a piece.
pub type Buffer = Vec<u8>;

/// A piece of a directory's listing.
#[derive(Debug, Default)]
pub struct Names {
    /// For each name: whether it is a directory, the position after it, and the name with a NUL.
    bytes: Vec<u8>,
    /// Where the next name begins.
    next: usize,
    /// Whether the listing has been read to its end.
    is_complete: bool,
}

/// One name in a directory.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a> {
    /// The name.
    pub name: &'a CStr,
    /// Whether the listing says that it is a directory. Some file systems do not say.
    pub is_dir: bool,
    /// The position in the listing after it.
    pub position: u64,
}

/// The length of what is before each name.
const HEAD: usize = 1 + size_of::<u64>();

impl Names {
    /// Reads a directory to its end. Returns `None` if its names take more than `max_len` bytes.
    pub fn read_all(dir: &DirFd, max_len: usize, buffer: &mut Buffer) -> Result<Option<Self>> {
        let mut names = Self::default();
        while names.read(dir, buffer)? {
            if names.bytes.len() > max_len {
                return Ok(None);
            }
        }
        Ok(Some(Self { is_complete: true, ..names }))
    }

    /// Reads the next piece and appends it to the names that remain. Returns `false` at the end.
    pub fn read(&mut self, dir: &DirFd, buffer: &mut Buffer) -> Result<bool> {
        if self.is_complete {
            return Ok(false);
        }
        self.bytes.drain(..std::mem::take(&mut self.next));
        buffer.clear();
        buffer.reserve(PIECE);
        let listed = dir.next_entries(buffer, |entry| {
            self.bytes.push(entry.file_type().is_dir().into());
            self.bytes.extend_from_slice(&entry.next_entry_cookie().to_ne_bytes());
            self.bytes.extend_from_slice(entry.file_name().to_bytes_with_nul());
            Ok(())
        });
        match listed {
            Err(Errno::NOENT) => Ok(false), // somebody removed the directory itself
            listed => listed,
        }
    }

    /// Whether it holds no names, neither visited nor to come.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Removes all names. The memory can be used for another directory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        (self.next, self.is_complete) = (0, false);
    }

    /// Returns the next name of this piece.
    pub fn next_name(&mut self) -> Option<Name<'_>> {
        let (name, next) = name_at(&self.bytes, self.next)?;
        self.next = next;
        Some(name)
    }

    /// Iterates over all names of this piece, from its start.
    pub fn iter(&self) -> impl Iterator<Item = &CStr> {
        let mut position = 0;
        std::iter::from_fn(move || {
            let (name, next) = name_at(&self.bytes, position)?;
            position = next;
            Some(name.name)
        })
    }
}

/// Returns the name that begins at `start`, and where the next one begins.
fn name_at(bytes: &[u8], start: usize) -> Option<(Name<'_>, usize)> {
    let (head, rest) = bytes.get(start..)?.split_at_checked(HEAD)?;
    let name = CStr::from_bytes_until_nul(rest).ok()?;
    let position = u64::from_ne_bytes(head[1..].try_into().ok()?);
    Some((Name { name, is_dir: head[0] != 0, position }, start + HEAD + name.count_bytes() + 1))
}

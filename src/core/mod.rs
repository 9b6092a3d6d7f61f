//! Finds, reads, rewrites, measures and removes workspaces. All subcommands share this module.
//!
//! It uses neither the command line nor logging nor stdout, and callers pass in the current time. Below the base, it uses
//! descriptors and names, never joined paths, so that nothing that an attacker swaps can lead out of a workspace.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod atomic;
pub mod attributes;
pub mod base;
pub mod check;
pub mod dirfd;
pub mod error;
pub mod id;
pub mod likely_base;
pub mod metadata;
mod mount;
pub mod names;
pub mod rewrite;
pub mod stat;
pub mod survey;
pub mod threads;
pub mod timestamp;
pub mod tree;
pub mod workspace;

pub use base::Base;
pub use dirfd::DirFd;
pub use error::{Category, Error, ExitStatus, Result};
pub use id::WorkspaceId;
pub use timestamp::Timestamp;

//! The core: what a workspace is, and how its files are read, rewritten, measured and removed. All four subcommands share this
//! module.
//!
//! It knows nothing of the command line, logging, stdout or the clock. Below the base, everything goes through descriptors and
//! names, never through joined paths, so that nothing an attacker swaps leads out of a workspace.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod atomic;
pub mod attributes;
pub mod base;
pub mod check;
pub mod dirfd;
pub mod error;
pub mod id;
pub mod metadata;
pub mod names;
pub mod neighbours;
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

//! `wsctl`: see the library for everything.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(wsctl::run(std::env::args_os()))
}

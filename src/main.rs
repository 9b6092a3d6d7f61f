//! `wsctl`: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(wsctl::run(std::env::args_os()))
}

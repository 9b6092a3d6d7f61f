//! The program as its users meet it: the real binary on real directories, as root and as an ordinary user, with real
//! processes racing it and real signals.
#![allow(clippy::disallowed_methods)] // the tests make the worlds that the program must survive
#![allow(clippy::expect_used, unreachable_pub)] // here a failed expectation is what it is for

mod bad_input;
mod bad_metadata;
mod bad_streams;
mod completions;
mod layering;
mod list;
mod list_formats;
mod list_size;
mod list_status;
mod options;
mod options_ids;
mod options_logging;
mod options_output;
mod prompt;
mod touch;
mod touch_failures;
mod touch_races;
mod validate;
mod world;

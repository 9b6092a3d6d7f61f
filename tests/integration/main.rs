//! The program as its users meet it: the real binary on real directories, as root and as an ordinary user, with real
//! processes racing it and real signals.
#![allow(clippy::disallowed_methods)] // the tests make the worlds that the program must survive
#![allow(clippy::expect_used, unreachable_pub)] // here a failed expectation is what it is for
#![allow(clippy::unnecessary_debug_formatting)] // paths that are no UTF-8 have to differ, too

#[macro_use]
mod needs;

mod access_times;
mod accidents_elsewhere;
mod builds;
mod command_line;
mod completions;
mod escaping;
mod file_systems;
mod foreign_bytes;
mod full_disks;
mod help;
mod hostile_trees;
mod hosts;
mod ids;
mod layering;
mod limits;
mod list;
mod list_formats;
mod list_size;
mod list_table;
mod logging_and_colors;
mod man_pages;
mod metadata;
mod metrics;
mod model;
mod mounted;
mod mounts_anywhere;
mod open_files;
mod paused;
mod picture;
mod planted_names;
mod prompt;
mod prune_before_claim;
mod prune_mtime;
mod prune_protection;
mod prune_protocol;
mod prune_races;
mod prune_report;
mod prune_rules;
mod prune_signals;
mod prune_trees;
mod prune_unknown;
mod readme;
mod run;
mod schemas;
mod shells;
mod streams;
mod terminal;
mod tools;
mod touch;
mod touch_attributes;
mod touch_failures;
mod touch_races;
mod usage_errors;
mod validate;
mod workspace;
mod world;
mod wrong_base;

/// What takes seconds: `cargo test -- --skip slow::` is the quick run.
mod slow {
    pub mod attackers;
    pub mod busy_owners;
    #[path = "../completions_in_shells.rs"]
    pub mod completions_in_shells;
    pub mod costs;
    pub mod deep_trees;
    pub mod deployments;
    pub mod fault_cases;
    pub mod fault_checks;
    pub mod fault_points;
    pub mod faults;
    pub mod mutants;
    pub mod power_cuts;
    pub mod progress;
    pub mod schedules;
    pub mod signals_everywhere;
    pub mod soak;
}

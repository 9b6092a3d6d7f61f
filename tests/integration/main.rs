//! The program as its users meet it: the real binary on real directories, as root and as an ordinary user, with real
//! processes racing it and real signals.
#![allow(clippy::disallowed_methods)] // the tests make the worlds that the program must survive
#![allow(clippy::expect_used, unreachable_pub)] // here a failed expectation is what it is for
#![allow(clippy::unnecessary_debug_formatting)] // paths that are no UTF-8 have to differ, too

mod attackers;
mod bad_input;
mod bad_metadata;
mod bad_streams;
mod builds;
mod complaints;
mod completions;
mod costs;
mod deployments;
mod fault_cases;
mod fault_checks;
mod fault_points;
mod faults;
mod full_disks;
mod help;
mod hostile_mounts;
mod hostile_trees;
mod journal;
mod layering;
mod list;
mod list_formats;
mod list_size;
mod list_status;
mod man_pages;
mod list_table;
mod mutants;
mod named;
mod named_output;
mod needs;
mod options;
mod options_ids;
mod options_logging;
mod options_output;
mod packages;
mod power_cuts;
mod power_disks;
mod power_scenes;
mod prompt;
mod prune_protection;
mod prune_protocol;
mod prune_races;
mod prune_report;
mod prune_rules;
mod prune_signals;
mod prune_trees;
mod prune_unknown;
mod quiet;
mod readme;
mod run;
mod schedule_scenes;
mod schedules;
mod soak;
mod systemd;
mod terminal;
mod tools;
mod touch;
mod touch_crowds;
mod touch_failures;
mod touch_races;
mod units;
mod validate;
mod world;

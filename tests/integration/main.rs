//! The program as its users meet it: the real binary on real directories, as root and as an ordinary user, with real
//! processes racing it and real signals.
#![allow(clippy::disallowed_methods)] // the tests make the worlds that the program must survive

mod layering;
mod validate;
mod world;

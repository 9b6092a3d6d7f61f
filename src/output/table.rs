//! Columns for people. All but the last are ASCII; the last may hold any text, and is cut to fit a terminal.

use anstream::ColorChoice;
use std::io::{self, Write};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A cell, and the colour that it has where there are colours.
#[derive(Debug, Default)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// An SGR parameter of ECMA-48, `31` for red; 0 for none.
    pub color: u8,
    /// Whether it stands at the right edge of its column, as numbers do.
    pub right: bool,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// How a table is shown.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// With colours or without.
    pub color: ColorChoice,
    /// The width of the terminal, in columns; `None` cuts nothing.
    pub width: Option<usize>,
}

/// Writes rows in columns as wide as `widths` says; the last column takes what is left.
#[derive(Debug)]
pub struct Table {
    /// The widths of all columns but the last.
    pub widths: Vec<usize>,
    /// How to show it.
    pub style: Style,
}

impl Table {
    /// Writes one row.
    pub fn row(&self, out: &mut dyn Write, cells: &[Cell]) -> io::Result<()> {
        let mut line = String::new();
        let mut used = 0;
        for (column, cell) in cells.iter().enumerate() {
            let gap = if column == 0 { "" } else { "  " };
            let room = self.style.width.map(|width| width.saturating_sub(used + gap.len()));
            let text = match self.widths.get(column) {
                Some(width) if cell.right => format!("{:>width$}", cell.text),
                Some(width) => format!("{:<width$}", cell.text),
                None => cut(&cell.text, room),
            };
            used += gap.len() + text.width();
            line += gap;
            line += &self.painted(&text, cell.color);
        }
        writeln!(out, "{}", line.trim_end())
    }

    fn painted(&self, text: &str, color: u8) -> String {
        if color == 0 || self.style.color == ColorChoice::Never {
            return text.to_owned();
        }
        let word = text.trim_end();
        format!("\x1b[{color}m{word}\x1b[0m{}", &text[word.len()..])
    }
}

/// As much of the text as fits, with a mark where it was cut.
fn cut(text: &str, room: Option<usize>) -> String {
    let Some(room) = room.filter(|room| text.width() > *room) else { return text.to_owned() };
    let mut left = room.saturating_sub(1);
    let fits = text.chars().take_while(|c| match left.checked_sub(c.width().unwrap_or(0)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    let fits: String = fits.collect();
    if room == 0 { String::new() } else { fits + "…" }
}

//! Shows tables to people. On a terminal, a table leaves out the least important columns until the rest fits, and truncates the
//! last column. The last column may hold any text, all others must be ASCII.

use anstream::ColorChoice;
use std::io::{self, Write};
use unicode_width::UnicodeWidthChar;

/// The space between two columns.
const GAP: &str = "  ";

/// The content of a cell.
#[derive(Debug, Default)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// The colour: an SGR parameter of ECMA-48, such as 31 for red, or 0 for none.
    pub color: u8,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, color: 0 }
    }
}

/// How to show a table.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether to use colours.
    pub color: ColorChoice,
    /// The width of the terminal, in columns. `None` does not limit it.
    pub width: Option<usize>,
    /// Whether the ellipsis of a truncated text may be `…`.
    pub utf8: bool,
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// The heading.
    pub head: &'static str,
    /// The width. The last column also takes the rest of the line.
    pub width: usize,
    /// Whether to align it to the right, as for numbers.
    pub right: bool,
    /// The importance: columns with a lower rank get room first. A column of rank 0 is always shown.
    pub rank: u8,
}

/// A table. Each column has a flag that says whether it is shown.
#[derive(Debug)]
pub struct Table {
    columns: Vec<(Column, bool)>,
    style: Style,
}

impl Table {
    /// Creates a table with the columns that fit.
    pub fn new(columns: Vec<Column>, style: Style) -> Self {
        let mut columns: Vec<_> = columns.into_iter().map(|column| (column, false)).collect();
        let mut order: Vec<_> = columns.iter_mut().collect();
        order.sort_by_key(|(column, _)| column.rank);
        let mut room = style.width.map_or(usize::MAX, |width| width + GAP.len());
        for (column, shown) in order {
            let needed = column.width + GAP.len();
            *shown = column.rank == 0 || needed <= room;
            room = room.saturating_sub(if *shown { needed } else { 0 });
        }
        Self { columns, style }
    }

    /// Returns the headings of the columns that are left out for want of room.
    pub fn left_out(&self) -> Vec<&'static str> {
        self.columns.iter().filter(|(_, shown)| !shown).map(|(column, _)| column.head).collect()
    }

    /// Writes the headings.
    pub fn write_header(&self, out: &mut dyn Write) -> io::Result<()> {
        let heads: Vec<_> =
            self.columns.iter().map(|(column, _)| Cell { text: column.head.into(), color: 1 }).collect();
        self.write_row(out, &heads)
    }

    /// Writes one row, with a cell for each column.
    pub fn write_row(&self, out: &mut dyn Write, cells: &[Cell]) -> io::Result<()> {
        let mut line = String::new();
        let mut used = 0;
        let last = self.columns.len() - 1;
        for (index, (cell, (column, _))) in
            cells.iter().zip(&self.columns).enumerate().filter(|(_, (_, (_, shown)))| *shown)
        {
            if used > 0 {
                line += GAP;
                used += GAP.len();
            }
            let width = column.width;
            let text = match self.style.width {
                Some(room) if index == last => {
                    truncate(&cell.text, room.saturating_sub(used), if self.style.utf8 { "…" } else { "..." })
                }
                _ if index == last => cell.text.clone(),
                _ if column.right => format!("{:>width$}", cell.text),
                _ => format!("{:<width$}", cell.text),
            };
            used += width;
            line += &paint(&text, cell.color, self.style.color);
        }
        writeln!(out, "{}", line.trim_end())
    }
}

/// Colours a text, without the blanks around it, unless `choice` forbids it.
pub fn paint(text: &str, color: u8, choice: ColorChoice) -> String {
    if color == 0 || choice == ColorChoice::Never {
        return text.to_owned();
    }
    let word = text.trim();
    let (before, after) = (text.len() - text.trim_start().len(), text.trim_end().len());
    format!("{}\x1b[{color}m{word}\x1b[0m{}", &text[..before], &text[after.max(before)..])
}

/// Returns the text, or as much of it as fits in `room` columns with `mark` at its end.
fn truncate(text: &str, room: usize, mark: &str) -> String {
    let space = room.saturating_sub(mark.chars().count());
    let mut used = 0;
    let mut fits = 0; // the number of bytes that fit before the mark
    for (start, c) in text.char_indices() {
        if used <= space {
            fits = start;
        }
        used += width(c);
        if used > room {
            return text[..fits].chars().chain(mark.chars().take(room)).collect();
        }
    }
    text.to_owned()
}

/// Returns how many columns a character takes at most. Terminals disagree on characters that change the one before.
fn width(c: char) -> usize {
    match c {
        // U+FE0F turns the character before, which may be narrow, into a wide emoji. Some terminals show a soft hyphen and the
        // fillers of Hangul.
        '\u{ad}' | '\u{fe0f}' | '\u{ffa0}' => 1,
        '\u{3164}' => 2,
        c => c.width().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_truncated_to_fit_and_wide_characters_take_two_columns() {
        for (text, room, shown) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("abcd", 1, "…"),
            ("abcd", 0, ""),
            ("", 0, ""),
            ("周周周", 6, "周周周"),
            ("周周周", 5, "周周…"),
            ("周周周", 4, "周…"),
            ("周周周", 2, "…"),
            ("e\u{301}e\u{301}e\u{301}", 3, "e\u{301}e\u{301}e\u{301}"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("❤\u{fe0f}❤\u{fe0f}", 3, "❤\u{fe0f}…"),
            ("\u{ad}\u{ffa0}\u{3164}", 3, "\u{ad}\u{ffa0}…"),
        ] {
            assert_eq!(truncate(text, room, "…"), shown, "{text} in {room}");
        }
        for (room, shown) in [(6, "abcdef"), (5, "ab..."), (3, "..."), (2, ".."), (0, "")] {
            assert_eq!(truncate("abcdef", room, "..."), shown, "{room}");
        }
    }

    #[test]
    fn the_columns_of_the_highest_rank_are_left_out_until_the_rest_fits() {
        let column = |head, width, rank| Column { head, width, right: false, rank };
        for (width, shown) in [
            (None, "A    B    C    D\n"),
            (Some(19), "A    B    C    D\n"),
            (Some(15), "A    B    D\n"),
            (Some(13), "A    B    D\n"),
            (Some(12), "A    D\n"),
            (Some(8), "A    D\n"),
            (Some(7), "A\n"),
            (Some(1), "A\n"),
        ] {
            let style = Style { color: ColorChoice::Never, width, utf8: true };
            let columns = vec![column("A", 3, 0), column("B", 3, 2), column("C", 3, 3), column("D", 3, 1)];
            let mut out = Vec::new();
            let table = Table::new(columns, style);
            table.write_header(&mut out).expect("a row");
            assert_eq!(table.left_out().len() + shown.split_whitespace().count(), 4, "{table:?}");
            assert_eq!(String::from_utf8_lossy(&out), shown, "{width:?}");
        }
    }
}

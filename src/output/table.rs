//! Shows columns to people. All but the last are ASCII; the last may contain any text. On a terminal, the least important columns
//! are left out until the rest fits, and the last one is cut.

use anstream::ColorChoice;
use std::io::{self, Write};
use unicode_width::UnicodeWidthChar;

/// The space between two columns.
const GAP: &str = "  ";

/// A cell and its colour.
#[derive(Debug, Default)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// The colour, as an SGR parameter of ECMA-48: `31` for red, 0 for none.
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
    /// The width of the terminal in columns, or `None` to cut nothing.
    pub width: Option<usize>,
    /// Whether the mark for a cut text may be more than ASCII.
    pub utf8: bool,
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// The heading.
    pub head: &'static str,
    /// The width. The last column gets the rest, but at least this.
    pub width: usize,
    /// Whether to align its cells to the right, like numbers.
    pub right: bool,
    /// The rank: the lower, the longer it stays when there is little room. Rank 0 always stays.
    pub rank: u8,
}

/// Writes rows in columns.
#[derive(Debug)]
pub struct Table {
    columns: Vec<(Column, bool)>,
    style: Style,
}

impl Table {
    /// Creates a table with those columns that fit.
    pub fn new(columns: Vec<Column>, style: Style) -> Self {
        let mut columns: Vec<_> = columns.into_iter().map(|column| (column, false)).collect();
        let mut order: Vec<_> = columns.iter_mut().collect();
        order.sort_by_key(|(column, _)| column.rank);
        let mut left = style.width.map_or(usize::MAX, |width| width + GAP.len());
        for (column, shown) in order {
            let needed = column.width + GAP.len();
            *shown = column.rank == 0 || needed <= left;
            left = left.saturating_sub(if *shown { needed } else { 0 });
        }
        Self { columns, style }
    }

    /// Returns the headings of the columns that do not fit.
    pub fn left_out(&self) -> Vec<&'static str> {
        self.columns.iter().filter(|(_, shown)| !shown).map(|(column, _)| column.head).collect()
    }

    /// Writes the headings.
    pub fn heads(&self, out: &mut dyn Write) -> io::Result<()> {
        let heads: Vec<_> =
            self.columns.iter().map(|(column, _)| Cell { text: column.head.into(), color: 1 }).collect();
        self.row(out, &heads)
    }

    /// Writes one row, with a cell for each column.
    pub fn row(&self, out: &mut dyn Write, cells: &[Cell]) -> io::Result<()> {
        let mut line = String::new();
        let mut used = 0;
        let last = self.columns.len() - 1;
        for (at, (cell, (column, _))) in
            cells.iter().zip(&self.columns).enumerate().filter(|(_, (_, (_, shown)))| *shown)
        {
            if used > 0 {
                line += GAP;
                used += GAP.len();
            }
            let width = column.width;
            let text = match self.style.width {
                Some(room) if at == last => {
                    cut(&cell.text, room.saturating_sub(used), if self.style.utf8 { "…" } else { "..." })
                }
                _ if at == last => cell.text.clone(),
                _ if column.right => format!("{:>width$}", cell.text),
                _ => format!("{:<width$}", cell.text),
            };
            used += width;
            line += &paint(&text, cell.color, self.style.color);
        }
        writeln!(out, "{}", line.trim_end())
    }
}

/// Returns the text in this colour. Blanks around it have none.
pub fn paint(text: &str, color: u8, choice: ColorChoice) -> String {
    if color == 0 || choice == ColorChoice::Never {
        return text.to_owned();
    }
    let word = text.trim();
    let (before, after) = (text.len() - text.trim_start().len(), text.trim_end().len());
    format!("{}\x1b[{color}m{word}\x1b[0m{}", &text[..before], &text[after.max(before)..])
}

/// Returns as much of the text as fits, with a mark if it was cut.
fn cut(text: &str, room: usize, mark: &str) -> String {
    let space = room.saturating_sub(mark.chars().count());
    let mut used = 0;
    let mut fits = 0; // the bytes that fit together with the mark
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
        '\u{fe0f}' => 1, // turns a narrow character into a wide emoji
        c => c.width().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_it_does_not_fit_and_wide_characters_take_two_columns() {
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
        ] {
            assert_eq!(cut(text, room, "…"), shown, "{text} in {room}");
        }
        for (room, shown) in [(6, "abcdef"), (5, "ab..."), (3, "..."), (2, ".."), (0, "")] {
            assert_eq!(cut("abcdef", room, "..."), shown, "{room}");
        }
    }

    #[test]
    fn columns_are_left_out_by_rank_until_the_rest_fits() {
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
            table.heads(&mut out).expect("a row");
            assert_eq!(table.left_out().len() + shown.split_whitespace().count(), 4, "{table:?}");
            assert_eq!(String::from_utf8_lossy(&out), shown, "{width:?}");
        }
    }
}

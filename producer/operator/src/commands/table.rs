//! Plain tables for terminals.

use jiff::Timestamp;

/// Rows under their headings, in columns of the least width.
pub fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = std::iter::once(heads.map(str::to_owned))
        .chain(rows.iter().map(|row| row.each_ref().map(|cell| plain(cell))))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Names and values, one pair a line.
pub fn fields(fields: &[(&str, String)]) -> String {
    let rows: Vec<[String; 2]> = fields
        .iter()
        .map(|(name, value)| [(*name).to_owned(), value.clone()])
        .collect();
    let table = table(["", ""], &rows);
    table.trim_start_matches('\n').to_owned()
}

/// A time, to the second.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time to the second; empty when absent.
pub fn time_or_none(at: Option<Timestamp>) -> String {
    at.map(time).unwrap_or_default()
}

/// Text of others, escaped so that it cannot steer the terminal.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() {
            plain.extend(char.escape_default());
        } else {
            plain.push(char);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be_and_nothing_steers_the_terminal() {
        let rows = [
            ["ü".to_owned(), "b\u{1b}[2J".to_owned()],
            ["long".to_owned(), String::new()],
        ];
        assert_eq!(table(["a", "b"], &rows), "a     b\nü     b\\u{1b}[2J\nlong");
        assert_eq!(
            fields(&[("name", "x".to_owned()), ("n", "y".to_owned())]),
            "name  x\nn     y"
        );
    }
}

//! The report of a run: a table for people, one JSON object for programs.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use docket_local::checkout::Checkout;
use serde::Serialize;
use serde_json::{Value, json};

use crate::stats::Figures;

/// The JSON object of a run. Times are in seconds, sizes in bytes.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Name of the bench.
    pub bench: &'static str,
    /// Commit of the checkout, with `-dirty` when files were changed.
    pub commit: String,
    /// Processor, cores, memory, kernel and load of the machine.
    pub machine: Value,
    /// Settings from the command line.
    pub settings: Value,
    /// Figures of each contestant or phase.
    pub figures: Value,
    /// Ratios of figures of this run.
    pub ratios: Value,
}

impl Report {
    /// A report of this checkout on this machine.
    pub fn new(bench: &'static str, settings: Value, figures: Value, ratios: Value) -> Self {
        Self {
            bench,
            commit: commit(),
            machine: machine(),
            settings,
            figures,
            ratios,
        }
    }

    /// Writes the object to a file, if `path` is set.
    pub fn write(&self, path: Option<&Path>) -> Result<()> {
        let Some(path) = path else { return Ok(()) };
        let json = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, json).with_context(|| format!("write {}", path.display()))?;
        println!("written to {}", path.display());
        Ok(())
    }
}

/// A table with a line for each figure and a column for each contestant.
pub fn table(columns: &[(&str, &Figures)], lines: &[&str]) -> String {
    let width = lines.iter().map(|line| line.len()).max().unwrap_or(0);
    let mut table = format!("{:width$}", "");
    for (name, _) in columns {
        let _ = write!(table, "  {name:>14}");
    }
    for line in lines
        .iter()
        .filter(|line| columns.iter().any(|column| column.1.contains_key(**line)))
    {
        let _ = write!(table, "\n{line:width$}");
        for (_, figures) in columns {
            let shown = figures.get(*line).map_or_else(|| "-".to_owned(), |value| show(*value));
            let _ = write!(table, "  {shown:>14}");
        }
    }
    table
}

/// A number rounded to about four significant digits.
pub fn show(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let root = Checkout::find().ok()?;
        let output = Command::new("git")
            .current_dir(root.root())
            .args(arguments)
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(said)
    };
    match git(&["rev-parse", "--short", "HEAD"]) {
        None => "unknown".to_owned(),
        Some(commit) if git(&["status", "--porcelain"]).is_some_and(|changed| !changed.is_empty()) => {
            format!("{commit}-dirty")
        }
        Some(commit) => commit,
    }
}

fn machine() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let memory = field(&read("/proc/meminfo"), "MemTotal").and_then(|kib| kib.strip_suffix(" kB")?.parse::<u64>().ok());
    json!({
        "architecture": std::env::consts::ARCH,
        "cpu": field(&read("/proc/cpuinfo"), "model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory_bytes": memory.map(|kib| kib * 1024),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load_at_end": read("/proc/loadavg").split(' ').next(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_a_figure_that_anybody_has() {
        let ours: Figures = [("seconds".to_owned(), 12.345), ("f1".to_owned(), 0.5)].into();
        let theirs: Figures = [("seconds".to_owned(), 4_321.0)].into();
        let table = table(&[("ours", &ours), ("theirs", &theirs)], &["seconds", "nothing", "f1"]);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["ours", "theirs"]);
        assert_eq!(lines[1], ["seconds", "12.3", "4321"]);
        assert_eq!(lines[2], ["f1", "0.5000", "-"]);
        assert_eq!(lines.len(), 3);
    }
}

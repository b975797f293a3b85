//! How many windows of real documents repeat: the most that a cache of window results could save. No model runs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use docket_local::checkout::Checkout;
use serde_json::json;

use crate::report::{Report, show};
use crate::windows;

/// What is looked through.
#[derive(Debug, Args)]
pub struct RepeatsSettings {
    /// Folder of `.txt` files, as one client would upload them.
    #[arg(long)]
    texts: PathBuf,
    /// Write all figures to a file, as one JSON object.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Counts the windows that equal an earlier one, token for token: the hits of a cache that never forgets.
pub fn run(settings: &RepeatsSettings) -> Result<()> {
    let texts = read(&settings.texts)?;
    let folder = Checkout::find()?.root().join("deploy/models/ner-legal");
    let cut = windows::cut(&folder, &texts)?;
    let (windows, tokens) = repeated(&cut.windows);
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let figures = json!({
        "documents": texts.len(),
        "windows": cut.windows.len(),
        "tokens": cut.tokens(),
        "repeated_windows": windows,
        "repeated_tokens": tokens,
    });
    let ratios = json!({
        "hits": share(windows, cut.windows.len()),
        "saved_tokens": share(tokens, cut.tokens()),
    });
    println!(
        "{windows} of {} windows are the same as an earlier one: {}% of the tokens",
        cut.windows.len(),
        show(100.0 * share(tokens, cut.tokens()))
    );
    let asked = json!({ "texts": settings.texts });
    Report::new("repeats", asked, figures, ratios).write(settings.json.as_deref())
}

fn repeated(windows: &[Vec<u32>]) -> (usize, usize) {
    let mut seen = HashSet::new();
    let again = windows.iter().filter(|window| !seen.insert(*window));
    again.fold((0, 0), |(windows, tokens), window| (windows + 1, tokens + window.len()))
}

fn read(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    ensure!(!paths.is_empty(), "{} has no .txt files", folder.display());
    let text = |path: &PathBuf| {
        let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    paths.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_before_counts_as_repeated() {
        let windows = [vec![1, 2], vec![1], vec![1, 2], vec![2, 1], vec![1, 2]];
        assert_eq!(repeated(&windows), (2, 4));
    }
}

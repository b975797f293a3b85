//! The findings, and how they are printed.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The part is as it should be.
    Ok,
    /// Nothing can be told from here.
    Note,
    /// The part works, but not for ever or not as well as it could.
    Warn,
    /// The part is broken.
    Fail,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The examined part: `catalog`, `shard s1`, `broker`, `storage` ...
    pub part: String,
    /// How bad it is.
    pub verdict: Verdict,
    /// What was found, in words.
    pub what: String,
    /// The consequence, unless nothing follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub means: Option<String>,
    /// What to do, unless nothing is to be done.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    /// A finding that something is as it should be.
    pub fn ok(part: &str, what: impl Into<String>) -> Self {
        Self::new(part, Verdict::Ok, what)
    }

    /// A finding that something could not be judged from here.
    pub fn note(part: &str, what: impl Into<String>) -> Self {
        Self::new(part, Verdict::Note, what)
    }

    /// A finding that something still works. Add [`Finding::means`] and [`Finding::remedy`].
    pub fn warn(part: &str, what: impl Into<String>) -> Self {
        Self::new(part, Verdict::Warn, what)
    }

    /// A finding that something is broken. Add [`Finding::means`] and [`Finding::remedy`].
    pub fn fail(part: &str, what: impl Into<String>) -> Self {
        Self::new(part, Verdict::Fail, what)
    }

    fn new(part: &str, verdict: Verdict, what: impl Into<String>) -> Self {
        Self {
            part: part.to_owned(),
            verdict,
            what: what.into(),
            means: None,
            remedy: None,
        }
    }

    /// Adds the consequence.
    pub fn means(mut self, means: impl Into<String>) -> Self {
        self.means = Some(means.into());
        self
    }

    /// Adds what to do.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// All findings, in the order in which they are printed.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The worst verdict of all findings.
    pub verdict: Verdict,
    /// The findings.
    pub findings: Vec<Finding>,
}

/// Exit code when something is broken, as of every command that failed.
const EXIT_BROKEN: u8 = 1;
/// Exit code when there are only warnings; 2 is a malformed command line.
const EXIT_WARNED: u8 = 3;

impl Report {
    /// A report of these findings.
    pub fn of(findings: Vec<Finding>) -> Self {
        let worst = findings.iter().map(|finding| finding.verdict).max();
        Self {
            verdict: worst.unwrap_or(Verdict::Ok),
            findings,
        }
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> ExitCode {
        match self.verdict {
            Verdict::Ok | Verdict::Note => ExitCode::SUCCESS,
            Verdict::Warn => ExitCode::from(EXIT_WARNED),
            Verdict::Fail => ExitCode::from(EXIT_BROKEN),
        }
    }

    /// The report for people: a line for each finding, two more for each that needs action, and a sum.
    pub fn text(&self) -> String {
        let width = self.findings.iter().map(|finding| finding.part.chars().count()).max();
        let width = width.unwrap_or(0);
        let mut text = String::new();
        for finding in &self.findings {
            let mark = match finding.verdict {
                Verdict::Ok => "ok",
                Verdict::Note => "note",
                Verdict::Warn => "warn",
                Verdict::Fail => "FAIL",
            };
            line(
                &mut text,
                format_args!("{mark:4}  {:width$}  {}", finding.part, finding.what),
            );
            let more = [("it means", &finding.means), ("do", &finding.remedy)];
            for (head, said) in more {
                if let Some(said) = said {
                    line(&mut text, format_args!("{:4}  {:width$}    {head}: {said}", "", ""));
                }
            }
        }
        let count = |verdict| {
            self.findings
                .iter()
                .filter(|finding| finding.verdict == verdict)
                .count()
        };
        let (ok, warned, broken) = (count(Verdict::Ok), count(Verdict::Warn), count(Verdict::Fail));
        line(
            &mut text,
            format_args!("{ok} ok, {warned} to be warned of, {broken} broken"),
        );
        text
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a String takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_what_it_means_and_what_to_do() {
        let report = Report::of(vec![
            Finding::ok("catalog", "answers"),
            Finding::fail("shard s1", "is away")
                .means("uploads are refused")
                .remedy("start it"),
            Finding::note("broker", "not asked"),
        ]);
        assert_eq!(report.verdict, Verdict::Fail);
        let text = report.text();
        let expected = "ok    catalog   answers\n\
                        FAIL  shard s1  is away\n                  it means: uploads are refused\n                  do: start it\n\
                        note  broker    not asked\n\
                        1 ok, 0 to be warned of, 1 broken\n";
        assert_eq!(text, expected);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["findings"][1]["do"], "start it");
        assert_eq!(json["findings"][0].get("do"), None);
    }
}

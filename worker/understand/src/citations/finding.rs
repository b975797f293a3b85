//! What a recogniser of citations reports: where the citation stands and what the citation says.
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A citation, or the name of a court, and where it stands in the text.
///
/// The range covers the citation proper: from the volume to the closing parenthesis of court and year, or from `supra` or
/// `Id.` to the page. The name of the case before the citation is not part of the range; `name_bytes` says where the name stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Bytes of the text that the citation covers, always on character boundaries.
    pub bytes: Range<usize>,
    /// What the citation says, in normal form.
    pub citation: Citation,
}

/// A citation by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Citation {
    /// A decision of a court, or a reference back to a decision.
    Case(Case),
    /// A statute, a regulation, a treaty, a rule of procedure or another act.
    Statute(Statute),
    /// An article in a law journal.
    Journal(Journal),
    /// The name of a court in prose.
    Court(Court),
}

impl Citation {
    /// Gives the label of the entity that the citation is.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Case(_) => "CASE_CITATION",
            Self::Statute(_) => "STATUTE_CITATION",
            Self::Journal(_) => "JOURNAL_CITATION",
            Self::Court(_) => "COURT",
        }
    }

    /// Gives the stable name of the recogniser that found the citation.
    pub fn recogniser(&self) -> &'static str {
        match self {
            Self::Case(case) => case.form.recogniser(),
            Self::Statute(statute) => statute.form.recogniser(),
            Self::Journal(_) => "journal",
            Self::Court(_) => "court",
        }
    }
}

/// How a decision is cited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseForm {
    /// Volume, reporter and page: `410 U.S. 113`.
    Full,
    /// Volume, reporter and a page inside the decision: `410 U.S. at 153`.
    Short,
    /// The name of the case and `supra`.
    Supra,
    /// `Id.` or `Ibid.`: the citation just before.
    Id,
    /// A citation that names a year, a series or court, and a number: `[2019] UKSC 41`.
    Neutral,
    /// A number in a database: `2011 WL 123456`.
    Database,
}

impl CaseForm {
    fn recogniser(self) -> &'static str {
        match self {
            Self::Full => "case_full",
            Self::Short => "case_short",
            Self::Supra => "supra",
            Self::Id => "id",
            Self::Neutral => "case_neutral",
            Self::Database => "case_database",
        }
    }
}

/// A decision of a court, or a reference back to a citation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// How the decision is cited.
    pub form: CaseForm,
    /// Volume of the reporter, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Reporter or series, by the name of its edition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporter: Option<String>,
    /// First page, number of the document or number of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Pages or paragraphs inside the decision, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// Number of the footnote that `supra note` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Year of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<String>,
    /// Identifier of the court, of courts-db or of our own table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub court: Option<String>,
    /// Names of the parties, plaintiff first; for supra and short forms the name that stands before the citation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<String>,
    /// Name of the case as written, white space collapsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Bytes of the text that the name of the case covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_bytes: Option<Range<usize>>,
    /// Whether the year lies outside the years in which the reporter appeared.
    #[serde(default, skip_serializing_if = "is_false")]
    pub doubtful: bool,
    /// Index of the first of several parallel citations of one decision; absent on the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_to: Option<usize>,
    /// Index of the full citation that a short form, supra or id. means; absent where no citation fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
    /// Normal form by which two citations of one decision can be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Case {
    /// Makes a citation of a form that says nothing else yet.
    pub(super) fn of_form(form: CaseForm) -> Self {
        Self {
            form,
            volume: None,
            reporter: None,
            page: None,
            pin: None,
            note: None,
            year: None,
            court: None,
            parties: Vec::new(),
            name: None,
            name_bytes: None,
            doubtful: false,
            parallel_to: None,
            of: None,
            key: None,
        }
    }
}

/// How a statute, regulation or other act is cited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatuteForm {
    /// United States Code.
    Usc,
    /// Code of Federal Regulations.
    Cfr,
    /// Code, statutes or regulations of a state of the United States.
    StateCode,
    /// Another code that is cited by its letters: `I.R.C. § 501(c)(3)`.
    Code,
    /// Public or private law: `Pub. L. 111-203`.
    PublicLaw,
    /// Statutes at Large.
    Stat,
    /// Session laws of a state.
    SessionLaw,
    /// Federal Register, or the register of a state.
    Register,
    /// Executive order of a president.
    ExecutiveOrder,
    /// Rules of procedure or evidence.
    Rule,
    /// An act that is cited by its name.
    Act,
    /// A constitution.
    Constitution,
    /// A treaty, regulation, directive or decision of the European Union.
    EuAct,
    /// An act cited in the manner of the United Kingdom, with the year straight after the name.
    UkAct,
    /// A statutory instrument of the United Kingdom.
    UkInstrument,
}

impl StatuteForm {
    fn recogniser(self) -> &'static str {
        match self {
            Self::Usc => "usc",
            Self::Cfr => "cfr",
            Self::StateCode => "state_code",
            Self::Code => "code",
            Self::PublicLaw => "public_law",
            Self::Stat => "stat",
            Self::SessionLaw => "session_law",
            Self::Register => "register",
            Self::ExecutiveOrder => "executive_order",
            Self::Rule => "rule",
            Self::Act => "act",
            Self::Constitution => "constitution",
            Self::EuAct => "eu_act",
            Self::UkAct => "uk_act",
            Self::UkInstrument => "uk_instrument",
        }
    }
}

/// A statute, regulation or other act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statute {
    /// How the act is cited.
    pub form: StatuteForm,
    /// Name of the act or code, in normal form where a table has one.
    pub act: String,
    /// Title, volume or chapter that stands before the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Sections, articles or rules, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Number of the act, or its first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Year of the act, or of the edition of the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<String>,
    /// Normal form by which two citations of one provision can be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Statute {
    /// Makes a citation of an act that says nothing else yet.
    pub(super) fn of_act(form: StatuteForm, act: impl Into<String>) -> Self {
        Self {
            form,
            act: act.into(),
            title: None,
            section: None,
            number: None,
            year: None,
            key: None,
        }
    }
}

/// An article in a law journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Volume of the journal.
    pub volume: String,
    /// Journal, by its usual abbreviation.
    pub journal: String,
    /// First page of the article.
    pub page: String,
    /// Pages inside the article, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// Year of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<String>,
    /// Normal form by which two citations of one article can be compared.
    pub key: String,
}

/// The name of a court in prose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Court {
    /// Name as written, white space collapsed.
    pub name: String,
    /// Identifier of the court, of courts-db or of our own table; absent where the name fits none or several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub court: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

//! The language of a document's text beside the languages that its model reads.

use std::sync::Arc;

use docket_contract::language::{TextLanguage, UNDETERMINED};
use docket_contract::outcome::Stage;
use docket_engine::infer::manifest::About;
use docket_extract::ExtractedText;
use docket_understand::language::language;

use crate::context::Context;
use crate::disposition::JobError;
use crate::other_language::OtherLanguage;
use crate::serving::Loaded;

/// Tells the language of a text. Refuses a text in a language that the model does not read, where the worker's settings say so.
pub(crate) async fn told(ctx: &Context, model: &Loaded, text: &Arc<ExtractedText>) -> Result<TextLanguage, JobError> {
    let read = text.clone();
    let found = ctx.cpu.run(Stage::Language, move || language(&read.text)).await?;
    let about = &model.manifest().about;
    let told = TextLanguage {
        code: found.map_or(UNDETERMINED, |found| found.code).to_owned(),
        confidence: found.map(|found| found.percent),
        model_reads: about.languages.iter().map(ToString::to_string).collect(),
    };
    match ctx.other_language {
        OtherLanguage::Refuse if told.is_other() => Err(refusal(told, about)),
        OtherLanguage::Refuse | OtherLanguage::Warn => Ok(told),
    }
}

fn refusal(told: TextLanguage, about: &About) -> JobError {
    JobError::OtherLanguage {
        code: told.code,
        model: format!("{}@{}", about.name, about.version),
        reads: told.model_reads.join(", "),
    }
}

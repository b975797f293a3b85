//! The answer to an operator whose action failed.

use docket_http::problem::{ApiError, Kind};

use crate::actions::OperateError;

impl From<OperateError> for ApiError {
    fn from(error: OperateError) -> Self {
        let detail = error.to_string();
        match error {
            OperateError::Store(source) => source.into(),
            // Operators may know what is away.
            OperateError::NotAudited(source) | OperateError::Unrecorded { source, .. } => {
                Self::from(source).saying(sentence(&detail))
            }
            OperateError::PerhapsThere(_) => Self::new(Kind::UNAVAILABLE, sentence(&detail)),
            OperateError::NoSuch(_) => Self::new(Kind::NOT_FOUND, sentence(&detail)),
            OperateError::NotTold(source) => Self::from(source).saying(sentence(&detail)),
        }
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}

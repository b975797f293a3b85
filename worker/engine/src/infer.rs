//! Running a model: its folder (`manifest`), its labels (`labels`), onnxruntime (`session`) and the threads that own the sessions
//! (`engine`). Nothing here knows where windows come from or where their scores go.

pub mod engine;
pub mod labels;
pub mod manifest;
pub mod session;

use std::sync::Arc;

/// Why a window got no scores. Every job with a window in the failed pass gets a clone.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InferError {
    /// The model takes no more work: it is being unloaded, or one of its sessions fails every job.
    #[error("the model has been stopped")]
    Stopped,
    /// A panic ended the pass.
    #[error("a pass through the model panicked")]
    Panicked,
    /// onnxruntime failed.
    #[error("run the model")]
    Run(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The output is no 32-bit float tensor of rows x tokens x labels.
    #[error("the model answered in the shape {got:?} instead of {expected:?}")]
    Shape {
        /// Rows, tokens and labels.
        expected: [usize; 3],
        /// Shape of the output.
        got: Vec<i64>,
    },
    /// A score is infinite or no number, so no label can be read.
    #[error("the model answered with scores that are no numbers")]
    NotFinite,
}

//! Running a model: its folder (`manifest`), its labels (`labels`), onnxruntime (`session`) and the threads that own it
//! (`engine`). Nothing here knows where windows come from or what becomes of their scores.

pub mod engine;
pub mod labels;
pub mod manifest;
pub mod session;

use std::sync::Arc;

/// Why a window got no scores. Cloned to every job that had a window in the same pass.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InferError {
    /// The model takes no more work: it is being unloaded, or one of its sessions fails whatever it is given.
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
        /// Rows, tokens, labels.
        expected: [usize; 3],
        /// What came.
        got: Vec<i64>,
    },
    /// A score is infinite or no number: nothing can be read from it.
    #[error("the model answered with scores that are no numbers")]
    NotFinite,
}

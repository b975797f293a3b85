//! A message for tests of the broker.

use docket_shared::ids::{JobId, ModelName};
use docket_shared::job::AnalyzeDocument;

/// The message of a job that no shard has.
pub fn job_message(model: ModelName) -> AnalyzeDocument {
    AnalyzeDocument {
        bucket: 1,
        job_id: JobId::generate(),
        client_id: "acme".parse().expect("it is a client's id"),
        model,
        trace_parent: None,
    }
}

//! A message for tests of the broker.

use docket_contract::ids::{JobId, ModelName};
use docket_contract::job::AnalyzeDocument;

/// A message that names a job of no shard.
pub fn job_message(model: ModelName) -> AnalyzeDocument {
    AnalyzeDocument {
        bucket: 1,
        job_id: JobId::generate(),
        client_id: "acme".parse().expect("it is a client's id"),
        model,
        trace_parent: None,
    }
}

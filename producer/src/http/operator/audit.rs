//! What operators did.

use axum::Json;

use super::super::error::ApiError;
use super::super::extract::Params;
use super::super::openapi::OperatorListProblems;
use super::PageQuery;
use crate::operate::Operations;
use crate::operate::audit::AuditEntries;

/// Audit
///
/// What operators did by commands and over HTTP, newest first, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/operator/audit",
    operation_id = "list_audit",
    tag = "audit",
    params(PageQuery),
    responses((status = 200, description = "A page of actions.", body = AuditEntries), OperatorListProblems)
)]
pub async fn list(operations: Operations, Params(page): Params<PageQuery>) -> Result<Json<AuditEntries>, ApiError> {
    Ok(Json(operations.audit(page.cursor, page.limit()?).await?))
}

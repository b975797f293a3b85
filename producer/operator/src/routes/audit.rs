//! What operators did.

use axum::Json;

use crate::actions::Operations;
use crate::actions::audit::AuditEntries;
use crate::routes::PageQuery;
use crate::routes::problems::OperatorListProblems;
use docket_http::extract::Params;
use docket_http::problem::ApiError;

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

//! The problems that each kind of operators' route can answer.

use docket_http::problem::Kind;
use docket_http::problems;

problems!(
    /// Listing something for operators.
    OperatorListProblems:
    Kind::NOT_OPERATOR,
);
problems!(
    /// Naming something in the path or in a filter.
    OperatorNamedProblems:
    Kind::NOT_OPERATOR,
    Kind::NOT_FOUND,
);
problems!(
    /// Asking for an action in a body.
    OperatorActionProblems:
    Kind::NOT_OPERATOR,
    Kind::NOT_FOUND,
    Kind::BODY_TIMED_OUT,
    Kind::INVALID_FIELD,
);

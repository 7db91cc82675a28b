//! What goes to the database and what comes back, as text.

/// One statement with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// SQL with `$1`…; every parameter is cast from text, every column of the result is text.
    pub sql: String,
    /// The parameters; `None` is NULL.
    pub params: Vec<Option<String>>,
}

impl Statement {
    pub(crate) fn new(sql: impl Into<String>, params: Vec<Option<String>>) -> Self {
        Self { sql: sql.into(), params }
    }
}

/// One row of a result: its columns as text, `None` for NULL.
pub type Columns = Vec<Option<String>>;

/// What one statement came to.
pub type StatementResult = Result<Vec<Columns>, DbError>;

/// An error that the database reported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (SQLSTATE {sqlstate})")]
pub struct DbError {
    /// Five characters, such as `KT409`. A connection that failed is `08006`.
    pub sqlstate: String,
    /// For the log, never for the caller.
    pub message: String,
    /// DETAIL, where the codes of kontract put the facts.
    pub detail: Option<String>,
}

impl DbError {
    /// What stands for a result that is longer than `limits::RESULT_LEN_MAX`, by itself or with those before it.
    pub fn too_large() -> Self {
        let message = "the result is too large".to_owned();
        Self { sqlstate: "KT413".to_owned(), message, detail: None }
    }
}

/// Names one `Step::Send` until its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

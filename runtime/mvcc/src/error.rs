//! Why a storage operation or a commit failed, split by whose fault it is.

use kontract_wire::error::ErrorCode;
use kontract_wire::perm::Perms;
use serde::Deserialize;

use crate::limits::RESULT_LEN_MAX;
use crate::sql::unhex;
use crate::statement::DbError;

/// A refusal or a failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Code names a table that the build does not know, or this owner does not have.
    #[error("there is no table {0}")]
    NoTable(String),
    /// The endpoint's bits, or the owner's for this table, do not allow it.
    #[error("{needed} is needed on {table}")]
    PermissionDenied {
        /// Name of the table; empty where only the database knows.
        table: String,
        /// The missing bits.
        needed: Perms,
    },
    /// The owner's rights on a table do not allow the commit.
    #[error("the owner's permissions do not allow this commit")]
    CommitDenied,
    /// A row that exists would get another value in a read-only field.
    #[error("{field} is read-only")]
    ReadonlyField {
        /// Name or ptr of the table.
        table: String,
        /// The field.
        field: String,
    },
    /// Another row has the value that a row would get in a unique field.
    #[error("another row has this {field}")]
    NotUnique {
        /// Ptr of the table.
        table: String,
        /// The field.
        field: String,
    },
    /// `update` of a row that does not exist.
    #[error("there is no row {key} in {table}")]
    NotFound {
        /// Name of the table.
        table: String,
        /// The key.
        key: String,
    },
    /// A key, row, patch or pattern that cannot be stored or looked for.
    #[error("{0}")]
    BadValue(&'static str),
    /// A statement of `exec` that the database refuses or that fails in it.
    #[error("exec: {0}")]
    BadStatement(String),
    /// More than `limits` allows.
    #[error("too much for one transaction: {0}")]
    LimitExceeded(&'static str),
    /// A read found more than passes at once.
    #[error(
        "a read has at most {} MiB at once: set a lower `limit`, make the rows smaller, or iterate over the table",
        RESULT_LEN_MAX >> 20
    )]
    ResultTooLarge,
    /// Another call changed what this one read. The whole call runs again, in a new transaction.
    #[error("conflict with another call")]
    Conflict,
    /// This idempotency key was applied before: the handler ends, and the caller gets this answer.
    #[error("already applied")]
    AlreadyApplied(Vec<u8>),
    /// An earlier state was asked for that garbage collection has taken.
    #[error("the state of then is not kept any more")]
    NotKept,
    /// The credential is forged or expired.
    #[error("the database refused the credential")]
    Unauthenticated,
    /// The session expired, or the owner's rights changed while it was open.
    #[error("the transaction's session has ended")]
    SessionEnded,
    /// The database must be rebased, or has no identity key yet.
    #[error("the database is not ready: {0}")]
    NotReady(String),
    /// The database cannot be reached or took too long.
    #[error("the database is unavailable: {0}")]
    Unavailable(DbError),
    /// The database reported what it should not have.
    #[error("unexpected database error: {0}")]
    Unexpected(DbError),
    /// The calling code is wrong, not its caller.
    #[error("misuse of a transaction: {0}")]
    Misuse(&'static str),
}

impl TransactionError {
    /// Whether a new transaction may succeed with the same call.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Conflict)
    }

    /// What the client is told.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::PermissionDenied { .. } | Self::CommitDenied | Self::ReadonlyField { .. } => {
                ErrorCode::PermissionDenied
            }
            Self::NotFound { .. } | Self::NotKept => ErrorCode::NotFound,
            Self::BadValue(_) | Self::LimitExceeded(_) | Self::ResultTooLarge => ErrorCode::InvalidRequest,
            Self::NotUnique { .. } => ErrorCode::NotUnique,
            Self::Conflict | Self::AlreadyApplied(_) => ErrorCode::Conflict,
            Self::Unauthenticated => ErrorCode::Unauthorized,
            Self::SessionEnded | Self::NotReady(_) | Self::Unavailable(_) => ErrorCode::Unavailable,
            Self::NoTable(_) | Self::BadStatement(_) | Self::Unexpected(_) | Self::Misuse(_) => {
                ErrorCode::Internal
            }
        }
    }

    /// From an error of `kt.start`, where a session that is refused means the credential was.
    pub(crate) fn of_begin(error: DbError) -> Self {
        match error.sqlstate.as_str() {
            "KT400" => Self::BadValue("this is not a snapshot"),
            "KT401" => Self::Unauthenticated,
            "KT410" => Self::NotKept,
            _ => Self::of(error, "", Perms::NONE),
        }
    }

    /// From an error of a read of `table`.
    pub(crate) fn of_read(error: DbError, table: &str) -> Self {
        match error.sqlstate.as_str() {
            "KT400" => Self::BadValue("there is no row with the key that the page starts after"),
            _ => Self::of(error, table, Perms::R),
        }
    }

    /// From an error of `kt.exec` on `table`: classes 0A to 54 are about the statement, which took too long in 57014.
    pub(crate) fn of_exec(error: DbError, table: &str) -> Self {
        let of_statement = ["0A", "21", "22", "23", "2F", "38", "39", "42", "44", "54", "P0"];
        match error.sqlstate.as_str() {
            "KT403" if error.detail.as_deref() == Some("write") => Self::of(error, table, Perms::W),
            "KT400" | "57014" => Self::BadStatement(error.message),
            state if of_statement.iter().any(|class| state.starts_with(class)) => {
                Self::BadStatement(error.message)
            }
            _ => Self::of(error, table, Perms::R),
        }
    }

    /// From an error of `kt.commit`.
    pub(crate) fn of_commit(error: DbError) -> Self {
        match error.sqlstate.as_str() {
            "KT403" => match refused(&error) {
                Some(Refused { t, field }) => Self::ReadonlyField { table: t, field },
                None => Self::CommitDenied,
            },
            "KT422" => match refused(&error) {
                Some(Refused { t, field }) => Self::NotUnique { table: t, field },
                None => Self::Unexpected(error),
            },
            "KT208" => match error.detail.as_deref().and_then(unhex) {
                Some(answer) => Self::AlreadyApplied(answer),
                None => Self::Unexpected(error),
            },
            _ => Self::of(error, "", Perms::NONE),
        }
    }

    fn of(error: DbError, table: &str, needed: Perms) -> Self {
        match error.sqlstate.as_str() {
            "KT401" if error.detail.as_deref() == Some("credential") => Self::Unauthenticated,
            "KT401" => Self::SessionEnded,
            "KT403" => Self::PermissionDenied { table: table.to_owned(), needed },
            "KT404" => Self::NoTable(table.to_owned()),
            // A deadlock, a lock that took too long or no room for one: other calls are in the way, as in a conflict.
            "KT409" | "40001" | "40P01" | "53200" | "55P03" => Self::Conflict,
            "KT413" => Self::ResultTooLarge,
            "KT503" => Self::NotReady(error.message),
            state if state.starts_with("08") || state.starts_with("57") || state.starts_with("53") => {
                Self::Unavailable(error)
            }
            _ => Self::Unexpected(error),
        }
    }
}

/// What a conflict was about: `ptr/key`, or the ptr where it was not about one row.
pub(crate) fn contested(error: &DbError) -> Option<String> {
    let Met { t, key } =
        serde_json::from_str(error.detail.as_deref().filter(|_| error.sqlstate == "KT409")?).ok()?;
    Some(key.map_or(t.clone(), |key| format!("{t}/{key}")))
}

/// DETAIL of a conflict.
#[derive(Deserialize)]
struct Met {
    t: String,
    key: Option<String>,
}

fn refused(error: &DbError) -> Option<Refused> {
    serde_json::from_str(error.detail.as_deref()?).ok()
}

/// DETAIL where a commit is refused for the value of a field.
#[derive(Deserialize)]
struct Refused {
    t: String,
    field: String,
}

#[cfg(test)]
mod tests {
    use super::TransactionError;
    use crate::statement::DbError;

    fn of(sqlstate: &str) -> TransactionError {
        let error = DbError { sqlstate: sqlstate.into(), message: String::new(), detail: None };
        TransactionError::of_commit(error)
    }

    #[test]
    fn what_others_hold_is_a_conflict_and_no_lost_database() {
        for sqlstate in ["KT409", "40001", "40P01", "53200", "55P03"] {
            assert_eq!(of(sqlstate), TransactionError::Conflict, "{sqlstate}");
        }
        for sqlstate in ["08006", "53100", "53300", "57P01"] {
            assert!(matches!(of(sqlstate), TransactionError::Unavailable(_)), "{sqlstate}");
        }
    }
}

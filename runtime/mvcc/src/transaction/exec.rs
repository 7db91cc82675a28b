//! `exec`: a statement of the application's on one table. The database runs it over the snapshot and the transaction's own
//! writes, and says what it wants written; that joins the own writes here.

use kontract_wire::perm::Perms;
use serde_json::Value;

use super::reads::Read;
use super::{Step, Transaction};
use crate::error::TransactionError;
use crate::limits::{PARAMETERS_MAX, PAYLOAD_LEN_MAX, STATEMENT_LEN_MAX};
use crate::row::Row;
use crate::sql;
use crate::state::{Predicate, TableState};
use crate::statement::Statement;

impl Transaction {
    /// Runs one statement that sees this table only, with texts as `$1`…; its rows as a JSON array of objects. It may write
    /// where the endpoint has W (and delete where it has X). Every row of the table counts as read.
    ///
    /// # Errors
    /// [`TransactionError`], before anything is sent; [`TransactionError::BadStatement`] from [`answer`](Self::answer).
    pub fn exec(
        &mut self,
        table: &str,
        statement: &str,
        params: Vec<Option<String>>,
    ) -> Result<Step, TransactionError> {
        self.enter(table, Perms::R)?;
        if statement.chars().count() > STATEMENT_LEN_MAX {
            return Err(TransactionError::LimitExceeded("length of a statement"));
        }
        if params.len() > PARAMETERS_MAX {
            return Err(TransactionError::LimitExceeded("parameters of a statement"));
        }
        let has_nul = |text: &str| text.contains('\0');
        if has_nul(statement) || params.iter().flatten().any(|param| has_nul(param)) {
            return Err(TransactionError::BadValue("PostgreSQL stores no NUL character in text"));
        }
        self.state(table).record_predicate(Predicate::All)?;
        self.send(table, Vec::new(), Read::Exec { statement: statement.to_owned(), params })
    }

    pub(super) fn exec_statement(
        &self,
        table: &str,
        statement: &str,
        params: &[Option<String>],
    ) -> Result<Statement, TransactionError> {
        let own = self
            .states
            .get(table)
            .map_or_else(|| Value::Object(serde_json::Map::new()), TableState::own_rows);
        let (own, params) = (own.to_string(), Value::from(params.to_vec()).to_string());
        if own.len() > PAYLOAD_LEN_MAX || params.len() > PAYLOAD_LEN_MAX {
            return Err(TransactionError::LimitExceeded("length of a statement's parameters and own writes"));
        }
        Ok(sql::exec(self.sid, table, statement, params, own, self.perms.contains(Perms::W)))
    }

    /// Takes what a statement wants written, `[[key, row or null]…]`, as if the endpoint had set and deleted it; all or
    /// nothing.
    pub(super) fn take_changes(&mut self, table: &str, changes: &str) -> Result<(), TransactionError> {
        let misread = TransactionError::Misuse("not the result of this statement");
        let changes: Vec<(String, Option<Value>)> = serde_json::from_str(changes).map_err(|_| misread)?;
        let mut rows = Vec::with_capacity(changes.len());
        for (key, row) in changes {
            let needed = if row.is_some() { Perms::W } else { Perms::X };
            let known = self.enter(table, needed)?;
            let row = row.map(|row| Row::parse(&row.to_string())).transpose()?;
            if let Some(row) = &row {
                if row.key(&known.key)? != key {
                    return Err(TransactionError::BadStatement("the key of a row is not its id".to_owned()));
                }
                if let Some(field) = self.state(table).changed_readonly(&key, row, false, &known.readonly)? {
                    return Err(TransactionError::ReadonlyField {
                        table: table.to_owned(),
                        field: field.clone(),
                    });
                }
            }
            rows.push((key, row));
        }
        let state = self.state(table);
        rows.into_iter().try_for_each(|(key, row)| match row {
            Some(row) => state.store(key, row, false),
            None => state.delete(key),
        })
    }
}

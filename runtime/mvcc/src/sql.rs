//! The SQL of storage: what is installed in a database, and the statements that call it.
//!
//! Every parameter is sent as text and cast in the statement, every result is cast to text: a driver needs to know nothing.

use crate::credential::{Credential, Sid};
use crate::filter::{Filter, Find};
use crate::payload::OneRow;
use crate::statement::Statement;
use crate::table::Ptr;

/// The script that installs or renews storage in the current database. To be run as a superuser, in one transaction; running
/// it again changes nothing.
pub fn install() -> String {
    let template = |name: &str, text: &str| {
        format!(
            "SET LOCAL ROLE kt_owner;\nCREATE OR REPLACE FUNCTION kt_priv.{name}() RETURNS text LANGUAGE sql IMMUTABLE \
             AS $template$ SELECT $table${text}$table$ $template$;\nRESET ROLE;\n"
        )
    };
    [
        include_str!("../sql/00_roles.sql"),
        include_str!("../sql/05_restored.sql"),
        include_str!("../sql/10_tables.sql"),
        include_str!("../sql/15_callers.sql"),
        include_str!("../sql/20_session.sql"),
        include_str!("../sql/25_filter.sql"),
        include_str!("../sql/30_commit.sql"),
        include_str!("../sql/35_exec.sql"),
        &template("table_template", include_str!("../sql/40_table.sql")),
        &template("tenants_template", include_str!("../sql/41_tenants.sql")),
        include_str!("../sql/50_provision.sql"),
        include_str!("../sql/60_upkeep.sql"),
    ]
    .concat()
}

/// Whom a read is for: an open session, or the owner that a credential proves, at the state at which the statement runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reader<'a> {
    Session(Sid),
    Alone(&'a Credential),
}

impl Reader<'_> {
    /// Calls a read function: `columns` is SQL with `@` for the call, each argument is SQL with `$` for its parameter.
    fn read(self, columns: &str, function: &str, ptr: &Ptr, args: Vec<(&str, Option<String>)>) -> Statement {
        let places: String = (2..)
            .zip(&args)
            .map(|(at, (cast, _))| format!(", {}", cast.replace('$', &format!("${at}"))))
            .collect();
        let (sid, who) = match self {
            Self::Session(sid) => (Some(sid.to_string()), None),
            Self::Alone(credential) => (None, Some(who(credential))),
        };
        let alone = who.as_ref().map_or_else(String::new, |_| format!(", ${}::text", args.len() + 2));
        let call = format!("kt.{function}_{ptr}($1::text::uuid{places}{alone})");
        let sql = format!("SELECT {}", columns.replace('@', &call));
        let params = std::iter::once(sid).chain(args.into_iter().map(|(_, value)| value));
        Statement::new(sql, params.chain(who.map(Some)).collect())
    }
}

/// A credential in one piece.
fn who(Credential { owner, expires_at_s, mac }: &Credential) -> String {
    format!("{}{owner}.{expires_at_s}", hex(mac))
}

/// `from` is what a read without a session said, with which this one goes on.
pub(crate) fn begin(
    credential: &Credential,
    sid: Sid,
    idempotency_key: Option<&[u8; 16]>,
    at: Option<&str>,
    from: Option<&str>,
) -> Statement {
    Statement::new(
        "SELECT snap, answer FROM kt.start($1::text, $2::text::bigint, decode($3::text, 'hex'), $4::text::uuid, \
         decode($5::text, 'hex'), p_at => $6::text, p_from => $7::text)",
        vec![
            Some(credential.owner.clone()),
            Some(credential.expires_at_s.to_string()),
            Some(hex(&credential.mac)),
            Some(sid.to_string()),
            idempotency_key.map(|key| hex(key)),
            at.map(str::to_owned),
            from.map(str::to_owned),
        ],
    )
}

/// One row without a session. One column: what `kt.here` says, and on the next line the row or nothing.
pub(crate) fn look(
    credential: &Credential,
    ptr: &Ptr,
    key: &str,
    idempotency_key: Option<&[u8; 16]>,
) -> Statement {
    let mut params = vec![Some(key.to_owned()), Some(who(credential))];
    let known = idempotency_key.map_or("", |key| {
        params.push(Some(hex(key)));
        ", decode($3::text, 'hex')"
    });
    Statement::new(format!("SELECT kt.look_{ptr}($1::text, $2::text{known})"), params)
}

/// A read without a session, after a first row that has what `kt.here` says in its first column.
pub(crate) fn look_with(
    read: Statement,
    columns: usize,
    credential: &Credential,
    idempotency_key: Option<&[u8; 16]>,
) -> Statement {
    let Statement { sql, mut params } = read;
    params.push(Some(who(credential)));
    params.push(idempotency_key.map(|key| hex(key)));
    let (who, key) = (params.len() - 1, params.len());
    let rest = ", NULL".repeat(columns.saturating_sub(1));
    Statement::new(
        format!("SELECT kt.here(${who}::text, decode(${key}::text, 'hex')){rest} UNION ALL {sql}"),
        params,
    )
}

pub(crate) fn get(sid: Sid, ptr: &Ptr, key: &str) -> Statement {
    Statement::new(
        format!("SELECT kt.get_{ptr}($1::text::uuid, $2::text)::text"),
        vec![Some(sid.to_string()), Some(key.to_owned())],
    )
}

/// `keys` is a JSON array of strings. Columns: id, row.
pub(crate) fn mget(reader: Reader<'_>, ptr: &Ptr, keys: String) -> Statement {
    let array = "ARRAY(SELECT jsonb_array_elements_text($::text::jsonb))";
    reader.read("id, data::text FROM @", "mget", ptr, vec![(array, Some(keys))])
}

/// Columns: id, row, its place, the place it was read after.
pub(crate) fn list(reader: Reader<'_>, ptr: &Ptr, after: Option<&str>, limit: usize) -> Statement {
    let args = vec![("$::text", after.map(str::to_owned)), ("$::text::int", Some(limit.to_string()))];
    reader.read("id, data::text, _order::text, _after::text FROM @", "list", ptr, args)
}

/// Rows behind a place, as [`list`].
pub(crate) fn list_behind(reader: Reader<'_>, ptr: &Ptr, place: Option<i64>, limit: usize) -> Statement {
    let Some(place) = place else { return list(reader, ptr, None, limit) };
    let limit = ("$::text::int", Some(limit.to_string()));
    let args = vec![("$::text", None), limit, ("p_place => $::text::bigint", Some(place.to_string()))];
    reader.read("id, data::text, _order::text, _after::text FROM @", "list", ptr, args)
}

/// From the end. Columns: id, row, its place.
pub(crate) fn last(reader: Reader<'_>, ptr: &Ptr, limit: usize) -> Statement {
    let args = vec![("$::text::int", Some(limit.to_string()))];
    reader.read("id, data::text, _order::text FROM @", "last", ptr, args)
}

/// One column: versions as a JSON array, the latest first.
pub(crate) fn history(sid: Sid, ptr: &Ptr, key: &str, limit: usize) -> Statement {
    Statement::new(
        format!(
            "SELECT coalesce(jsonb_agg(jsonb_build_object('version', _version, 'row', data, \
             'at', floor(extract(epoch FROM _at) * 1000), 'until', floor(extract(epoch FROM _until) * 1000), \
             'ended', _ended)), '[]')::text FROM kt.history_{ptr}($1::text::uuid, $2::text, $3::text::int)"
        ),
        vec![Some(sid.to_string()), Some(key.to_owned()), Some(limit.to_string())],
    )
}

/// Columns: id, row.
pub(crate) fn query(reader: Reader<'_>, ptr: &Ptr, find: &Find, limit: usize) -> Statement {
    let args = vec![
        ("$::text::jsonb", Some(find.filter.pattern().to_string())),
        ("$::text::jsonb", find.filter.rest().map(|rest| rest.to_string())),
        ("$::text", find.order.as_ref().map(|order| order.field.clone())),
        ("$::text::bool", Some(find.order.as_ref().is_some_and(|order| order.descending).to_string())),
        ("$::text", find.after.clone()),
        ("$::text::int", Some(limit.to_string())),
    ];
    reader.read("id, data::text FROM @", "query", ptr, args)
}

/// One column, a number.
pub(crate) fn count(reader: Reader<'_>, ptr: &Ptr, filter: &Filter) -> Statement {
    let pattern = (!filter.is_all()).then(|| filter.pattern().to_string());
    let rest = filter.rest().map(|rest| rest.to_string());
    reader.read("@::text", "count", ptr, vec![("$::text::jsonb", pattern), ("$::text::jsonb", rest)])
}

/// A statement of the application's on the table it calls `name`. `args` is a JSON array of texts and nulls, `own` an object of
/// what the transaction has written. Columns: the rows and the changes, each as a JSON array.
pub(crate) fn exec(
    sid: Sid,
    name: &str,
    statement: &str,
    args: String,
    own: String,
    may_write: bool,
) -> Statement {
    Statement::new(
        "SELECT answer::text, changes::text FROM kt.exec($1::text::uuid, $2::text, $3::text, \
         ARRAY(SELECT a.value #>> '{}' FROM jsonb_array_elements($4::text::jsonb) WITH ORDINALITY a ORDER BY a.ordinality), \
         $5::text::jsonb, $6::text::bool)",
        vec![
            Some(sid.to_string()),
            Some(name.to_owned()),
            Some(statement.to_owned()),
            Some(args),
            Some(own),
            Some(may_write.to_string()),
        ],
    )
}

/// `alone` where no session is open: whose commit it is, and what the read before said if there was one.
pub(crate) fn commit(
    sid: Sid,
    payload: String,
    ledger: Option<(&[u8; 16], &[u8])>,
    alone: Option<(&Credential, Option<&str>)>,
) -> Statement {
    let mut params = vec![
        Some(sid.to_string()),
        Some(payload),
        ledger.map(|(key, _)| hex(key)),
        ledger.map(|(_, answer)| hex(answer)),
    ];
    let rest = alone.map_or("", |(credential, from)| {
        params.extend([Some(who(credential)), from.map(str::to_owned)]);
        ", $5::text, $6::text"
    });
    let sql = format!(
        "SELECT kt.commit($1::text::uuid, $2::text::jsonb, decode($3::text, 'hex'), decode($4::text, 'hex'){rest})"
    );
    Statement::new(sql, params)
}

/// The commit of one row after no read or one of that row; `from` is what that read said.
pub(crate) fn store(
    sid: Sid,
    one: OneRow<'_>,
    ledger: Option<(&[u8; 16], &[u8])>,
    credential: &Credential,
    from: Option<&str>,
) -> Statement {
    let OneRow { ptr, table, kind, key, row, is_read } = one;
    let mut params = vec![
        Some(sid.to_string()),
        Some(who(credential)),
        from.map(str::to_owned),
        Some(table.to_owned()),
        Some(kind.to_owned()),
        Some(key.to_owned()),
        Some(row),
        Some(is_read.to_string()),
    ];
    let remembered = ledger.map_or("", |(key, answer)| {
        params.extend([Some(hex(key)), Some(hex(answer))]);
        ", decode($9::text, 'hex'), decode($10::text, 'hex')"
    });
    let sql = format!(
        "SELECT kt.store_{ptr}($1::text::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text::jsonb, \
         $8::text::bool{remembered})"
    );
    Statement::new(sql, params)
}

pub(crate) fn abort(sid: Sid) -> Statement {
    Statement::new("SELECT kt.abort($1::text::uuid)", vec![Some(sid.to_string())])
}

/// One step of garbage collection. Columns: how many rows went, and whether another step would find more.
pub fn collect() -> Statement {
    Statement::new("SELECT removed::text, more::text FROM kt.collect()", Vec::new())
}

/// Lower-case hexadecimal, as PostgreSQL's `encode` and `decode` have it.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes of hexadecimal text; `None` when it is not.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::{hex, install, unhex};
    use crate::limits::RESULT_LEN_MAX;

    #[test]
    fn hex_goes_both_ways() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        assert_eq!(hex(&[0, 0xa5]), "00a5");
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex("zz"), None);
    }

    #[test]
    fn statements_of_exec_return_no_more_than_passes() {
        let bound = format!("p_size > {RESULT_LEN_MAX} THEN");
        assert!(install().contains(&bound), "{bound}");
    }

    #[test]
    fn every_function_fixes_its_search_path() {
        // A function that runs with its owner's rights and the caller's search_path can be made to call the caller's code.
        let script = install();
        for function in script.split("CREATE OR REPLACE FUNCTION ").skip(1) {
            let name = function.split('(').next().unwrap_or_default();
            let head = function.split(" AS $").next().unwrap_or_default();
            let fixed = head.contains("SET search_path = pg_catalog, pg_temp");
            // Parsed when it is made, or without any name in it.
            let needs_none =
                ["kt_priv.proves", "kt_priv.table_template", "kt_priv.tenants_template"].contains(&name);
            assert!(fixed || needs_none, "{name}");
        }
    }
}

//! tokio-postgres over a socket that JavaScript owns.
//!
//! A Durable Object opens the socket, pushes what it reads into [`PostgresSocket`] and writes what it is told to.
//! Statements of one batch are written before the first answer is awaited, so a batch costs one round trip.

use crate::statements::{self, encoded_len};
use futures_util::StreamExt;
use kontract_mvcc::limits::RESULT_LEN_MAX;
use kontract_mvcc::statement::{Columns, DbError, Statement, StatementResult};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, NoTls};
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

/// Both directions of a byte stream between the driver and JavaScript.
#[wasm_bindgen]
pub struct PostgresSocket {
    pipe: Pipe,
}

#[wasm_bindgen]
impl PostgresSocket {
    /// `send(bytes)` is called with what the driver wants written.
    #[wasm_bindgen(constructor)]
    pub fn new(send: js_sys::Function) -> Self {
        Self { pipe: Pipe(Rc::new(RefCell::new(Buffers::new(send)))) }
    }

    /// Bytes that arrived.
    pub fn push(&self, bytes: &[u8]) {
        self.pipe.wake(|buffers| buffers.received.extend(bytes));
    }

    /// The stream has ended; queries under way fail.
    pub fn end(&self) {
        self.pipe.wake(|buffers| buffers.ended = true);
    }

    /// Logs in.
    ///
    /// # Errors
    /// The server's refusal, or that the stream ended.
    pub async fn connect(
        &self,
        user: String,
        password: String,
        database: String,
    ) -> Result<Postgres, JsError> {
        let stream = self.pipe.clone();
        let mut config = Config::new();
        config.user(user).password(password).dbname(database).application_name("kontract gateway");
        let (client, connection) =
            config.connect_raw(stream, NoTls).await.map_err(|error| JsError::new(&describe(&error)))?;
        wasm_bindgen_futures::spawn_local(async move {
            // The client reports the same end of the connection to whoever has a query under way.
            let _ended: Result<(), tokio_postgres::Error> = connection.await;
        });
        Ok(Postgres { client: Rc::new(client) })
    }
}

/// A logged-in connection. Batches may be started while others are under way.
#[wasm_bindgen]
pub struct Postgres {
    client: Rc<Client>,
}

#[wasm_bindgen]
impl Postgres {
    /// Runs statements, given and answered as JSON (see `statements`), in one round trip, each in a transaction of its
    /// own.
    ///
    /// # Errors
    /// Rejects when the connection is lost; a statement that fails is an answer like any other.
    pub async fn run(&self, statements: String) -> Result<String, JsError> {
        let statements = statements::from_json(&statements)?;
        let room = Cell::new(RESULT_LEN_MAX);
        let answers = futures_util::future::join_all(
            statements.iter().map(|statement| run_one(&self.client, statement, &room)),
        );
        let answers = answers.await.into_iter().collect::<Result<Vec<StatementResult>, JsError>>()?;
        Ok(statements::results_to_json(answers))
    }
}

/// `room` is what is left for the results of the batch. The rest of one that does not fit is read and forgotten.
async fn run_one(
    client: &Client,
    statement: &Statement,
    room: &Cell<usize>,
) -> Result<StatementResult, JsError> {
    match rows(client, statement, room.get()).await {
        Ok(Some((rows, len))) => {
            room.set(room.get().saturating_sub(len));
            Ok(Ok(rows))
        }
        Ok(None) => Ok(Err(DbError::too_large())),
        Err(error) => match error.as_db_error() {
            Some(refusal) => Ok(Err(DbError {
                sqlstate: refusal.code().code().to_owned(),
                message: refusal.message().to_owned(),
                detail: refusal.detail().map(str::to_owned),
            })),
            None => Err(JsError::new(&describe(&error))),
        },
    }
}

/// The rows of a statement and their length as JSON; `None` when that is more than `room`.
async fn rows(
    client: &Client,
    Statement { sql, params }: &Statement,
    room: usize,
) -> Result<Option<(Vec<Columns>, usize)>, tokio_postgres::Error> {
    let params = params.iter().map(|text| (text, Type::TEXT));
    let mut stream = pin!(client.query_typed_raw(sql, params).await?);
    let (mut rows, mut len) = (Vec::new(), 0);
    while let Some(row) = stream.as_mut().next().await {
        let columns = texts(&row?)?;
        len +=
            columns.iter().map(|text| SEPARATORS_LEN + text.as_deref().map_or(0, encoded_len)).sum::<usize>();
        if len > room {
            return Ok(None);
        }
        rows.push(columns);
    }
    Ok(Some((rows, len)))
}

/// A row's columns; every statement casts them to text.
fn texts(row: &tokio_postgres::Row) -> Result<Columns, tokio_postgres::Error> {
    (0..row.len()).map(|column| row.try_get(column)).collect()
}

/// Quotes, comma and brackets around a column; `null`.
const SEPARATORS_LEN: usize = 6;

/// An error with its causes on one line.
fn describe(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

struct Buffers {
    received: VecDeque<u8>,
    reader: Option<Waker>,
    ended: bool,
    unsent: Vec<u8>,
    send: js_sys::Function,
}

impl Buffers {
    fn new(send: js_sys::Function) -> Self {
        Self { received: VecDeque::new(), reader: None, ended: false, unsent: Vec::new(), send }
    }
}

#[derive(Clone)]
struct Pipe(Rc<RefCell<Buffers>>);

impl Pipe {
    /// Changes the buffers and wakes the reader after the borrow has ended, because a wake may poll at once.
    fn wake(&self, change: impl FnOnce(&mut Buffers)) {
        let reader = {
            let mut buffers = self.0.borrow_mut();
            change(&mut buffers);
            buffers.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut buffers = self.0.borrow_mut();
        if buffers.received.is_empty() {
            if buffers.ended {
                return Poll::Ready(Ok(()));
            }
            buffers.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let (front, _) = buffers.received.as_slices();
        let taken = front.len().min(into.remaining());
        into.put_slice(&front[..taken]);
        buffers.received.drain(..taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().unsent.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (bytes, send) = {
            let mut buffers = self.0.borrow_mut();
            if buffers.unsent.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let bytes = js_sys::Uint8Array::from(buffers.unsent.as_slice());
            buffers.unsent.clear();
            (bytes, buffers.send.clone())
        };
        send.call1(&JsValue::NULL, &bytes).map_err(|error| io::Error::other(format!("{error:?}")))?;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

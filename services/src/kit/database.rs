//! A service's tables, in PostgreSQL or in an SQLite file.
//!
//! Statements are written once, for PostgreSQL; `Database::query` takes off what SQLite does not know (casts, row
//! locks). Nothing is connected before it is needed, and a store that is away is a 503 until it comes back.

use std::time::Duration;

use sqlx::any::{Any, AnyArguments, AnyPoolOptions, AnyRow};
use sqlx::migrate::Migrator;
use sqlx::query::Query;
use sqlx::{AnyPool, AssertSqlSafe, Executor, Transaction};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

use super::fault::Fault;

/// How long a request waits for a connection.
const WAIT: Duration = Duration::from_secs(5);

/// Tables of one service.
pub struct Database {
    url: String,
    schema: &'static str,
    migrations: &'static Migrator,
    pool: OnceCell<AnyPool>,
    /// SQLite has one writer at a time; writers queue here in order rather than poll the file's lock.
    writer: Option<Mutex<()>>,
}

/// Migrations of both dialects.
pub struct Migrations {
    /// For PostgreSQL.
    pub postgres: &'static Migrator,
    /// For SQLite.
    pub sqlite: &'static Migrator,
}

/// A value to bind.
#[derive(Debug, Clone)]
pub enum Value {
    /// Text, also of dates, guids and JSON, which statements cast.
    Text(Option<String>),
    /// A whole number.
    Number(Option<i64>),
    /// A truth value.
    Flag(bool),
}

/// A transaction. Dropped without [`Change::commit`], nothing happened.
pub struct Change<'a> {
    transaction: Transaction<'a, Any>,
    database: &'a Database,
    _writer: Option<MutexGuard<'a, ()>>,
}

impl Database {
    /// `postgres://user:password@host/database` (tables in `schema`) or `sqlite:FILE`.
    pub fn new(url: &str, schema: &'static str, migrations: &Migrations) -> Result<Self, String> {
        sqlx::any::install_default_drivers();
        let (url, migrations, writer) = match url.strip_prefix("sqlite:") {
            Some(file) => {
                // The driver reads a URL; what it would take for a mark is written as its number.
                let file = file.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
                (format!("sqlite:{file}?mode=rwc"), migrations.sqlite, Some(Mutex::new(())))
            }
            None if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                (url.to_owned(), migrations.postgres, None)
            }
            None => return Err("a store is `postgres://…` or `sqlite:FILE`".to_owned()),
        };
        Ok(Self { url, schema, migrations, pool: OnceCell::new(), writer })
    }

    fn lite(&self) -> bool {
        self.writer.is_some()
    }

    async fn pool(&self) -> Result<&AnyPool, Fault> {
        self.pool.get_or_try_init(|| self.connect()).await.map_err(lost)
    }

    async fn connect(&self) -> Result<AnyPool, sqlx::Error> {
        let (lite, schema) = (self.lite(), self.schema);
        let pool = AnyPoolOptions::new()
            .max_connections(if lite { 4 } else { 16 })
            .acquire_timeout(WAIT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    let settings = if lite {
                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
                         PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON"
                            .to_owned()
                    } else {
                        format!(
                            "SET search_path TO {schema}; SET TIME ZONE 'UTC';
                             SET client_min_messages TO warning"
                        )
                    };
                    connection.execute(AssertSqlSafe(settings)).await.map(drop)
                })
            })
            .connect(&self.url)
            .await?;
        if !lite {
            // Two starting at once may both find it missing; the migrations that follow take a lock.
            let made = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
            let _ = pool.execute(AssertSqlSafe(made)).await;
        }
        self.migrations.run(&pool).await?;
        Ok(pool)
    }

    /// Whether the store answers; for `/health/ready`.
    pub async fn answers(&self) -> Result<(), String> {
        let pool = self.pool().await.map_err(|_| "the store does not answer".to_owned())?;
        pool.execute("SELECT 1").await.map(drop).map_err(|error| error.to_string())
    }

    /// Ends all connections; what is asked afterwards finds the store away.
    pub async fn close(&self) {
        if let Some(pool) = self.pool.get() {
            pool.close().await;
        }
    }

    fn query<'q>(&self, sql: &str, values: Vec<Value>) -> Query<'q, Any, AnyArguments> {
        let sql = if self.lite() { plain(sql) } else { sql.to_owned() };
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in values {
            query = match value {
                // PostgreSQL keeps no NUL in text, and callers may write one into any string.
                Value::Text(text) => query.bind(text.map(|text| text.replace('\0', "\u{fffd}"))),
                Value::Number(number) => query.bind(number),
                Value::Flag(flag) => query.bind(flag),
            };
        }
        query
    }

    /// The rows of a statement that only reads.
    pub async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<AnyRow>, Fault> {
        self.query(sql, values).fetch_all(self.pool().await?).await.map_err(lost)
    }

    /// Runs one statement that writes, and tells how many rows it touched.
    pub async fn run(&self, sql: &str, values: Vec<Value>) -> Result<u64, Fault> {
        let mut change = self.change().await?;
        let touched = change.run(sql, values).await?;
        change.commit().await?;
        Ok(touched)
    }

    /// Begins a transaction that writes.
    pub async fn change(&self) -> Result<Change<'_>, Fault> {
        let writer = match &self.writer {
            Some(writer) => Some(writer.lock().await),
            None => None,
        };
        let transaction = self.pool().await?.begin().await.map_err(lost)?;
        Ok(Change { transaction, database: self, _writer: writer })
    }
}

impl Change<'_> {
    /// The rows of a statement.
    pub async fn rows(&mut self, sql: &str, values: Vec<Value>) -> Result<Vec<AnyRow>, Fault> {
        self.database.query(sql, values).fetch_all(&mut *self.transaction).await.map_err(lost)
    }

    /// Runs a statement and tells how many rows it touched.
    pub async fn run(&mut self, sql: &str, values: Vec<Value>) -> Result<u64, Fault> {
        let done = self.database.query(sql, values).execute(&mut *self.transaction).await;
        done.map(|done| done.rows_affected()).map_err(lost)
    }

    /// Makes it last.
    pub async fn commit(self) -> Result<(), Fault> {
        self.transaction.commit().await.map_err(lost)
    }
}

/// Takes casts and row locks off a statement.
fn plain(sql: &str) -> String {
    let sql = sql.replace(" FOR UPDATE SKIP LOCKED", "").replace(" FOR UPDATE", "");
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql.as_str();
    while let Some((before, after)) = rest.split_once("::") {
        text.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    }
    text.push_str(rest);
    text
}

/// What a failing store means to the caller. Only faults of statements are faults of this program.
#[must_use]
pub fn lost(error: sqlx::Error) -> Fault {
    match &error {
        sqlx::Error::Database(cause) => {
            let code = cause.code().unwrap_or_default().into_owned();
            // PostgreSQL: connection, resources, operator intervention, serialization; SQLite: busy, full, I/O.
            let passing =
                ["08", "53", "57", "40", "58"].iter().any(|class| code.starts_with(class))
                    && code.len() == 5
                    || matches!(code.as_str(), "5" | "6" | "10" | "13" | "14");
            if passing { Fault::unavailable("The store", error) } else { Fault::internal(error) }
        }
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::Encode(_)
        | sqlx::Error::TypeNotFound { .. } => Fault::internal(error),
        _ => Fault::unavailable("The store", error),
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<uuid::Uuid> for Value {
    fn from(id: uuid::Uuid) -> Self {
        Self::Text(Some(id.to_string()))
    }
}

impl From<super::date::Date> for Value {
    fn from(date: super::date::Date) -> Self {
        Self::Text(Some(date.to_string()))
    }
}

impl From<Option<super::date::Date>> for Value {
    fn from(date: Option<super::date::Date>) -> Self {
        Self::Text(date.map(|date| date.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_sqlite_does_not_know_is_taken_off() {
        assert_eq!(
            plain("SELECT a::text FROM t WHERE b = $1::uuid AND c > $2::timestamptz FOR UPDATE"),
            "SELECT a FROM t WHERE b = $1 AND c > $2"
        );
    }
}

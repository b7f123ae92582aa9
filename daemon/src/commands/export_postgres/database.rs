//! The database: connecting, the tables, and one transaction a plate.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use image_io::container::Container;
use image_io::table::Table;
use postgres::config::SslMode;
use postgres::{Client, Config, NoTls, Transaction};
use serde::Serialize;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::copy::{integer, json, line, text, values};
use super::source::{Level, Made, Source, rectangular};

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// So many bytes of rows are kept before they are sent.
const PIECE: usize = 256 << 10;

/// Made where they are absent, under a lock, because two programs may come at the same time. `{0}` is the schema.
const TABLES: &str = "
CREATE SCHEMA IF NOT EXISTS {0};
CREATE TABLE IF NOT EXISTS {0}.plates (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow    text NOT NULL,
    version     text NOT NULL,
    plate       text NOT NULL,
    wellspring  text,
    path        text NOT NULL,
    exported_at timestamptz NOT NULL,
    UNIQUE (workflow, version, plate)
);
CREATE TABLE IF NOT EXISTS {0}.image_results (
    plate_id    bigint NOT NULL REFERENCES {0}.plates ON DELETE CASCADE,
    table_name  text NOT NULL,
    row         integer NOT NULL,
    site_name   text,
    values      jsonb NOT NULL,
    PRIMARY KEY (plate_id, table_name, row)
);
CREATE INDEX IF NOT EXISTS image_results_site ON {0}.image_results (site_name);
CREATE TABLE IF NOT EXISTS {0}.well_results (
    plate_id    bigint NOT NULL REFERENCES {0}.plates ON DELETE CASCADE,
    table_name  text NOT NULL,
    row         integer NOT NULL,
    well_name   text,
    values      jsonb NOT NULL,
    PRIMARY KEY (plate_id, table_name, row)
);
CREATE INDEX IF NOT EXISTS well_results_well ON {0}.well_results (well_name);
CREATE TABLE IF NOT EXISTS {0}.plate_results (
    plate_id    bigint NOT NULL REFERENCES {0}.plates ON DELETE CASCADE,
    table_name  text NOT NULL,
    row         integer NOT NULL,
    values      jsonb NOT NULL,
    PRIMARY KEY (plate_id, table_name, row)
);
CREATE TABLE IF NOT EXISTS {0}.object_results (
    plate_id    bigint NOT NULL REFERENCES {0}.plates ON DELETE CASCADE,
    container   text NOT NULL,
    table_name  text NOT NULL,
    row         integer NOT NULL,
    label_id    bigint,
    values      jsonb NOT NULL,
    PRIMARY KEY (plate_id, container, table_name, row)
);
";

const OURS: [&str; 5] = [
    "plates",
    "image_results",
    "well_results",
    "plate_results",
    "object_results",
];

/// What is locked while the tables are made: any number that nobody else has.
const MAKING: i64 = 0x5773_7131_0001;

/// Rows written, by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Written {
    pub(super) images: u64,
    pub(super) wells: u64,
    pub(super) plates: u64,
    pub(super) objects: u64,
}

/// What was written, and what it took the place of.
pub(super) struct Replaced {
    pub(super) written: Written,
    /// The folder from which the rows before came, if that was another one.
    pub(super) other: Option<String>,
}

impl Written {
    pub(super) const fn add(&mut self, level: Level, rows: u64) {
        match level {
            Level::Image => self.images += rows,
            Level::Well => self.wells += rows,
            Level::Plate => self.plates += rows,
        }
    }
}

/// A database in which there are our tables.
pub(super) struct Database {
    client: Client,
    config: Config,
    /// The schema's name, and the same quoted.
    name: String,
    schema: String,
}

impl Database {
    /// Connects, and makes the tables that are absent. The address is a secret, and in no error.
    pub(super) fn open(url_file: &Path, schema: &str) -> anyhow::Result<Self> {
        let url = super::read_secret(url_file)?;
        let Ok(mut config) = url.parse::<Config>() else {
            bail!(
                "the first line of `{}` is not the address of a PostgreSQL database; write postgres://user:password@host/database, with ?sslmode=require or ?sslmode=disable at its end where that is wanted",
                url_file.display()
            );
        };
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        config.application_name("wellspring");
        let client = connect(&config)?;
        let mut database = Self {
            client,
            config,
            name: schema.to_owned(),
            schema: quoted(schema)?,
        };
        database
            .make_tables()
            .with_context(|| format!("cannot make the tables in schema `{schema}`; the user needs the right to create there (GRANT CREATE ON DATABASE …), or somebody makes the schema for it"))?;
        Ok(database)
    }

    fn make_tables(&mut self) -> anyhow::Result<()> {
        let sql = TABLES.replace("{0}", &self.schema);
        let mut transaction = self.client.transaction().map_err(explained)?;
        transaction
            .execute("SELECT pg_advisory_xact_lock($1)", &[&MAKING])
            .map_err(explained)?;
        // With all tables there nothing is created, and a user without the right to do so can go on.
        let there: i64 = transaction
            .query_one(
                "SELECT count(*) FROM pg_tables WHERE schemaname = $1 AND tablename = ANY ($2)",
                &[&self.name, &OURS.as_slice()],
            )
            .and_then(|row| row.try_get(0))
            .map_err(explained)?;
        if usize::try_from(there) != Ok(OURS.len()) {
            transaction.batch_execute(&sql).map_err(explained)?;
        }
        transaction.commit().map_err(explained)
    }

    /// Writes all rows of a plate in place of those that are there for the same workflow, version and plate: all or nothing.
    pub(super) fn write(
        &mut self,
        source: &Source,
        made: &Made,
        objects: bool,
    ) -> anyhow::Result<Replaced> {
        if self.client.is_closed() {
            self.client = connect(&self.config)?;
        }
        let schema = self.schema.clone();
        let mut transaction = self.client.transaction().map_err(explained)?;
        // Also a lock: who exports the same plate at the same time waits here.
        let path = source.folder.to_string_lossy();
        let row = transaction
            .query_one(
                &format!(
                    "INSERT INTO {schema}.plates (workflow, version, plate, wellspring, path, exported_at) \
                     VALUES ($1, $2, $3, $4, $5, now()) ON CONFLICT (workflow, version, plate) \
                     DO UPDATE SET wellspring = excluded.wellspring, path = excluded.path, exported_at = excluded.exported_at \
                     RETURNING id, (SELECT path FROM {schema}.plates WHERE (workflow, version, plate) = ($1, $2, $3))"
                ),
                &[
                    &made.workflow,
                    &made.version,
                    &source.plate,
                    &made.wellspring,
                    &path,
                ],
            )
            .map_err(explained)?;
        let plate: i64 = row.try_get(0).map_err(explained)?;
        // The statement sees what was there before it.
        let before: Option<String> = row.try_get(1).map_err(explained)?;
        for table in &OURS[1..] {
            // Without `--objects` the objects of an earlier export would no longer belong to the other rows.
            transaction
                .execute(
                    &format!("DELETE FROM {schema}.{table} WHERE plate_id = $1"),
                    &[&plate],
                )
                .map_err(explained)?;
        }
        let mut written = Written::default();
        for (level, name) in source.tables()? {
            let table = source.table(&name)?;
            let rows = write_table(&mut transaction, &schema, plate, level, &name, &table)?;
            written.add(level, rows);
        }
        if objects {
            for path in source.containers()? {
                written.objects += write_objects(&mut transaction, &schema, plate, &path)?;
            }
        }
        transaction.commit().map_err(explained)?;
        Ok(Replaced {
            written,
            other: before.filter(|before| *before != path),
        })
    }
}

fn write_table(
    transaction: &mut Transaction<'_>,
    schema: &str,
    plate: i64,
    level: Level,
    name: &str,
    table: &Table,
) -> anyhow::Result<u64> {
    let (into, key) = match level {
        Level::Image => ("image_results", Some("site_name")),
        Level::Well => ("well_results", Some("well_name")),
        Level::Plate => ("plate_results", None),
    };
    let columns = key.map_or(String::new(), |key| format!("{key}, "));
    let sql =
        format!("COPY {schema}.{into} (plate_id, table_name, row, {columns}values) FROM STDIN");
    let plate = plate.to_string();
    copy(transaction, &sql, table.rows(), |row, out| {
        let (number, values) = (row.to_string(), json(&values(table, row)));
        let cell = key.and_then(|key| text(table, key, row));
        let mut fields = vec![Some(plate.as_str()), Some(name), Some(&number)];
        if key.is_some() {
            fields.push(cell.as_deref());
        }
        fields.push(Some(&values));
        line(&fields, out);
    })
}

/// The objects of one image set.
fn write_objects(
    transaction: &mut Transaction<'_>,
    schema: &str,
    plate: i64,
    path: &Path,
) -> anyhow::Result<u64> {
    let sql = format!(
        "COPY {schema}.object_results (plate_id, container, table_name, row, label_id, values) FROM STDIN"
    );
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let plate = plate.to_string();
    let container = Container::open(path)?;
    let mut written = 0;
    for name in container.tables()? {
        let table = rectangular(container.read_table(&name)?, &name)
            .with_context(|| format!("in `{}`", path.display()))?;
        written += copy(transaction, &sql, table.rows(), |row, out| {
            let (number, values) = (row.to_string(), json(&values(&table, row)));
            let label = integer(&table, "label_id", row).map(|label| label.to_string());
            let fields = [
                Some(plate.as_str()),
                Some(&*file),
                Some(&name),
                Some(&number),
                label.as_deref(),
                Some(&values),
            ];
            line(&fields, out);
        })?;
    }
    Ok(written)
}

/// Sends rows piece by piece.
fn copy(
    transaction: &mut Transaction<'_>,
    sql: &str,
    rows: usize,
    mut write: impl FnMut(usize, &mut String),
) -> anyhow::Result<u64> {
    let mut sink = transaction.copy_in(sql).map_err(explained)?;
    let mut piece = String::new();
    for row in 0..rows {
        write(row, &mut piece);
        if piece.len() >= PIECE || row + 1 == rows {
            sink.write_all(piece.as_bytes())
                .context("the connection to the database broke")?;
            piece.clear();
        }
    }
    sink.finish().map_err(explained)
}

/// Connects as `sslmode` says. A certificate is always checked against the machine's list.
fn connect(config: &Config) -> anyhow::Result<Client> {
    const REMEDY: &str = "check the address in the file, that the server runs and lets this user in (pg_hba.conf), and, if it has a certificate of your own authority, that the machine knows it (update-ca-certificates) or `sslmode=disable` is set";
    let connected = match (
        config.get_ssl_mode(),
        MakeRustlsConnect::with_native_certs(),
    ) {
        (SslMode::Disable, _) => config.connect(NoTls),
        (_, Ok((tls, _))) => config.connect(tls),
        (SslMode::Require, Err(_)) => bail!(
            "this machine has no list of certificates; install ca-certificates, or use `sslmode=disable`"
        ),
        // `prefer` means: if it is possible.
        (_, Err(_)) => config.connect(NoTls),
    };
    connected
        .map_err(explained)
        .with_context(|| format!("cannot connect to the database; {REMEDY}"))
}

/// What the server said, which the error itself keeps to its cause.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn explained(error: postgres::Error) -> anyhow::Error {
    if let Some(said) = error.as_db_error() {
        let detail = said.detail().map_or(String::new(), |d| format!(" ({d})"));
        return anyhow!("the database says: {}{detail}", said.message());
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    anyhow!(text)
}

/// A name as an identifier, whatever it holds.
fn quoted(name: &str) -> anyhow::Result<String> {
    if name.is_empty() || name.len() > 63 || name.contains('\0') {
        bail!("`{name}` cannot be the name of a schema; choose one of 1 to 63 bytes");
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

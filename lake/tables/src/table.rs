use std::collections::{BTreeMap, HashMap};

use deltalake::kernel::transaction::{CommitData, TransactionError};
use deltalake::kernel::{Action, LogicalFileView, Metadata, Protocol, Transaction};
use deltalake::logstore::{CommitOrBytes, LogStoreRef};
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaTable, DeltaTableError};
use serde_json::{Value, json};
use stoop_domain::Time;
use uuid::Uuid;

use crate::error::{Doing, LakeError, doing};
use crate::place::Lake;
use crate::specs::{Spec, TABLE_SCHEMA};

/// The property with the version of a table's columns.
const SCHEMA_PROPERTY: &str = "stoop.tableSchema";
/// What a writer must know of, and this program does: rows are never changed or removed, so that the files that a version
/// adds are its change feed; and each row is checked before it is written.
const WRITER_FEATURES: [&str; 3] = ["appendOnly", "changeDataFeed", "checkConstraints"];
/// How often a table that others also create or change is opened again.
const OPENED_MAX: u32 = 10;

/// A table, as of one version.
pub struct LakeTable {
    delta: DeltaTable,
    log: LogStoreRef,
    name: String,
}

/// What a commit did, for people who read the table's history.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effect {
    pub(crate) rows: [u64; 2],
    pub(crate) files: [u64; 2],
}

impl LakeTable {
    /// Opens a table for writing. Creates it if it is missing, and adds the columns that it lacks.
    ///
    /// # Errors
    /// If a newer program wrote it, if it has a column of another type, or if it cannot be read or written.
    pub async fn open(lake: &Lake, spec: &Spec, now: Time) -> Result<Self, LakeError> {
        for _ in 0..OPENED_MAX {
            let Some(mut table) = Self::find(lake, &spec.name).await? else {
                Self::create(lake, spec, now).await?;
                continue;
            };
            let missing = table.missing_columns(spec)?;
            if missing.is_empty() || table.add_columns(&missing).await? {
                return Ok(table);
            }
        }
        Err(LakeError::Busy { table: spec.name.to_string(), attempts: OPENED_MAX })
    }

    /// Opens a table for reading, as it is now.
    ///
    /// # Errors
    /// If there is no such table, or it cannot be read.
    pub async fn read(lake: &Lake, name: &str) -> Result<Self, LakeError> {
        if let Some(table) = Self::find(lake, name).await? {
            return Ok(table);
        }
        let known = match lake.tables().await? {
            none if none.is_empty() => "there are none; `stoop-lake ingest` makes them".to_owned(),
            names => format!("there are {}", names.join(", ")),
        };
        Err(LakeError::Missing(format!("no table {name} in {}tables/: {known}", lake.base())))
    }

    /// `None` if there is no such table.
    pub(crate) async fn find(lake: &Lake, name: &str) -> Result<Option<Self>, LakeError> {
        let log = lake.log_store(name)?;
        let mut delta = DeltaTable::new(log.clone());
        let failed = Doing::new(format!("read the table {}", lake.url_of(name)));
        if !log.is_delta_table_location().await.map_err(|error| failed.by(error))? {
            return Ok(None);
        }
        match delta.load().await {
            Ok(()) => Ok(Some(Self { delta, log, name: name.to_owned() })),
            Err(DeltaTableError::NotATable(_)) => Ok(None),
            Err(error) => Err(failed.by(error)),
        }
    }

    async fn create(lake: &Lake, spec: &Spec, now: Time) -> Result<(), LakeError> {
        let failed = Doing::new(format!("create the table {}", spec.name));
        let fields: Vec<Value> = spec.columns.iter().map(crate::TableColumn::delta).collect();
        let metadata: Metadata = serde_json::from_value(json!({
            "id": Uuid::new_v4().to_string(),
            "name": spec.name,
            "description": spec.meaning,
            "format": { "provider": "parquet", "options": {} },
            "schemaString": schema_string(&fields),
            "partitionColumns": spec.partition.into_iter().collect::<Vec<_>>(),
            "configuration": properties(spec),
            "createdTime": now.ms(),
        }))
        .map_err(|error| failed.by(error))?;
        let protocol: Protocol = serde_json::from_value(if spec.key.is_some() {
            json!({ "minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": WRITER_FEATURES })
        } else {
            json!({ "minReaderVersion": 1, "minWriterVersion": 2 })
        })
        .map_err(|error| failed.by(error))?;
        let operation = DeltaOperation::Create {
            mode: SaveMode::ErrorIfExists,
            location: lake.url_of(&spec.name),
            protocol: protocol.clone(),
            metadata: metadata.clone(),
        };
        let actions = vec![Action::Protocol(protocol), Action::Metadata(metadata)];
        // If another process creates it at the same time, one of the two is first, and both are the same.
        commit_at(&lake.log_store(&spec.name)?, &spec.name, 0, actions, operation, Effect::default(), Vec::new())
            .await?;
        Ok(())
    }

    /// Checks that this program may write the table, and finds the columns that it lacks.
    fn missing_columns(&self, spec: &Spec) -> Result<Vec<Value>, LakeError> {
        let unfit = |detail: String| LakeError::Unfit { table: self.name.clone(), detail };
        let metadata = self.state()?.metadata();
        let found = metadata.configuration().get(SCHEMA_PROPERTY).and_then(|text| text.parse().ok());
        let found: u32 =
            found.ok_or_else(|| unfit(format!("it has no property {SCHEMA_PROPERTY}: not written by Stoop")))?;
        if found > TABLE_SCHEMA {
            return Err(LakeError::Newer { table: self.name.clone(), found, ours: TABLE_SCHEMA });
        }
        if found < TABLE_SCHEMA {
            return Err(unfit(format!(
                "it has schema {found}; this program writes {TABLE_SCHEMA}: remove all tables, and ingest"
            )));
        }
        let protocol = serde_json::to_value(self.state()?.protocol()).unwrap_or_default();
        let version = |name: &str| protocol[name].as_i64().unwrap_or(i64::MAX);
        let features = protocol["writerFeatures"].as_array().cloned().unwrap_or_default();
        let is_known = |feature: &Value| feature.as_str().is_some_and(|name| WRITER_FEATURES.contains(&name));
        if version("minReaderVersion") > 1
            || ![2, 7].contains(&version("minWriterVersion"))
            || !features.iter().all(is_known)
        {
            return Err(unfit(format!("another program has changed its protocol to {protocol}")));
        }
        let fields = self.fields()?;
        let known: HashMap<&str, &Value> =
            fields.iter().filter_map(|field| Some((field["name"].as_str()?, &field["type"]))).collect();
        let mut missing = Vec::new();
        for column in &spec.columns {
            match known.get(column.name.as_ref()) {
                None if column.required => {
                    return Err(unfit(format!("it lacks the column {}, which every row has", column.name)));
                }
                None => missing.push(column.delta()),
                Some(found) if **found != column.kind.delta() => {
                    let wanted = column.kind.delta();
                    return Err(unfit(format!("the column {} is {found}; this program writes {wanted}", column.name)));
                }
                Some(_) => {}
            }
        }
        Ok(missing)
    }

    async fn add_columns(&mut self, missing: &[Value]) -> Result<bool, LakeError> {
        let failed = Doing::new(format!("add columns to the table {}", self.name));
        let mut fields = self.fields()?;
        fields.extend(missing.iter().cloned());
        let mut metadata = serde_json::to_value(self.state()?.metadata()).map_err(|error| failed.by(error))?;
        metadata["schemaString"] = Value::String(schema_string(&fields));
        let metadata: Metadata = serde_json::from_value(metadata).map_err(|error| failed.by(error))?;
        let added = missing.iter().map(|field| serde_json::from_value(field.clone())).collect::<Result<_, _>>();
        let operation = DeltaOperation::AddColumn { fields: added.map_err(|error| failed.by(error))? };
        self.commit(vec![Action::Metadata(metadata)], operation, Effect::default(), Vec::new()).await
    }

    /// Commits the version after the one that was read. Returns `false` if another writer committed it; the table is
    /// then as that writer left it, or later.
    pub(crate) async fn commit(
        &mut self,
        actions: Vec<Action>,
        operation: DeltaOperation,
        effect: Effect,
        transactions: Vec<Transaction>,
    ) -> Result<bool, LakeError> {
        let version = self.version() + 1;
        let is_ours = commit_at(&self.log, &self.name, version, actions, operation, effect, transactions).await?;
        self.refresh().await?;
        Ok(is_ours)
    }

    /// Reads what others have committed since.
    pub(crate) async fn refresh(&mut self) -> Result<(), LakeError> {
        self.delta.update_incremental(None).await.map_err(doing(format!("read the table {}", self.name)))
    }

    /// The version that was read.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.delta.version().unwrap_or_default()
    }

    /// The ID that it got when it was created.
    pub(crate) fn id(&self) -> Result<String, LakeError> {
        Ok(self.state()?.metadata().id().to_owned())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same table as of another version.
    pub(crate) fn with(self, delta: DeltaTable) -> Self {
        Self { delta, ..self }
    }

    /// The columns, as the fields of a Delta schema.
    ///
    /// # Errors
    /// If the table was not read.
    pub fn fields(&self) -> Result<Vec<Value>, LakeError> {
        let schema = serde_json::to_value(self.state()?.schema().as_ref());
        let schema = schema.map_err(doing(format!("read the schema of the table {}", self.name)))?;
        Ok(schema["fields"].as_array().cloned().unwrap_or_default())
    }

    pub(crate) fn delta(&self) -> &DeltaTable {
        &self.delta
    }

    pub(crate) fn log(&self) -> &LogStoreRef {
        &self.log
    }

    pub(crate) fn state(&self) -> Result<&deltalake::table::state::DeltaTableState, LakeError> {
        self.delta.snapshot().map_err(doing(format!("read the table {}", self.name)))
    }

    /// The files of this version.
    pub(crate) fn files(&self) -> Result<Vec<LogicalFileView>, LakeError> {
        Ok(self.state()?.log_data().into_iter().collect())
    }

    /// The number of rows.
    ///
    /// # Errors
    /// If the table was not read.
    pub fn rows(&self) -> Result<u64, LakeError> {
        Ok(self.files()?.iter().map(|file| file.num_records().unwrap_or_default() as u64).sum())
    }
}

/// Returns `false` if there is such a version already.
async fn commit_at(
    log: &LogStoreRef,
    name: &str,
    version: u64,
    actions: Vec<Action>,
    operation: DeltaOperation,
    effect: Effect,
    transactions: Vec<Transaction>,
) -> Result<bool, LakeError> {
    let failed = Doing::new(format!("commit version {version} of the table {name}"));
    let metrics = json!({
        "numAddedRows": effect.rows[0], "numRemovedRows": effect.rows[1],
        "numAddedFiles": effect.files[0], "numRemovedFiles": effect.files[1],
    });
    let info = HashMap::from([("operationMetrics".to_owned(), metrics)]);
    let bytes =
        CommitData::new(actions, operation, info, transactions).get_bytes().map_err(|error| failed.by(error))?;
    match log.write_commit_entry(version, CommitOrBytes::LogBytes(bytes), Uuid::nil()).await {
        Ok(()) => Ok(true),
        Err(TransactionError::VersionAlreadyExists(_)) => Ok(false),
        Err(error) => Err(failed.by(error)),
    }
}

fn schema_string(fields: &[Value]) -> String {
    json!({ "type": "struct", "fields": fields }).to_string()
}

fn properties(spec: &Spec) -> BTreeMap<String, String> {
    let mut properties = BTreeMap::from([
        (SCHEMA_PROPERTY.to_owned(), TABLE_SCHEMA.to_string()),
        // Time travel reads the log; a year of it is small.
        ("delta.logRetentionDuration".to_owned(), "interval 365 days".to_owned()),
        // `maintain` can keep removed files so long.
        ("delta.deletedFileRetentionDuration".to_owned(), "interval 30 days".to_owned()),
    ]);
    if spec.key.is_some() {
        properties.insert("delta.appendOnly".to_owned(), "true".to_owned());
        properties.insert("delta.enableChangeDataFeed".to_owned(), "true".to_owned());
    }
    for (name, condition) in &spec.constraints {
        properties.insert(format!("delta.constraints.{name}"), condition.clone());
    }
    properties
}

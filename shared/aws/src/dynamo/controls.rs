use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use stoop_pipeline::SearchControl;
use stoop_pipeline::ports::{PortError, SearchControls};

use super::attributes::{item, text};
use super::runs::{body, read_body};
use crate::error::failed;

/// The `subject` of all controls, whose `id` is the search: no search can have this name, so that a policy can allow to
/// write controls only.
const CONTROLS: &str = "#controls";

/// What people ask of searches, in the table of runs.
#[derive(Clone, Debug)]
pub struct DynamoControls {
    client: Client,
    table: String,
}

impl DynamoControls {
    /// The controls in this table.
    #[must_use]
    pub fn new(client: Client, runs_table: impl Into<String>) -> Self {
        Self { client, table: runs_table.into() }
    }
}

#[async_trait]
impl SearchControls for DynamoControls {
    async fn controls(&self) -> Result<Vec<SearchControl>, PortError> {
        let what = || format!("Query of the controls in the table {}", self.table);
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#subject = :controls")
            .expression_attribute_names("#subject", "subject")
            .expression_attribute_values(":controls", text(CONTROLS));
        let mut pages = request.into_paginator().send();
        let mut controls = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(failed(what))?.items() {
                controls.push(read_body(item).map_err(|error| PortError::damaged(what(), error))?);
            }
        }
        Ok(controls)
    }

    async fn keep(&self, control: &SearchControl) -> Result<(), PortError> {
        let what = format!("PutItem of the control of {} into the table {}", control.search, self.table);
        let item = item([("subject", text(CONTROLS)), ("id", text(&control.search)), ("body", body(control, &what)?)]);
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        request.send().await.map(|_| ()).map_err(failed(|| what))
    }
}

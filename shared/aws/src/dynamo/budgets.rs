use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use stoop_domain::Time;
use stoop_pipeline::ports::{Account, Budgets, PortError};

use super::attributes::{Item, item, number, number_of, text, text_of};
use crate::error::failed;

/// The `id` of an account's item; its `subject` is [`SUBJECT`] and the account's name.
const ID: &str = "budget";
/// No search name contains this character.
const SUBJECT: &str = "account#";

/// The requests of each account, in the runs table: one item of less than a kilobyte per account.
#[derive(Clone, Debug)]
pub struct DynamoBudgets {
    client: Client,
    table: String,
}

impl DynamoBudgets {
    /// The records in this table. A record expires when it no longer matters, by the attribute `expires_at`.
    #[must_use]
    pub fn new(client: Client, runs_table: impl Into<String>) -> Self {
        Self { client, table: runs_table.into() }
    }

    fn key(account: &str) -> Item {
        item([("subject", text(format!("{SUBJECT}{account}"))), ("id", text(ID))])
    }
}

#[async_trait]
impl Budgets for DynamoBudgets {
    async fn load(&self, account: &str) -> Result<(Account, u64), PortError> {
        let what = || format!("GetItem of the account {account} from the table {}", self.table);
        let request = self.client.get_item().table_name(&self.table).set_key(Some(Self::key(account)));
        let found = request.consistent_read(true).send().await.map_err(failed(what))?;
        let Some(item) = found.item else { return Ok((Account::default(), 0)) };
        let damaged = |error| PortError::damaged(what(), error);
        let version = number_of(&item, "version").map_err(damaged)?;
        let body = text_of(&item, "body").map_err(damaged)?;
        let account = Account::from_json(body).map_err(|error| PortError::damaged(what(), error))?;
        Ok((account, version))
    }

    async fn save(&self, account: &str, record: &Account, version: u64) -> Result<bool, PortError> {
        let mut item = Self::key(account);
        let expires_at = record.kept_until().ms().div_euclid(Time::SECOND_MS);
        item.insert("version".to_owned(), number(version + 1));
        item.insert("expires_at".to_owned(), number(expires_at));
        item.insert("body".to_owned(), text(record.to_json()));
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let request = if version == 0 {
            request.condition_expression("attribute_not_exists(#key)").expression_attribute_names("#key", "subject")
        } else {
            let request = request.condition_expression("#version = :version");
            let request = request.expression_attribute_names("#version", "version");
            request.expression_attribute_values(":version", number(version))
        };
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => {
                Err(failed(|| format!("PutItem of the account {account} into the table {}", self.table))(error))
            }
        }
    }
}

//! The seam between Storage and what keeps its documents.
//!
//! One aggregate, an instance with its elements and its lock, is read as a whole ([`Whole`]) and changed as a whole:
//! [`Metadata::change`] gives it to a closure and writes what the closure made of it, with its events, all or nothing
//! and one after the other per instance. A backend is free in how it gets there: SQL by a row lock, a document store
//! by version tags and running the closure again.

mod filter;
mod manage;
mod sql;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

pub(crate) use manage::guid_of;

pub use filter::{Bound, Filter, Moment, Order};
pub use sql::Sql;

use super::model::lock::Lock;
use super::model::{DataElement, Instance, InstanceEvent};
use crate::kit::database::Change;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::management::scope::Scope;
use crate::kit::name::AppId;

/// What keeps the documents.
pub enum Metadata {
    /// PostgreSQL, or SQLite.
    Sql(Sql),
}

/// An instance with all that belongs to it.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    /// The instance, without `data` and links.
    pub instance: Instance,
    /// Its elements in the order in which they were made.
    pub elements: Vec<DataElement>,
    /// The last lock taken of it.
    pub lock: Option<Lock>,
}

/// A [`Whole`] under change.
#[derive(Debug, Default)]
pub struct Work {
    /// What is changed in place.
    pub whole: Whole,
    /// What happened.
    pub events: Vec<InstanceEvent>,
    /// What Events is told (CloudEvents without id and time).
    pub told: Vec<Value>,
}

/// A page of a query.
pub struct Page {
    /// The hits.
    pub hits: Vec<Whole>,
    /// Where the next page begins, when this one is full.
    pub next: Option<(Date, i64)>,
}

/// How much there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tally {
    /// Applications that are registered.
    pub applications: i64,
    /// Their texts, one for each language.
    pub texts: i64,
    /// Instances.
    pub instances: i64,
    /// Their files.
    pub files: i64,
    /// What happened to them.
    pub events: i64,
}

/// Documents on their way in, all or none.
pub enum Import<'a> {
    /// A transaction.
    Sql(Change<'a>),
}

impl Work {
    /// The element of this id.
    pub fn element(&mut self, id: Uuid) -> Option<&mut DataElement> {
        let id = id.to_string();
        self.whole.elements.iter_mut().find(|element| element.id == id)
    }
}

impl Metadata {
    /// Whether the store answers.
    pub async fn answers(&self) -> Result<(), String> {
        let Self::Sql(sql) = self;
        sql.answers().await
    }

    /// Ends all connections.
    pub async fn close(&self) {
        let Self::Sql(sql) = self;
        sql.close().await;
    }

    /// Keeps a new instance.
    pub async fn create(&self, work: &Work) -> Result<(), Fault> {
        let Self::Sql(sql) = self;
        sql.create(work).await
    }

    /// Reads an instance.
    pub async fn whole(&self, guid: Uuid) -> Result<Option<Whole>, Fault> {
        let Self::Sql(sql) = self;
        sql.whole(guid).await
    }

    /// Changes an instance; `None` when there is none. What the closure refuses leaves everything as it was.
    pub async fn change<T: Send>(
        &self,
        guid: Uuid,
        by: impl FnMut(&mut Work) -> Result<T, Fault> + Send,
    ) -> Result<Option<(T, Whole)>, Fault> {
        let Self::Sql(sql) = self;
        sql.change(guid, by).await
    }

    /// The instances that fit, in order.
    pub async fn find(&self, filter: &Filter) -> Result<Page, Fault> {
        let Self::Sql(sql) = self;
        sql.find(filter).await
    }

    /// An instance's events of these types (all when none) and between these times, in order.
    pub async fn events(
        &self,
        guid: Uuid,
        types: &[String],
        between: Option<(Date, Date)>,
    ) -> Result<Vec<InstanceEvent>, Fault> {
        let Self::Sql(sql) = self;
        sql.events(guid, types, between).await
    }

    /// How much there is.
    pub async fn tally(&self, scope: &Scope) -> Result<Tally, Fault> {
        let Self::Sql(sql) = self;
        sql.tally(scope).await
    }

    /// The next instances behind this number, in order of arrival, with their numbers.
    pub async fn page(
        &self,
        scope: &Scope,
        after: i64,
        size: i64,
    ) -> Result<Vec<(i64, Whole)>, Fault> {
        let Self::Sql(sql) = self;
        sql.page(scope, after, size).await
    }

    /// The applications of a scope.
    pub async fn all_applications(&self, scope: &Scope) -> Result<Vec<Value>, Fault> {
        let Self::Sql(sql) = self;
        sql.all_applications(scope).await
    }

    /// The texts of a scope, with app and language.
    pub async fn all_texts(&self, scope: &Scope) -> Result<Vec<(AppId, String, Value)>, Fault> {
        let Self::Sql(sql) = self;
        sql.all_texts(scope).await
    }

    /// Removes instances with all that belongs to them but the bytes.
    pub async fn forget(&self, instances: &[(i64, Uuid)]) -> Result<(), Fault> {
        let Self::Sql(sql) = self;
        sql.forget(instances).await
    }

    /// Removes what Events is still to be told.
    pub async fn forget_untold(&self) -> Result<(), Fault> {
        let Self::Sql(sql) = self;
        sql.forget_untold().await
    }

    /// Begins to take documents in. Where there is one writer, others wait until it ends.
    pub async fn import(&self) -> Result<Import<'_>, Fault> {
        let Self::Sql(sql) = self;
        sql.import().await
    }

    /// Whether any instance has this element.
    pub async fn has_element(&self, id: Uuid) -> Result<bool, Fault> {
        let Self::Sql(sql) = self;
        sql.has_element(id).await
    }

    /// One application.
    pub async fn application(&self, id: &AppId) -> Result<Option<Value>, Fault> {
        let Self::Sql(sql) = self;
        sql.application(id).await
    }

    /// All applications, or those of one organisation.
    pub async fn applications(&self, org: Option<&str>) -> Result<Vec<Value>, Fault> {
        let Self::Sql(sql) = self;
        sql.applications(org).await
    }

    /// Keeps an application in place of the one before.
    pub async fn put_application(&self, id: &AppId, application: &Value) -> Result<(), Fault> {
        let Self::Sql(sql) = self;
        sql.put_application(id, application).await
    }

    /// Removes an application and its texts; tells whether it was there.
    pub async fn drop_application(&self, id: &AppId) -> Result<bool, Fault> {
        let Self::Sql(sql) = self;
        sql.drop_application(id).await
    }

    /// The texts of an app in a language.
    pub async fn texts(&self, id: &AppId, language: &str) -> Result<Option<Value>, Fault> {
        let Self::Sql(sql) = self;
        sql.texts(id, language).await
    }

    /// Keeps texts in place of those before.
    pub async fn put_texts(&self, id: &AppId, language: &str, texts: &Value) -> Result<(), Fault> {
        let Self::Sql(sql) = self;
        sql.put_texts(id, language, texts).await
    }

    /// Removes texts; tells whether they were there.
    pub async fn drop_texts(&self, id: &AppId, language: &str) -> Result<bool, Fault> {
        let Self::Sql(sql) = self;
        sql.drop_texts(id, language).await
    }

    /// What Events is still to be told, oldest first, with numbers for [`Metadata::was_told`].
    pub async fn to_tell(&self) -> Result<Vec<(i64, Value)>, Fault> {
        let Self::Sql(sql) = self;
        sql.to_tell().await
    }

    /// Events was told.
    pub async fn was_told(&self, number: i64) -> Result<(), Fault> {
        let Self::Sql(sql) = self;
        sql.was_told(number).await
    }
}

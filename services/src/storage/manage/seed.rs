//! Fills Storage with instances: written as clients write them, with ids, owners, states and contents that follow from
//! a seed. The same seed makes the same again; what is there already is left as it is.

use axum::body::Body;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ring::digest::{SHA256, digest};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::{Builder, Uuid};

use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::management::faults::Draws;
use crate::kit::management::stream::{self, Sink};
use crate::kit::name::AppId;
use crate::kit::origin::Origin;
use crate::kit::token::Claims;
use crate::storage::Storage;
use crate::storage::access::{data_type, no_app};
use crate::storage::api::{add, create, path};
use crate::storage::model::{Application, DataElement, DataType, Instance};
use crate::storage::upload::Told;

/// Instances of one request.
const MOST: u32 = 100_000;
/// How often the caller hears of it.
const TELL: u32 = 100;
/// What generated files are made of.
const WORDS: [&str; 12] = [
    "søknad", "vedlegg", "adresse", "beløp", "dato", "eiendom", "ansatt", "kommune", "melding",
    "oppgave", "periode", "signatur",
];

/// What is to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    /// `org/app`, which must be registered.
    app: String,
    /// How many instances.
    count: u32,
    /// What all else follows from.
    #[serde(default)]
    seed: u64,
    /// Who the instances belong to, in turn as the seed wants.
    owners: Vec<Owner>,
    /// The files of each instance; text is made up for attachments when there are none.
    #[serde(default)]
    files: Vec<File>,
}

/// A party, and the user who makes its instances.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Owner {
    party_id: i64,
    user_id: i64,
    #[serde(default)]
    person_number: Option<String>,
    #[serde(default)]
    organisation_number: Option<String>,
}

/// A file for each instance.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    data_type: String,
    #[serde(default)]
    filename: Option<String>,
    content_type: String,
    /// Its bytes, in base64.
    content: String,
}

/// What was wanted, checked.
pub(super) struct Plan {
    app: AppId,
    count: u32,
    seed: u64,
    owners: Vec<Owner>,
    files: Vec<(DataType, Told, Bytes)>,
    /// Data types that text is made up for.
    attachments: Vec<DataType>,
    task: String,
    origin: Origin,
}

#[derive(Default)]
struct Made {
    instances: u32,
    kept: u32,
    files: u32,
}

impl Storage {
    pub(super) async fn plan(&self, wanted: Wanted, origin: Origin) -> Result<Plan, Fault> {
        let app: AppId =
            wanted.app.parse().map_err(|error| Fault::invalid("app", format!("{error}")))?;
        if wanted.count > MOST {
            return Err(Fault::invalid("count", format!("At most {MOST} at once.")));
        }
        if wanted.owners.is_empty() {
            return Err(Fault::invalid("owners", "Somebody must own the instances."));
        }
        let known = self.0.metadata.application(&app).await?.ok_or_else(|| no_app(&app))?;
        let known: Application = serde_json::from_value(known).map_err(Fault::internal)?;
        let files = wanted.files.into_iter().map(|file| read(&known, file));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let attachments =
            known.data_types.iter().filter(|kind| files.is_empty() && takes_text(kind));
        Ok(Plan {
            attachments: attachments.cloned().collect(),
            task: known
                .data_types
                .iter()
                .find_map(|kind| kind.task_id.clone())
                .unwrap_or_else(|| "Task_1".to_owned()),
            files,
            app,
            count: wanted.count,
            seed: wanted.seed,
            owners: wanted.owners,
            origin,
        })
    }

    /// Makes them; the body tells how far it is, a line each, and ends with `done` or with the status of a fault.
    pub(super) fn make(self, plan: Plan) -> Body {
        stream::body(|sink| async move {
            let mut made = Made::default();
            for number in 0..plan.count {
                if let Err(fault) = self.make_one(&plan, number, &mut made).await {
                    let status = fault.status().as_u16();
                    return say(&sink, &json!({ "status": status, "at": number })).await;
                }
                if number % TELL == TELL - 1 {
                    say(&sink, &json!({ "made": number + 1, "of": plan.count })).await?;
                }
            }
            let Made { instances, kept, files } = made;
            let done = json!({
                "done": true, "instances": instances, "files": files, "alreadyThere": kept,
            });
            say(&sink, &done).await
        })
    }

    async fn make_one(&self, plan: &Plan, number: u32, made: &mut Made) -> Result<(), Fault> {
        let guid = id(plan, number, "instance");
        if self.0.metadata.whole(guid).await?.is_some() {
            made.kept += 1;
            return Ok(());
        }
        let mut draws = Draws(guid.as_u64_pair().0);
        let owner = &plan.owners[draws.below(plan.owners.len())];
        let claims = claims(owner);
        let template = template(plan, owner, draws.below(4) == 0)?;
        let name = format!("{}/{guid}", owner.party_id);
        let whole = create(self, &claims, &plan.origin, &plan.app, name, template).await?;
        made.instances += 1;
        for (place, (kind, told, bytes)) in plan.files.iter().enumerate() {
            let element = id(plan, number, &place.to_string());
            self.file(&claims, &whole.instance, kind, element, told.clone(), bytes.clone()).await?;
            made.files += 1;
        }
        for kind in &plan.attachments {
            let element = id(plan, number, &kind.id);
            let told = Told {
                content_type: Some("text/plain".to_owned()),
                filename: Some(format!("{}-{number}.txt", kind.id)),
                infected: false,
            };
            let text = text(&mut draws);
            self.file(&claims, &whole.instance, kind, element, told, text.into()).await?;
            made.files += 1;
        }
        Ok(())
    }

    async fn file(
        &self,
        claims: &Claims,
        instance: &Instance,
        kind: &DataType,
        id: Uuid,
        told: Told,
        bytes: Bytes,
    ) -> Result<(), Fault> {
        let path = path(instance, id)?;
        let org = instance.org.clone().unwrap_or_default();
        let mut upload = self.0.blobs.write(&org, &path).await?;
        upload.push(&bytes).await?;
        let element = DataElement {
            id: id.to_string(),
            blob_storage_path: Some(path),
            ..DataElement::default()
        };
        add(self, claims, instance, kind, element, (told, upload)).await.map(drop)
    }
}

async fn say(sink: &Sink, line: &Value) -> Result<(), Fault> {
    sink.send(format!("{line}\n")).await
}

fn read(app: &Application, file: File) -> Result<(DataType, Told, Bytes), Fault> {
    let kind = data_type(app, &file.data_type)?.clone();
    let bytes = STANDARD.decode(&file.content).map_err(|error| {
        Fault::invalid("files", format!("The file for {} is not base64: {error}", kind.id))
    })?;
    if bytes.is_empty() {
        let text = format!("The file for {} is empty.", kind.id);
        return Err(Fault::problem(StatusCode::BAD_REQUEST, text));
    }
    let told =
        Told { content_type: Some(file.content_type), filename: file.filename, infected: false };
    Ok((kind, told, bytes.into()))
}

/// What users attach. Form data must be what the app's model reads, so nothing can be made up for them.
fn takes_text(kind: &DataType) -> bool {
    let allowed = &kind.allowed_content_types;
    kind.app_logic.is_none()
        && kind.action_required_to_write.is_none()
        && (allowed.is_empty() || allowed.iter().any(|kind| kind == "text/plain"))
}

/// Follows from app, seed, number and name.
fn id(plan: &Plan, number: u32, name: &str) -> Uuid {
    let text = format!("{}\n{}\n{number}\n{name}", plan.app, plan.seed);
    let digest = digest(&SHA256, text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    Builder::from_random_bytes(bytes).into_uuid()
}

fn claims(owner: &Owner) -> Claims {
    let claims = json!({
        "urn:altinn:userid": owner.user_id.to_string(),
        "urn:altinn:authlevel": 2,
    });
    Claims(claims.as_object().cloned().unwrap_or_default())
}

fn template(plan: &Plan, owner: &Owner, ended: bool) -> Result<Instance, Fault> {
    let now = Date::now();
    let process = if ended {
        json!({ "started": now, "startEvent": "StartEvent_1", "ended": now, "endEvent": "EndEvent_1" })
    } else {
        let task = json!({
            "flow": 2, "started": now, "elementId": plan.task, "name": plan.task,
            "altinnTaskType": "data",
        });
        json!({ "started": now, "startEvent": "StartEvent_1", "currentTask": task })
    };
    let status = if ended { json!({ "isArchived": true, "archived": now }) } else { json!({}) };
    let template = json!({
        "instanceOwner": {
            "partyId": owner.party_id.to_string(),
            "personNumber": owner.person_number,
            "organisationNumber": owner.organisation_number,
        },
        "process": process,
        "status": status,
    });
    serde_json::from_value(template).map_err(Fault::internal)
}

fn text(draws: &mut Draws) -> String {
    let words = 20 + draws.below(400);
    let mut text = String::new();
    for number in 1..=words {
        text.push_str(WORDS[draws.below(WORDS.len())]);
        text.push(if number % 12 == 0 || number == words { '\n' } else { ' ' });
    }
    text
}

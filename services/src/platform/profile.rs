//! Profile (`platform-api.md` §3): who a user is, and what the user set.

use std::path::PathBuf;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Platform;
use super::people::party::Party;
use super::people::{People, Person};
use crate::kit::api::{Api, Endpoint};
use crate::kit::body::Json;
use crate::kit::fault::Fault;
use crate::kit::path::value;
use crate::kit::token::Bearer;
use crate::kit::token::access::App;

pub(super) fn endpoints(api: Api<Platform>) -> Api<Platform> {
    const ONE: [u16; 1] = [404];
    api.add(
        Endpoint::get("/profile/api/v1/users/{userId}", "A user")
            .gives::<UserProfile>(200)
            .answers(&ONE),
        by_id,
    )
    .add(
        Endpoint::get("/profile/api/v1/users/current", "The token's user")
            .gives::<UserProfile>(200)
            .answers(&[400, 404]),
        current,
    )
    .add(
        Endpoint::get("/profile/api/v1/users/byuuid/{userUuid}", "A user by uuid")
            .gives::<UserProfile>(200)
            .answers(&ONE),
        by_uuid,
    )
    .add(
        Endpoint::post("/profile/api/v1/users", "A user by national number")
            .takes::<String>()
            .gives::<UserProfile>(200)
            .answers(&ONE),
        by_ssn,
    )
    .add(
        Endpoint::post(
            "/profile/api/v1/internal/user",
            "A user by id, uuid, name or national number",
        )
        .takes::<Sought>()
        .gives::<UserProfile>(200)
        .answers(&[400, 404]),
        sought,
    )
    .add(
        Endpoint::put(
            "/profile/api/v1/users/current/profilesettings",
            "Replaces the user's settings",
        )
        .takes::<ProfileSettings>()
        .gives::<ProfileSettings>(200)
        .answers(&[400, 404]),
        set,
    )
    .add(
        Endpoint::patch("/profile/api/v1/users/current/profilesettings", "Changes some settings")
            .takes::<ProfileSettings>()
            .gives::<ProfileSettings>(200)
            .answers(&[400, 404]),
        change,
    )
}

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserProfile {
    /// The user's number.
    pub user_id: i64,
    /// Uuid of the user's party.
    #[schemars(with = "String")]
    pub user_uuid: Uuid,
    /// What the user is called.
    pub user_name: String,
    /// Identity at another provider.
    pub external_identity: String,
    /// Whether the user takes no digital mail.
    pub is_reserved: bool,
    /// Telephone.
    pub phone_number: Option<String>,
    /// Address of e-mail.
    pub email: Option<String>,
    /// The user's own party.
    pub party_id: i64,
    /// The user's own party.
    pub party: Party,
    /// 1 by national number, 2 self-identified.
    pub user_type: u8,
    /// What the user set.
    pub profile_setting_preference: Preference,
}

/// What apps read of the settings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preference {
    /// `nb`, `nn` or `en`.
    pub language: String,
    /// The party to begin with; 0 for none.
    pub pre_selected_party_id: i64,
    /// Whether the app need not ask for a party.
    pub do_not_prompt_for_party: bool,
    /// The settings as the portal names them.
    #[serde(flatten)]
    pub set: ProfileSettings,
}

/// What a user can set. Absent members are left as they are by PATCH.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProfileSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(description = "Answered within the preference, too")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    do_not_prompt_for_party: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    preselected_party_uuid: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    show_client_units: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    should_show_sub_entities: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    should_show_deleted_entities: Option<bool>,
}

/// One of the members names the user.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Sought {
    #[serde(alias = "UserId")]
    user_id: Option<i64>,
    #[serde(alias = "UserUuid")]
    #[schemars(with = "Option<String>")]
    user_uuid: Option<Uuid>,
    #[serde(alias = "Username", alias = "userName", alias = "UserName")]
    username: Option<String>,
    #[serde(alias = "Ssn")]
    ssn: Option<String>,
}

async fn by_id(
    State(platform): State<Platform>,
    _: Bearer,
    _: App,
    Path(id): Path<String>,
) -> Result<Json<UserProfile>, Fault> {
    let id: i64 = value("userId", &id)?;
    let people = platform.people();
    found(&platform, &people, people.user(id))
}

async fn by_uuid(
    State(platform): State<Platform>,
    _: Bearer,
    _: App,
    Path(uuid): Path<String>,
) -> Result<Json<UserProfile>, Fault> {
    let uuid: Uuid = value("userUuid", &uuid)?;
    let people = platform.people();
    found(&platform, &people, people.by_uuid(uuid))
}

async fn by_ssn(
    State(platform): State<Platform>,
    _: Bearer,
    _: App,
    Json(ssn): Json<String>,
) -> Result<Json<UserProfile>, Fault> {
    let people = platform.people();
    found(&platform, &people, people.by_ssn(&ssn))
}

async fn sought(
    State(platform): State<Platform>,
    _: App,
    Json(sought): Json<Sought>,
) -> Result<Json<UserProfile>, Fault> {
    let people = platform.people();
    let person = match sought {
        Sought { user_id: Some(id), .. } => people.user(id),
        Sought { user_uuid: Some(uuid), .. } => people.by_uuid(uuid),
        Sought { username: Some(name), .. } => people.by_user_name(&name),
        Sought { ssn: Some(ssn), .. } => people.by_ssn(&ssn),
        _ => return Err(Fault::invalid("", "One of userId, userUuid, username, ssn is required.")),
    };
    found(&platform, &people, person)
}

async fn current(
    State(platform): State<Platform>,
    Bearer(claims): Bearer,
) -> Result<Json<UserProfile>, Fault> {
    let people = platform.people();
    found(&platform, &people, own(&people, claims.user_id())?)
}

async fn set(
    State(platform): State<Platform>,
    Bearer(claims): Bearer,
    Json(settings): Json<ProfileSettings>,
) -> Result<Json<ProfileSettings>, Fault> {
    keep(&platform, claims.user_id(), settings)
}

async fn change(
    State(platform): State<Platform>,
    Bearer(claims): Bearer,
    Json(new): Json<ProfileSettings>,
) -> Result<Json<ProfileSettings>, Fault> {
    let old = claims.user_id().map(|user| kept(&platform, user)).unwrap_or_default();
    let settings = ProfileSettings {
        language: new.language.or(old.language),
        do_not_prompt_for_party: new.do_not_prompt_for_party.or(old.do_not_prompt_for_party),
        preselected_party_uuid: new.preselected_party_uuid.or(old.preselected_party_uuid),
        show_client_units: new.show_client_units.or(old.show_client_units),
        should_show_sub_entities: new.should_show_sub_entities.or(old.should_show_sub_entities),
        should_show_deleted_entities: new
            .should_show_deleted_entities
            .or(old.should_show_deleted_entities),
    };
    keep(&platform, claims.user_id(), settings)
}

fn own(people: &People, user: Option<i64>) -> Result<Option<&Person>, Fault> {
    let user =
        user.ok_or_else(|| Fault::words(StatusCode::BAD_REQUEST, "The token has no user id."))?;
    Ok(people.user(user))
}

fn found(
    platform: &Platform,
    people: &People,
    person: Option<&Person>,
) -> Result<Json<UserProfile>, Fault> {
    let person = person.ok_or_else(Fault::not_found)?;
    Ok(Json(profile(people, person, &kept(platform, person.user()))))
}

fn profile(people: &People, person: &Person, set: &ProfileSettings) -> UserProfile {
    let phone = person.more.get("mobileNumber").or_else(|| person.more.get("telephoneNumber"));
    let preselected = set.preselected_party_uuid.and_then(|uuid| people.party_by_uuid(uuid));
    UserProfile {
        user_id: person.user(),
        user_uuid: person.uuid(),
        user_name: person.user_name.clone().unwrap_or_default(),
        external_identity: String::new(),
        is_reserved: false,
        phone_number: phone.and_then(Value::as_str).map(str::to_owned),
        email: person.email.clone(),
        party_id: person.party_id,
        party: Party::of_person(person),
        user_type: if person.self_identified() { 2 } else { 1 },
        profile_setting_preference: Preference {
            language: set
                .language
                .clone()
                .or_else(|| person.language.clone())
                .unwrap_or_else(|| "nb".to_owned()),
            pre_selected_party_id: preselected.map_or(0, |party| party.party_id),
            do_not_prompt_for_party: set
                .do_not_prompt_for_party
                .or(person.do_not_prompt_for_party)
                .unwrap_or(false),
            set: ProfileSettings { language: None, do_not_prompt_for_party: None, ..set.clone() },
        },
    }
}

fn file(platform: &Platform, user: i64) -> PathBuf {
    platform.data().join("profile").join(format!("{user}.json"))
}

fn kept(platform: &Platform, user: i64) -> ProfileSettings {
    std::fs::read(file(platform, user))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default()
}

fn keep(
    platform: &Platform,
    user: Option<i64>,
    settings: ProfileSettings,
) -> Result<Json<ProfileSettings>, Fault> {
    let people = platform.people();
    let person = own(&people, user)?.ok_or_else(Fault::not_found)?;
    if let Some(language) = &settings.language
        && !matches!(language.as_str(), "nb" | "nn" | "en" | "se")
    {
        return Err(Fault::invalid("language", "The language must be nb, nn, en or se."));
    }
    let text = serde_json::to_vec(&settings).map_err(Fault::internal)?;
    super::write_whole(&file(platform, person.user()), &text).map_err(Fault::internal)?;
    Ok(Json(settings))
}

//! What clients ask before they ask: which resources there are, and where.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// Ids as Azure DevOps itself has them: clients look resources up by them.
const LOCATIONS: [(&str, &str, &str, &str, u32); 10] = [
    (
        "e81700f7-3be2-46de-8624-2eb35882fcaa",
        "Location",
        "ResourceAreas",
        "_apis/{resource}/{areaId}",
        1,
    ),
    ("00d9565f-ed9c-4a06-9a50-00e7896ccab4", "Location", "ConnectionData", "_apis/{resource}", 1),
    (
        "603fe2ac-9723-48b9-88ad-09305aa6c6e1",
        "core",
        "projects",
        "_apis/{resource}/{*projectId}",
        4,
    ),
    (
        "0cd358e1-9217-4d94-8269-1c1ee6f93dcf",
        "build",
        "builds",
        "{project}/_apis/{area}/{resource}/{buildId}",
        7,
    ),
    (
        "35a80daf-7f30-45fc-86e8-6b813d9c90df",
        "build",
        "logs",
        "{project}/_apis/{area}/builds/{buildId}/{resource}/{logId}",
        2,
    ),
    (
        "8baac422-4c6e-4de5-8532-db96d92acffa",
        "build",
        "timeline",
        "{project}/_apis/{area}/builds/{buildId}/{resource}/{timelineId}",
        2,
    ),
    (
        "1db06c96-014e-44e1-ac91-90b2d4b3e984",
        "build",
        "artifacts",
        "{project}/_apis/{area}/builds/{buildId}/{resource}/{artifactName}",
        5,
    ),
    (
        "54572c7b-bbd3-45d4-80dc-28be08941620",
        "build",
        "changes",
        "{project}/_apis/{area}/builds/{buildId}/{resource}",
        2,
    ),
    (
        "dbeaf647-6167-421a-bda9-c9327b25e2e6",
        "build",
        "definitions",
        "{project}/_apis/{area}/{resource}/{definitionId}",
        7,
    ),
    (
        "5a21f5d2-5642-47e4-a0bd-1356e6731bee",
        "build",
        "workitems",
        "{project}/_apis/{area}/builds/{buildId}/{resource}",
        2,
    ),
];

/// The project that everything belongs to.
pub(super) const PROJECT: (&str, &str) = ("c1b1a3a4-5d0e-4f60-9a3a-a17100000001", "altinn-studio");

/// All locations, whichever area was asked for.
pub(super) fn locations() -> Response {
    let location = |(id, area, resource, template, version): &(&str, &str, &str, &str, u32)| {
        json!({
            "id": id, "area": area, "resourceName": resource, "routeTemplate": template,
            "resourceVersion": version, "minVersion": "1.0", "maxVersion": "7.2", "releasedVersion": "7.1",
        })
    };
    list(&LOCATIONS.iter().map(location).collect::<Vec<_>>())
}

/// None: a client then asks for everything where it asked for this.
pub(super) fn areas() -> Response {
    list(&[])
}

pub(super) fn connection() -> Response {
    let user = json!({"id": PROJECT.0, "descriptor": "altinn-local", "providerDisplayName": "altinn-local", "isActive": true});
    Json(json!({"authenticatedUser": user, "authorizedUser": user, "deploymentType": "onPremises"}))
        .into_response()
}

pub(super) fn projects(base: &str) -> Response {
    let (id, name) = PROJECT;
    list(&[
        json!({"id": id, "name": name, "state": "wellFormed", "url": format!("{base}/_apis/projects/{id}")}),
    ])
}

/// A list as Azure DevOps gives it.
pub(super) fn list(value: &[Value]) -> Response {
    Json(json!({"count": value.len(), "value": value})).into_response()
}

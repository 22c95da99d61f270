//! The OpenAPI document, made from the endpoints themselves.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::api::{Endpoint, SchemaOf};

/// OpenAPI 3.1 of some endpoints.
#[must_use]
pub fn document(endpoints: &[Endpoint]) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for endpoint in endpoints {
        let operation = operation(endpoint, &mut generator);
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[endpoint.method.as_str().to_ascii_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Altinn platform, local", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
            },
        },
    })
}

fn operation(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "summary": endpoint.summary,
        "tags": [endpoint.service],
        "parameters": parameters(endpoint),
        "responses": responses(endpoint, generator),
    });
    if let Some((kind, schema)) = &endpoint.takes {
        let schema = of(*schema, generator);
        operation["requestBody"] = json!({ "required": true, "content": { *kind: schema } });
    }
    if !endpoint.open {
        operation["security"] = json!([{ "bearer": [] }]);
    }
    operation
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let path = endpoint.path.split('/').filter_map(|word| {
        let name = word.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({ "name": name, "in": "path", "required": true, "schema": text }))
    });
    let query = endpoint
        .query
        .iter()
        .map(|name| json!({ "name": name, "in": "query", "required": false, "schema": text }));
    path.chain(query).collect()
}

fn responses(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Map<String, Value> {
    let mut responses = Map::new();
    let refused: &[u16] = if endpoint.open { &[] } else { &[401] };
    let all = endpoint.gives.iter().copied().chain(refused.iter().map(|status| (*status, None)));
    for (status, schema) in all {
        let told = axum::http::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Answer");
        let mut response = json!({ "description": told });
        if schema.is_some() {
            response["content"] = json!({ "application/json": of(schema, generator) });
        }
        responses.entry(status.to_string()).or_insert(response);
    }
    responses
}

fn of(schema: Option<SchemaOf>, generator: &mut SchemaGenerator) -> Value {
    match schema {
        Some(schema) => json!({ "schema": schema(generator) }),
        None => json!({}),
    }
}

//! What is different on a workstation: `templates/chart/overlay.yaml`, filled in for one app.

use serde::Serialize;
use serde_json::Value;

use super::{chart, values};
use crate::model::{AppId, ImageRef, Report};
use crate::sys::template;

/// Which probes an app's own values switch on. None of the app's is ever added or taken away: an app of 2020 has
/// no `/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Probes {
    startup: bool,
    readiness: bool,
    liveness: bool,
    /// What the liveness probe asks, as the inside of a quoted YAML text.
    path: String,
}

impl Probes {
    /// From the values as the chart sees them before the overlay.
    pub(super) fn of(effective: &Value) -> Self {
        let on = |probe: &str| truthy(&effective[probe]["enabled"]);
        let path = effective["liveness"]["path"].as_str().unwrap_or("/health");
        Self {
            startup: on("startup"),
            readiness: on("readiness"),
            liveness: on("liveness"),
            path: quoted_inside(path),
        }
    }
}

/// Helm's idea of true.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(on) => *on,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

/// JSON's escapes are also YAML's, within double quotes; the quotes stand in the template.
fn quoted_inside(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The names that the template uses.
#[derive(Serialize)]
struct Facts<'a> {
    image_repository: &'a str,
    image_tag: &'a str,
    app: &'a str,
    release: &'a str,
    host: &'a str,
    route_org: &'a str,
    route_app: &'a str,
    probes: &'a Probes,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment_id: Option<String>,
}

/// The overlay's values. `host` is the name under which the organisation's apps are served, without port; `deployment`
/// is Designer's number of the deployment.
pub(super) fn render(
    app: &AppId,
    image: &ImageRef,
    host: &str,
    deployment: Option<&str>,
    probes: &Probes,
) -> Result<Value, Report> {
    let facts = Facts {
        image_repository: &quoted_inside(&image.repository),
        image_tag: &quoted_inside(&image.tag),
        app: app.app.as_str(),
        release: &app.release(),
        host: &quoted_inside(host),
        route_org: app.org.as_str(),
        route_app: app.app.as_str(),
        probes,
        deployment_id: deployment.map(quoted_inside),
    };
    values::parse("overlay.yaml", &template::render(&chart::overlay()?, &facts)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rendered(effective: &Value) -> Value {
        let image = ImageRef::new("ttdaltinnregistry01.azurecr.io/ttd-demo", "c-0123456789ab");
        let app = "ttd/demo".parse().unwrap();
        render(&app, &image, "ttd.apps.altinn.localhost", None, &Probes::of(effective)).unwrap()
    }

    #[test]
    fn probes_follow_the_app() {
        for (effective, startup, readiness, liveness) in [
            (json!({}), Value::Null, Value::Null, Value::Null),
            (
                json!({"readiness": {"enabled": true}}),
                Value::Null,
                json!({"enabled": true, "initialDelaySeconds": 0, "periodSeconds": 1, "failureThreshold": 10}),
                Value::Null,
            ),
            (
                json!({"liveness": {"enabled": true, "path": "/a\"b"}}),
                Value::Null,
                json!({"enabled": true, "path": "/a\"b", "initialDelaySeconds": 0, "periodSeconds": 1, "failureThreshold": 10}),
                json!({"failureThreshold": 30}),
            ),
            (
                json!({"startup": {"enabled": true}}),
                json!({"periodSeconds": 1, "failureThreshold": 120}),
                Value::Null,
                Value::Null,
            ),
        ] {
            let overlay = rendered(&effective);
            assert_eq!(overlay["startup"], startup, "{effective}");
            assert_eq!(overlay["readiness"], readiness, "{effective}");
            assert_eq!(overlay["liveness"], liveness, "{effective}");
        }
    }

    #[test]
    fn the_rule_is_productions_with_the_local_host() {
        let overlay = rendered(&json!({}));
        let route = &overlay["ingressRoute"]["routes"][0];
        assert_eq!(
            route["match"],
            "Host(`ttd.apps.altinn.localhost`)&&PathPrefix(`/ttd/demo/`)||Host(`ttd.apps.altinn.localhost`)&&Path(`/ttd/demo`)"
        );
        assert_eq!(route["services"][0]["name"], "ttd-demo-deployment");
        assert_eq!(overlay["ingressRoute"]["tls"], Value::Null);
        assert!(overlay["ingressRoute"].as_object().unwrap().contains_key("tls"));
    }
}

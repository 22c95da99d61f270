//! Renders the embedded templates. A name that a template uses and nobody gave is an error, not an empty text.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::model::Report;

/// Fills a template with the fields of `values`.
pub fn render(template: &str, values: &impl Serialize) -> Result<String, Report> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let text = environment.render_str(template, Serde(values));
    text.map_err(|error| Report::bug("cannot render a template", &error))
}

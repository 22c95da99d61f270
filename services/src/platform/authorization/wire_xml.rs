//! Requests and answers in XACML's own XML, which Authorization takes with any content type but JSON.

use std::fmt::Write as _;

use super::parse::{self, NAMESPACE, ParseFault};
use crate::kit::xacml::{
    Attribute, Category, Decision, MultiRequests, Outcome, Request, RequestReference,
};

/// Reads a request.
pub(super) fn read(body: &[u8]) -> Result<Request, ParseFault> {
    let text = std::str::from_utf8(body).map_err(|error| ParseFault::Xml(error.to_string()))?;
    let document = parse::open(text)?;
    let root = document.root_element();
    if root.tag_name().name() != "Request" || root.tag_name().namespace() != Some(NAMESPACE) {
        return Err(ParseFault::Xml("the root must be `Request` of XACML 3.0".to_owned()));
    }
    let named = |name: &'static str| {
        root.descendants().filter(move |node| node.is_element() && node.tag_name().name() == name)
    };
    let text_of =
        |name: &str, node: roxmltree::Node<'_, '_>| node.attribute(name).map(str::to_owned);
    let category = named("Attributes").map(|node| {
        let attribute = node
            .children()
            .filter(|child| child.tag_name().name() == "Attribute")
            .flat_map(|attribute| {
                attribute
                    .children()
                    .filter(|child| child.tag_name().name() == "AttributeValue")
                    .map(move |value| Attribute {
                        attribute_id: text_of("AttributeId", attribute).unwrap_or_default(),
                        value: value.text().unwrap_or_default().trim().to_owned(),
                        issuer: text_of("Issuer", attribute),
                        data_type: text_of("DataType", value),
                        include_in_result: attribute.attribute("IncludeInResult") == Some("true"),
                    })
            })
            .collect();
        let id = node.attribute(("http://www.w3.org/XML/1998/namespace", "id"));
        Category { category_id: text_of("Category", node), id: id.map(str::to_owned), attribute }
    });
    let references: Vec<RequestReference> = named("RequestReference")
        .map(|node| RequestReference {
            reference_id: node
                .children()
                .filter_map(|child| child.attribute("ReferenceId").map(str::to_owned))
                .collect(),
        })
        .collect();
    Ok(Request {
        category: category.collect(),
        multi_requests: Some(MultiRequests { request_reference: references }),
        ..Request::default()
    })
}

/// Writes an answer.
pub(super) fn write(outcomes: &[Outcome]) -> String {
    let mut text =
        format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Response xmlns=\"{NAMESPACE}\">");
    for outcome in outcomes {
        let decision = match outcome.decision {
            Decision::Permit => "Permit",
            Decision::Deny => "Deny",
            Decision::NotApplicable => "NotApplicable",
            Decision::Indeterminate => "Indeterminate",
        };
        let code = escape(&outcome.status.status_code.value);
        let _ = write!(
            text,
            "<Result><Decision>{decision}</Decision><Status><StatusCode Value=\"{code}\" />"
        );
        if let Some(message) = &outcome.status.status_message {
            let _ = write!(text, "<StatusMessage>{}</StatusMessage>", escape(message));
        }
        text.push_str("</Status>");
        obligations(&mut text, outcome);
        categories(&mut text, outcome);
        text.push_str("</Result>");
    }
    text.push_str("</Response>");
    text
}

fn obligations(text: &mut String, outcome: &Outcome) {
    let Some(obligations) = &outcome.obligations else { return };
    text.push_str("<Obligations>");
    for obligation in obligations {
        let _ = write!(text, "<Obligation ObligationId=\"{}\">", escape(&obligation.id));
        for value in &obligation.attribute_assignment {
            let _ = write!(
                text,
                "<AttributeAssignment AttributeId=\"{}\" Category=\"{}\" DataType=\"{}\">{}</AttributeAssignment>",
                escape(&value.attribute_id),
                escape(value.category.as_deref().unwrap_or_default()),
                escape(value.data_type.as_deref().unwrap_or_default()),
                escape(&value.value)
            );
        }
        text.push_str("</Obligation>");
    }
    text.push_str("</Obligations>");
}

fn categories(text: &mut String, outcome: &Outcome) {
    for category in outcome.category.iter().flatten() {
        let name = escape(category.category_id.as_deref().unwrap_or_default());
        let _ = write!(text, "<Attributes Category=\"{name}\">");
        for attribute in &category.attribute {
            let kind = super::matching::kind(attribute.data_type.as_deref()).unwrap_or_default();
            let _ = write!(
                text,
                "<Attribute AttributeId=\"{}\" IncludeInResult=\"true\"><AttributeValue DataType=\"{kind}\">{}</AttributeValue></Attribute>",
                escape(&attribute.attribute_id),
                escape(&attribute.value)
            );
        }
        text.push_str("</Attributes>");
    }
}

fn escape(text: &str) -> String {
    // Characters that XML cannot carry at all become the one that stands for them.
    text.chars()
        .map(|c| if c.is_control() && !matches!(c, '\n' | '\r' | '\t') { '\u{fffd}' } else { c })
        .collect::<String>()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

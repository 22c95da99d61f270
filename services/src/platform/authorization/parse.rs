//! Reads a policy. Documents with a DTD are refused, and with it entities, bombs and files of the machine; so are
//! documents with very many nodes or very deep ones.

use roxmltree::{Document, Node, ParsingOptions};

use super::combine::Combining;
use super::condition::Expression;
use super::matching::Comparison;
use super::policy::{Designator, Duty, Effect, Match, Policy, Rule, Target, Value};

/// XACML 3.0.
pub const NAMESPACE: &str = "urn:oasis:names:tc:xacml:3.0:core:schema:wd-17";
/// More nodes than any policy has.
const NODES: u32 = 200_000;
/// Deeper than any policy is; also keeps the reading of conditions within the stack.
const DEPTH: usize = 100;

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseFault {
    /// No XML, or XML that is refused.
    #[error("the policy is not XML: {0}")]
    Xml(String),
    /// XML of another shape.
    #[error("line {line}: {what}")]
    Shape {
        /// Where.
        line: u32,
        /// What is wrong.
        what: String,
    },
}

/// Opens a document within bounds; for everything in XML that comes from outside.
pub(super) fn open(text: &str) -> Result<Document<'_>, ParseFault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    shallow(text)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, ..Default::default() };
    Document::parse_with_options(text, options).map_err(|error| ParseFault::Xml(error.to_string()))
}

/// The parser calls itself for each level, so depth is judged before it: coarsely, by counting tags.
fn shallow(text: &str) -> Result<(), ParseFault> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(found) = text[at..].find('<') {
        let start = at + found;
        let rest = &text[start..];
        let skip = if rest.starts_with("<!--") {
            rest.find("-->").map_or(rest.len(), |end| end + 3)
        } else if rest.starts_with("<![CDATA[") {
            rest.find("]]>").map_or(rest.len(), |end| end + 3)
        } else {
            let end = end_of_tag(&bytes[start..]);
            match bytes.get(start + 1) {
                Some(b'/') => depth = depth.saturating_sub(1),
                Some(b'?' | b'!') | None => {}
                _ if end >= 2 && bytes[start + end - 2] == b'/' => {}
                _ => depth += 1,
            }
            end
        };
        if depth > DEPTH {
            return Err(ParseFault::Xml("it is too deep".to_owned()));
        }
        at = start + skip;
    }
    Ok(())
}

/// Length of a tag; `>` within quotes does not end it.
fn end_of_tag(tag: &[u8]) -> usize {
    let mut quote = None;
    for (index, byte) in tag.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return index + 1,
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// Reads a policy.
pub fn policy(text: &str) -> Result<Policy, ParseFault> {
    let document = open(text)?;
    let root = document.root_element();
    if !is(root, "Policy") {
        return Err(fault(root, "the root must be `Policy` of XACML 3.0"));
    }
    let algorithm = needed(root, "RuleCombiningAlgId")?;
    Ok(Policy {
        id: needed(root, "PolicyId")?.to_owned(),
        version: root.attribute("Version").unwrap_or("1.0").to_owned(),
        combining: Combining::read(algorithm),
        target: child(root, "Target").map_or_else(|| Ok(Vec::new()), target)?,
        rules: children(root, "Rule").map(rule).collect::<Result<_, _>>()?,
        obligations: child(root, "ObligationExpressions")
            .into_iter()
            .flat_map(|list| children(list, "ObligationExpression"))
            .map(duty)
            .collect::<Result<_, _>>()?,
    })
}

fn rule(node: Node<'_, '_>) -> Result<Rule, ParseFault> {
    let condition = child(node, "Condition")
        .map(|condition| {
            let inner = condition.children().find(Node::is_element);
            expression(inner.ok_or_else(|| fault(condition, "the condition is empty"))?)
        })
        .transpose()?;
    Ok(Rule {
        id: needed(node, "RuleId")?.to_owned(),
        effect: effect(node, "Effect")?,
        target: child(node, "Target").map_or_else(|| Ok(Vec::new()), target)?,
        condition,
    })
}

fn target(node: Node<'_, '_>) -> Result<Target, ParseFault> {
    children(node, "AnyOf")
        .map(|any| {
            children(any, "AllOf")
                .map(|all| children(all, "Match").map(one_match).collect())
                .collect()
        })
        .collect()
}

fn one_match(node: Node<'_, '_>) -> Result<Match, ParseFault> {
    let part = |name| child(node, name).ok_or_else(|| fault(node, &format!("`{name}` is missing")));
    let value = value(part("AttributeValue")?)?;
    Ok(Match {
        comparison: Comparison::read(needed(node, "MatchId")?, &value),
        value,
        attribute: designator(part("AttributeDesignator")?)?,
    })
}

fn value(node: Node<'_, '_>) -> Result<Value, ParseFault> {
    let text: String =
        node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
    Ok(Value { kind: needed(node, "DataType")?.to_owned(), text: text.trim().to_owned() })
}

fn designator(node: Node<'_, '_>) -> Result<Designator, ParseFault> {
    Ok(Designator {
        category: needed(node, "Category")?.to_owned(),
        id: needed(node, "AttributeId")?.to_owned(),
        kind: needed(node, "DataType")?.to_owned(),
        must_be_present: matches!(node.attribute("MustBePresent"), Some("true" | "1")),
    })
}

fn expression(node: Node<'_, '_>) -> Result<Expression, ParseFault> {
    match node.tag_name().name() {
        "Apply" => Ok(Expression::Apply(
            function(needed(node, "FunctionId")?),
            node.children()
                .filter(|child| child.is_element() && !is(*child, "Description"))
                .map(expression)
                .collect::<Result<_, _>>()?,
        )),
        "AttributeValue" => value(node).map(Expression::Value),
        "AttributeDesignator" => designator(node).map(Expression::Designator),
        "Function" => Ok(Expression::Function(function(needed(node, "FunctionId")?))),
        other => Err(fault(node, &format!("`{other}` is not understood in a condition"))),
    }
}

/// A function's name without the version that it came with.
pub(super) fn function(id: &str) -> String {
    id.rsplit(':').next().unwrap_or(id).to_owned()
}

fn duty(node: Node<'_, '_>) -> Result<Duty, ParseFault> {
    let values = children(node, "AttributeAssignmentExpression").map(|assignment| {
        let given = child(assignment, "AttributeValue")
            .ok_or_else(|| fault(assignment, "`AttributeValue` is missing"))?;
        Ok((
            needed(assignment, "AttributeId")?.to_owned(),
            assignment.attribute("Category").map(str::to_owned),
            value(given)?,
        ))
    });
    Ok(Duty {
        id: needed(node, "ObligationId")?.to_owned(),
        on: effect(node, "FulfillOn")?,
        values: values.collect::<Result<_, _>>()?,
    })
}

fn effect(node: Node<'_, '_>, name: &str) -> Result<Effect, ParseFault> {
    match needed(node, name)? {
        "Permit" => Ok(Effect::Permit),
        "Deny" => Ok(Effect::Deny),
        other => Err(fault(node, &format!("`{name}` is `{other}`, not Permit or Deny"))),
    }
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element()
        && node.tag_name().name() == name
        && node.tag_name().namespace() == Some(NAMESPACE)
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| is(*child, name))
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| is(*child, name))
}

fn needed<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str, ParseFault> {
    node.attribute(name).ok_or_else(|| fault(node, &format!("attribute `{name}` is missing")))
}

fn fault(node: Node<'_, '_>, what: &str) -> ParseFault {
    let line = node.document().text_pos_at(node.range().start).row;
    ParseFault::Shape { line, what: what.to_owned() }
}

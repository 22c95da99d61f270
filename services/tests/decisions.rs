//! The table in `decisions.md`, asked of a running service.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod world;

use serde_json::{Value, json};
use world::World;

struct Row {
    policy: String,
    who: String,
    action: String,
    about: String,
    expected: String,
}

fn rows() -> Vec<Row> {
    include_str!("decisions.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").map(str::to_owned).collect::<Vec<_>>())
        .filter(|cells| cells[0] != "policy")
        .map(|cells| {
            let [policy, who, action, about, expected] = cells.try_into().unwrap();
            Row { policy, who, action, about, expected }
        })
        .collect()
}

fn attribute(id: &str, value: &str) -> Value {
    json!({ "AttributeId": id, "Value": value, "DataType": "string", "Issuer": "Altinn" })
}

fn subject(who: &str) -> Vec<Value> {
    let (kind, value) = who.split_once(' ').unwrap();
    let level = |level: &str| attribute("urn:altinn:authlevel", level);
    let number = |value| {
        vec![
            attribute("urn:scope", "altinn:instances.read altinn:instances.write"),
            attribute("urn:altinn:organizationnumber", value),
            attribute("urn:altinn:organization:identifier-no", value),
        ]
    };
    match kind {
        "user" => vec![attribute("urn:altinn:userid", value), level("2")],
        "strong" => vec![attribute("urn:altinn:userid", value), level("4")],
        "person" => vec![attribute("urn:altinn:person:identifier-no", value)],
        "personuuid" => vec![attribute("urn:altinn:person:uuid", value)],
        "org" => vec![attribute("urn:altinn:org", value), level("3")],
        "orgnr" => number(value),
        "system" => vec![attribute("urn:altinn:systemuser:uuid", value)],
        "two" => {
            let (user, org) = value.split_once('+').unwrap();
            let mut both = number(org);
            both.push(attribute("urn:altinn:userid", user));
            both
        }
        _ => Vec::new(),
    }
}

fn resource(row: &Row) -> Vec<Value> {
    let (party, place) = row.about.split_once('/').unwrap();
    let mut attributes = Vec::new();
    if place != "-" {
        let kind =
            if place.starts_with("End") { "urn:altinn:end-event" } else { "urn:altinn:task" };
        attributes.push(attribute(kind, place));
    }
    if row.policy.starts_with("altinn_") {
        attributes.push(attribute("urn:altinn:resource", &row.policy));
        attributes.push(attribute("urn:altinn:partyid", party));
        return attributes;
    }
    let mut instance = attribute(
        "urn:altinn:instance-id",
        &format!("{party}/7f1c2d3e-0000-4000-8000-000000000001"),
    );
    instance["IncludeInResult"] = json!(true);
    attributes.push(instance);
    attributes.push(attribute("urn:altinn:partyid", party));
    attributes.push(attribute("urn:altinn:org", "ttd"));
    attributes.push(attribute("urn:altinn:app", &row.policy));
    attributes
}

fn action(row: &Row) -> Value {
    let mut action = attribute("urn:oasis:names:tc:xacml:1.0:action:action-id", &row.action);
    action["IncludeInResult"] = json!(true);
    action
}

/// All rows in one request: subjects, actions and resources apart, put together by references.
fn multi(rows: &[Row]) -> Value {
    let part = |letter: &str, index: usize, attributes: Vec<Value>| json!({ "Id": format!("{letter}{index}"), "Attribute": attributes });
    let all = |letter: &str, make: &dyn Fn(&Row) -> Vec<Value>| -> Vec<Value> {
        rows.iter().enumerate().map(|(index, row)| part(letter, index, make(row))).collect()
    };
    let references: Vec<Value> = (0..rows.len())
        .map(|index| json!({ "ReferenceId": [format!("s{index}"), format!("a{index}"), format!("r{index}")] }))
        .collect();
    json!({ "Request": {
        "AccessSubject": all("s", &|row| subject(&row.who)),
        "Action": all("a", &|row| vec![action(row)]),
        "Resource": all("r", &resource),
        "MultiRequests": { "RequestReference": references },
    } })
}

async fn world() -> World {
    let world = World::new(true).await;
    for entry in std::fs::read_dir(world::policies()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(world.upload(&name, &text).await, (200, String::new()), "{name}");
    }
    std::fs::create_dir_all(world.path("people")).unwrap();
    std::fs::write(
        world.path("people/mine.yaml"),
        "persons:
  - { userId: 4242, partyId: 504242, firstName: Ny, lastName: Person, ssn: '01010112345', partyRoles: {
      500000: [{type: 'urn:altinn:accesspackage', value: skatt}],
      500004: [regna, {type: 'urn:altinn:accesspackage', value: SKATT}] } }",
    )
    .unwrap();
    world
}

#[tokio::test]
async fn every_row_comes_out() {
    let world = world().await;
    let rows = rows();
    assert!(rows.len() >= 60);
    let (status, together) = world.post("/authorization/api/v1/decision", "", multi(&rows)).await;
    assert_eq!(status, 200);
    let together = together["response"].as_array().unwrap().clone();
    assert_eq!(together.len(), rows.len());
    let mut wrong = 0;
    for (row, in_multi) in rows.iter().zip(&together) {
        let asked = json!({ "Request": {
            "AccessSubject": [{ "Attribute": subject(&row.who) }],
            "Action": [{ "Attribute": [action(row)] }],
            "Resource": [{ "Attribute": resource(row) }],
        } });
        let (status, answer) = world.post("/authorization/api/v1/decision", "", asked).await;
        let single = answer["response"][0]["decision"].as_str().unwrap_or_default().to_owned();
        let multi = in_multi["decision"].as_str().unwrap_or_default();
        let right = status == 200 && single == row.expected && multi == row.expected;
        wrong += usize::from(!right);
        println!(
            "{} {:22} {:45} {:12} {:20} expected {:13} got {single}, {multi}",
            if right { "ok   " } else { "WRONG" },
            row.policy,
            row.who,
            row.action,
            row.about,
            row.expected,
        );
        assert!(in_multi["category"].is_array(), "clients walk the list");
        if row.policy != "altinn_keyrole_access" && row.who != "two 1337+405003309" {
            assert_eq!(
                in_multi["category"][1]["attribute"][0]["attributeId"],
                "urn:altinn:instance-id"
            );
        }
    }
    println!("{} decisions over {} policies, {wrong} wrong", rows.len(), 11);
    assert_eq!(wrong, 0);
}

#[tokio::test]
async fn obligations_go_with_a_permit() {
    let world = world().await;
    let all = rows();
    let ask = async |expected: &str| {
        let row =
            all.iter().find(|row| row.policy == "signing" && row.expected == expected).unwrap();
        let asked = json!({ "request": {
            "returnPolicyIdList": true,
            "accessSubject": [{ "attribute": subject(&row.who) }],
            "action": [{ "attribute": [action(row)] }],
            "resource": [{ "attribute": resource(row) }],
        } });
        let answer = world.post("/Authorization/API/v1/Decision/", "", asked).await;
        answer.1["response"][0].clone()
    };
    let permit = ask("Permit").await;
    let levels: Vec<(&str, &str)> = permit["obligations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|obligation| {
            let value = &obligation["attributeAssignment"][0];
            (value["category"].as_str().unwrap(), value["value"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        levels,
        [
            ("urn:altinn:minimum-authenticationlevel", "3"),
            ("urn:altinn:minimum-authenticationlevel-org", "3"),
        ]
    );
    assert_eq!(permit["status"]["statusCode"]["value"], "urn:oasis:names:tc:xacml:1.0:status:ok");
    assert_eq!(
        permit["policyIdentifierList"]["policyIdReference"][0]["id"],
        "urn:altinn:example:policyid:signing"
    );
    assert_eq!(ask("NotApplicable").await["obligations"], Value::Null);
}

/// Faults of the request are answers, never refusals: clients take any other status as no answer.
#[tokio::test]
async fn what_cannot_be_read_is_indeterminate() {
    let world = world().await;
    let url = format!("{}/authorization/api/v1/decision", world.base);
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><Request>&b;</Request>";
    let outside = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><Request>&a;</Request>";
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let nested = "[".repeat(100_000);
    let long = "x".repeat(9 * 1024 * 1024);
    for (kind, body) in [
        ("application/json", ""),
        ("application/json", "{"),
        ("application/json", "[]"),
        ("application/json", "{\"Request\":null}"),
        ("application/json", "{\"Request\":{\"Action\":7}}"),
        ("application/json", "{\"Request\":{}}"),
        (
            "application/json",
            "{\"Request\":{\"Resource\":[{\"Attribute\":[{\"AttributeId\":\"urn:altinn:partyid\",\"Value\":[1]}]}]}}",
        ),
        ("application/json", nested.as_str()),
        ("application/json", long.as_str()),
        ("application/xml", ""),
        ("application/xml", "<a/>"),
        ("application/xml", bomb),
        ("application/xml", outside),
        ("application/xml", deep.as_str()),
        ("text/plain", "hello"),
    ] {
        let request = world.client.post(&url).header("content-type", kind).body(body.to_owned());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{kind}: {body:.40}");
        let text = answer.text().await.unwrap();
        assert!(text.contains("Indeterminate"), "{kind}: {body:.40}: {text:.200}");
        assert!(!text.contains("root:"), "a file of the machine");
    }
}

#[tokio::test]
async fn xml_in_and_out() {
    let world = world().await;
    let attribute = |category: &str, list: &[(&str, &str)]| {
        let inner = list.iter().fold(String::new(), |text, (id, value)| {
            format!(
                "{text}<Attribute AttributeId=\"{id}\" IncludeInResult=\"true\"><AttributeValue \
                 DataType=\"http://www.w3.org/2001/XMLSchema#string\">{value}</AttributeValue></Attribute>"
            )
        });
        format!("<Attributes Category=\"{category}\">{inner}</Attributes>")
    };
    let body = format!(
        "<Request xmlns=\"urn:oasis:names:tc:xacml:3.0:core:schema:wd-17\" CombinedDecision=\"false\" ReturnPolicyIdList=\"false\">{}{}{}</Request>",
        attribute(
            "urn:oasis:names:tc:xacml:1.0:subject-category:access-subject",
            &[("urn:altinn:userid", "1337")]
        ),
        attribute(
            "urn:oasis:names:tc:xacml:3.0:attribute-category:action",
            &[("urn:oasis:names:tc:xacml:1.0:action:action-id", "read")]
        ),
        attribute(
            "urn:oasis:names:tc:xacml:3.0:attribute-category:resource",
            &[
                ("urn:altinn:org", "ttd"),
                ("urn:altinn:app", "form"),
                ("urn:altinn:partyid", "501337"),
                ("urn:altinn:task", "Task_1")
            ]
        ),
    );
    let request = world.client.post(format!("{}/authorization/api/v1/decision", world.base));
    let answer = request.header("content-type", "application/xml").body(body).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/xml; charset=utf-8");
    let text = answer.text().await.unwrap();
    assert!(text.contains("<Decision>Permit</Decision>"), "{text}");
    assert!(text.contains("AttributeAssignment"), "{text}");
}

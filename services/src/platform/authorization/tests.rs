use super::parse::{ParseFault, policy};

const FORM: &str = include_str!("../../../tests/policies/form.xml");

#[test]
fn what_is_no_policy() {
    let deep = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
    let many = format!("<a>{}</a>", "<b/>".repeat(300_000));
    for (what, text) in [
        ("nothing", ""),
        ("no XML", "hello"),
        ("not closed", "<a>"),
        ("another root", "<a/>"),
        ("no namespace", "<Policy PolicyId=\"x\" RuleCombiningAlgId=\"y\"/>"),
        ("an entity", "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>"),
        ("a file", "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>"),
        ("an unknown entity", "<x>&nothing;</x>"),
        ("deep", deep.as_str()),
        ("many", many.as_str()),
    ] {
        assert!(policy(text).is_err(), "{what}");
    }
    for (what, from, to) in [
        ("no id", "PolicyId=", "Id="),
        ("another effect", "Effect=\"Permit\"", "Effect=\"Maybe\""),
        ("no rule id", "RuleId=", "Id="),
        ("no match id", "MatchId=", "Id="),
        ("no designator", "AttributeDesignator", "AttributeSelector"),
        ("no data type", " DataType=", " Type="),
        ("a late obligation", "FulfillOn=\"Permit\"", "FulfillOn=\"Later\""),
    ] {
        let fault = policy(&FORM.replace(from, to)).unwrap_err();
        assert!(matches!(fault, ParseFault::Shape { .. }), "{what}: {fault}");
    }
}

#[test]
fn a_byte_order_mark_and_any_prefix() {
    let text = FORM.replace("<xacml:", "<x:").replace("</xacml:", "</x:");
    let text = format!("\u{feff}{}", text.replace("xmlns:xacml", "xmlns:x"));
    let read = policy(&text).unwrap();
    assert_eq!(read.rules.len(), 4);
    assert!(read.mentions("urn:altinn:rolecode") && !read.mentions("urn:altinn:accesspackage"));
    assert_eq!(read.obligations.len(), 2);
}

proptest::proptest! {
    #[test]
    fn any_text_is_judged(text in "[<>/a-z \"=&;!\\[\\]-]{0,300}") {
        let _ = policy(&text);
    }

    /// A good policy with a piece of something else in it.
    #[test]
    fn any_damage_is_judged(at in 0_usize..4000, length in 0_usize..50, piece in ".{0,20}") {
        let mut text: String = FORM.chars().take(at).collect();
        text.push_str(&piece);
        text.extend(FORM.chars().skip(at + length));
        let _ = policy(&text);
    }

    /// A good request with a piece of something else in it.
    #[test]
    fn any_damage_to_a_request_is_judged(at in 0_usize..600, length in 0_usize..20, piece in "[<>/a-zA-Z=\"&;:]{0,20}") {
        const GOOD: &str = r#"<Request xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" CombinedDecision="false" ReturnPolicyIdList="false"><Attributes Category="urn:oasis:names:tc:xacml:1.0:subject-category:access-subject"><Attribute AttributeId="urn:altinn:userid" IncludeInResult="false"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">1337</AttributeValue></Attribute></Attributes></Request>"#;
        assert!(super::wire_xml::read(GOOD.as_bytes()).is_ok());
        let mut text: String = GOOD.chars().take(at).collect();
        text.push_str(&piece);
        text.extend(GOOD.chars().skip(at + length));
        let _ = super::wire_xml::read(text.as_bytes());
    }

    #[test]
    fn any_xml_request_is_judged(text in "[<>/A-Za-z \"=&;]{0,200}") {
        let _ = super::wire_xml::read(text.as_bytes());
    }
}

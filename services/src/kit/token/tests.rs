use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::{Claims, PublicKey, SigningKey, Verifier, jwt};

fn claims(value: &serde_json::Value) -> Claims {
    Claims(value.as_object().unwrap().clone())
}

#[test]
fn a_key_is_made_once_and_only_its_owner_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = SigningKey::keep(folder.path()).unwrap();
    let second = SigningKey::keep(folder.path()).unwrap();
    assert_eq!(first.id(), second.id());
    assert_eq!(first.id().len(), 40);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = folder.path().join("signing-key.pem");
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let read = PublicKey::from_jwk(&first.public().jwk()).unwrap();
    assert_eq!(&read, first.public());
    assert!(read.verify(b"text", &second.sign(b"text").unwrap()));
    assert!(!read.verify(b"other", &second.sign(b"text").unwrap()));
    std::fs::write(folder.path().join("signing-key.pem"), "nothing").unwrap();
    assert!(SigningKey::keep(folder.path()).is_err());
}

#[tokio::test]
async fn what_is_accepted() {
    let key = Arc::new(SigningKey::fleeting().unwrap());
    let other = SigningKey::fleeting().unwrap();
    let verifier = Verifier::own(key.clone());
    let now = jwt::now();
    let sign = |key: &SigningKey, body: serde_json::Value| jwt::sign(key, &claims(&body)).unwrap();
    let good = sign(&key, json!({ "a": 1, "exp": now + 60, "nbf": now }));
    let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
    let mut with = |index: usize, text: &str| {
        let old = std::mem::replace(&mut parts[index], text.to_owned());
        let token = parts.join(".");
        parts[index] = old;
        token
    };
    let head = |alg: &str| URL_SAFE_NO_PAD.encode(json!({ "alg": alg }).to_string());
    for (what, token, accepted) in [
        ("good", good.clone(), true),
        ("within the skew", sign(&key, json!({ "exp": now - 5 })), true),
        ("ended", sign(&key, json!({ "exp": now - 60 })), false),
        ("not begun", sign(&key, json!({ "exp": now + 60, "nbf": now + 60 })), false),
        ("without an end", sign(&key, json!({ "a": 1 })), false),
        ("another's key", sign(&other, json!({ "exp": now + 60 })), false),
        ("no algorithm", with(0, &head("none")), false),
        ("a shared secret", with(0, &head("HS256")), false),
        ("changed claims", with(1, &URL_SAFE_NO_PAD.encode("{\"exp\":99999999999}")), false),
        ("no signature", with(2, ""), false),
        ("nothing", String::new(), false),
        ("dots", "..".to_owned(), false),
        ("too long", "a".repeat(100_000), false),
    ] {
        assert_eq!(verifier.verify(&token).await.unwrap().is_some(), accepted, "{what}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_judged(text in "[A-Za-z0-9_.=-]{0,200}") {
        let _ = jwt::parse(&text);
    }
}

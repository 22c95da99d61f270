//! Archives there and back, and broken ones.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use uuid::Uuid;

use super::archive::{self, Entry};
use super::scope::Scope;
use super::*;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// An archive of three documents, a blob in pieces and a missing one.
async fn made(id: Uuid) -> Bytes {
    let body = archive::body("storage", &Scope::All, move |mut writer| async move {
        writer.document(&json!({ "a": 1 }))?;
        writer.document(&json!({ "a": "line\nbreak" }))?;
        writer.flush().await?;
        let pieces: Vec<Result<Bytes, Infallible>> =
            vec![Ok(Bytes::from_static(b"abc")), Ok(Bytes::from(vec![7; 1000]))];
        writer.blob(&id.to_string(), Some((1003, stream::iter(pieces)))).await?;
        let none: Option<(u64, stream::Empty<Result<Bytes, Infallible>>)> = None;
        writer.blob(&Uuid::nil().to_string(), none).await?;
        writer.document(&json!({ "a": 3 }))?;
        Ok(writer)
    });
    body.collect().await.unwrap().to_bytes()
}

/// Reads an archive that arrives in pieces of this length.
async fn read(bytes: Bytes, length: usize) -> Result<(Vec<Value>, Vec<u8>), Fault> {
    let pieces: Vec<Result<Bytes, std::io::Error>> =
        bytes.chunks(length.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let mut reader = archive::open("storage", stream::iter(pieces)).await?;
    let (mut documents, mut blob) = (Vec::new(), Vec::new());
    loop {
        match reader.next().await? {
            Entry::Documents(lines) => {
                for line in lines.read::<Value>() {
                    documents.push(line?.1);
                }
            }
            Entry::Blob(_) => {
                while let Some(piece) = reader.piece().await? {
                    blob.extend_from_slice(&piece);
                }
            }
            Entry::Missing(id) => assert!(id.is_nil()),
            Entry::End(_) => return Ok((documents, blob)),
        }
    }
}

#[test]
fn there_and_back_in_pieces_of_any_length() {
    runtime().block_on(async {
        let bytes = made(Uuid::new_v4()).await;
        for length in [1, 7, 511, 512, 513, 100_000] {
            let (documents, blob) = read(bytes.clone(), length).await.unwrap();
            assert_eq!(documents[1]["a"], "line\nbreak");
            assert_eq!((documents.len(), blob.len()), (3, 1003));
        }
        // Every tar program reads it.
        let mut archive = tar::Archive::new(bytes.as_ref());
        let names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(names[0], "altinn-local.json");
        assert_eq!(names.last().unwrap(), "end.json");
        assert_eq!(names.len(), 6);
    });
}

#[test]
fn a_part_is_never_the_whole() {
    runtime().block_on(async {
        let bytes = made(Uuid::new_v4()).await;
        // The two empty blocks at the end say nothing.
        let whole = bytes.len() - 1024;
        for length in (0..whole).step_by(97).chain([whole - 512]) {
            let fault = read(bytes.slice(..length), 4096).await.unwrap_err();
            assert_eq!(fault.status(), 400, "{length}");
        }
    });
}

#[test]
fn another_version_or_service_is_refused() {
    runtime().block_on(async {
        let text = String::from_utf8_lossy(&made(Uuid::new_v4()).await).into_owned();
        for (old, new, told) in [
            ("data/1\"", "data/2\"", "altinn-local/data/2"),
            ("\"storage\"", "\"storagE\"", "storagE"),
            ("{\"a\":1}", "{\"a\":1,", "documents/000001.ndjson, line 1"),
            ("blobs/", "blubs/", "the name"),
        ] {
            let changed = Bytes::from(text.replacen(old, new, 1).into_bytes());
            let fault = format!("{:?}", read(changed, 4096).await.unwrap_err());
            // A changed name breaks the checksum of its header instead.
            let sum = fault.contains("no entry of a tar");
            assert!(fault.contains(told) || sum, "{told}: {fault}");
        }
    });
}

#[test]
fn keys() {
    let headers = |token: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        headers
    };
    let key = Key::new(Some(" secret\n"));
    assert!(key.check(&headers("secret")).is_ok());
    for wrong in ["secre", "secret1", "", "Secret"] {
        assert_eq!(key.check(&headers(wrong)).unwrap_err().status(), 401, "{wrong}");
    }
    assert_eq!(key.check(&HeaderMap::new()).unwrap_err().status(), 401);
    for none in [Key::default(), Key::new(Some("")), Key::new(Some(" \n"))] {
        assert_eq!(none.check(&headers("")).unwrap_err().status(), 404);
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_judged(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2000)) {
        let read = runtime().block_on(read(Bytes::from(bytes), 100));
        proptest::prop_assert!(read.is_err());
    }

    #[test]
    fn any_damage_is_judged(at in 0_usize..6000, new in proptest::num::u8::ANY) {
        runtime().block_on(async {
            let mut bytes = made(Uuid::from_u128(7)).await.to_vec();
            let at = at % bytes.len();
            bytes[at] = new;
            // Damage within a blob or in what pads it cannot be seen; all else is refused or harmless.
            let _ = read(Bytes::from(bytes), 700).await;
        });
    }
}

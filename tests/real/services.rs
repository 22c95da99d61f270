//! The platform's services while their parts end: what was acknowledged is there afterwards, and nobody is told of a fault
//! of the server's own making.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::outside::{docker, send};
use crate::world::{LONG, World};

const JSON: &str = "application/json";
/// Who writes, and for whom.
const USER: u32 = 1337;
const PARTY: u32 = 500_000;
/// Writers beside each other.
const WRITERS: usize = 4;
/// What a part that was started again may take until writes are taken.
const AGAIN: Duration = Duration::from_secs(30);

#[test]
#[ignore = "needs an engine"]
fn services() -> Result<()> {
    World::story("services", |world| {
        world.result(&["up", "--json"], LONG)?;
        let port = world.port()?;
        let host = format!("platform.altinn.localhost:{port}");
        let platform = Platform { port, host, app: format!("ttd/{}", world.app) };
        let writer = platform.must(&format!("GET /Home/GetTestUserToken/{USER}"), "", JSON, "")?;
        let acknowledged = under_load(&platform, &writer, |writes| {
            for part in ["storage", "platform", "events", "postgres", "azurite", "router"] {
                kill_and_start(world, part, writes)?;
            }
            Ok(())
        })?;
        all_there(&platform, &writer, &acknowledged)
    })
}

/// The services as their clients see them.
struct Platform {
    port: u16,
    host: String,
    app: String,
}

impl Platform {
    fn ask(&self, what: &str, token: &str, kind: &str, body: &str) -> Result<(u16, String)> {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", kind)];
        send(self.port, &self.host, what, &headers, body)
    }

    fn must(&self, what: &str, token: &str, kind: &str, body: &str) -> Result<String> {
        let (status, answer) = self.ask(what, token, kind, body)?;
        ensure!((200..300).contains(&status), "{what}: {status} {answer}");
        Ok(answer)
    }
}

/// Instances that were acknowledged, with the data element of those that have one.
type Acknowledged = BTreeMap<String, Option<(String, String)>>;

#[derive(Default)]
struct Writes {
    acknowledged: Mutex<Acknowledged>,
    statuses: Mutex<BTreeMap<u16, usize>>,
    ended: AtomicBool,
}

impl Writes {
    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    fn note(&self, status: u16) {
        *self.statuses.lock().unwrap().entry(status).or_default() += 1;
    }

    /// Waits until so many more were acknowledged.
    fn wait_for(&self, more: usize) -> Result<Duration> {
        let (began, wanted) = (Instant::now(), self.count() + more);
        while self.count() < wanted {
            let statuses = self.statuses.lock().unwrap().clone();
            ensure!(began.elapsed() < AGAIN, "no writes within {AGAIN:?}: {statuses:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(began.elapsed())
    }
}

/// Writes from several sides while something is done; tells what was acknowledged.
fn under_load(
    platform: &Platform,
    token: &str,
    meanwhile: impl FnOnce(&Writes) -> Result<()>,
) -> Result<Acknowledged> {
    let writes = Writes::default();
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| write(platform, token, &writes));
        }
        let done = meanwhile(&writes);
        writes.ended.store(true, Ordering::Relaxed);
        done
    })?;
    let statuses = writes.statuses.into_inner().unwrap();
    eprintln!("answers under load by status, 0 for none: {statuses:?}");
    let told = |status: &u16| matches!(status, 0 | 201 | 502 | 503 | 504);
    ensure!(statuses.keys().all(told), "a client was told of our own fault: {statuses:?}");
    Ok(writes.acknowledged.into_inner().unwrap())
}

fn write(platform: &Platform, token: &str, writes: &Writes) {
    let make = format!("POST /storage/api/v1/instances?appId={}", platform.app);
    let body = json!({"instanceOwner": {"partyId": PARTY.to_string()}}).to_string();
    for number in 0.. {
        if writes.ended.load(Ordering::Relaxed) {
            return;
        }
        let answer = platform.ask(&make, token, JSON, &body);
        writes.note(answer.as_ref().map_or(0, |(status, _)| *status));
        let Ok((201, text)) = answer else { continue };
        let id = id_in(&text);
        writes.acknowledged.lock().unwrap().insert(id.clone(), None);
        if number % 4 != 0 {
            continue;
        }
        let text = format!("<model><number>{number}</number></model>");
        let add = format!("POST /storage/api/v1/instances/{id}/data?dataType=model");
        let added = platform.ask(&add, token, "application/xml", &text);
        writes.note(added.as_ref().map_or(0, |(status, _)| *status));
        let Ok((201, added)) = added else { continue };
        writes.acknowledged.lock().unwrap().insert(id, Some((id_in(&added), text)));
    }
}

fn id_in(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap();
    answer["id"].as_str().unwrap().to_owned()
}

fn kill_and_start(world: &World, part: &str, writes: &Writes) -> Result<()> {
    writes.wait_for(20)?;
    let name = format!("altinn-{}-{part}", world.stack);
    docker(&["kill", &name])?;
    std::thread::sleep(Duration::from_millis(700));
    docker(&["start", &name])?;
    let took = writes.wait_for(20)?;
    eprintln!("{part} killed and started: 20 writes after {took:.1?}");
    Ok(())
}

fn all_there(platform: &Platform, token: &str, acknowledged: &Acknowledged) -> Result<()> {
    let mut elements = 0;
    for (id, element) in acknowledged {
        let path = format!("GET /storage/api/v1/instances/{id}");
        platform.must(&path, token, JSON, "").with_context(|| format!("{id} is lost"))?;
        if let Some((element, text)) = element {
            let path = format!("GET /storage/api/v1/instances/{id}/data/{element}");
            let read = platform.must(&path, token, JSON, "")?;
            ensure!(read == *text, "{element} of {id} holds {read:?}");
            elements += 1;
        }
    }
    let count = acknowledged.len();
    ensure!(count >= 200 && elements >= 20, "only {count} instances and {elements} elements");
    eprintln!("{count} instances and {elements} data elements were acknowledged, 0 lost");
    Ok(())
}

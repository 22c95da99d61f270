//! Queries for instances (`platform-api.md` §1.4).

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use crate::kit::body::Json;
use crate::kit::date::Date;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::origin::Origin;
use crate::kit::page::{self, Continuation};
use crate::kit::pdp::Subject;
use crate::kit::query::Query;
use crate::kit::register::{self, Number};
use crate::kit::token::{Bearer, Claims};
use crate::storage::Storage;
use crate::storage::access::{present, subject, syncs};
use crate::storage::metadata::{Bound, Filter, Moment, Order, Whole};
use crate::storage::model::instance::QueryResponse;

const PATH: &str = "/storage/api/v1/instances";
const OWNER: &str = "instanceOwner.partyId";
const IDENTIFIER: &str = "x-ai-instanceowneridentifier";
/// A service owner's scope; others may begin alike (production looks for a part of the text).
const SCOPE: &str = "altinn:serviceowner/instances.read";
/// Decisions asked for in one request.
const AT_ONCE: usize = 200;

/// The parameters.
pub(super) const NAMES: &[&str] = &[
    "org",
    "appId",
    OWNER,
    "process.currentTask",
    "process.isComplete",
    "process.endEvent",
    "process.ended",
    "dueBefore",
    "visibleAfter",
    "lastChanged",
    "created",
    "excludeConfirmedBy",
    "confirmed",
    "status.isArchived",
    "status.isSoftDeleted",
    "status.isHardDeleted",
    "searchString",
    "order",
    "size",
    "continuationToken",
    "includeDataElements",
    "mainVersionInclude",
    "mainVersionExclude",
    "dataValues.A2ArchRef",
    "dataValues.A3Ref",
];

const MOMENTS: [(&str, Moment); 5] = [
    ("process.ended", Moment::Ended),
    ("dueBefore", Moment::DueBefore),
    ("visibleAfter", Moment::VisibleAfter),
    ("lastChanged", Moment::LastChanged),
    ("created", Moment::Created),
];

pub(super) async fn find(
    State(storage): State<Storage>,
    Bearer(claims): Bearer,
    origin: Origin,
    headers: HeaderMap,
    query: Query,
) -> Result<Json<QueryResponse>, Fault> {
    let mut filter = read(&query)?;
    let identifier = headers.get(IDENTIFIER).map(|value| value.to_str().unwrap_or_default());
    let identifier = identifier.filter(|value| !value.trim().is_empty());
    if identifier.is_some() && filter.party.is_some() {
        return Err(bad(
            "Both InstanceOwner.PartyId and InstanceOwnerIdentifier cannot be present at the same time.",
        ));
    }
    demand(&storage, &claims, &filter, identifier).await?;
    let mut nothing = excluded(&query);
    if let Some(identifier) = identifier {
        filter.party = party(&storage, &headers, identifier).await?;
        nothing |= filter.party.is_none();
    }
    let owner = is_owner(&claims) || syncs(&claims);
    if !owner {
        nothing |= filter.hard_deleted == Some(true);
        filter.hard_deleted = Some(false);
    }
    let mut next = None;
    let mut hits = Vec::new();
    if !nothing {
        let page = storage.0.metadata.find(&filter).await?;
        next = page.next.map(|(date, id)| Continuation { key: date.micros().to_string(), id });
        hits = if owner { page.hits } else { readable(&storage, &claims, page.hits).await? };
    }
    let link = |token: &Continuation| {
        page::next(&origin, PATH, &query, "continuationToken", &token.token())
    };
    let instances: Vec<_> = hits.into_iter().map(|whole| present(whole, &origin, owner)).collect();
    Ok(Json(QueryResponse {
        count: instances.len(),
        this: myself(&origin, &query),
        next: next.as_ref().map(link),
        instances,
    }))
}

fn myself(origin: &Origin, query: &Query) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    let text = pairs.extend_pairs(query.pairs()).finish();
    origin.url(&if text.is_empty() { PATH.to_owned() } else { format!("{PATH}?{text}") })
}

fn is_owner(claims: &Claims) -> bool {
    claims.org().is_some() && claims.text("scope").is_some_and(|scopes| scopes.contains(SCOPE))
}

fn bad(text: impl Into<String>) -> Fault {
    Fault::words(StatusCode::BAD_REQUEST, text)
}

/// Whether this caller may ask this.
async fn demand(
    storage: &Storage,
    claims: &Claims,
    filter: &Filter,
    identifier: Option<&str>,
) -> Result<(), Fault> {
    if syncs(claims) {
        return Ok(());
    }
    let Some(own) = claims.org() else {
        if claims.user_id().is_none() && claims.system_user().is_none() {
            return Err(bad("Neither user nor organisation is known."));
        }
        if filter.party.is_none() && identifier.is_none() {
            return Err(bad(
                "Either InstanceOwnerPartyId or InstanceOwnerIdentifier need to be defined.",
            ));
        }
        return Ok(());
    };
    if !is_owner(claims) {
        return Err(Fault::forbidden());
    }
    let app: Option<AppId> = filter.app.as_deref().and_then(|id| id.parse().ok());
    match (&filter.org, &app) {
        (None, None) => Err(bad("Org or AppId must be defined.")),
        (Some(org), None) if *org != own => Err(bad("AppId must be defined.")),
        (_, Some(app)) if app.org() != own => {
            let subject =
                Subject { app: app.clone(), party: filter.party, instance: None, place: None };
            storage.0.pdp.demand(claims, "read", &subject).await
        }
        _ => Ok(()),
    }
}

/// Those of the hits that the caller may read.
async fn readable(
    storage: &Storage,
    claims: &Claims,
    hits: Vec<Whole>,
) -> Result<Vec<Whole>, Fault> {
    let mut kept = Vec::with_capacity(hits.len());
    let mut hits = hits.into_iter().peekable();
    while hits.peek().is_some() {
        let some: Vec<Whole> = hits.by_ref().take(AT_ONCE).collect();
        let subjects: Vec<Subject> =
            some.iter().map(|whole| subject(&whole.instance)).collect::<Result<_, _>>()?;
        let asked: Vec<(&str, &Subject)> =
            subjects.iter().map(|subject| ("read", subject)).collect();
        let permitted = storage.0.pdp.permitted(claims, &asked).await?;
        kept.extend(some.into_iter().zip(permitted).filter_map(|(hit, may)| may.then_some(hit)));
    }
    Ok(kept)
}

/// Looks a person or an organisation up in Register.
async fn party(
    storage: &Storage,
    caller: &HeaderMap,
    identifier: &str,
) -> Result<Option<i64>, Fault> {
    let (kind, number) = identifier.split_once(':').unwrap_or_default();
    let number = match kind.trim().to_ascii_lowercase().as_str() {
        "person" => Number::person(number),
        "organisation" => Number::organisation(number),
        _ => None,
    };
    let number = number.ok_or_else(|| bad("Invalid InstanceOwnerIdentifier."))?;
    register::party(&storage.0.platform, caller, &number).await
}

/// Whether the query asks for what only older generations have.
fn excluded(query: &Query) -> bool {
    let has = |name: &str| query.all(name).any(|value| value == "3");
    (query.get("mainVersionInclude").is_some() && !has("mainVersionInclude"))
        || has("mainVersionExclude")
        || query.get("dataValues.A2ArchRef").is_some()
}

/// Reads the parameters.
fn read(query: &Query) -> Result<Filter, Fault> {
    let text = |name: &str| query.get(name).map(str::to_owned);
    let size = query.parsed::<i64>("size")?.unwrap_or(100);
    if size < 1 {
        return Err(Fault::invalid("size", "The size must be 1 at least."));
    }
    let mut bounds = Vec::new();
    for (name, moment) in MOMENTS {
        for value in query.all(name) {
            let (bound, date) = bound(value).ok_or_else(|| {
                bad(format!("Invalid date expression: {value} for query key: {name}"))
            })?;
            bounds.push((moment, bound, date));
        }
    }
    let order = query.get("order").unwrap_or("desc:").to_ascii_lowercase();
    let after = Continuation::read(query)?
        .map(|place| {
            let date = place.key.parse().ok().and_then(Date::from_micros);
            date.map(|date| (date, place.id))
                .ok_or_else(|| Fault::invalid("continuationToken", "The token is not valid."))
        })
        .transpose()?;
    Ok(Filter {
        org: text("org"),
        app: text("appId"),
        party: query.parsed(OWNER)?,
        task: text("process.currentTask"),
        complete: query.flag("process.isComplete")?,
        bounds,
        unconfirmed_by: text("excludeConfirmedBy"),
        confirmed: query.flag("confirmed")?,
        archived: query.flag("status.isArchived")?,
        soft_deleted: query.flag("status.isSoftDeleted")?,
        hard_deleted: query.flag("status.isHardDeleted")?,
        search: text("searchString"),
        reference: text("dataValues.A3Ref"),
        order: if order.starts_with("desc:") { Order::Latest } else { Order::Oldest },
        // Without a bound one request could fill the memory; who follows `next` gets all the same.
        size: size.min(5000),
        after,
        elements: query.flag("includeDataElements")?.unwrap_or(true),
    })
}

/// `gt:2024-01-01` and the like.
fn bound(text: &str) -> Option<(Bound, Date)> {
    let (sign, date) = text.split_once(':')?;
    let bound = match sign.trim().to_ascii_lowercase().as_str() {
        "gt" => Bound::After,
        "gte" => Bound::From,
        "lt" => Bound::Before,
        "lte" => Bound::UpTo,
        "eq" => Bound::At,
        _ => return None,
    };
    Some((bound, date.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused() {
        for (text, fits) in [
            ("", true),
            ("size=1&unknown=7&created=gt:2020-01-01&created=lt:2021-01-01T00:00:00Z", true),
            ("status.isArchived=True&Process.IsComplete=false&ORDER=asc:lastChanged", true),
            ("created=2020-01-01", false),
            ("created=gt", false),
            ("dueBefore=xx:2020-01-01", false),
            ("lastChanged=gt:", false),
            ("size=0", false),
            ("size=x", false),
            ("instanceOwner.partyId=1e3", false),
            ("confirmed=1", false),
            ("continuationToken=abc", false),
        ] {
            assert_eq!(read(&Query::parse(text)).is_ok(), fits, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_value_is_judged(name in 0..NAMES.len(), value in ".{0,40}") {
            let mut pairs = form_urlencoded::Serializer::new(String::new());
            let text = pairs.append_pair(NAMES[name], &value).finish();
            let _ = read(&Query::parse(&text));
        }
    }
}

//! The endpoints. The tables of `platform-api.md` §1.3–§1.7 say what each one asks of Authorization.

mod applications;
mod data;
mod elements;
mod events;
mod instances;
mod locks;
mod messagebox;
mod process;
mod query;
mod sign;
mod texts;

pub(super) use data::{add, path};
pub(super) use instances::create;

use std::time::Duration;

use super::Storage;
use super::model::element::{DataElement, DataElementList, FileScanStatus};
use super::model::event::{InstanceEvent, InstanceEventList};
use super::model::instance::{Instance, QueryResponse, Substatus};
use super::model::lock::{LockRequest, LockResponse};
use super::model::process::{ProcessHistory, ProcessState, ProcessStateUpdate};
use super::model::sign::SignRequest;
use crate::kit::api::{Api, Endpoint};

/// The longest file (`platform-api.md` §1.5).
const FILE: usize = 2000 * 1024 * 1024;
/// A file may come and go slowly.
const LONG: Duration = Duration::from_hours(1);

pub(super) fn endpoints() -> Api<Storage> {
    processes(files(locks_and_inbox(of_instances(of_apps(Api::new("storage"))))))
}

fn of_apps(api: Api<Storage>) -> Api<Storage> {
    const ONE: &str = "/storage/api/v1/applications/{org}/{app}";
    const TEXT: &str = "/storage/api/v1/applications/{org}/{app}/texts/{language}";
    let all = "/storage/api/v1/applications";
    api.add(Endpoint::get(all, "All applications").open().answers(&[200]), applications::all)
        .add(
            Endpoint::post(all, "Registers an application, or a new version of it")
                .query(&["appId"])
                .takes::<serde_json::Value>()
                .answers(&[201, 400, 403]),
            applications::post,
        )
        .add(
            Endpoint::get("/storage/api/v1/applications/{org}", "An organisation's applications")
                .open()
                .answers(&[200, 400]),
            applications::of_org,
        )
        .add(Endpoint::get(ONE, "An application").open().answers(&[200, 404]), applications::get)
        .add(
            Endpoint::put(ONE, "Updates an application")
                .takes::<serde_json::Value>()
                .answers(&[200, 400, 403, 404]),
            applications::put,
        )
        .add(
            Endpoint::delete(ONE, "Ends an application, or removes it")
                .query(&["hard"])
                .answers(&[202, 403, 404]),
            applications::delete,
        )
        .add(
            Endpoint::post("/storage/api/v1/applications/{org}/{app}/texts", "Registers texts")
                .takes::<serde_json::Value>()
                .answers(&[200, 400, 403, 404]),
            texts::post,
        )
        .add(Endpoint::get(TEXT, "Texts of a language").answers(&[200, 400, 404]), texts::get)
        .add(
            Endpoint::put(TEXT, "Updates texts")
                .takes::<serde_json::Value>()
                .answers(&[200, 400, 403, 404]),
            texts::put,
        )
        .add(Endpoint::delete(TEXT, "Removes texts").answers(&[200, 400, 403, 404]), texts::delete)
}

fn of_instances(api: Api<Storage>) -> Api<Storage> {
    const ALL: &str = "/storage/api/v1/instances";
    const ONE: &str = "/storage/api/v1/instances/{party}/{guid}";
    let at = |endpoint: Endpoint| endpoint.gives::<Instance>(200).answers(&[400, 403, 404]);
    api.add(
        Endpoint::get(ALL, "Instances that fit")
            .query(query::NAMES)
            .gives::<QueryResponse>(200)
            .answers(&[400, 403]),
        query::find,
    )
    .add(
        Endpoint::post(ALL, "Makes an instance")
            .query(&["appId"])
            .takes::<Instance>()
            .gives::<Instance>(201)
            .answers(&[400, 403, 404]),
        instances::post,
    )
    .add(at(Endpoint::get(ONE, "An instance")), instances::get)
    .add(at(Endpoint::get("/storage/api/v1/instances/{guid}", "An instance")), instances::get)
    .add(
        at(Endpoint::delete(ONE, "Deletes an instance softly or hard").query(&["hard"])),
        instances::delete,
    )
    .add(
        at(Endpoint::post(
            "/storage/api/v1/instances/{party}/{guid}/complete",
            "The caller's organisation needs it no longer",
        )),
        instances::complete,
    )
    .add(
        at(Endpoint::put(
            "/storage/api/v1/instances/{party}/{guid}/readstatus",
            "Sets the read status",
        )
        .query(&["status"])),
        instances::read_status,
    )
    .add(
        at(Endpoint::put(
            "/storage/api/v1/instances/{party}/{guid}/substatus",
            "Sets the substatus",
        )
        .takes::<Substatus>()),
        instances::substatus,
    )
    .add(
        at(Endpoint::put(
            "/storage/api/v1/instances/{party}/{guid}/presentationtexts",
            "Merges presentation texts",
        )
        .takes::<instances::Texts>()),
        instances::texts,
    )
    .add(
        at(Endpoint::put(
            "/storage/api/v1/instances/{party}/{guid}/datavalues",
            "Merges data values",
        )
        .takes::<instances::Values>()),
        instances::values,
    )
    .add(
        Endpoint::post("/storage/api/v1/instances/{party}/{guid}/sign", "Signs elements")
            .takes::<SignRequest>()
            .answers(&[201, 400, 403, 404, 405])
            .time(LONG),
        sign::sign,
    )
}

fn locks_and_inbox(api: Api<Storage>) -> Api<Storage> {
    const LOCK: &str = "/storage/api/v1/instances/{party}/{guid}/lock";
    api.add(
        Endpoint::post(LOCK, "Takes the lock")
            .takes::<LockRequest>()
            .gives::<LockResponse>(200)
            .answers(&[400, 403, 404, 409]),
        locks::take,
    )
    .add(
        Endpoint::patch(LOCK, "Keeps the lock longer, or gives it up")
            .takes::<LockRequest>()
            .answers(&[204, 400, 403, 404, 422]),
        locks::keep,
    )
    .add(
        Endpoint::put(
            "/storage/api/v1/sbl/instances/{party}/{guid}/undelete",
            "Takes back a soft deletion",
        )
        .answers(&[200, 403, 404]),
        messagebox::undelete,
    )
    .add(
        Endpoint::delete(
            "/storage/api/v1/sbl/instances/{party}/{guid}",
            "Deletes as the inbox does",
        )
        .query(&["hard"])
        .answers(&[200, 403, 404]),
        messagebox::delete,
    )
}

fn files(api: Api<Storage>) -> Api<Storage> {
    const ALL: &str = "/storage/api/v1/instances/{party}/{guid}/data";
    const ONE: &str = "/storage/api/v1/instances/{party}/{guid}/data/{element}";
    const LOCK: &str = "/storage/api/v1/instances/{party}/{guid}/data/{element}/lock";
    const ELEMENT: &str = "/storage/api/v1/instances/{party}/{guid}/dataelements/{element}";
    let write =
        |endpoint: Endpoint| endpoint.takes_kind("application/octet-stream").body(FILE).time(LONG);
    api.add(
        write(Endpoint::post(ALL, "Adds a file"))
            .query(&["dataType", "refs", "generatedFromTask"])
            .gives::<DataElement>(201)
            .answers(&[400, 403, 404, 413]),
        data::post,
    )
    .add(
        write(Endpoint::put(ONE, "Replaces a file"))
            .query(&["refs", "generatedFromTask"])
            .gives::<DataElement>(200)
            .answers(&[400, 403, 404, 409, 413, 422]),
        data::put,
    )
    .add(Endpoint::get(ONE, "A file").answers(&[200, 403, 404]).time(LONG), data::get)
    .add(
        Endpoint::delete(ONE, "Removes a file")
            .query(&["delay"])
            .gives::<DataElement>(200)
            .answers(&[400, 403, 404]),
        data::delete,
    )
    .add(
        Endpoint::put(LOCK, "Locks a file")
            .gives::<DataElement>(200)
            .gives::<DataElement>(201)
            .answers(&[403, 404]),
        elements::lock,
    )
    .add(
        Endpoint::delete(LOCK, "Unlocks a file").gives::<DataElement>(200).answers(&[403, 404]),
        elements::unlock,
    )
    .add(
        Endpoint::get(
            "/storage/api/v1/instances/{party}/{guid}/dataelements",
            "What files are there",
        )
        .gives::<DataElementList>(200)
        .answers(&[403, 404]),
        elements::list,
    )
    .add(
        Endpoint::put(ELEMENT, "Updates what is known of a file")
            .takes::<DataElement>()
            .gives::<DataElement>(200)
            .answers(&[400, 403, 404]),
        elements::put,
    )
    .add(
        Endpoint::put(
            "/storage/api/v1/instances/{party}/{guid}/dataelements/{element}/filescanstatus",
            "The scanner's word",
        )
        .takes::<FileScanStatus>()
        .answers(&[200, 404]),
        elements::scanned,
    )
    .add(
        Endpoint::get("/storage/api/v1/instances/dataelementexists/{element}", "Is it there")
            .gives::<bool>(200),
        elements::exists,
    )
}

fn processes(api: Api<Storage>) -> Api<Storage> {
    const EVENTS: &str = "/storage/api/v1/instances/{party}/{guid}/events";
    api.add(
        Endpoint::put("/storage/api/v1/instances/{party}/{guid}/process", "Moves the process")
            .takes::<ProcessState>()
            .gives::<Instance>(200)
            .answers(&[400, 403, 404]),
        process::put,
    )
    .add(
        Endpoint::put(
            "/storage/api/v1/instances/{party}/{guid}/process/instanceandevents",
            "Moves the process and tells what happened on the way",
        )
        .query(&["deleteGeneratedElements"])
        .takes::<ProcessStateUpdate>()
        .gives::<Instance>(200)
        .answers(&[400, 403, 404]),
        process::put_with_events,
    )
    .add(
        Endpoint::get(
            "/storage/api/v1/instances/{party}/{guid}/process/history",
            "The process so far",
        )
        .gives::<ProcessHistory>(200)
        .answers(&[403, 404]),
        process::history,
    )
    .add(
        Endpoint::get(
            "/storage/api/v1/instances/{party}/{guid}/process/authinfo",
            "What Authorization needs to know",
        )
        .answers(&[200, 404]),
        process::auth_info,
    )
    .add(
        Endpoint::post(EVENTS, "Adds an event")
            .takes::<InstanceEvent>()
            .answers(&[201, 400, 403, 404]),
        events::post,
    )
    .add(
        Endpoint::get(EVENTS, "Events of an instance")
            .query(&["eventTypes", "from", "to"])
            .gives::<InstanceEventList>(200)
            .answers(&[400, 403, 404]),
        events::list,
    )
    .add(
        Endpoint::get("/storage/api/v1/instances/{party}/{guid}/events/{element}", "An event")
            .gives::<InstanceEvent>(200)
            .answers(&[403, 404]),
        events::get,
    )
}

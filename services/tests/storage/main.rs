//! The storage cases over every backend: SQLite and files always, others when the environment names them
//! (`ALTINN_TEST_POSTGRES=postgres://…`, `ALTINN_TEST_BLOB=azure:CONNECTION`).
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]
#![allow(clippy::needless_pass_by_value, clippy::assigning_clones, clippy::similar_names)]

mod applications;
mod data;
mod faults;
mod instances;
mod manage;
mod process;
mod query;
mod stage;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use stage::{Backend, Stage};

type Case = (&'static str, for<'a> fn(&'a Stage) -> BoxFuture<'a, ()>);

/// Names a case after its function.
#[macro_export]
macro_rules! cases {
    ($($module:ident::$name:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($name)), |stage| Box::pin($module::$name(stage)))),*]
    };
}

const CASES: &[Case] = cases![
    applications::registered_and_found,
    applications::only_designer_writes,
    applications::names_and_shapes,
    applications::texts_of_languages,
    instances::made_and_read,
    instances::what_makes_none,
    instances::who_may,
    instances::another_party,
    instances::texts_and_values_merge,
    instances::read_status,
    instances::substatus,
    instances::complete,
    instances::deleted_softly_and_back,
    instances::deleted_hard,
    instances::kept_for_days,
    instances::lock_is_taken_once,
    instances::lock_by_many,
    instances::lock_tokens,
    data::raw_there_and_back,
    data::form_there_and_back,
    data::any_form,
    data::empty_and_unknown,
    data::names_of_files,
    data::replaced,
    data::locked,
    data::removed_now_or_later,
    data::metadata_of_files,
    data::scanned,
    data::read_by_the_owner,
    data::large_in_pieces,
    data::two_writers,
    data::too_large,
    data::broken_off,
    data::needs_its_own_action,
    process::moves_to_the_end,
    process::rules_of_the_next_step,
    process::events_must_fit,
    process::history_tells,
    process::generated_go,
    process::two_move_it_once,
    process::auth_info,
    process::events_are_found,
    process::signed,
    query::filters,
    query::dates,
    query::pages,
    query::who_may_ask,
    query::only_readable,
    query::deleted_ones,
    query::by_identifier,
    query::bad_questions,
    faults::nobody_gets_in,
    faults::paths_and_methods,
    faults::bodies,
    faults::strange_text,
    manage::only_with_the_key,
    manage::faults_strike,
    manage::there_and_back,
    manage::what_is_no_archive,
    manage::seeded,
];

async fn run(backend: Backend) {
    let stage = Stage::new(&backend).await;
    let mut failed = Vec::new();
    for (name, case) in CASES {
        if AssertUnwindSafe(case(&stage)).catch_unwind().await.is_err() {
            failed.push(*name);
        }
    }
    println!("{}: {} cases, {} failed", backend.name, CASES.len(), failed.len());
    assert!(failed.is_empty(), "{}: {failed:#?}", backend.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_sqlite_and_files() {
    let folder = tempfile::tempdir().unwrap();
    run(Backend::local(folder.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_stores_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(backend) = Backend::of_environment(folder.path()) {
        run(backend).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away() {
    faults::away().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    faults::kept(&Backend::local(folder.path())).await;
    if let Some(backend) = Backend::of_environment(folder.path()) {
        faults::kept(&backend).await;
    }
}

//! What every service stands on: serving, routes and their document, answers, tokens, calls to other services.
//!
//! A service is made in three steps: [`api::Api`] collects endpoints and their handlers, [`api::Api::finish`] gives a
//! [`api::Service`], and [`front::Front`] answers for one or several of them. ASP.NET's habits that Altinn's clients
//! lean on are kept here, so that handlers need not know of them.

mod about;
pub mod api;
pub mod body;
pub mod cookie;
pub mod database;
pub mod date;
pub mod fault;
pub mod front;
pub mod guard;
pub mod logs;
pub mod management;
pub mod metrics;
pub mod name;
mod once;
pub mod openapi;
pub mod origin;
pub mod outside;
pub mod page;
pub mod path;
pub mod pdp;
pub mod peer;
pub mod query;
pub mod register;
pub mod rest;
pub mod server;
pub mod token;
pub mod watched;
pub mod words;
pub mod xacml;

#[cfg(test)]
mod tests;

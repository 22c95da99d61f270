//! `explain`: what an error code means, from the program itself.

use std::process::ExitCode;

use serde_json::json;

use super::Context;
use crate::model::{Code, Report};

pub(super) fn run(context: &Context<'_>, given: &str) -> Result<ExitCode, Report> {
    let Some(code) = Code::parse(given) else {
        return Err(Report::new(Code::NotFound, "there is no error of this code")
            .why("codes look like `AL1203`; each error shows its own"));
    };
    let printer = context.printer;
    if printer.is_json() {
        printer.json(&json!({
            "code": code,
            "exitCode": code.exit() as u8,
            "explanation": code.explanation(),
        }));
    } else {
        let heading = printer.stdout().bold(&code.to_string());
        let exit = code.exit() as u8;
        printer.line(format!("{heading}  (exit code {exit})\n\n{}", code.explanation()));
    }
    Ok(ExitCode::SUCCESS)
}

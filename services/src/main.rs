//! The `altinn-services` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    altinn_services::run::main()
}

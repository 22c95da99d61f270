//! The `altinn-local` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    altinn_local::cli::main()
}

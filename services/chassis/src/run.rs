//! A process of a service.

/// Runs a service.
pub fn run(_blueprint: crate::Blueprint) -> std::process::ExitCode {
    std::process::ExitCode::FAILURE
}

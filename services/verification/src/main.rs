//! The process of the service verification.

fn main() -> std::process::ExitCode {
    chassis::run(verification::verification())
}

//! The process of the service clarification.

fn main() -> std::process::ExitCode {
    chassis::run(clarification::clarification())
}

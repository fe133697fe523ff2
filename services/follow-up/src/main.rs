//! The process of the service follow-up.

fn main() -> std::process::ExitCode {
    chassis::run(follow_up::follow_up())
}

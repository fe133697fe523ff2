//! The process of the service intake.

fn main() -> std::process::ExitCode {
    chassis::run(intake::intake())
}

//! zm: everything is in the library.

fn main() -> std::process::ExitCode {
    zm::main()
}

//! Tells Cargo what sqlx's macros read beside the sources, which they cannot do themselves.

fn main() {
    for read in ["sqlx.toml", ".sqlx", "migrations"] {
        println!("cargo::rerun-if-changed={read}");
    }
}

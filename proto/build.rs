//! Compiles the .proto files without protoc: messages, services, their JSON form, and the descriptor set for reflection.

use std::path::{Path, PathBuf};

const PACKAGES: &[&str] = &[
    ".zhengming.office.v1",
    ".zhengming.chassis.v1",
    ".zhengming.intake.v1",
    ".zhengming.verification.v1",
    ".zhengming.clarification.v1",
    ".zhengming.follow_up.v1",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    println!("cargo:rerun-if-changed=zhengming");
    let mut files = Vec::new();
    collect(&root.join("zhengming"), &mut files)?;
    files.sort();

    let set = protox::compile(&files, [root])?;
    let bytes = prost::Message::encode_to_vec(&set);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("zhengming.bin"), &bytes)?;

    tonic_prost_build::configure()
        .build_transport(true)
        .compile_fds(set)?;
    pbjson_build::Builder::new()
        .register_descriptors(&bytes)?
        .ignore_unknown_fields()
        .build(PACKAGES)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

//! The page of errors and the code say the same: every refusal stands on the page with its status and its sentence, and
//! nothing stands there that no code gives.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the tests of a file begin; what stands after it refuses nobody.
const TESTS: &str = "\n#[cfg(test)]\nmod tests {";

/// What is said of a code: its status, where it can be read, and its sentence.
type Said = (Option<String>, String);

#[test]
fn every_refusal_stands_on_the_page_of_errors_and_nothing_else() {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services");
    let (written, given) = (on_the_page(&services), in_the_code(&services));

    let mut faults = Vec::new();
    for (code, (status, sentence)) in &given {
        match written.get(code) {
            None => faults.push(format!("{code} is missing on the page")),
            Some((told, _)) if status.is_some() && told != status => {
                faults.push(format!("{code} has another status: {status:?}"));
            }
            Some((_, told)) if told != sentence => {
                faults.push(format!("{code} has another sentence: {sentence}"));
            }
            Some(_) => {}
        }
    }
    let left = written.keys().filter(|code| !given.contains_key(*code));
    faults.extend(left.map(|code| format!("{code} stands on the page, but no code gives it")));
    assert!(
        faults.is_empty(),
        "services/ERRORS.md:\n  {}",
        faults.join("\n  ")
    );
    assert!(given.len() > 40, "only {} refusals were found", given.len());
}

/// The rows of the page's tables: code, status, sentence, what to do.
fn on_the_page(services: &Path) -> BTreeMap<String, Said> {
    let page = fs::read_to_string(services.join("ERRORS.md")).expect("the page of errors");
    let mut written = BTreeMap::new();
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [code, status, sentence, remedy] = cells[..] else {
            panic!("a row of the page has not four cells: {row}");
        };
        assert!(!remedy.is_empty(), "{code} does not say what to do");
        let said = (Some(bare(status)), sentence.to_owned());
        let twice = written.insert(bare(code), said);
        assert!(twice.is_none(), "{code} stands twice on the page");
    }
    written
}

fn bare(cell: &str) -> String {
    cell.trim_matches('`').to_owned()
}

/// Every `Refusal::new(kind, code, sentence)` of the services, but for their tests.
fn in_the_code(services: &Path) -> BTreeMap<String, Said> {
    let mut given: BTreeMap<String, Said> = BTreeMap::new();
    for file in rust_files(services) {
        let source = fs::read_to_string(&file).expect("a source file");
        let code = source.split(TESTS).next().unwrap_or(&source);
        for made in code.split("Refusal::new(").skip(1) {
            let place = file.display();
            let mut parts = made.split('"');
            let (Some(kind), Some(code), Some(_), Some(sentence)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                panic!("{place}: a refusal is not three constants");
            };
            let kind = kind.trim().trim_end_matches(',');
            let status = kind.strip_prefix("RefusalKind::").map(shouted);
            assert!(
                code.chars().all(|c| c.is_ascii_uppercase() || c == '_') && !code.is_empty(),
                "{place}: a refusal's code is a constant in capitals, not {code:?}"
            );
            let twice = given.insert(code.to_owned(), (status, sentence.to_owned()));
            assert!(twice.is_none(), "{place}: {code} is given a second time");
        }
    }
    given
}

/// `FailedPrecondition` as gRPC writes it.
fn shouted(kind: &str) -> String {
    let mut shouted = String::new();
    for (at, letter) in kind.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            shouted.push('_');
        }
        shouted.push(letter.to_ascii_uppercase());
    }
    shouted
}

/// The sources of all services, without files that hold tests only.
fn rust_files(services: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = entries(services)
        .into_iter()
        .map(|service| service.join("src"))
        .filter(|sources| sources.is_dir())
        .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && !path.ends_with("tests.rs")
            {
                files.push(path);
            }
        }
    }
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the sources");
    entries
        .map(|entry| entry.expect("an entry of a folder").path())
        .collect()
}

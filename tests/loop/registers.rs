//! Registers go in, and every figure comes out as it was counted straight from the CSV.

use serde_json::Value;
use tests::Office;

#[tokio::test(flavor = "multi_thread")]
async fn the_towns_register_goes_in_with_equal_figures_and_again_adds_nothing() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let replay = [
        "replay",
        "tests/registers/town.csv",
        "--map",
        "tests/registers/town.toml",
    ];
    let first = office.zm_json(&replay);
    let again = office.zm_json(&replay);
    for told in [&first, &again] {
        assert_eq!(told["equal"], true, "{told:#}");
        assert_eq!(told["register"], told["services"], "{told:#}");
    }
    assert_eq!(first["services"], again["services"], "{again:#}");
    assert_eq!(again["commands"], 0, "{again:#}");
    for (key, count) in [
        ("cases", 25),
        ("cleared_by_conclusion", 12),
        ("carried_out", 12),
        ("ledger_entries", 12),
        ("ledger_entries_of_unit", 12),
        ("sanctions", 6),
        ("files", 14),
    ] {
        assert_eq!(figure(&first, key), count, "{key} of {first:#}");
    }
    office.zm_json(&["journal", "verify"]);
    let entries = office.zm_json(&["ledger", "P51-01", "--all"]);
    let numbers: Vec<i64> = entries["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| entry["number"]["number"].as_i64().expect("a number"))
        .collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>(), "without gaps");
    office.zm_json(&["quiet"]);
}

/// What the services count under a key.
fn figure(told: &Value, key: &str) -> i64 {
    let figures = told["services"].as_array().expect("a list");
    let found = figures.iter().find(|figure| figure["key"] == key);
    let count = found.and_then(|figure| figure["count"].as_i64());
    count.unwrap_or_else(|| panic!("no {key} in {told:#}"))
}

/// The first cases of a real register; without its file the test says that it was skipped.
async fn begins_with_equal_figures(name: &str, file: &str, led_to: &[(&str, i64)]) {
    let data = std::env::var_os("ZHENGMING_DATA").map_or_else(
        || tests::workspace().join("../shared/data"),
        std::path::PathBuf::from,
    );
    let register = data.join(file);
    if !register.is_file() {
        eprintln!("skipped: no register data for {name}");
        return;
    }
    let office = Office::new().await;
    let _services = office.start_all().await;
    let told = office.zm_json(&[
        "replay",
        register.to_str().expect("a plain path"),
        "--map",
        &format!("tests/registers/{name}.toml"),
        "--limit",
        "100",
    ]);
    assert_eq!(told["equal"], true, "{told:#}");
    assert_eq!(figure(&told, "cases"), 100, "{told:#}");
    for (key, count) in led_to {
        assert_eq!(figure(&told, key), *count, "{key} of {told:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn philadelphia_begins_with_equal_figures() {
    let led_to = [("sanctions", 28), ("files", 28), ("ledger_entries", 0)];
    begins_with_equal_figures("philadelphia", "philadelphia_allegations.csv", &led_to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn detroit_begins_with_equal_figures() {
    let led_to = [("ledger_entries", 12), ("sanctions", 0), ("files", 0)];
    begins_with_equal_figures("detroit", "detroit_complaints.csv", &led_to).await;
}

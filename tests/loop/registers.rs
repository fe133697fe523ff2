//! Registers go in, and every figure comes out as it was counted straight from the CSV.

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
    assert_eq!(first["services"][0]["count"], 24, "{first:#}");
    office.zm_json(&["journal", "verify"]);
}

/// The first cases of a real register; without its file the test says that it was skipped.
async fn begins_with_equal_figures(name: &str, file: &str) {
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
    assert_eq!(told["services"][0]["count"], 100, "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn philadelphia_begins_with_equal_figures() {
    begins_with_equal_figures("philadelphia", "philadelphia_allegations.csv").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn detroit_begins_with_equal_figures() {
    begins_with_equal_figures("detroit", "detroit_complaints.csv").await;
}

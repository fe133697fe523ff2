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
    assert_eq!(first["figures"], again["figures"], "{first:#}");
    let cases = |told: &serde_json::Value| {
        told["figures"]
            .as_array()
            .and_then(|figures| figures.iter().find(|figure| figure["key"] == "cases"))
            .map(|figure| figure["services"].clone())
    };
    assert_eq!(cases(&first), Some(24.into()), "{first:#}");
    office.zm_json(&["journal", "verify"]);
}

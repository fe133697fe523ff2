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

//! What a configuration must hold, and that all that is wrong with it is told at once.

use std::fs;
use std::path::Path;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::token::{Jwks, jwk};

fn pem(seed: u8) -> String {
    let key = SigningKey::from_bytes(&[seed; 32]);
    key.to_pkcs8_pem(Default::default())
        .expect("a key has a PEM")
        .to_string()
}

fn jwks(seed: u8) -> String {
    let key = jwk("service:intake", &pem(seed)).expect("a key");
    serde_json::to_string(&Jwks { keys: vec![key] }).expect("a JWKS is JSON")
}

/// A folder with keys, and the settings of a service that is in order.
fn sound() -> (TempDir, BTreeMap<String, String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("a plain path").to_owned()
    };
    let settings = [
        (
            "database_url",
            "postgres://intake:hush@127.0.0.1:5432/zm".to_owned(),
        ),
        (
            "amqp_url",
            "amqp://intake:hush@127.0.0.1:5672/%2f".to_owned(),
        ),
        ("grpc_listen", "127.0.0.1:50051".to_owned()),
        ("jwks", file("jwks.json", &jwks(7))),
        ("signing_key", file("intake.pem", &pem(7))),
        (
            "secrets_key",
            file("secrets.key", &format!("{}\n", "ab".repeat(32))),
        ),
        (
            "policy",
            folder.path().to_str().expect("a plain path").to_owned(),
        ),
    ];
    let settings = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    (folder, settings)
}

fn toml(settings: &BTreeMap<String, String>) -> String {
    settings
        .iter()
        .map(|(name, value)| format!("{name} = {value:?}\n"))
        .collect()
}

fn read(settings: &BTreeMap<String, String>) -> Result<Config, Faults> {
    let (figment, faults) = from_toml(&toml(settings), &[]);
    Config::read("intake", &[], &figment, faults)
}

/// The faults of a sound configuration after a change, as text.
fn faults(change: impl FnOnce(&mut BTreeMap<String, String>, &Path)) -> String {
    let (folder, mut settings) = sound();
    change(&mut settings, folder.path());
    read(&settings).expect_err("not in order").to_string()
}

fn set(settings: &mut BTreeMap<String, String>, name: &str, value: &str) {
    settings.insert(name.to_owned(), value.to_owned());
}

#[test]
fn a_configuration_that_is_in_order_is_taken() {
    let (_folder, mut settings) = sound();
    let config = read(&settings).expect("in order");
    assert_eq!(config.database_connections, 8);
    assert_eq!(config.answers_kept, Duration::from_secs(14 * 86_400));
    assert_eq!(config.logging.filter, "info");
    assert_eq!(config.metrics_listen, None);
    assert!(config.peers.is_empty());

    set(&mut settings, "database_connections", "12");
    set(&mut settings, "answers_kept_days", "8");
    set(&mut settings, "metrics_listen", "[::1]:9090");
    set(
        &mut settings,
        "peer_verification",
        "http://verification:50051",
    );
    set(&mut settings, "peer_follow_up", "http://10.0.0.7:50051");
    set(&mut settings, "log_format", "pretty");
    set(&mut settings, "otlp_endpoint", "http://collector:4317");
    let config = read(&settings).expect("in order");
    assert_eq!(config.database_connections, 12);
    assert_eq!(config.answers_kept, Duration::from_secs(8 * 86_400));
    assert_eq!(config.metrics_listen, "[::1]:9090".parse().ok());
    assert_eq!(
        config.peers.keys().collect::<Vec<_>>(),
        ["follow_up", "verification"]
    );
    assert_eq!(config.logging.format, LogFormat::Pretty);
}

#[test]
fn all_faults_are_told_at_once_each_with_what_to_do() {
    let told = read(&BTreeMap::new()).expect_err("nothing is set");
    let variables: Vec<_> = told.0.iter().map(|fault| fault.variable.as_str()).collect();
    assert_eq!(
        variables,
        [
            "ZHENGMING_DATABASE_URL",
            "ZHENGMING_AMQP_URL",
            "ZHENGMING_GRPC_LISTEN",
            "ZHENGMING_SIGNING_KEY",
            "ZHENGMING_JWKS",
            "ZHENGMING_SECRETS_KEY",
            "ZHENGMING_POLICY",
        ]
    );
    assert!(
        told.0
            .iter()
            .all(|fault| fault.problem == "is missing" && !fault.remedy.is_empty())
    );

    let spoiled = [
        ("database_url", "mysql://localhost/zm"),
        ("owner_database_url", "localhost"),
        ("database_connections", "many"),
        ("answers_kept_days", "7"),
        ("amqp_url", "http://localhost"),
        ("grpc_listen", "localhost:50051"),
        ("metrics_listen", "9090"),
        ("jwks", "ftp://localhost/jwks.json"),
        ("signing_key", "/nowhere/intake.pem"),
        ("secrets_key", "/nowhere/secrets.key"),
        ("policy", "/nowhere/policy"),
        ("peer_verification", "verification:50051"),
        ("peer_follow_up", "https://follow-up:50051"),
        ("log", "chassis=loud"),
        ("log_format", "xml"),
        ("otlp_endpoint", "collector"),
    ];
    let settings = spoiled
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let told = read(&settings).expect_err("all is wrong");
    for (name, _) in spoiled {
        let times = told
            .0
            .iter()
            .filter(|fault| fault.variable == variable(name))
            .count();
        assert_eq!(times, 1, "{name}: {told}");
    }
    assert_eq!(told.0.len(), spoiled.len());
    assert!(
        told.to_string()
            .starts_with("the configuration has 16 faults:\n  ZHENGMING_")
    );
}

#[test]
fn a_secret_is_neither_in_a_fault_nor_in_debug() {
    let (_folder, settings) = sound();
    let printed = format!("{:?}", read(&settings).expect("in order"));
    assert!(
        !printed.contains("hush") && !printed.contains("abab"),
        "{printed}"
    );

    let told = faults(|settings, _| {
        set(
            settings,
            "database_url",
            "postgres://intake:hush@host:port/zm",
        );
        set(settings, "owner_database_url", "intake:hush@host");
        set(settings, "amqp_url", "amqp://intake:hush@host:port");
        set(settings, "otlp_endpoint", "user:hush@collector");
        set(settings, "log", "=hush");
        set(settings, "jwks", "user:hush://jwks");
    });
    assert!(
        told.contains("6 faults") && !told.contains("hush"),
        "{told}"
    );

    let (figment, known) = from_toml("amqp_url = \"amqp://intake:hush@host\noops", &[]);
    let told = Config::read("intake", &[], &figment, known)
        .expect_err("no TOML")
        .to_string();
    assert!(told.contains("no TOML") && !told.contains("hush"), "{told}");
}

#[test]
fn a_file_with_an_unknown_setting_is_told() {
    let told = faults(|settings, _| set(settings, "grpc_listne", "127.0.0.1:1"));
    assert!(
        told.contains("ZHENGMING_CONFIG names a file with the unknown setting `grpc_listne`"),
        "{told}"
    );
}

#[test]
fn keys_that_are_of_no_use_are_told_at_start() {
    let told = faults(|settings, folder| {
        let bad = folder.join("bad");
        fs::write(&bad, "{}").expect("a file");
        for name in ["jwks", "signing_key", "secrets_key"] {
            set(settings, name, bad.to_str().expect("a plain path"));
        }
    });
    assert!(told.contains("3 faults"), "{told}");
    assert!(
        told.contains("JWKS names a file that is of no use"),
        "{told}"
    );
    assert!(told.contains("64 hexadecimal digits"), "{told}");
}

#[test]
fn a_jwks_without_our_own_key_is_told_at_start() {
    let told = faults(|_, folder| fs::write(folder.join("jwks.json"), jwks(8)).expect("a file"));
    assert!(told.contains("as `service:intake`"), "{told}");
}

#[test]
fn a_variable_that_looks_like_something_else_is_read_as_text() {
    for (given, read) in [
        ("8", Some("8")),
        ("[::1]:9090", Some("[::1]:9090")),
        ("true", Some("true")),
        ("", None),
    ] {
        let figment = Figment::from((
            "log",
            given.parse::<figment::value::Value>().expect("infallible"),
        ));
        assert_eq!(
            Reading::new(&figment, Vec::new()).text("log").as_deref(),
            read,
            "{given}"
        );
    }
}

#[test]
fn an_empty_setting_counts_as_missing() {
    let told = faults(|settings, _| set(settings, "database_url", ""));
    assert!(told.contains("ZHENGMING_DATABASE_URL is missing"), "{told}");
}

#[test]
fn the_owners_commands_need_neither_keys_nor_broker() {
    let (figment, known) = from_toml("owner_database_url = \"postgres://owner:hush@db/zm\"", &[]);
    let config = OwnerConfig::read("intake", &figment, known).expect("in order");
    assert_eq!(config.database_url.to_string(), "postgres://owner:…@db/zm");

    let told =
        OwnerConfig::read("intake", &Figment::new(), Vec::new()).expect_err("nothing is set");
    assert_eq!(told.0[0].variable, "ZHENGMING_OWNER_DATABASE_URL");
}

#[test]
fn a_peers_variable_is_named_after_the_service() {
    assert_eq!(peer_variable("follow_up"), "ZHENGMING_PEER_FOLLOW_UP");
}

/// Answers one request with these bytes, and tells where.
async fn answering(answer: String) -> JwksSource {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a caller");
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        stream.write_all(answer.as_bytes()).await.expect("written");
    });
    JwksSource::Url(
        format!("http://{address}/jwks.json")
            .parse()
            .expect("an address"),
    )
}

#[tokio::test]
async fn keys_come_from_a_server_too() {
    let jwks = jwks(7);
    let ok = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{jwks}",
        jwks.len()
    );
    let keys = answering(ok).await.keys().await.expect("keys");
    assert!(keys.know(&Signer::of_service("intake", &pem(7)).expect("a key")));
}

#[tokio::test]
async fn a_server_that_gives_no_keys_is_told() {
    for (answer, told) in [
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "404"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", "no JWKS"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{}",
            "could not be read",
        ),
        ("", "ZHENGMING_JWKS"),
    ] {
        let fault = answering(answer.to_owned())
            .await
            .keys()
            .await
            .expect_err("no keys");
        assert!(fault.to_string().contains(told), "{fault}");
    }
}

/// What only one service needs: a number.
struct Luck(u32);

impl Equipment for Luck {
    const SETTING: &'static str = "luck";
    const REMEDY: &'static str = "give a number";

    fn of(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| "no number".to_owned())
    }
}

#[test]
fn what_one_service_needs_is_told_with_all_other_faults() {
    let (_folder, mut settings) = sound();
    let equipped = |settings: &BTreeMap<String, String>| {
        let wanted = [WantedEquipment::of::<Luck>()];
        let (figment, faults) = from_toml(&toml(settings), &wanted);
        Config::read("intake", &wanted, &figment, faults)
    };
    set(&mut settings, "grpc_listen", "nowhere");
    let told = equipped(&settings).expect_err("two things").to_string();
    for what in [
        "ZHENGMING_LUCK is missing",
        "give a number",
        "ZHENGMING_GRPC_LISTEN",
    ] {
        assert!(told.contains(what), "{what}: {told}");
    }
    set(&mut settings, "grpc_listen", "127.0.0.1:50051");
    set(&mut settings, "luck", "hush");
    let told = equipped(&settings).expect_err("no number").to_string();
    assert!(
        told.contains("ZHENGMING_LUCK is of no use: no number"),
        "{told}"
    );
    assert!(!told.contains("hush"), "{told}");
    set(&mut settings, "luck", "7");
    let config = equipped(&settings).expect("in order");
    assert_eq!(config.equipment.get::<Luck>().map(|luck| luck.0), Some(7));
    let told = read(&settings)
        .expect_err("another service has none")
        .to_string();
    assert!(told.contains("unknown setting `luck`"), "{told}");
}

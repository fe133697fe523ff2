//! What is handed over and published: made by itself after the approval, of this matter and this subject and no other,
//! kept with its hash in the journal, and the same bytes for whoever asks for them later.

use std::fs;
use std::process::Command;

use office::Role;
use proto::intake::allegation_input::Subject;
use proto::intake::{AllegationInput, ReporterKind, SubmitReportRequest};
use proto::office::{Channel, ClarificationForm};
use serde_json::Value;
use servers::eventually;
use sha2::{Digest, Sha256};
use tests::docket::Docket;
use tests::{Office, program};
use uuid::Uuid;

use crate::concluding::{registered, word};

const UNIT: &str = "P51-01-01";

/// A subject of the matter: the name, what was alleged, and what is found of it.
struct Accused {
    name: &'static str,
    form: ClarificationForm,
    lines: &'static [Alleged],
}

/// What was alleged, as it is entered and as the letter says it.
struct Alleged {
    category: &'static str,
    label: &'static str,
    /// On which day, and as printed; empty where nobody said it.
    on: [&'static str; 2],
    /// What `zm propose` says was found, and as printed.
    found: [&'static str; 2],
}

const ACCUSED: [Accused; 2] = [
    Accused {
        name: "王秀英",
        form: ClarificationForm::Written,
        lines: &[
            Alleged {
                category: "bribery",
                label: "收受贿赂",
                on: ["2023-11-17", "2023年11月17日"],
                found: ["unfounded", "不属实："],
            },
            // Alleged once more: only the day tells which is which.
            Alleged {
                category: "bribery",
                label: "收受贿赂",
                on: ["2024-01-05", "2024年1月5日"],
                found: ["exonerated", "不构成问题："],
            },
            Alleged {
                category: "neglect",
                label: "不履行或者不正确履行职责",
                on: ["2023-12-01", "2023年12月1日"],
                found: ["exonerated", "不构成问题："],
            },
            Alleged {
                category: "late_for_work",
                label: "late for work",
                on: ["", ""],
                found: ["closed/duplicate", "办结，不另作结论："],
            },
        ],
    },
    Accused {
        name: "李大明",
        form: ClarificationForm::Bulletin,
        lines: &[
            Alleged {
                category: "gifts",
                label: "收受礼品礼金",
                on: ["2023-12-24", "2023年12月24日"],
                found: ["closed/void", "办结，不作结论："],
            },
            Alleged {
                category: "gifts",
                label: "收受礼品礼金",
                on: ["2023-10-08", "2023年10月8日"],
                found: ["unfounded", "不属实："],
            },
            Alleged {
                category: "official_car",
                label: "公车私用",
                on: ["", ""],
                found: ["closed/void", "办结，不作结论："],
            },
        ],
    },
];

/// What findings are called in print.
const FINDINGS: [&str; 4] = [
    "不属实：",
    "不构成问题：",
    "办结，不另作结论：",
    "办结，不作结论：",
];

/// One matter with both subjects and all allegations, concluded; the subjects' ids.
async fn concluded(office: &Office) -> Vec<String> {
    let client = office.client();
    let subjects: Vec<String> = ACCUSED
        .iter()
        .map(|accused| {
            let actor = format!("actor-{}", accused.lines.len());
            registered(office, accused.name, UNIT, &["--actor-id", &actor])
        })
        .collect();
    let all = ACCUSED.iter().zip(&subjects);
    let alleged = all.flat_map(|(accused, subject)| {
        accused.lines.iter().map(|line| AllegationInput {
            subject: Some(Subject::SubjectId(subject.clone())),
            category: line.category.to_owned(),
            occurred_on: line.on[0].to_owned(),
            place: "910101".to_owned(),
            narrative: "Everybody says so".to_owned(),
        })
    });
    let request = SubmitReportRequest {
        request_id: Uuid::new_v4().to_string(),
        channel: Channel::Letter.into(),
        reporter_kind: ReporterKind::Anonymous.into(),
        allegations: alleged.collect(),
        ..SubmitReportRequest::default()
    };
    let officer = office.person("intake", Role::IntakeOfficer);
    let submitted = officer.intake(&client).submit_report(request).await;
    let submitted = submitted.expect("it is taken").into_inner();
    let accepted = office.zm_json(&["accept", &submitted.report_id, "--unit", UNIT]);
    let matter = word(&accepted["matterId"]);
    let mut case = String::new();
    eventually("the case is open", async || {
        let shown = office.zm(&["case", "show", &matter, "--json"]).output();
        let shown = shown.expect("zm runs").stdout;
        let shown: Value = serde_json::from_slice(&shown).unwrap_or_default();
        case = shown["case"]["caseId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        !case.is_empty()
    })
    .await;
    office.zm_json(&["assign", &case, "investigator-1", "investigator-2"]);
    let evidence = [
        "evidence",
        &case,
        "--kind",
        "document",
        "--description",
        "a ledger",
        "--obtained-on",
        "2024-01-08",
    ];
    let evidence = word(&office.zm_json(&evidence)["evidenceIds"][0]);
    let found = ACCUSED.iter().flat_map(|accused| accused.lines);
    let found = submitted.allegation_ids.iter().zip(found);
    let findings: Vec<String> = found
        .map(
            |(
                allegation,
                Alleged {
                    found: [found, _], ..
                },
            )| match found.starts_with("closed") {
                true => format!("{allegation}={found}"),
                false => format!("{allegation}={found}:{evidence}"),
            },
        )
        .collect();
    let harms = subjects.iter();
    let harms: Vec<String> = harms
        .map(|subject| format!("{subject}=spread_in_public:serious:unit"))
        .collect();
    let mut propose = vec!["propose", case.as_str()];
    for finding in &findings {
        propose.extend(["--finding", finding]);
    }
    for harm in &harms {
        propose.extend(["--harm", harm]);
    }
    office.zm_json(&propose);
    office.zm_json(&["approve", &case]);
    subjects
}

/// The clarification of a subject, once it is there.
async fn opened(office: &Office, subject: &str) -> String {
    let mut id = String::new();
    eventually("a clarification opened", async || {
        let listed = office.zm_json(&["clarification", "list", "--subject", subject]);
        let found = listed["clarifications"][0]["clarificationId"].as_str();
        id = found.unwrap_or_default().to_owned();
        !id.is_empty()
    })
    .await;
    id
}

/// Saves a document by `zm`; its bytes, and the hash that was printed.
pub(crate) fn saved(office: &Office, id: &str, kind: &str) -> (Vec<u8>, String) {
    let path = office.folder.path().join(format!("{kind}.pdf"));
    let out = path.to_str().expect("a plain path");
    let told = office.zm_json(&[
        "clarification",
        "document",
        id,
        "--kind",
        kind,
        "--out",
        out,
        "--force",
    ]);
    (
        fs::read(&path).expect("it was saved"),
        word(&told["sha256"]),
    )
}

/// The lines of a document's text, without white space.
pub(crate) fn lines(pdf: &[u8]) -> Vec<String> {
    let text = pdf_extract::extract_text_from_mem(pdf).expect("a PDF with text");
    let lines = text.lines();
    lines
        .map(|line| line.split_whitespace().collect())
        .collect()
}

/// Whether a document says what was found on each allegation on this subject, of which day, and nothing of the other.
fn says_what_it_must(pdf: &[u8], whose: &Accused) {
    let lines = lines(pdf);
    let all = lines.concat();
    let text = lines.join("\n");
    assert!(all.contains(whose.name), "{text}");
    for Alleged {
        label, on, found, ..
    } in whose.lines
    {
        let told = format!("{label}{}{}", on[1], found[1]);
        let told: String = told.split_whitespace().collect();
        let saying = lines.iter().filter(|line| line.contains(&told));
        assert_eq!(saying.count(), 1, "{told} stands in one line of {text}");
    }
    assert!(!all.contains("910101"), "a code is no place: {text}");
    let stated: usize = FINDINGS
        .map(|finding| all.matches(finding).count())
        .iter()
        .sum();
    assert_eq!(stated, whose.lines.len(), "no other finding: {text}");
    for other in ACCUSED.iter().filter(|other| other.name != whose.name) {
        assert!(!all.contains(other.name), "nobody else is named: {text}");
        for Alleged { label, .. } in other.lines {
            assert!(!all.contains(label), "{label} is of somebody else: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_names_each_allegation_of_this_matter_on_this_subject_and_its_bytes_are_kept() {
    let office = Office::new().await;
    let mut services = office.start_all().await;
    let docket = Docket::new(&office, vec![office.client()]);
    let subjects = concluded(&office).await;
    let mut kept = Vec::new();
    for (accused, subject) in ACCUSED.iter().zip(&subjects) {
        let id = opened(&office, subject).await;
        docket.prepare(accused.name, &id, accused.form).await;
        let carried_out = docket.carry_out(accused.name, &id, accused.form).await;
        carried_out.unwrap_or_else(|refusal| panic!("{refusal}"));
        let kinds = match accused.form {
            ClarificationForm::Bulletin => &["letter", "bulletin"][..],
            _ => &["letter"],
        };
        let shown = office.zm_json(&["clarification", "show", &id]);
        let documents = shown["documents"].as_array().map_or(0, Vec::len);
        assert_eq!(documents, kinds.len(), "{shown:#}");
        let stated = shown["statement"].as_array().expect("a statement");
        let days = stated.iter();
        let days = days.map(|line| line["occurredOn"].as_str().unwrap_or_default());
        assert!(
            days.eq(accused.lines.iter().map(|line| line.on[0])),
            "{shown:#}"
        );
        let printed = office.zm(&["clarification", "show", &id]).output();
        let printed = String::from_utf8(printed.expect("zm runs").stdout).expect("a text");
        for Alleged {
            category,
            on,
            found,
            ..
        } in accused.lines
        {
            let words = [category, on[0], found[0]];
            let says = |line: &&str| words.iter().all(|word| line.contains(word));
            assert_eq!(
                printed.lines().filter(says).count(),
                1,
                "{words:?}: {printed}"
            );
        }
        for kind in kinds {
            let (pdf, sha256) = saved(&office, &id, kind);
            says_what_it_must(&pdf, accused);
            assert_eq!(chassis::hexadecimal::encode(&Sha256::digest(&pdf)), sha256);
            kept.push((id.clone(), *kind, pdf, sha256));
        }
    }

    // The journal holds the hash, as made and as handed over; and neither it nor any log a name.
    let pool = office.superuser("clarification").await;
    for (id, kind, _, sha256) in &kept {
        let of_events: Vec<Value> = journalled(&pool, id, "documents_rendered")
            .await
            .into_iter()
            .chain(journalled(&pool, id, "clarification_carried_out").await)
            .collect();
        let told: Vec<&Value> = of_events
            .iter()
            .flat_map(|event| [&event["documents"], &event["execution"]["documents"]])
            .filter_map(Value::as_array)
            .flatten()
            .filter(|document| document["kind"] == *kind)
            .map(|document| &document["sha256"])
            .collect();
        assert_eq!(told, [sha256, sha256], "{of_events:#?}");
    }
    for Accused { name, .. } in &ACCUSED {
        let named: i64 = sqlx::query_scalar(
            "select count(*) from journal where position(convert_to($1, 'UTF8') in data) > 0",
        )
        .bind(name)
        .fetch_one(&pool)
        .await
        .expect("the journal is there");
        assert_eq!(named, 0, "no event names anybody");
        for entry in fs::read_dir(office.folder.path()).expect("our folder") {
            let path = entry.expect("a file").path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let log = fs::read_to_string(&path).expect("a log");
                assert!(!log.contains(name), "{} names somebody", path.display());
            }
        }
    }
    pool.close().await;

    // Whoever asks later gets the same bytes, unless they are recused.
    services.remove("clarification").expect("it runs").stop();
    services.insert("clarification", office.start("clarification").await);
    for (id, kind, pdf, sha256) in &kept {
        let again = saved(&office, id, kind);
        assert_eq!(again.1, *sha256);
        assert!(again.0 == *pdf, "{kind} is the same after a restart");
    }
    let (id, ..) = &kept[0];
    let out = office.folder.path().join("letter.pdf");
    let out = out.to_str().expect("a plain path");
    let save = ["clarification", "document", id, "--out", out];
    for (more, code, what) in [
        (&[][..], 2, "--force"),
        (&["--kind", "bulletin"], 1, "no such document"),
        (&["--as", "clarification_officer@N=actor-3"], 1, "recused"),
        (
            &["--as", "personnel_officer@N=pei"],
            1,
            "None of your roles",
        ),
    ] {
        let refused = office.zm(&[&save[..], more].concat()).output();
        let refused = refused.expect("zm runs");
        let told = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(code), "{told}");
        assert!(told.contains(what), "{told}");
    }
    let shown = office.zm_json(&["clarification", "show", id]);
    let text = word(&shown["documents"][0]["textId"]);
    let told = office.zm_refused(&["text", "clarification", &text]);
    assert!(told.contains("a document and no text"), "{told}");
    office.zm_json(&["journal", "verify"]);
}

/// The events of this type of a clarification, as they are journalled.
async fn journalled(pool: &sqlx::PgPool, id: &str, name: &str) -> Vec<Value> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "select data from journal where aggregate = $1::uuid and type = $2 order by sequence",
    )
    .bind(id)
    .bind(name)
    .fetch_all(pool)
    .await
    .expect("the journal is there");
    let events = rows.iter().map(|data| serde_json::from_slice(data));
    events
        .collect::<Result<_, _>>()
        .expect("events are stored as JSON")
}

/// Fonts are told with all other faults at once, and by whom they are wanted alone.
#[test]
fn a_service_says_at_its_start_which_fonts_it_lacks() {
    let told = |service: &str, fonts: &str| {
        let checked = Command::new(program(service))
            .arg("check")
            .env_clear()
            .env("ZHENGMING_FONTS", fonts)
            .output()
            .expect("the program is built");
        assert!(!checked.status.success());
        String::from_utf8_lossy(&checked.stderr).into_owned()
    };
    let missing = told("clarification", "");
    assert!(missing.contains("ZHENGMING_FONTS is missing"), "{missing}");
    assert!(missing.contains("ZHENGMING_POLICY"), "{missing}");
    let wrong = told("clarification", "/nowhere/song.ttf");
    assert!(
        wrong.contains("/nowhere/song.ttf cannot be read"),
        "{wrong}"
    );
    assert!(wrong.contains("name font files"), "{wrong}");
    let other = told("intake", "");
    assert!(!other.contains("ZHENGMING_FONTS"), "{other}");
}

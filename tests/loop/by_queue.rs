//! The same register, with every command by queue: equal figures, and for a replay nothing is left to do.

use std::collections::HashMap;

use office::Role;
use proto::chassis::ReadClockRequest;
use proto::clarification::{
    ApproveClarificationRequest, Clarification, ConfirmClarificationRequest,
    GetClarificationRequest,
};
use proto::follow_up::{File, GetFileRequest};
use proto::intake::{GetReportRequest, ListCandidatesRequest};
use proto::topology::{SERVICES, command_queue};
use proto::verification::{ApproveFindingsRequest, GetCaseRequest};
use serde_json::Value;
use servers::eventually;
use tests::{Office, workspace};
use zm::client::{Office as Client, Person};
use zm::register::{Case, Map, Register, Sanctioned, Subject};
use zm::replay::actors::{Cast, ids};
use zm::replay::identity::{Step, request_id, subject_id};
use zm::replay::requests::consequences;
use zm::replay::requests::{self, Source};

use crate::sender::Sender;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Reads as an auditor what comes by events of other services.
struct Reader<'a> {
    office: &'a Client,
    auditor: &'a Person,
}

impl Reader<'_> {
    async fn today(&self, service: &str) -> String {
        let mut operations = self.auditor.operations(self.office, service);
        let answer = operations.read_clock(ReadClockRequest {}).await;
        answer.expect("an auditor reads").into_inner().today
    }

    async fn clarification(&self, matter: &str, subject: &str) -> Option<Clarification> {
        let request = GetClarificationRequest {
            clarification_id: String::new(),
            matter_id: matter.to_owned(),
            subject_id: subject.to_owned(),
        };
        let mut desk = self.auditor.clarification(self.office);
        let answer = desk.get_clarification(request).await;
        answer
            .ok()
            .and_then(|answer| answer.into_inner().clarification)
    }

    async fn file(&self, subject: &str) -> Option<File> {
        let request = GetFileRequest {
            file_id: String::new(),
            subject_id: subject.to_owned(),
        };
        let answer = self.auditor.follow_up(self.office).get_file(request).await;
        answer.ok().and_then(|answer| answer.into_inner().file)
    }
}

/// Sanctions a person, and visits them at the first time.
async fn sanction(
    sender: &mut Sender,
    reader: &Reader<'_>,
    cast: &Cast,
    source: Source<'_>,
    (case, matter_id, case_id): (&Case, &str, &str),
    sanctioned: &Sanctioned,
) {
    let reference = &sanctioned.reference;
    let teller = cast.teller();
    let today = reader.today("verification").await;
    let request = consequences::record_sanction(source, case, case_id, sanctioned, &today);
    sender
        .command("verification", "RecordSanction", teller, &request)
        .await;
    if !sanctioned.is_first {
        return;
    }
    let subject = subject_id(source.name, reference).to_string();
    let mut file_id = String::new();
    eventually("follow-up has heard of the sanction", async || {
        let file = reader.file(&subject).await.filter(|file| {
            let mut periods = file.periods.iter();
            periods.any(|period| period.matter_id == matter_id)
        });
        file_id = file.map(|file| file.file_id).unwrap_or_default();
        !file_id.is_empty()
    })
    .await;
    let visitors = cast.visitors(reference);
    let names = visitors.iter().map(|visitor| visitor.id.to_string());
    let today = reader.today("follow_up").await;
    let request =
        consequences::record_visit(source, case, &file_id, reference, names.collect(), &today);
    sender
        .command("follow_up", "RecordVisit", &visitors[0], &request)
        .await;
}

/// Leads the clearing of a name to its end.
async fn clear(
    sender: &mut Sender,
    reader: &Reader<'_>,
    cast: &Cast,
    source: Source<'_>,
    case: &Case,
    matter_id: &str,
    reference: &str,
) {
    const SERVICE: &str = "clarification";
    let clearing = source.clearing.expect("the town assumes it");
    let subject = subject_id(source.name, reference).to_string();
    let mut found = Clarification::default();
    eventually("clarification has heard of the conclusion", async || {
        let heard = reader.clarification(matter_id, &subject).await;
        found = heard.unwrap_or_default();
        !found.clarification_id.is_empty()
    })
    .await;
    let id = found.clarification_id.as_str();
    assert_eq!(found.opinions_missing.len(), 5, "{found:?}");
    for code in &found.opinions_missing {
        let department = code.parse().expect("a department");
        let screener = cast.screener(&department).expect("there is one");
        let screening = clearing.screening;
        let request = consequences::record_opinion(source, case, reference, id, code, screening);
        sender
            .command(SERVICE, "RecordOpinion", &screener, &request)
            .await;
    }
    let officer = cast.clarification_officer(&case.reference);
    let officer = officer.expect("there is one");
    let today = reader.today(SERVICE).await;
    let request = consequences::record_wish(source, case, reference, id, clearing, &today);
    sender
        .command(SERVICE, "RecordWish", &officer, &request)
        .await;
    let request = consequences::decide_form(source, case, reference, id, clearing);
    sender
        .command(SERVICE, "DecideForm", &officer, &request)
        .await;
    let request = consequences::draft_statement(source, case, reference, id);
    sender
        .command(SERVICE, "DraftStatement", &officer, &request)
        .await;
    let approver = cast.clearing_approver(&case.reference, &officer);
    let step = Step::ApproveClarification;
    let request = ApproveClarificationRequest {
        request_id: consequences::bare(source, case, reference, step),
        clarification_id: id.to_owned(),
    };
    sender
        .command(
            SERVICE,
            step.method(),
            &approver.expect("four eyes"),
            &request,
        )
        .await;
    let today = reader.today(SERVICE).await;
    let by = officer.id.as_str();
    let request = consequences::carry_out_clarification(source, case, reference, id, by, &today);
    sender
        .command(SERVICE, "CarryOutClarification", &officer, &request)
        .await;
    let personnel = cast.personnel_officer(&case.reference);
    let step = Step::ConfirmClarification;
    let request = ConfirmClarificationRequest {
        request_id: consequences::bare(source, case, reference, step),
        clarification_id: id.to_owned(),
    };
    sender
        .command(
            SERVICE,
            step.method(),
            &personnel.expect("there is one"),
            &request,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_towns_register_goes_in_by_queue_with_the_same_figures() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    for service in SERVICES {
        eventually("the queue of commands is declared", async || {
            office.vhost.takes_messages(&command_queue(service))
        })
        .await;
    }
    let folder = workspace().join("tests/registers");
    let map = Map::open(&folder.join("town.toml")).expect("the map reads");
    let register = Register::open(&folder.join("town.csv"), &map).expect("the register reads");
    let unit = map.unit().parse().expect("a unit code");
    let source = Source {
        name: map.register(),
        digest: register.digest,
        kind: map.subject_kind(),
        unit: &unit,
        clearing: map.clearing(),
    };
    let cast = Cast::made(&unit);
    let client = office.client();
    let auditor = office.person("auditor-1", Role::Auditor);
    let officer = office.person("officer-1", Role::IntakeOfficer);
    let mut sender = Sender::connect(&office).await;

    for case in &register.cases {
        let mut subjects = HashMap::new();
        for row in &case.rows {
            if let Subject::Identified { reference } = &row.subject {
                let request = requests::register_subject(source, reference);
                let registered = sender
                    .command("intake", "RegisterSubject", cast.registrar(), &request)
                    .await;
                subjects.insert(reference.clone(), text(&registered["subjectId"]));
            }
        }
        let request =
            requests::submit_report(source, case, |reference| subjects[reference].clone());
        let submitted = sender
            .command("intake", "SubmitReport", cast.registrar(), &request)
            .await;
        let report_id = text(&submitted["reportId"]);
        let allegations: Vec<String> = submitted["allegationIds"]
            .as_array()
            .expect("they have ids")
            .iter()
            .map(text)
            .collect();

        let report = auditor
            .intake(&client)
            .get_report(GetReportRequest {
                report_id: report_id.clone(),
            })
            .await
            .expect("an auditor reads")
            .into_inner()
            .report
            .expect("it is there");
        let candidates = officer
            .intake(&client)
            .list_candidates(ListCandidatesRequest {
                report_id: report_id.clone(),
            })
            .await
            .expect("an officer asks")
            .into_inner()
            .candidates;
        let lies_at = report.unit.parse().expect("a unit");
        let decider = cast
            .intake_officer(&case.reference, &lies_at)
            .expect("there is one");
        let request = requests::accept_report(source, case, &report_id, &candidates);
        let accepted = sender
            .command("intake", "AcceptReport", &decider, &request)
            .await;
        let matter_id = text(&accepted["matterId"]);

        let mut case_id = String::new();
        eventually("verification has the case", async || {
            let found = auditor
                .verification(&client)
                .get_case(GetCaseRequest {
                    case_id: String::new(),
                    matter_id: matter_id.clone(),
                })
                .await;
            case_id = found
                .ok()
                .and_then(|answer| answer.into_inner().case)
                .map(|case| case.case_id)
                .unwrap_or_default();
            !case_id.is_empty()
        })
        .await;

        let team = cast.team(&case.reference);
        let assigner = cast.assigner(&case.reference).expect("there is one");
        let names = ids(&team).into_iter().collect();
        let request = requests::assign_investigators(source, case, &case_id, names);
        sender
            .command("verification", "AssignInvestigators", &assigner, &request)
            .await;
        let request = requests::record_evidence(source, case, &case_id);
        let recorded = sender
            .command("verification", "RecordEvidence", &team[0], &request)
            .await;
        let evidence: Vec<String> = recorded["evidenceIds"]
            .as_array()
            .expect("it has an id")
            .iter()
            .map(text)
            .collect();
        let Some(request) =
            requests::propose_findings(source, case, &case_id, &allegations, &evidence)
        else {
            continue;
        };
        sender
            .command("verification", "ProposeFindings", &team[0], &request)
            .await;
        let approver = cast
            .approver(&case.reference, &ids(&team))
            .expect("four eyes");
        let request = ApproveFindingsRequest {
            request_id: request_id(register.digest, case, Step::ApproveFindings).to_string(),
            case_id: case_id.clone(),
        };
        let approved = sender
            .command("verification", "ApproveFindings", &approver, &request)
            .await;
        assert_eq!(approved["number"], 1, "{approved}");
        let reader = Reader {
            office: &client,
            auditor: &auditor,
        };
        for sanctioned in &case.sanctions {
            let case = (case, matter_id.as_str(), case_id.as_str());
            sanction(&mut sender, &reader, &cast, source, case, sanctioned).await;
        }
        for reference in &case.cleared {
            clear(
                &mut sender,
                &reader,
                &cast,
                source,
                case,
                &matter_id,
                reference,
            )
            .await;
        }
    }
    sender.close().await;

    let told = office.zm_json(&[
        "replay",
        "tests/registers/town.csv",
        "--map",
        "tests/registers/town.toml",
    ]);
    assert_eq!(told["equal"], true, "{told:#}");
    assert_eq!(told["entered_before"], register.cases.len(), "{told:#}");
    assert_eq!(told["commands"], 0, "{told:#}");
}

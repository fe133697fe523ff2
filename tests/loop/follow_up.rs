//! Who keeps a person's file: whoever decided, and never the person. What opens a file is told here by hand, in the words
//! of verification's and clarification's contracts, so that only intake and follow-up run.

use chassis::broker::EventMessage;
use chassis::refusal::Refusal;
use chassis::time::real_now;
use chassis::token::{ACTORS_KEY, Audience, SERVICE_LIFETIME, Signer};
use jiff::ToSpan;
use jiff::civil::Date;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};
use office::{Actor, Policies, Role};
use proto::chassis::SetClockRequest;
use proto::clarification::ClarificationCarriedOut;
use proto::follow_up::follow_up_service_client::FollowUpServiceClient;
use proto::follow_up::{
    AftercareEffect, Approach, Attitude, CheckAftercareRequest, File, FileState, GetFileRequest,
    GetStatisticsRequest, GetTextRequest, Grade, ListFilesRequest, PlanVisitsRequest,
    RecordAssessmentRequest, RecordVisitRequest, Talk, TalkPartner,
};
use proto::intake::RegisterSubjectRequest;
use proto::office::{Standing, SubjectKind};
use proto::topology::{EVENTS, follower_queue};
use proto::verification::SanctionRecorded;
use serde::Serialize;
use servers::{eventually, soon};
use tests::Office;
use tonic::{Request, Status};
use uuid::Uuid;

/// Who decided.
const UNIT: &str = "P51-01-01";

/// Intake and follow-up, and a line to the broker.
struct House {
    office: Office,
    signer: Signer,
    channel: Channel,
}

impl House {
    async fn new() -> Self {
        let office = Office::new().await;
        let pem = std::fs::read_to_string(office.folder.path().join("keys/actors.pem"))
            .expect("the key was made");
        let signer = Signer::from_pem(ACTORS_KEY, &pem).expect("the key is one");
        let connection = Connection::connect(&office.vhost.url(), Default::default())
            .await
            .expect("the broker answers");
        let channel = connection.create_channel().await.expect("a channel");
        Self {
            office,
            signer,
            channel,
        }
    }

    /// A request of an actor of the unit.
    fn by<T>(&self, name: &str, role: Role, message: T) -> Request<T> {
        let actor = Actor {
            id: name.parse().expect("an actor id"),
            unit: UNIT.parse().expect("a unit code"),
            department: None,
            roles: [role].into(),
            on_behalf_of: None,
        };
        let token = self
            .signer
            .mint(&actor, Audience::Call, real_now(), SERVICE_LIFETIME)
            .expect("a token");
        let mut request = Request::new(message);
        let bearer = format!("Bearer {token}").parse().expect("plain text");
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    fn officer<T>(&self, message: T) -> Request<T> {
        self.by("he", Role::FollowUpOfficer, message)
    }

    fn follow_up(&self) -> FollowUpServiceClient<tonic::transport::Channel> {
        FollowUpServiceClient::new(self.office.client().channel("follow_up"))
    }

    /// Registers a person who is the actor `li.wei`; the subject's id.
    async fn register_li_wei(&self) -> String {
        let client = self.office.client();
        let officer = self.office.person("intake-1", Role::IntakeOfficer);
        let registered = officer
            .intake(&client)
            .register_subject(RegisterSubjectRequest {
                request_id: Uuid::new_v4().to_string(),
                kind: SubjectKind::Person.into(),
                name: "李伟".to_owned(),
                unit: UNIT.to_owned(),
                standing: Standing::PublicOfficial.into(),
                actor_id: "li.wei".to_owned(),
                ..RegisterSubjectRequest::default()
            });
        let answer = registered.await.expect("it is registered");
        answer.into_inner().subject_id
    }

    /// Tells a service's event, the first of its stream.
    async fn tell(&self, source: &str, name: &str, message: &impl Serialize) {
        let queue = follower_queue("follow_up", source);
        eventually("follow-up listens", async || {
            self.office.vhost.queue(&queue).is_some()
        })
        .await;
        let event = EventMessage {
            id: Uuid::new_v4(),
            source: source.to_owned(),
            type_: format!("zhengming.{source}.v1.{name}"),
            stream: Uuid::new_v4(),
            sequence: 1,
            epoch: "by hand".to_owned(),
            matter: None,
            cause: None,
            actor: None,
            traceparent: None,
            at: real_now(),
            body: serde_json::to_vec(message).expect("a message has a JSON form"),
        };
        let outgoing = event.into_outgoing(false);
        self.channel
            .basic_publish(
                outgoing.exchange.into(),
                outgoing.routing_key.as_str().into(),
                BasicPublishOptions::default(),
                &outgoing.body,
                outgoing.properties,
            )
            .await
            .expect("sent");
    }

    /// What follow-up tells from now on.
    async fn listen(&self) -> Consumer {
        let queue = "listener";
        let options = QueueDeclareOptions {
            exclusive: true,
            ..QueueDeclareOptions::default()
        };
        self.channel
            .queue_declare(queue.into(), options, FieldTable::default())
            .await
            .expect("declared");
        self.channel
            .queue_bind(
                queue.into(),
                EVENTS.into(),
                "follow_up.#".into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await
            .expect("bound");
        let options = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        self.channel
            .basic_consume(queue.into(), "".into(), options, FieldTable::default())
            .await
            .expect("consumed")
    }

    /// The file of a person, for somebody.
    async fn file(&self, name: &str, subject: &str) -> Result<File, Status> {
        let question = GetFileRequest {
            subject_id: subject.to_owned(),
            ..GetFileRequest::default()
        };
        let question = self.by(name, Role::FollowUpOfficer, question);
        let answer = self.follow_up().get_file(question).await?;
        Ok(answer.into_inner().file.unwrap_or_default())
    }

    /// Waits until the file is there and its person is known, so that they are not shown it.
    async fn file_is_kept_from(&self, person: &str, subject: &str) -> File {
        eventually("the file is there and kept from its person", async || {
            let seen = self.file(person, subject).await;
            seen.is_err_and(|status| code(&status) == "FOLLOW_UP_RECUSED")
        })
        .await;
        self.file("he", subject).await.expect("an officer sees it")
    }

    async fn set_clock(&self, days: i64) {
        let operator = self.office.person("operator-1", Role::Operator);
        let client = self.office.client();
        let ahead_seconds = days * 24 * 60 * 60;
        operator
            .operations(&client, "follow_up")
            .set_clock(SetClockRequest { ahead_seconds })
            .await
            .expect("the clock is set");
    }
}

fn code(status: &Status) -> String {
    Refusal::from_status(status).code.into_owned()
}

fn today() -> Date {
    let now = real_now();
    let policies = Policies::shipped().expect("the shipped policy loads");
    policies.in_force(now).calendar.date(now)
}

fn sanctioned(subject: &str) -> SanctionRecorded {
    SanctionRecorded {
        sanction_id: Uuid::new_v4().to_string(),
        subject_id: subject.to_owned(),
        case_id: Uuid::new_v4().to_string(),
        matter_id: Uuid::new_v4().to_string(),
        source: "register".to_owned(),
        kind: "warning".to_owned(),
        decided_by: UNIT.to_owned(),
        decided_on: today().to_string(),
        impact_months: 6,
        impact_ends_on: (today() + 180.days()).to_string(),
    }
}

fn plan(file_id: &str) -> PlanVisitsRequest {
    PlanVisitsRequest {
        request_id: Uuid::new_v4().to_string(),
        file_id: file_id.to_owned(),
        visits_on: vec![(today() + 170.days()).to_string()],
        situation: "Worries about his children".to_owned(),
    }
}

fn visit(file_id: &str, visitors: [&str; 2]) -> RecordVisitRequest {
    RecordVisitRequest {
        request_id: Uuid::new_v4().to_string(),
        file_id: file_id.to_owned(),
        visited_on: today().to_string(),
        visitors: visitors.map(str::to_owned).to_vec(),
        talks: vec![Talk {
            partner: TalkPartner::Person.into(),
            notes: "Sleeps badly".to_owned(),
        }],
        observations: "At his desk, pale".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_followed_up_to_the_end_and_never_by_themselves() {
    let house = House::new().await;
    let _intake = house.office.start("intake").await;
    let _follow_up = house.office.start("follow_up").await;
    let told = house.listen().await;
    let subject = house.register_li_wei().await;
    let sanction = sanctioned(&subject);
    house
        .tell("verification", "SanctionRecorded", &sanction)
        .await;
    let file = house.file_is_kept_from("li.wei", &subject).await;
    assert_eq!(file.periods[0].sanction_id, sanction.sanction_id);
    let file_id = file.file_id.as_str();
    let mut desk = house.follow_up();

    let listed = async |name: &str| {
        let question = house.by(name, Role::FollowUpOfficer, ListFilesRequest::default());
        let answer = house.follow_up().list_files(question).await;
        answer.expect("a list").into_inner().files.len()
    };
    assert_eq!((listed("he").await, listed("li.wei").await), (1, 0));

    desk.plan_visits(house.officer(plan(file_id)))
        .await
        .expect("it is planned");
    let refused = desk
        .record_visit(house.officer(visit(file_id, ["chen", "li.wei"])))
        .await
        .expect_err("nobody visits themselves");
    assert_eq!(code(&refused), "FOLLOW_UP_VISITOR_RECUSED");
    let visited = desk
        .record_visit(house.officer(visit(file_id, ["chen", "lin"])))
        .await
        .expect("it is recorded");
    let assessment = RecordAssessmentRequest {
        request_id: Uuid::new_v4().to_string(),
        file_id: file_id.to_owned(),
        visit_id: visited.into_inner().visit_id,
        attitude: Attitude::Burdened.into(),
        grade: Grade::Fair.into(),
        profile: "Carries it too heavily".to_owned(),
    };
    let assessed = desk.record_assessment(house.officer(assessment)).await;
    let assessed = assessed.expect("it is recorded").into_inner();
    assert_eq!(assessed.approach(), Approach::Support);
    let file = house.file("he", &subject).await.expect("the file");
    let text_id = file.visits[0].notes[0].text_id.clone();
    let text = desk
        .get_text(house.officer(GetTextRequest { text_id }))
        .await;
    assert_eq!(text.expect("a text").into_inner().text, "Sleeps badly");

    house.set_clock(200).await;
    eventually("the file closes by itself", async || {
        let file = house.file("he", &subject).await;
        file.is_ok_and(|file| file.state() == FileState::Closed)
    })
    .await;
    let mut names = Vec::new();
    let mut told = told;
    while names.len() < 4 {
        use futures::StreamExt as _;
        let event = soon("an event comes", told.next()).await;
        let event = event.expect("the queue stays").expect("intact");
        names.push(event.routing_key.to_string());
    }
    assert_eq!(
        names,
        [
            "FileOpened",
            "VisitRecorded",
            "ImpactPeriodEnded",
            "FileClosed"
        ]
        .map(|name| format!("follow_up.{name}"))
    );

    let question = GetStatisticsRequest {
        source: "register".to_owned(),
    };
    let figures = desk.get_statistics(house.officer(question)).await;
    let figures = figures.expect("figures").into_inner().figures;
    let counted: Vec<(&str, i64)> = figures
        .iter()
        .filter(|figure| figure.count > 0)
        .map(|figure| (figure.key.as_str(), figure.count))
        .collect();
    let expected = [
        ("files", 1),
        ("files_closed", 1),
        ("sanctions_followed", 1),
        ("visits", 1),
        ("people_visited", 1),
        ("talks", 1),
        ("talks_person", 1),
    ];
    assert_eq!(counted, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_register_a_file_opens_and_nobody_takes_a_step() {
    let house = House::new().await;
    let intake = house.office.start("intake").await;
    let _follow_up = house.office.start("follow_up").await;
    let subject = house.register_li_wei().await;
    intake.stop();
    house
        .tell("verification", "SanctionRecorded", &sanctioned(&subject))
        .await;
    eventually("the file opens", async || {
        house.file("he", &subject).await.is_ok()
    })
    .await;
    let file = house.file("he", &subject).await.expect("the file");
    let request = plan(&file.file_id);
    let mut desk = house.follow_up();
    let refused = desk
        .plan_visits(house.officer(request.clone()))
        .await
        .expect_err("nobody knows whether it is about them");
    assert_eq!(code(&refused), "UNAVAILABLE");

    let _intake = house.office.start("intake").await;
    eventually("the same request is carried out", async || {
        let planned = desk.plan_visits(house.officer(request.clone())).await;
        planned.is_ok()
    })
    .await;
    house.file_is_kept_from("li.wei", &subject).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_effect_of_a_clarification_is_checked_once_its_day_has_come() {
    let house = House::new().await;
    let _intake = house.office.start("intake").await;
    let _follow_up = house.office.start("follow_up").await;
    let subject = house.register_li_wei().await;
    let carried_out = |kind: SubjectKind, subject_id: &str| ClarificationCarriedOut {
        clarification_id: Uuid::new_v4().to_string(),
        matter_id: Uuid::new_v4().to_string(),
        subject_id: subject_id.to_owned(),
        subject_kind: kind.into(),
        source: "register".to_owned(),
        unit: UNIT.to_owned(),
        carried_out_on: today().to_string(),
        conclusion: 1,
        ..ClarificationCarriedOut::default()
    };
    let school = Uuid::new_v4().to_string();
    let of_a_school = carried_out(SubjectKind::Organisation, &school);
    let of_a_person = carried_out(SubjectKind::Person, &subject);
    for event in [&of_a_school, &of_a_person] {
        house
            .tell("clarification", "ClarificationCarriedOut", event)
            .await;
    }
    let file = house.file_is_kept_from("li.wei", &subject).await;
    let seen = house.file("he", &school).await;
    assert_eq!(code(&seen.expect_err("there is none")), "NOT_FOUND");

    let check = CheckAftercareRequest {
        request_id: Uuid::new_v4().to_string(),
        file_id: file.file_id,
        clarification_id: of_a_person.clarification_id,
        effect: AftercareEffect::Partly.into(),
        notes: "Two neighbours still whisper".to_owned(),
    };
    let mut desk = house.follow_up();
    let early = desk.check_aftercare(house.officer(check.clone())).await;
    let refused = early.expect_err("its day has not come");
    assert_eq!(code(&refused), "FOLLOW_UP_AFTERCARE_NOT_DUE");
    house.set_clock(31).await;
    eventually("its day has come", async || {
        let checked = desk.check_aftercare(house.officer(check.clone())).await;
        checked.is_ok()
    })
    .await;
    let file = house.file("he", &subject).await.expect("the file");
    assert_eq!(file.state(), FileState::Closed);
    assert_eq!(file.aftercare[0].effect(), AftercareEffect::Partly);
}

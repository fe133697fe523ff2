//! The reports' side of the contract.

use chassis::question::{Page, Reach, unavailable};
use chassis::request::{Answered, Draw, FollowUp, Reading, Request};
use chassis::secrets::Secrets;
use office::ReportId;
use proto::intake::{
    AcceptReportRequest, AcceptReportResponse, AddMaterialRequest, AddMaterialResponse,
    AllegationInput, DeclineReportRequest, DeclineReportResponse, JoinReportRequest,
    JoinReportResponse, ListReportsRequest, ListReportsResponse, NewFacts as NewFactsWord,
    Report as Shown, ReportRow, ReportState, ReporterKind as ReporterKindWord, SubmitReportRequest,
    SubmitReportResponse, TransferReportRequest, TransferReportResponse, WithdrawReportRequest,
    WithdrawReportResponse, allegation_input,
};
use proto::office::Channel as ChannelWord;
use sqlx::PgPool;
use tonic::{Response, Status};
use uuid::Uuid;

use crate::matter::NewFacts;
use crate::report::receipt::{Receipt, ReceiptCode};
use crate::report::submission::{Alleged, AllegedWhom, Channel, ReporterKind, Submission};
use crate::report::triage::RejectedCandidate;
use crate::report::{Command, Event, Filed, Report, Stage, State, own_matter};
use crate::views::{self, Place};
use crate::{Intake, announcements};

/// The most allegations of one report.
const MOST_ALLEGATIONS: usize = 400;

impl Request<Intake> for SubmitReportRequest {
    const METHOD: &'static str = "SubmitReport";
    type Aggregate = Report;
    type Response = SubmitReportResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        reading.creates(ReportId::KIND);
        let channel = reading.choice("channel", channel(self.channel()));
        let offered = &reading.profile().intake.channels;
        if !offered.iter().any(|code| code == channel.code()) {
            reading.violation(
                "channel",
                "is none of the channels that this office takes reports by",
            );
        }
        let reporter_kind = reading.choice(
            "reporter_kind",
            match self.reporter_kind() {
                ReporterKindWord::Named => Some(ReporterKind::Named),
                ReporterKindWord::Confidential => Some(ReporterKind::Confidential),
                ReporterKindWord::Anonymous => Some(ReporterKind::Anonymous),
                ReporterKindWord::Unspecified => None,
            },
        );
        if !(1..=MOST_ALLEGATIONS).contains(&self.allegations.len()) {
            reading.violation("allegations", "must be at least 1 and at most 400");
        }
        Command::Submit(Submission {
            channel,
            reporter_kind,
            source: reading.label("source", &self.source),
            reference: reading.label("reference", &self.reference),
            reporter: reading.optional_actor("reporter_actor_id", &self.reporter_actor_id),
            receipt: Some(ReceiptCode::drawn(
                reading.draw(),
                reading.profile().intake.receipt_digits,
            )),
            allegations: self
                .allegations
                .into_iter()
                .take(MOST_ALLEGATIONS)
                .enumerate()
                .map(|(ordinal, input)| alleged(reading, ordinal, input))
                .collect(),
        })
    }

    fn answer(answered: &Answered<'_, Report>) -> SubmitReportResponse {
        let submitted = answered.events.iter().find_map(|event| match event {
            Event::Submitted(submitted) => Some(submitted),
            _ => None,
        });
        SubmitReportResponse {
            report_id: answered.id.to_string(),
            version: answered.version,
            receipt_code: String::new(),
            allegation_ids: submitted
                .into_iter()
                .flat_map(|submitted| &submitted.allegations)
                .map(|allegation| allegation.id.to_string())
                .collect(),
        }
    }

    fn on_repeat(answered: &Answered<'_, Report>, draw: &Draw) -> Option<FollowUp<Report>> {
        let issued = Receipt::issued(&answered.events)?;
        let fresh = ReceiptCode::drawn(draw, issued.digits);
        (!issued.fits(answered.secrets, &fresh)).then_some(FollowUp {
            method: "ReplaceReceipt",
            command: Command::ReplaceReceipt {
                receipt: Some(fresh),
            },
        })
    }

    /// A code that was used is not replaced; then there is none to tell.
    fn confide(response: &mut SubmitReportResponse, answered: &Answered<'_, Report>, draw: &Draw) {
        if let Some(issued) = Receipt::issued(&answered.events) {
            let code = ReceiptCode::drawn(draw, issued.digits);
            if issued.fits(answered.secrets, &code) {
                response.receipt_code = code.reveal().to_owned();
            }
        }
    }
}

fn channel(word: ChannelWord) -> Option<Channel> {
    match word {
        ChannelWord::Unspecified => None,
        ChannelWord::Web => Some(Channel::Web),
        ChannelWord::Letter => Some(Channel::Letter),
        ChannelWord::Visit => Some(Channel::Visit),
        ChannelWord::Phone => Some(Channel::Phone),
        ChannelWord::Email => Some(Channel::Email),
        ChannelWord::Transfer => Some(Channel::Transfer),
        ChannelWord::Supervision => Some(Channel::Supervision),
        ChannelWord::Queue => Some(Channel::Queue),
    }
}

fn channel_word(channel: Channel) -> ChannelWord {
    match channel {
        Channel::Web => ChannelWord::Web,
        Channel::Letter => ChannelWord::Letter,
        Channel::Visit => ChannelWord::Visit,
        Channel::Phone => ChannelWord::Phone,
        Channel::Email => ChannelWord::Email,
        Channel::Transfer => ChannelWord::Transfer,
        Channel::Supervision => ChannelWord::Supervision,
        Channel::Queue => ChannelWord::Queue,
    }
}

fn alleged(reading: &mut Reading<'_>, ordinal: usize, input: AllegationInput) -> Alleged {
    let field = |name: &str| format!("allegations[{ordinal}].{name}");
    let whom = match input.subject {
        Some(allegation_input::Subject::SubjectId(id)) => {
            AllegedWhom::Registered(reading.id(&field("subject_id"), &id))
        }
        Some(allegation_input::Subject::NotIdentified(description)) => {
            AllegedWhom::NotIdentified(reading.text(&field("not_identified"), &description))
        }
        None => {
            reading.violation(
                field("subject"),
                "must be a subject_id or a description of somebody not_identified",
            );
            AllegedWhom::Registered(Uuid::nil().into())
        }
    };
    let place = reading.label(&field("place"), &input.place);
    Alleged {
        whom,
        category: reading.code(&field("category"), &input.category),
        narrative: reading.text(&field("narrative"), &input.narrative),
        occurred_on: reading.date(&field("occurred_on"), &input.occurred_on),
        place: (!place.is_empty()).then_some(place),
    }
}

impl Request<Intake> for AddMaterialRequest {
    const METHOD: &'static str = "AddMaterial";
    type Aggregate = Report;
    type Response = AddMaterialResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        reading.about::<Uuid>("report_id", &self.report_id);
        Command::AddMaterial {
            material: reading.text("material", &self.material),
            receipt: ReceiptCode::typed(&self.receipt_code),
        }
    }

    fn answer(answered: &Answered<'_, Report>) -> AddMaterialResponse {
        AddMaterialResponse {
            report_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

impl Request<Intake> for WithdrawReportRequest {
    const METHOD: &'static str = "WithdrawReport";
    type Aggregate = Report;
    type Response = WithdrawReportResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        reading.about::<Uuid>("report_id", &self.report_id);
        Command::Withdraw {
            receipt: ReceiptCode::typed(&self.receipt_code),
        }
    }

    fn answer(answered: &Answered<'_, Report>) -> WithdrawReportResponse {
        WithdrawReportResponse {
            report_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

impl Request<Intake> for AcceptReportRequest {
    const METHOD: &'static str = "AcceptReport";
    type Aggregate = Report;
    type Response = AcceptReportResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        reading.about::<Uuid>("report_id", &self.report_id);
        Command::Accept {
            unit: reading.optional_unit("unit", &self.unit),
            rejected: self
                .rejected_candidates
                .iter()
                .enumerate()
                .map(|(ordinal, candidate)| {
                    let field = |name: &str| format!("rejected_candidates[{ordinal}].{name}");
                    RejectedCandidate {
                        matter: reading.id(&field("matter_id"), &candidate.matter_id),
                        reason: reading.code(&field("reason"), &candidate.reason),
                    }
                })
                .collect(),
        }
    }

    fn answer(answered: &Answered<'_, Report>) -> AcceptReportResponse {
        let accepted = answered.events.iter().find_map(|event| match event {
            Event::Accepted(accepted) => Some(accepted),
            _ => None,
        });
        let unit = accepted
            .or_else(|| match already(answered)? {
                Stage::Accepted(accepted) => Some(accepted),
                _ => None,
            })
            .map(|accepted| accepted.unit.to_string());
        AcceptReportResponse {
            report_id: answered.id.to_string(),
            version: answered.version,
            matter_id: own_matter(answered.id.into()).to_string(),
            unit: unit.unwrap_or_default(),
        }
    }
}

impl Request<Intake> for JoinReportRequest {
    const METHOD: &'static str = "JoinReport";
    type Aggregate = Report;
    type Response = JoinReportResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        reading.about::<Uuid>("report_id", &self.report_id);
        Command::Join {
            matter: reading.id("matter_id", &self.matter_id),
            new_facts: reading.choice(
                "new_facts",
                match self.new_facts() {
                    NewFactsWord::None => Some(NewFacts::None),
                    NewFactsWord::Brought => Some(NewFacts::Brought),
                    NewFactsWord::Unspecified => None,
                },
            ),
        }
    }

    fn answer(answered: &Answered<'_, Report>) -> JoinReportResponse {
        let joined = answered.events.iter().find_map(|event| match event {
            Event::Joined(joined) => Some(joined),
            _ => None,
        });
        let matter = joined
            .or_else(|| match already(answered)? {
                Stage::Joined(joined) => Some(joined),
                _ => None,
            })
            .map(|joined| joined.matter.to_string());
        JoinReportResponse {
            report_id: answered.id.to_string(),
            version: answered.version,
            matter_id: matter.unwrap_or_default(),
        }
    }
}

impl Request<Intake> for DeclineReportRequest {
    const METHOD: &'static str = "DeclineReport";
    type Aggregate = Report;
    type Response = DeclineReportResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        reading.about::<Uuid>("report_id", &self.report_id);
        Command::Decline {
            reason: reading.code("reason", &self.reason),
        }
    }

    fn answer(answered: &Answered<'_, Report>) -> DeclineReportResponse {
        DeclineReportResponse {
            report_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

impl Request<Intake> for TransferReportRequest {
    const METHOD: &'static str = "TransferReport";
    type Aggregate = Report;
    type Response = TransferReportResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        reading.about::<Uuid>("report_id", &self.report_id);
        let body = reading.label("body", &self.body);
        if body.is_empty() {
            reading.violation("body", "must be the code of the body that it goes to");
        }
        Command::Transfer {
            body,
            reason: reading.code("reason", &self.reason),
        }
    }

    fn answer(answered: &Answered<'_, Report>) -> TransferReportResponse {
        TransferReportResponse {
            report_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

/// Where the report stood when a request about it was already so.
fn already<'a>(answered: &'a Answered<'_, Report>) -> Option<&'a Stage> {
    let filed = answered.already_so.as_ref()?.filed()?;
    Some(&filed.stage)
}

/// The report, for whoever has its receipt code.
pub(super) fn with_code<'s>(
    state: &'s State,
    code: Option<&ReceiptCode>,
    secrets: &Secrets,
) -> Option<&'s Filed> {
    let code = code?;
    state
        .filed()
        .filter(|filed| filed.receipt.fits(secrets, code))
}

/// A stage in the contract's words.
pub(super) fn stage(stage: &Stage) -> ReportState {
    match stage {
        Stage::Received => ReportState::Received,
        Stage::Accepted(_) => ReportState::Accepted,
        Stage::Joined(_) => ReportState::Joined,
        Stage::Declined(_) => ReportState::Declined,
        Stage::Transferred(_) => ReportState::Transferred,
        Stage::Withdrawn => ReportState::Withdrawn,
    }
}

/// The code of a state in the table; `None` where a list is not restricted to one.
fn stage_code(state: ReportState) -> Option<&'static str> {
    match state {
        ReportState::Unspecified => None,
        ReportState::Received => Some("received"),
        ReportState::Accepted => Some("accepted"),
        ReportState::Joined => Some("joined"),
        ReportState::Declined => Some("declined"),
        ReportState::Transferred => Some("transferred"),
        ReportState::Withdrawn => Some("withdrawn"),
    }
}

/// A report as the contract shows it.
pub(super) fn shown(id: Uuid, version: i64, filed: &Filed) -> Shown {
    let submitted = &filed.submitted;
    Shown {
        report_id: id.to_string(),
        version,
        state: stage(&filed.stage).into(),
        channel: channel_word(submitted.channel).into(),
        reporter_kind: match submitted.reporter_kind {
            ReporterKind::Named => ReporterKindWord::Named,
            ReporterKind::Confidential => ReporterKindWord::Confidential,
            ReporterKind::Anonymous => ReporterKindWord::Anonymous,
        }
        .into(),
        source: submitted.source.clone(),
        reference: submitted.reference.clone(),
        unit: filed.unit().to_string(),
        routed_by: submitted.routing.by.code().to_owned(),
        matter_id: filed
            .matter()
            .map(|matter| matter.to_string())
            .unwrap_or_default(),
        allegations: announcements::allegations(&filed.current_allegations(), &filed.subjects),
        narratives: submitted
            .allegations
            .iter()
            .map(|allegation| super::text_ref(&allegation.narrative))
            .collect(),
        descriptions: submitted
            .allegations
            .iter()
            .filter_map(|allegation| allegation.whom.description())
            .map(super::text_ref)
            .collect(),
        materials: filed.materials.iter().map(super::text_ref).collect(),
        entered_on: submitted.entered_on.to_string(),
        triage_due_on: submitted.triage_due_on.to_string(),
        reason: match &filed.stage {
            Stage::Declined(declined) => declined.reason.clone(),
            Stage::Transferred(transferred) => transferred.reason.clone(),
            Stage::Received | Stage::Accepted(_) | Stage::Joined(_) | Stage::Withdrawn => {
                String::new()
            }
        },
    }
}

/// A page of the list of reports.
pub(super) async fn list(
    pool: &PgPool,
    reach: &Reach,
    request: &ListReportsRequest,
) -> Result<Response<ListReportsResponse>, Status> {
    let page = Page::asked(request.page_size, &request.page_token, Place::read)?;
    let stage = stage_code(request.state());
    let found = views::list_reports(pool, reach, &page, stage, &request.source)
        .await
        .map_err(unavailable)?;
    let (found, next_page_token) = page.cut(found, |row| row.place().token());
    let reports = found
        .into_iter()
        .map(|row| ReportRow {
            report_id: row.id.to_string(),
            state: STAGES
                .into_iter()
                .find(|state| stage_code(*state) == Some(&row.state))
                .unwrap_or_default()
                .into(),
            unit: row.unit,
            source: row.source,
            reference: row.reference,
            matter_id: row.matter.map(|id| id.to_string()).unwrap_or_default(),
            entered_on: row.entered_on,
            allegations: row.allegations,
        })
        .collect();
    Ok(Response::new(ListReportsResponse {
        reports,
        next_page_token,
    }))
}

const STAGES: [ReportState; 6] = [
    ReportState::Received,
    ReportState::Accepted,
    ReportState::Joined,
    ReportState::Declined,
    ReportState::Transferred,
    ReportState::Withdrawn,
];

//! What a replay asks of the services after a conclusion: sanctions and a visit, and a name's way from its screening to its
//! confirmation.
//!
//! The dates are of the day on which a step is taken, as clocks count from the day of entry. So these requests, unlike the others, are not
//! the same tomorrow; whoever repeats one looks first whether it was done.

use proto::clarification::{
    CarryOutClarificationRequest, Clarification, ClarificationState, DecideFormRequest,
    DraftStatementRequest, Opinion, RecordOpinionRequest, RecordWishRequest, Wish,
};
use proto::follow_up::{RecordVisitRequest, Talk, TalkPartner};
use proto::office as words;
use proto::verification::RecordSanctionRequest;

use super::super::identity::{Step, heads_of, request_id_on, subject_id};
use super::Source;
use crate::register::{
    self, Case, Clearing, Form, Harm, HarmDegree, HarmReach, Sanctioned, Screening,
};

#[cfg(test)]
mod tests;

/// How far the clearing of a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cleared {
    /// Departments have yet to say what they think.
    Screening,
    /// All agreed, and nobody has asked the subject.
    Eligible,
    /// The subject wishes it.
    Wished,
    /// The form is decided.
    FormDecided,
    /// The statement is drafted.
    Drafted,
    /// It is approved.
    Approved,
    /// It was carried out.
    CarriedOut,
    /// The organisation department took note of it, or the map's assumptions end it before.
    Ended,
}

impl Cleared {
    /// How far this one is; nothing where it is elsewhere than the map's assumptions lead.
    #[must_use]
    pub fn of(clearing: &Clearing, clarification: &Clarification) -> Option<Self> {
        Self::at(clearing, clarification.state(), clarification.wish())
    }

    /// The same from a listing, which does not say what the subject wishes.
    #[must_use]
    pub fn at(clearing: &Clearing, state: ClarificationState, wish: Wish) -> Option<Self> {
        match state {
            ClarificationState::Screening => Some(Self::Screening),
            ClarificationState::Eligible if wish == Wish::Wants => Some(Self::Wished),
            ClarificationState::Eligible => Some(Self::Eligible),
            ClarificationState::FormDecided => Some(Self::FormDecided),
            ClarificationState::Drafted => Some(Self::Drafted),
            ClarificationState::Approved => Some(Self::Approved),
            ClarificationState::CarriedOut => Some(Self::CarriedOut),
            ClarificationState::Confirmed => Some(Self::Ended),
            ClarificationState::NotEligible if clearing.screening == Screening::Objects => {
                Some(Self::Ended)
            }
            ClarificationState::Declined if clearing.wish == register::Wish::Declines => {
                Some(Self::Ended)
            }
            ClarificationState::Applied
            | ClarificationState::NotEligible
            | ClarificationState::Declined
            | ClarificationState::Halted
            | ClarificationState::Superseded
            | ClarificationState::Unspecified => None,
        }
    }
}

/// The steps that the clearing of a name still needs. The opinions are one step, which each department takes.
#[must_use]
pub fn clearing_steps_left(clearing: &Clearing, reached: Cleared) -> Vec<Step> {
    let all = [
        (Cleared::Eligible, Step::RecordOpinion),
        (Cleared::Wished, Step::RecordWish),
        (Cleared::FormDecided, Step::DecideForm),
        (Cleared::Drafted, Step::DraftStatement),
        (Cleared::Approved, Step::ApproveClarification),
        (Cleared::CarriedOut, Step::CarryOutClarification),
        (Cleared::Ended, Step::ConfirmClarification),
    ];
    let last = match (clearing.screening, clearing.wish) {
        (Screening::Objects, _) => Step::RecordOpinion,
        (Screening::Agrees, register::Wish::Declines) => Step::RecordWish,
        (Screening::Agrees, register::Wish::Wants) => Step::ConfirmClarification,
    };
    let mut steps: Vec<Step> = Vec::new();
    for (gets_to, step) in all {
        if reached < gets_to {
            steps.push(step);
        }
        if step == last {
            break;
        }
    }
    steps
}

/// What the conclusion is to say of the harm to those whom it clears.
#[must_use]
pub fn harms(source: Source<'_>, case: &Case) -> Vec<words::SubjectHarm> {
    let Some(clearing) = source.clearing else {
        return Vec::new();
    };
    let cleared = case.cleared.iter();
    cleared
        .map(|reference| words::SubjectHarm {
            subject_id: subject_id(source.name, reference).to_string(),
            harms: clearing.harms.iter().map(|each| harm(*each)).collect(),
            degree: match clearing.degree {
                HarmDegree::Slight => words::HarmDegree::Slight,
                HarmDegree::Serious => words::HarmDegree::Serious,
                HarmDegree::Grave => words::HarmDegree::Grave,
            }
            .into(),
            reach: match clearing.reach {
                HarmReach::Few => words::HarmReach::Few,
                HarmReach::Unit => words::HarmReach::Unit,
                HarmReach::Public => words::HarmReach::Public,
            }
            .into(),
            exclusions: Vec::new(),
        })
        .collect()
}

fn harm(harm: Harm) -> i32 {
    match harm {
        Harm::AdvancementAffected => words::Harm::AdvancementAffected,
        Harm::RightsHarmed => words::Harm::RightsHarmed,
        Harm::ReportedAgain => words::Harm::ReportedAgain,
        Harm::SpreadInPublic => words::Harm::SpreadInPublic,
    }
    .into()
}

fn id_on(source: Source<'_>, case: &Case, step: Step, reference: &str) -> String {
    request_id_on(source.digest, case, step, reference, "").to_string()
}

/// Records a person's sanction; the register's unit decided it, today.
#[must_use]
pub fn record_sanction(
    source: Source<'_>,
    case: &Case,
    case_id: &str,
    sanctioned: &Sanctioned,
    today: &str,
) -> RecordSanctionRequest {
    let Sanctioned {
        reference, impact, ..
    } = sanctioned;
    RecordSanctionRequest {
        request_id: id_on(source, case, Step::RecordSanction, reference),
        case_id: case_id.to_owned(),
        subject_id: subject_id(source.name, reference).to_string(),
        kind: impact.kind.clone(),
        decided_by: source.unit.to_string(),
        decided_on: today.to_owned(),
        impact_months: impact.months.into(),
    }
}

/// Records a visit to a person, by these visitors, today.
#[must_use]
pub fn record_visit(
    source: Source<'_>,
    case: &Case,
    file_id: &str,
    reference: &str,
    visitors: Vec<String>,
    today: &str,
) -> RecordVisitRequest {
    RecordVisitRequest {
        request_id: id_on(source, case, Step::RecordVisit, reference),
        file_id: file_id.to_owned(),
        visited_on: today.to_owned(),
        visitors,
        talks: vec![Talk {
            partner: TalkPartner::Person.into(),
            notes: assumed(source, "nothing of what was said"),
        }],
        observations: assumed(source, "nothing of any visit"),
    }
}

/// Gives a department's opinion.
#[must_use]
pub fn record_opinion(
    source: Source<'_>,
    case: &Case,
    reference: &str,
    clarification_id: &str,
    department: &str,
    screening: Screening,
) -> RecordOpinionRequest {
    let opinion = match screening {
        Screening::Agrees => Opinion::Agrees,
        Screening::Objects => Opinion::Objects,
    };
    let step = Step::RecordOpinion;
    RecordOpinionRequest {
        request_id: request_id_on(source.digest, case, step, reference, department).to_string(),
        clarification_id: clarification_id.to_owned(),
        opinion: opinion.into(),
        reason: assumed(source, "nothing of a screening"),
    }
}

/// Records what the subject wishes, as heard today; for an organisation from its head, who is registered by then.
#[must_use]
pub fn record_wish(
    source: Source<'_>,
    case: &Case,
    reference: &str,
    clarification_id: &str,
    clearing: &Clearing,
    today: &str,
) -> RecordWishRequest {
    let (wish, wanted) = match clearing.wish {
        register::Wish::Wants => (Wish::Wants, vec![form(clearing.form).into()]),
        register::Wish::Declines => (Wish::Declines, Vec::new()),
    };
    RecordWishRequest {
        request_id: id_on(source, case, Step::RecordWish, reference),
        clarification_id: clarification_id.to_owned(),
        wish: wish.into(),
        wanted,
        refused: Vec::new(),
        heard_on: today.to_owned(),
        spoken_by: clearing
            .head
            .as_ref()
            .map(|head| subject_id(&heads_of(source.name), head).to_string())
            .unwrap_or_default(),
    }
}

/// Decides the form.
#[must_use]
pub fn decide_form(
    source: Source<'_>,
    case: &Case,
    reference: &str,
    clarification_id: &str,
    clearing: &Clearing,
) -> DecideFormRequest {
    DecideFormRequest {
        request_id: id_on(source, case, Step::DecideForm, reference),
        clarification_id: clarification_id.to_owned(),
        form: form(clearing.form).into(),
        reason: assumed(source, "nothing of the form"),
    }
}

/// Drafts the statement.
#[must_use]
pub fn draft_statement(
    source: Source<'_>,
    case: &Case,
    reference: &str,
    clarification_id: &str,
) -> DraftStatementRequest {
    DraftStatementRequest {
        request_id: id_on(source, case, Step::DraftStatement, reference),
        clarification_id: clarification_id.to_owned(),
        note: String::new(),
    }
}

/// Carries it out today: a letter of the register's unit, handed over by this actor.
#[must_use]
pub fn carry_out_clarification(
    source: Source<'_>,
    case: &Case,
    reference: &str,
    clarification_id: &str,
    officer: &str,
    today: &str,
) -> CarryOutClarificationRequest {
    CarryOutClarificationRequest {
        request_id: id_on(source, case, Step::CarryOutClarification, reference),
        clarification_id: clarification_id.to_owned(),
        carried_out_on: today.to_owned(),
        place: assumed(source, "nothing of the place"),
        handed_over_by: officer.to_owned(),
        ..Default::default()
    }
}

/// The request id of a step that needs nothing else: approving and confirming.
#[must_use]
pub fn bare(source: Source<'_>, case: &Case, reference: &str, step: Step) -> String {
    id_on(source, case, step, reference)
}

fn form(form: Form) -> words::ClarificationForm {
    match form {
        Form::Written => words::ClarificationForm::Written,
        Form::InPerson => words::ClarificationForm::InPerson,
    }
}

/// What stands where the services ask for a text and the register has none.
fn assumed(source: Source<'_>, what: &str) -> String {
    format!(
        "Assumed by the map of the register \"{}\", which says {what}.",
        source.name
    )
}

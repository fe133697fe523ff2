//! What follows here from the events of others: a sanction and a clarification reach the person's file, who is recused
//! the matter. Pure.
//!
//! To add one: a function here and its line in the source's list. What this binary cannot read (an id that is none, a
//! value of an enum that it does not know) is not guessed: the event waits for a newer one.

use chassis::reaction::{
    Directive, Follows, Foreign, NotYet, ignore, known, known_recusal, on, unknown,
};
use chassis::recusal::Recusal;
use office::{MatterId, SubjectId};
use proto::clarification::{self, ClarificationCarriedOut, ClarificationSuperseded};
use proto::office::SubjectKind;
use proto::verification::{self, CaseOpened, SanctionRecorded};

use crate::file::{Carried, Command, File, Sanction, file_of};
use crate::matter::{self, Matter, known_as};

/// Verification's events.
pub(crate) const VERIFICATION: &[Follows] = &[
    on("SanctionRecorded", follow_sanction),
    on("CaseOpened", learn_recusal_at_opening),
    on("ActorsRecused", learn_recusal),
    ignore(
        "CaseConcluded",
        "a conclusion by itself sanctions nobody and clears no name in public",
    ),
    ignore(
        "CaseReopened",
        "a sanction stands until its impact period ends; what was cleared, clarification says",
    ),
    ignore("CaseDiscontinued", "it decided nothing on anybody"),
    ignore(
        "ToleranceAssessed",
        "who is exempt is not followed up; who is not, is so by the sanction",
    ),
];

/// Clarification's events.
pub(crate) const CLARIFICATION: &[Follows] = &[
    on("ClarificationCarriedOut", add_aftercare),
    on("ClarificationSuperseded", take_aftercare_away),
    on("ActorsRecused", learn_conflict),
    ignore(
        "CandidateOpened",
        "nothing was carried out whose effect could be checked",
    ),
    ignore(
        "ClarificationConfirmed",
        "aftercare counts from the carrying out, whoever took note of it",
    ),
    ignore(
        "ClarificationHalted",
        "it was halted before it was carried out, so there is no aftercare",
    ),
];

fn follow_sanction(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let recorded: SanctionRecorded = event.read()?;
    let subject: SubjectId = known("subject_id", &recorded.subject_id)?;
    let sanction = Sanction {
        id: known("sanction_id", &recorded.sanction_id)?,
        matter: known("matter_id", &recorded.matter_id)?,
        source: recorded.source,
        kind: recorded.kind,
        unit: known("decided_by", &recorded.decided_by)?,
        decided_on: known("decided_on", &recorded.decided_on)?,
        ends_on: known("impact_ends_on", &recorded.impact_ends_on)?,
    };
    let command = Command::FollowSanction { subject, sanction };
    Ok(to_file(subject, "FollowSanction", command))
}

fn add_aftercare(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let told: ClarificationCarriedOut = event.read()?;
    match told.subject_kind() {
        SubjectKind::Person => {}
        // Aftercare is for persons only.
        SubjectKind::Organisation | SubjectKind::NotIdentified => return Ok(Vec::new()),
        SubjectKind::Unspecified => return Err(unknown("subject_kind")),
    }
    let subject: SubjectId = known("subject_id", &told.subject_id)?;
    let carried = Carried {
        clarification: known("clarification_id", &told.clarification_id)?,
        conclusion: told.conclusion,
        matter: known("matter_id", &told.matter_id)?,
        source: told.source,
        unit: known("unit", &told.unit)?,
        on: known("carried_out_on", &told.carried_out_on)?,
    };
    let command = Command::AddAftercare { subject, carried };
    Ok(to_file(subject, "AddAftercare", command))
}

fn take_aftercare_away(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let superseded: ClarificationSuperseded = event.read()?;
    let command = Command::TakeAftercareAway {
        clarification: known("clarification_id", &superseded.clarification_id)?,
        conclusion: superseded.conclusion,
    };
    let subject = known("subject_id", &superseded.subject_id)?;
    Ok(to_file(subject, "TakeAftercareAway", command))
}

fn learn_recusal_at_opening(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let opened: CaseOpened = event.read()?;
    let recusal = known_recusal(&opened.recused_actor_ids, &opened.reporter_marks)?;
    to_matter(&opened.matter_id, recusal)
}

fn learn_recusal(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let recused: verification::ActorsRecused = event.read()?;
    let recusal = known_recusal(&recused.actor_ids, &recused.reporter_marks)?;
    to_matter(&recused.matter_id, recusal)
}

fn learn_conflict(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let recused: clarification::ActorsRecused = event.read()?;
    to_matter(&recused.matter_id, known_recusal(&recused.actor_ids, &[])?)
}

/// Of most matters nobody is recused.
fn to_matter(matter: &str, recusal: Recusal) -> Result<Vec<Directive>, NotYet> {
    let matter: MatterId = known("matter_id", matter)?;
    if recusal.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Directive::to::<Matter>(
        known_as(matter),
        "LearnRecusal",
        matter::Command::LearnRecusal { recusal },
    )])
}

fn to_file(subject: SubjectId, method: &'static str, command: Command) -> Vec<Directive> {
    vec![Directive::to::<File>(file_of(subject), method, command)]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    const SUBJECT: &str = "00000000-0000-0000-0000-000000000030";
    const OTHER: &str = "00000000-0000-0000-0000-000000000002";

    fn react(
        react: fn(&Foreign<'_>) -> Result<Vec<Directive>, NotYet>,
        body: &Value,
    ) -> Result<usize, NotYet> {
        let body = body.to_string();
        let event = Foreign {
            source: "another",
            name: "Something",
            event_id: Uuid::nil(),
            stream: Uuid::nil(),
            sequence: 1,
            body: body.as_bytes(),
        };
        react(&event).map(|directives| directives.len())
    }

    fn sanction() -> Value {
        json!({
            "sanctionId": OTHER, "subjectId": SUBJECT, "caseId": OTHER, "matterId": OTHER,
            "source": "register", "kind": "warning", "decidedBy": "P51-01-01",
            "decidedOn": "2026-03-02", "impactMonths": 6, "impactEndsOn": "2026-09-01",
            "somethingNew": 1,
        })
    }

    fn clarification(kind: &str) -> Value {
        json!({
            "clarificationId": OTHER, "matterId": OTHER, "subjectId": SUBJECT,
            "subjectKind": kind, "source": "register", "unit": "P51-01-01",
            "form": "CLARIFICATION_FORM_WRITTEN", "carriedOutOn": "2026-03-06", "conclusion": 1,
        })
    }

    #[test]
    fn a_sanction_reaches_the_persons_file() {
        assert_eq!(react(follow_sanction, &sanction()), Ok(1));
    }

    #[test]
    fn aftercare_is_for_persons_only() {
        for (kind, commands) in [
            ("SUBJECT_KIND_PERSON", 1),
            ("SUBJECT_KIND_ORGANISATION", 0),
            ("SUBJECT_KIND_NOT_IDENTIFIED", 0),
        ] {
            assert_eq!(
                react(add_aftercare, &clarification(kind)),
                Ok(commands),
                "{kind}"
            );
        }
    }

    #[test]
    fn a_superseded_clarification_reaches_the_persons_file() {
        let body = json!({
            "clarificationId": OTHER, "matterId": OTHER, "subjectId": SUBJECT,
            "source": "register", "conclusion": 1,
        });
        assert_eq!(react(take_aftercare_away, &body), Ok(1));
    }

    #[test]
    fn who_is_recused_reaches_the_matter_if_anybody_is() {
        let mark = "98a78c6d7f878c38e8e0d3d899bee8766ff8fbf5af8310607919046c543d0b94";
        for (reaction, actors, marks) in [
            (
                learn_recusal_at_opening as chassis::reaction::React,
                "recusedActorIds",
                "reporterMarks",
            ),
            (learn_recusal, "actorIds", "reporterMarks"),
            (learn_conflict, "actorIds", ""),
        ] {
            let nobody = json!({ "matterId": OTHER });
            assert_eq!(react(reaction, &nobody), Ok(0));
            let mut somebody = nobody.clone();
            somebody[actors] = json!(["chen"]);
            assert_eq!(react(reaction, &somebody), Ok(1), "{actors}");
            somebody[actors] = json!(["no actor"]);
            assert!(react(reaction, &somebody).is_err(), "{actors}");
            if !marks.is_empty() {
                let mut reporter = nobody.clone();
                reporter[marks] = json!([mark]);
                assert_eq!(react(reaction, &reporter), Ok(1), "{marks}");
                reporter[marks] = json!(["ab"]);
                assert!(react(reaction, &reporter).is_err(), "{marks}");
            }
        }
    }

    #[test]
    fn what_does_not_read_waits_for_a_newer_binary() {
        for field in [
            "sanctionId",
            "subjectId",
            "decidedBy",
            "decidedOn",
            "impactEndsOn",
        ] {
            let mut body = sanction();
            body[field] = "".into();
            assert!(react(follow_sanction, &body).is_err(), "{field}");
        }
        for kind in ["SUBJECT_KIND_UNSPECIFIED", "SUBJECT_KIND_FROM_TOMORROW"] {
            assert!(
                react(add_aftercare, &clarification(kind)).is_err(),
                "{kind}"
            );
        }
        assert!(react(take_aftercare_away, &json!({ "conclusion": 1 })).is_err());
    }
}

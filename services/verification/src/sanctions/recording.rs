//! A sanction is recorded: a disciplinary decision after a substantiated finding, with its impact period, once.
//! Source: `domain.md`, Verification, Sanction.

use std::collections::BTreeSet;

use chassis::aggregate::{Aggregate, Decision};
use chassis::recusal::{Mark, Recusal};
use chassis::refusal::{NOT_FOUND, Refusal, RefusalKind};
use jiff::civil::Date;
use office::{ActorId, CaseId, MatterId, SanctionId, SubjectId, UnitCode};
use serde::{Deserialize, Serialize};

use super::impact::{Impact, overlapping_months};
use super::{Context, Event, State, preceding, substantiated};
use crate::case::Case;

/// A disciplinary decision, as it is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sanction {
    /// The case whose conclusion it follows.
    pub case: CaseId,
    /// The person.
    pub subject: SubjectId,
    /// Its kind; a code.
    pub kind: String,
    /// The unit that decided it.
    pub decided_by: UnitCode,
    /// When.
    pub decided_on: Date,
    /// For how many months it counts.
    pub impact_months: u32,
}

impl Sanction {
    /// One decision a case, person, kind and day.
    pub fn id(&self) -> SanctionId {
        SanctionId::natural(&[
            self.case.as_bytes(),
            self.subject.as_bytes(),
            self.kind.as_bytes(),
            self.decided_on.to_string().as_bytes(),
        ])
    }
}

/// See [`Event::Recorded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its id.
    pub id: SanctionId,
    /// What was decided.
    pub sanction: Sanction,
    /// The last day on which it counts.
    pub impact_ends_on: Date,
    /// The months of the overlapping periods that it belongs to, its own among them.
    pub overlapping_months: u32,
    /// How many the policy allows.
    pub overlapping_max: u32,
    /// The matter of the case.
    pub matter: MatterId,
    /// Where that was entered from: a register's name, or empty.
    pub source: String,
    /// The number of the conclusion that it follows.
    pub conclusion: i32,
    /// The unit that handles the case.
    pub unit: UnitCode,
    /// Who stays out of the case.
    #[serde(flatten, with = "StoredRecusal")]
    pub recusal: Recusal,
}

/// A recusal as it is stored with a sanction and what comes before it: under the names that its parts had first.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Recusal")]
pub(super) struct StoredRecusal {
    #[serde(
        rename = "recused",
        default,
        skip_serializing_if = "BTreeSet::is_empty"
    )]
    actors: BTreeSet<ActorId>,
    #[serde(
        rename = "reporter_marks",
        default,
        skip_serializing_if = "BTreeSet::is_empty"
    )]
    reporters: BTreeSet<Mark>,
}

impl Recorded {
    /// When it counts.
    pub fn impact(&self) -> Impact {
        Impact {
            begins_on: self.sanction.decided_on,
            ends_on: self.impact_ends_on,
            months: self.sanction.impact_months,
        }
    }
}

/// A decision of the future.
pub const DECIDED_LATER: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "VERIFICATION_SANCTION_DECIDED_LATER",
    "A sanction cannot have been decided later than today.",
);
/// A length that the policy does not know.
pub const IMPACT_NOT_LISTED: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "VERIFICATION_SANCTION_IMPACT_NOT_LISTED",
    "The impact period has none of the policy's lengths.",
);
/// Too much at once for one person.
pub const IMPACT_TOO_LONG: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SANCTION_IMPACT_TOO_LONG",
    "With this sanction the overlapping impact periods of this person would be longer than the policy allows.",
);
/// The same decision was told with another unit or length.
pub const RECORDED_OTHERWISE: Refusal = Refusal::new(
    RefusalKind::AlreadyExists,
    "VERIFICATION_SANCTION_RECORDED_OTHERWISE",
    "A sanction of this kind and day is recorded in this case with another unit or impact period; compare the two.",
);

/// Records a sanction, once.
pub(super) fn record(state: &State, sanction: &Sanction, context: &Context) -> Decision<Event> {
    let case = &context.facts.case;
    let dossier = case.dossier().ok_or(NOT_FOUND)?;
    // Whoever may not touch the case does nothing that follows from it.
    Case::admit(case, &context.visitor())?;
    let id = sanction.id();
    if let Some(known) = state.recorded.iter().find(|known| known.id == id) {
        return if known.sanction == *sanction {
            Ok(Vec::new())
        } else {
            Err(RECORDED_OTHERWISE.into())
        };
    }
    substantiated(case, sanction.subject)?;
    preceding::leaves_to_sanction(state, sanction, dossier.conclusions, context)?;
    if sanction.decided_on > context.profile.calendar.date(context.now) {
        return Err(DECIDED_LATER.at("decided_on").into());
    }
    let policy = &context.profile.follow_up;
    if !policy.impact_months.contains(&sanction.impact_months) {
        return Err(IMPACT_NOT_LISTED.at("impact_months").into());
    }
    let impact = Impact::from(sanction.decided_on, sanction.impact_months);
    let together = overlapping_months(state.recorded.iter().map(Recorded::impact), impact);
    if together > policy.impact_total_max {
        return Err(IMPACT_TOO_LONG.into());
    }
    Ok(vec![
        Recorded {
            id,
            sanction: sanction.clone(),
            impact_ends_on: impact.ends_on,
            overlapping_months: together,
            overlapping_max: policy.impact_total_max,
            matter: dossier.matter,
            source: dossier.source.clone(),
            conclusion: dossier.conclusions,
            unit: dossier.unit.clone(),
            recusal: dossier.recusal.clone(),
        }
        .into(),
    ])
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use jiff::civil::date;

    use super::super::fixture::*;
    use super::super::{Command, Facts, NO_CONCLUSION, NOT_A_PERSON, NOT_SUBSTANTIATED, Sanctions};
    use super::*;
    use crate::case::fixture::{PLACEHOLDER, id, opened, reopened, supervisor};
    use crate::case::{self, ClosingReason, Outcome, RECUSED, SubjectKind};

    fn record(sanction: Sanction) -> Command {
        Command::RecordSanction(sanction)
    }

    fn resting_on(case: case::State) -> chassis::testing::Given<Sanctions> {
        a_liable_official().facts(Facts { case })
    }

    fn case_after(events: impl IntoIterator<Item = case::Event>) -> case::State {
        chassis::testing::given::<Case>()
            .events(events)
            .state()
            .clone()
    }

    #[test]
    fn a_sanction_follows_a_substantiated_finding() {
        a_liable_official()
            .when(record(warning()))
            .then([recorded()]);
        for outcome in [
            Outcome::Unsubstantiated,
            Outcome::Unfounded,
            Outcome::Exonerated,
            Outcome::Closed(ClosingReason::Transferred),
        ] {
            resting_on(concluded_case(outcome))
                .when(record(warning()))
                .then_refused(&NOT_SUBSTANTIATED);
        }
        let somebody_else = Sanction {
            subject: id(0x99),
            ..warning()
        };
        a_liable_official()
            .when(record(somebody_else))
            .then_refused(&NOT_SUBSTANTIATED);
    }

    #[test]
    fn a_sanction_follows_a_conclusion_that_stands() {
        resting_on(case_after([opened()]))
            .when(record(warning()))
            .then_refused(&NO_CONCLUSION);
        let mut reopened_case = concluded_case(Outcome::Substantiated);
        Case::evolve(&mut reopened_case, &reopened("appeal"));
        resting_on(reopened_case)
            .when(record(warning()))
            .then_refused(&NO_CONCLUSION);
        resting_on(case::State::Unopened)
            .when(record(warning()))
            .then_refused(&NOT_FOUND);
    }

    #[test]
    fn only_a_person_who_is_identified_is_sanctioned() {
        let case::Event::Opened(mut of_organisation) = opened() else {
            panic!("so it begins");
        };
        of_organisation.allegations[0].subject_kind = SubjectKind::Organisation;
        let organisation = concluded_from(of_organisation.into(), Outcome::Substantiated);
        resting_on(organisation)
            .when(record(warning()))
            .then_refused(&NOT_A_PERSON);

        let case::Event::Opened(mut of_nobody) = opened() else {
            panic!("so it begins");
        };
        of_nobody.allegations.swap(0, 1);
        of_nobody.allegations[0].id = id(1);
        of_nobody.allegations[1].id = id(2);
        let nobody = concluded_from(of_nobody.into(), Outcome::Substantiated);
        let on_nobody = Sanction {
            subject: id(PLACEHOLDER),
            ..warning()
        };
        resting_on(nobody)
            .when(record(on_nobody))
            .then_refused(&NOT_A_PERSON);
    }

    #[test]
    fn it_is_recorded_by_the_unit_of_the_case_and_by_nobody_recused_from_it() {
        a_liable_official()
            .actor(supervisor_at("meng", other_unit()))
            .when(record(warning()))
            .then_refused(&OUT_OF_SCOPE);
        for name in ["accused", "reporter"] {
            a_liable_official()
                .actor(supervisor(name))
                .when(record(warning()))
                .then_refused(&RECUSED);
        }
    }

    #[test]
    fn one_decision_is_recorded_once() {
        let once = a_liable_official().events([recorded()]);
        once.clone()
            .request_id(7)
            .actor(supervisor("wu"))
            .when(record(warning()))
            .then_already();
        let longer = sanction(warning().decided_on, 24);
        let of_another_unit = Sanction {
            decided_by: other_unit(),
            ..warning()
        };
        for other in [longer, of_another_unit] {
            once.clone()
                .when(record(other))
                .then_refused(&RECORDED_OTHERWISE);
        }
        let of_another_kind = Sanction {
            kind: "demotion".to_owned(),
            ..warning()
        };
        let of_another_day = sanction(date(2026, 3, 3), 12);
        for another in [of_another_kind, of_another_day] {
            let (events, _) = once.clone().when(record(another)).accepted();
            let [Event::Recorded(recorded)] = &events[..] else {
                panic!("it is recorded, not {events:?}");
            };
            assert_eq!(recorded.overlapping_months, 24);
        }
    }

    #[test]
    fn what_was_recorded_is_so_also_when_the_case_was_reopened() {
        let mut case = concluded_case(Outcome::Substantiated);
        Case::evolve(&mut case, &reopened("appeal"));
        resting_on(case)
            .events([recorded()])
            .when(record(warning()))
            .then_already();
    }

    #[test]
    fn nothing_was_decided_later_than_today() {
        a_liable_official()
            .when(record(sanction(date(2026, 3, 9), 6)))
            .accepted();
        let refusal = a_liable_official()
            .when(record(sanction(date(2026, 3, 10), 6)))
            .then_refused(&DECIDED_LATER);
        assert_eq!(refusal.violations[0].field, "decided_on");
    }

    #[test]
    fn an_impact_period_has_one_of_the_policys_lengths() {
        for months in [6, 12, 18, 24] {
            a_liable_official()
                .when(record(sanction(date(2026, 3, 2), months)))
                .accepted();
        }
        for months in [0, 7, 36] {
            let refusal = a_liable_official()
                .when(record(sanction(date(2026, 3, 2), months)))
                .then_refused(&IMPACT_NOT_LISTED);
            assert_eq!(refusal.violations[0].field, "impact_months");
        }
    }

    #[test]
    fn overlapping_periods_of_one_person_are_together_at_most_48_months_over_all_cases() {
        let two_years = a_liable_official()
            .when(record(sanction(date(2025, 3, 2), 24)))
            .accepted()
            .1;
        let full = elsewhere(two_years)
            .when(record(sanction_elsewhere(date(2026, 3, 2), 24)))
            .accepted()
            .1;
        let Some(newest) = full.state().recorded.last() else {
            panic!("two are recorded");
        };
        assert_eq!(newest.overlapping_months, 48);
        full.clone()
            .when(record(sanction_elsewhere(date(2026, 3, 3), 6)))
            .then_refused(&IMPACT_TOO_LONG);
        // Before the first period there is room: up to the day before it.
        full.clone()
            .when(record(sanction_elsewhere(date(2024, 9, 2), 6)))
            .accepted();
        full.when(record(sanction_elsewhere(date(2024, 9, 3), 6)))
            .then_refused(&IMPACT_TOO_LONG);
    }
}

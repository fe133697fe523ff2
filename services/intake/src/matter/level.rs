//! Raising the level (提級辦理): the unit above takes a matter over, and its case moves with it.
//!
//! The unit is derived, never entered: it is the one directly above. Whoever acts for that unit takes the matter up; the
//! unit below cannot hand it on. No subject heads the unit above, as then none below it would handle the matter.
//!
//! The matter's reports follow by a consequence, because a report cannot look at its matter while it decides whom to
//! admit. The trap: consequences come in any order, so a report only ever follows upwards.
//! Source: `domain.md`, Intake, Repeat ledger.

use chassis::aggregate::{Context, Decision, TextRef};
use chassis::refusal::{Refusal, RefusalKind};
use office::{ReportId, TextId, UnitCode};
use serde::{Deserialize, Serialize};

use crate::matter::progress::CaseStage;
use crate::matter::{Event, Facts, Open};

/// It is at the top already.
pub const NO_UNIT_ABOVE: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "INTAKE_NO_UNIT_ABOVE",
    "No unit stands above the one that handles this matter; it stays there.",
);
/// The unit below would hand it up.
pub const RAISED_FROM_BELOW: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "INTAKE_RAISED_FROM_BELOW",
    "Only the unit above, or one above that, takes a matter over; ask it to.",
);
/// There is nothing to take over any more.
pub const CASE_ENDED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "INTAKE_CASE_ENDED",
    "The case of this matter has ended, so there is nothing to take over; it can be raised once the case is reopened.",
);

/// It was raised to the unit above.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelRaised {
    /// The register that its first report was entered from, or empty.
    pub source: String,
    /// The unit that handled it.
    pub from: UnitCode,
    /// The unit that handles it now.
    pub to: UnitCode,
    /// Why.
    pub reason: TextRef,
    /// The reports that must know.
    pub tell: Vec<ReportId>,
}

pub(super) fn raise(open: &Open, reason: TextId, context: &Context<Facts>) -> Decision<Event> {
    // A text's id is its request's, so this is the same request again.
    if open.raised.iter().any(|given| given.id == reason) {
        return Ok(Vec::new());
    }
    let units = &context.profile.units;
    let above = units.parent_of(&open.unit).ok_or(NO_UNIT_ABOVE)?;
    if context.visitor().within([&above.code]).is_err() {
        return Err(RAISED_FROM_BELOW.into());
    }
    match open.case.stage {
        CaseStage::Unheard | CaseStage::Opened | CaseStage::Reopened => {}
        CaseStage::Concluded | CaseStage::Discontinued => return Err(CASE_ENDED.into()),
    }
    Ok(vec![
        LevelRaised {
            source: open.source.clone(),
            from: open.unit.clone(),
            to: above.code.clone(),
            reason: context.text(reason),
            tell: open.reports.clone(),
        }
        .into(),
    ])
}

pub(super) fn raised(open: &mut Open, raised: &LevelRaised) {
    open.unit = raised.to.clone();
    open.raised.push(raised.reason.clone());
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::{Given, followed};
    use office::Role;

    use super::*;
    use crate::examples::{
        CITY, COUNTY, NATION, PROVINCE, about, acting_as, actor, subject, submission, text,
        text_ref, unit,
    };
    use crate::matter::{Command, Matter};
    use crate::recusal::RECUSED;
    use crate::report::{self, Report};
    use crate::subject::Entry;

    fn supervisor(at: &str) -> office::Actor {
        actor("supervisor-1", at, Role::Supervisor)
    }

    fn raise(reason: &str) -> Command {
        Command::RaiseLevel {
            reason: text(reason),
        }
    }

    /// A matter of the county, with a supervisor of the city at the counter.
    fn matter() -> Given<Matter> {
        let one = acting_as("colleague", subject("one"));
        crate::examples::raised(submission([about(&one)]), &[one]).actor(supervisor(CITY))
    }

    fn at(matter: Given<Matter>, stage: CaseStage) -> Given<Matter> {
        matter
            .when(Command::RecordCaseState {
                stage,
                conclusion: Some(1),
                sequence: 1,
            })
            .accepted()
            .1
    }

    #[test]
    fn a_raised_matter_is_handled_by_the_unit_above() {
        let matter = matter();
        let report = matter.state().open().expect("raised").reports[0];
        let after = matter.when(raise("reason")).then([LevelRaised {
            source: "test".to_owned(),
            from: unit(COUNTY),
            to: unit(CITY),
            reason: text_ref("reason"),
            tell: vec![report],
        }]);
        assert_eq!(after.state().open().expect("raised").unit, unit(CITY));
        after
            .actor(supervisor(COUNTY))
            .when(raise("another reason"))
            .then_refused(&OUT_OF_SCOPE);
    }

    #[test]
    fn a_matter_is_taken_over_from_above_and_not_handed_up_from_below() {
        matter()
            .actor(supervisor(COUNTY))
            .when(raise("reason"))
            .then_refused(&RAISED_FROM_BELOW);
        let (events, _) = matter()
            .actor(supervisor(PROVINCE))
            .when(raise("reason"))
            .accepted();
        let [Event::LevelRaised(raised)] = &events[..] else {
            panic!("raised");
        };
        assert_eq!(raised.to, unit(CITY), "whoever takes it up, one level");
    }

    #[test]
    fn a_matter_is_raised_level_by_level_up_to_the_top() {
        let mut matter = matter().actor(supervisor(NATION));
        for reason in ["one", "two", "three"] {
            matter = matter.when(raise(reason)).accepted().1;
        }
        assert_eq!(matter.state().open().expect("raised").unit, unit(NATION));
        matter.when(raise("four")).then_refused(&NO_UNIT_ABOVE);
    }

    #[test]
    fn a_matter_whose_case_has_ended_is_not_raised_until_it_is_reopened() {
        for ended in [CaseStage::Concluded, CaseStage::Discontinued] {
            at(matter(), ended)
                .when(raise("reason"))
                .then_refused(&CASE_ENDED);
        }
        at(matter(), CaseStage::Reopened)
            .when(raise("reason"))
            .accepted();
    }

    #[test]
    fn who_is_recused_raises_nothing() {
        matter()
            .actor(actor("colleague", CITY, Role::Supervisor))
            .when(raise("reason"))
            .then_refused(&RECUSED);
    }

    #[test]
    fn no_subject_heads_the_unit_above() {
        // Whom the routing sends to the unit above the one that the subject heads.
        let head = Entry {
            heads: Some(unit(COUNTY)),
            ..subject("head")
        };
        let matter = crate::examples::raised(submission([about(&head)]), &[head]);
        let open = matter.state().open().expect("raised").clone();
        assert_eq!(open.unit, unit(CITY));
        let units = &matter.context().profile.units;
        for above in units.upwards(&open.unit) {
            let headed = open.subjects.iter().filter_map(|one| one.heads.as_ref());
            assert!(
                headed
                    .into_iter()
                    .all(|headed| !units.is_at_or_above(headed, &above.code))
            );
        }
    }

    #[test]
    fn every_report_of_a_raised_matter_follows_it() {
        let matter = matter();
        let report = matter.state().open().expect("raised").reports[0];
        let (events, after) = matter.when(raise("reason")).accepted();
        let told = followed::<Matter>(after.context().id, &events[0]);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].aggregate, report.uuid());
        let Some(report::Command::FollowMatter(news)) = told[0].command::<Report>() else {
            panic!("the report is told");
        };
        assert_eq!(news.unit, Some(unit(CITY)));
    }
}

//! The subject's written application (`domain.md`, Clarification, Candidate). Nothing of it is lost: where a conclusion
//! clears the subject it is on their clarification, and where none does it is kept with all reasons why, until one does.
//!
//! It is the subject's own word that they want their name cleared, so it counts as their wish, unless they were heard at
//! a later date: at once where the clarification is being prepared, else when it opens or is taken up. The text stays as
//! it was handed in whatever becomes of the wish.
//!
//! The matter knows why nobody is cleared yet; it is asked before the decision (`facts.rs`), and told of the applicant
//! afterwards, so that it says whatever changes from then on. A ruling that came between is told again, so none is lost,
//! whichever of the two is first.

use std::collections::BTreeSet;

use chassis::aggregate::{Decision, Rejection, TextRef};
use chassis::refusal::{Refusal, RefusalKind};
use jiff::civil::Date;
use office::{ActorId, MatterId, SubjectId, TextId, UnitCode};
use serde::{Deserialize, Serialize};

use super::forms::Form;
use super::waiting::AppliedFor;
use super::wish::{Said, Speaker, Wish, speaker};
use super::{Context, Dossier, Event, Left, Progress, Stage, State};
use crate::conclusion::{Reason, Subject};
use crate::matter::RECUSED;
use crate::matter::applicants::Position;

/// Nothing is known of the subject in the matter.
pub const SUBJECT_UNKNOWN: Refusal = Refusal::new(
    RefusalKind::NotFound,
    "CLARIFICATION_SUBJECT_UNKNOWN",
    "Nothing is known of this subject in this matter, so there is nothing that could be cleared.",
);
/// An application from the future.
pub const APPLIED_LATER: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "CLARIFICATION_APPLIED_LATER",
    "The subject cannot have applied later than today.",
);

/// What is handed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Applying {
    /// In which matter.
    pub matter: MatterId,
    /// Whose name.
    pub subject: SubjectId,
    /// The application's day.
    pub applied_on: Date,
    /// The application.
    pub text: TextId,
    /// Forms that they would like.
    pub wanted: BTreeSet<Form>,
    /// Forms that must not be chosen.
    pub refused: BTreeSet<Form>,
    /// Who applies: for an organisation, which person of intake's register; of a person only themselves.
    pub spoken_by: Option<SubjectId>,
}

/// An application that was handed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// Who took it in.
    pub by: ActorId,
    /// Its day.
    pub on: Date,
    /// Its text.
    pub text: TextRef,
    /// Forms that they would like.
    pub wanted: BTreeSet<Form>,
    /// Forms that must not be chosen.
    pub refused: BTreeSet<Form>,
    /// Who applied.
    pub spoken_by: Speaker,
}

/// Whether an application is the subject's wish, and what it says as that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// From now on.
    AsWish(Said),
    /// When a conclusion clears them.
    OnceCleared(Said),
    /// No: they were heard at a later date.
    Overtaken,
}

/// The applications that were handed in for a subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Applications {
    /// All, in the order in which they were recorded.
    pub received: Vec<Application>,
    /// What counts as the subject's wish when a conclusion clears them.
    pub awaiting: Option<Wish>,
}

/// See [`Event::ApplicationRecorded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationRecorded {
    /// What was handed in.
    pub application: Application,
    /// Whether it is the subject's wish.
    pub counts: Counts,
    /// What becomes of a form that was decided, and of what was done for it.
    pub form: Left,
    /// The ordinal of the newest ruling that the matter knew, where the reasons are the matter's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<u32>,
    /// The unit that handles the matter, or concluded it, where no conclusion has cleared the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitCode>,
    /// All that keeps the subject from being a candidate, as they are told.
    pub reasons: Vec<Reason>,
}

impl Application {
    /// What it says as the subject's wish, after what they said before; `None` where that is of a later date. What they
    /// refused while they could be heard still holds.
    fn said(&self, before: Option<&Wish>) -> Option<Said> {
        let (mut wanted, mut refused) = (self.wanted.clone(), self.refused.clone());
        match before {
            Some(Wish::Heard { on, .. }) if *on > self.on => return None,
            Some(wish @ Wish::Unreachable { .. }) => {
                refused.extend(wish.refused());
                wanted.retain(|form| !wish.refuses(*form));
            }
            Some(Wish::Heard { .. }) | None => {}
        }
        Some(Said::Wants { wanted, refused })
    }

    /// The wish that it counts as.
    fn wish(&self, said: &Said) -> Wish {
        Wish::Heard {
            by: self.by.clone(),
            on: self.on,
            said: said.clone(),
            spoken_by: Some(self.spoken_by.clone()),
        }
    }
}

impl Applications {
    fn holds(&self, applying: &Applying) -> bool {
        let mut received = self.received.iter();
        received.any(|application| application.text.id == applying.text)
    }

    pub(super) fn take(&mut self, recorded: &ApplicationRecorded) {
        if let Counts::OnceCleared(said) = &recorded.counts {
            self.awaiting = Some(recorded.application.wish(said));
        }
        self.received.push(recorded.application.clone());
    }
}

/// Takes an application in, whatever the state.
pub(super) fn apply(state: &State, applying: &Applying, context: &Context) -> Decision<Event> {
    let position = context.facts.position.as_ref();
    match state {
        State::Unopened => {
            let position = position.ok_or(SUBJECT_UNKNOWN)?;
            let visitor = context.visitor();
            visitor.within([&position.unit])?;
            position.recusal.check(&visitor, RECUSED)?;
            let subject = position.subject.as_ref().ok_or(SUBJECT_UNKNOWN)?;
            let application = handed_in(applying, subject, context)?;
            let applied_for = AppliedFor {
                matter: applying.matter,
                source: position.source.clone(),
                subject: subject.clone(),
                recusal: position.recusal.clone(),
                unit: position.unit.clone(),
                ordinal: position.ordinal,
            };
            let recorded = waiting(application, None, position);
            Ok(vec![applied_for.into(), recorded.into()])
        }
        State::Applied(applied) => {
            if applied.applications.holds(applying) {
                return Ok(Vec::new());
            }
            let application = handed_in(applying, &applied.subject, context)?;
            let position = not_older(position, applied.heard)?;
            let before = applied.applications.awaiting.as_ref();
            Ok(vec![waiting(application, before, position).into()])
        }
        State::Open(dossier) => {
            context.visitor().within([&dossier.clearance.unit])?;
            if dossier.applications.holds(applying) {
                return Ok(Vec::new());
            }
            let application = handed_in(applying, &dossier.subject, context)?;
            Ok(vec![on_record(dossier, application, position)?.into()])
        }
    }
}

/// The application as it is kept, if it may be.
fn handed_in(
    applying: &Applying,
    subject: &Subject,
    context: &Context,
) -> Result<Application, Rejection> {
    if applying.applied_on > context.profile.calendar.date(context.now) {
        return Err(APPLIED_LATER.at("applied_on").into());
    }
    Ok(Application {
        by: context.actor.id.clone(),
        on: applying.applied_on,
        text: context.text(applying.text),
        wanted: applying.wanted.clone(),
        refused: applying.refused.clone(),
        spoken_by: speaker(subject, applying.spoken_by, context)?,
    })
}

/// What the matter says, unless a newer ruling was heard since it was asked.
fn not_older(position: Option<&Position>, heard: u32) -> Result<&Position, Rejection> {
    let newer = position.filter(|position| position.ordinal >= heard);
    newer.ok_or(Rejection::Stale)
}

/// An application that waits for a conclusion that clears the subject.
fn waiting(
    application: Application,
    before: Option<&Wish>,
    position: &Position,
) -> ApplicationRecorded {
    ApplicationRecorded {
        counts: once_cleared(&application, before),
        application,
        form: Left::Stays,
        ordinal: Some(position.ordinal),
        unit: Some(position.unit.clone()),
        reasons: position.reasons.clone(),
    }
}

fn once_cleared(application: &Application, before: Option<&Wish>) -> Counts {
    let said = application.said(before);
    said.map_or(Counts::Overtaken, Counts::OnceCleared)
}

/// An application for a name that a conclusion cleared, now or once.
fn on_record(
    dossier: &Dossier,
    application: Application,
    position: Option<&Position>,
) -> Result<ApplicationRecorded, Rejection> {
    let mut recorded = ApplicationRecorded {
        counts: Counts::Overtaken,
        application,
        form: Left::Stays,
        ordinal: None,
        unit: None,
        reasons: dossier.reasons(),
    };
    let application = &recorded.application;
    match &dossier.stage {
        Stage::Preparing(preparation) => {
            if let Some(said) = application.said(preparation.wish.as_ref()) {
                let decided = preparation.progress.form();
                let wish = application.wish(&said);
                if decided.is_some_and(|decided| wish.refuses(decided.form)) {
                    recorded.form = Left::Falls;
                }
                recorded.counts = Counts::AsWish(said);
            }
        }
        Stage::CarriedOut { preparation, .. } => {
            let awaiting = dossier.applications.awaiting.as_ref();
            let before = awaiting.or(preparation.wish.as_ref());
            recorded.counts = once_cleared(application, before);
        }
        Stage::NotEligible { .. } | Stage::Halted | Stage::Superseded => {
            let awaiting = dossier.applications.awaiting.as_ref();
            let before = awaiting.or(dossier.earlier_wish.as_ref());
            recorded.counts = once_cleared(application, before);
        }
    }
    if matches!(dossier.stage, Stage::Halted | Stage::Superseded) {
        let position = not_older(position, dossier.heard)?;
        recorded.ordinal = Some(position.ordinal);
        recorded.reasons = position.reasons.clone();
    }
    Ok(recorded)
}

/// An application that is recorded on an open clarification.
pub(super) fn recorded(dossier: &mut Dossier, recorded: &ApplicationRecorded) {
    let application = &recorded.application;
    dossier.took_part.insert(application.by.clone());
    dossier.applications.take(recorded);
    if let (Stage::Preparing(preparation), Counts::AsWish(said)) =
        (&mut dossier.stage, &recorded.counts)
    {
        preparation.wish = Some(application.wish(said));
        if recorded.form == Left::Falls {
            preparation.progress = Progress::Undecided;
        }
    }
}

/// Lets what was applied for be the wish of a clarification that begins, or begins again.
pub(super) fn count(dossier: &mut Dossier) {
    if let Stage::Preparing(preparation) = &mut dossier.stage
        && let Some(wish) = dossier.applications.awaiting.take()
    {
        preparation.wish = Some(wish);
    }
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::{Given, clocks, followed};
    use jiff::civil::date;
    use office::{Actor, Role};

    use super::super::approval::{FOUR_EYES, Facts};
    use super::super::fixture::*;
    use super::super::wish::{NOT_BY_ITS_HEAD, WISH_NOT_HEARD};
    use super::super::{Clarification, Command, NOT_CLEARED, Standing};
    use super::*;
    use crate::conclusion::SubjectKind;
    use chassis::recusal::Recusal;

    fn follow(ruling: crate::conclusion::Ruling) -> Command {
        Command::FollowRuling(Box::new(ruling))
    }

    fn wish(of: &Given<Clarification>) -> Option<Wish> {
        let dossier = of.state().dossier().expect("it is open");
        dossier.preparation().expect("it is prepared").wish.clone()
    }

    #[test]
    fn an_application_before_any_conclusion_is_kept_with_the_reasons_why_nothing_is_cleared() {
        let (events, after) = an_unopened_one().when(hand_in()).accepted();
        let [
            Event::AppliedFor(applied),
            Event::ApplicationRecorded(recorded),
        ] = &events[..]
        else {
            panic!("it is applied for, not {events:?}");
        };
        assert_eq!(applied.subject, subject());
        assert_eq!(recorded.reasons, [Reason::NotConcluded]);
        assert_eq!(after.state().standing(), Some(Standing::Applied));
        let told = followed::<Clarification>(clarification(), &events[0]);
        assert_eq!(told[0].method, "LearnApplicant");
        assert_eq!(told[0].aggregate, id::<MatterId>(0x10).uuid());
        for command in [agrees(), wants(&[]), Command::ConfirmClarification] {
            after.clone().when(command).then_refused(&NOT_CLEARED);
        }
    }

    #[test]
    fn a_conclusion_that_clears_opens_it_and_the_application_is_the_wish() {
        let after = an_unopened_one()
            .actor(officer("olaf"))
            .when(hand_in())
            .accepted()
            .1
            .actor(service())
            .when(follow(cleared(1)))
            .then([an_opening()]);
        assert_eq!(after.state().standing(), Some(Standing::Screening));
        let heard = wish(&after).expect("they applied");
        assert_eq!(heard.wanted(), [Form::Meeting].into());
        assert!(heard.refuses(Form::Bulletin));
        let after = after
            .events(all_agree())
            .events([form_decided(Form::Meeting), a_draft()])
            .actor(supervisor("olaf"))
            .facts(stands(1));
        after
            .when(Command::ApproveClarification)
            .then_refused(&FOUR_EYES);
    }

    #[test]
    fn whoever_declined_changes_their_mind_by_an_application() {
        let declined = |on| Command::RecordWish {
            said: Said::Declines,
            heard_on: on,
            spoken_by: None,
        };
        let heard = |on| {
            let of = an_eligible_one().actor(officer("petra"));
            of.when(declined(on))
                .accepted()
                .1
                .facts(knowing(position()))
        };
        let (events, after) = heard(date(2026, 3, 8)).when(hand_in()).accepted();
        assert!(
            matches!(&events[..], [Event::ApplicationRecorded(recorded)] if recorded.reasons.is_empty())
        );
        assert_eq!(after.state().standing(), Some(Standing::Eligible));
        let after = heard(date(2026, 3, 9)).when(hand_in()).accepted().1;
        assert_eq!(
            after.state().standing(),
            Some(Standing::Declined),
            "what they said at a later date holds"
        );
        let dossier = after.state().dossier().expect("it is open");
        assert_eq!(dossier.applications.received.len(), 1, "and it is kept");
    }

    #[test]
    fn an_application_that_refuses_the_decided_form_takes_it_back() {
        let (events, after) = an_approved_one(Form::Bulletin)
            .actor(officer("otto"))
            .when(hand_in())
            .accepted();
        assert_eq!(after.state().standing(), Some(Standing::Eligible));
        let stopped = clocks::<Clarification>(clarification(), &events[0]);
        assert_eq!(stopped.len(), 2);
        let after = an_approved_one(Form::Written)
            .actor(officer("otto"))
            .when(hand_in())
            .accepted()
            .1;
        assert_eq!(after.state().standing(), Some(Standing::Approved));
    }

    #[test]
    fn what_the_unreachable_had_refused_still_holds_when_they_apply() {
        let unreachable = Command::RecordUnreachable { reason: id(TEXT) };
        let after = an_eligible_one()
            .events([wish_heard(&[Form::Meeting])])
            .actor(officer("otto"))
            .when(unreachable)
            .accepted()
            .1
            .when(hand_in())
            .accepted()
            .1;
        let heard = wish(&after).expect("they applied");
        assert!(heard.refuses(Form::Meeting) && heard.refuses(Form::Bulletin));
        assert!(heard.wanted().is_empty());
    }

    #[test]
    fn a_halted_one_stays_so_with_its_application_which_counts_when_it_is_taken_up() {
        let halted = a_heard_one()
            .actor(service())
            .when(follow(reopened(2)))
            .accepted()
            .1;
        let known = |ordinal, reasons: &[Reason]| {
            knowing(Position {
                ordinal,
                reasons: reasons.to_vec(),
                ..position()
            })
        };
        let ottos = || halted.clone().actor(officer("otto"));
        ottos().when(hand_in()).then_stale();
        ottos()
            .facts(known(1, &[Reason::Reopened]))
            .when(hand_in())
            .then_stale();
        let (events, after) = ottos()
            .facts(known(2, &[Reason::Reopened]))
            .when(hand_in())
            .accepted();
        let [Event::ApplicationRecorded(recorded)] = &events[..] else {
            panic!("it is recorded, not {events:?}");
        };
        assert_eq!(recorded.reasons, [Reason::Reopened]);
        assert_eq!(after.state().standing(), Some(Standing::Halted));
        let again = crate::conclusion::Ruling {
            ordinal: 3,
            ..cleared(2)
        };
        let after = after
            .actor(service())
            .when(follow(again.clone()))
            .accepted()
            .1;
        assert!(wish(&after).is_some_and(|wish| wish.wanted() == [Form::Meeting].into()));
        let without = halted.actor(service()).when(follow(again)).accepted().1;
        without
            .events(all_agree())
            .actor(officer("otto"))
            .when(choose(Form::Meeting))
            .then_refused(&WISH_NOT_HEARD);
    }

    #[test]
    fn of_whom_nothing_is_known_in_the_matter_no_application_is_taken() {
        an_unopened_one()
            .facts(Facts::default())
            .when(hand_in())
            .then_refused(&SUBJECT_UNKNOWN);
        let nobody = Position {
            subject: None,
            ..position()
        };
        an_unopened_one()
            .facts(knowing(nobody))
            .when(hand_in())
            .then_refused(&SUBJECT_UNKNOWN);
    }

    #[test]
    fn the_unit_of_the_matter_takes_applications_and_nobody_who_is_recused() {
        let elsewhere = Actor {
            unit: "P51-02".parse().expect("a unit code"),
            ..actor("olga", Role::ClarificationOfficer)
        };
        let of = an_unopened_one().actor(elsewhere);
        of.when(hand_in()).then_refused(&OUT_OF_SCOPE);
        for recused in ["accused", "reporter"] {
            let of = an_unopened_one().actor(officer(recused));
            of.when(hand_in()).then_refused(&RECUSED);
            let of = an_applied_one().actor(officer(recused));
            of.when(not_cleared(1, &[])).then_refused(&RECUSED);
        }
    }

    #[test]
    fn nobody_applies_in_the_future() {
        let later = Applying {
            applied_on: date(2026, 3, 10),
            ..an_application()
        };
        let refusal = an_unopened_one()
            .when(Command::ApplyForClarification(Box::new(later)))
            .then_refused(&APPLIED_LATER);
        assert_eq!(refusal.violations[0].field, "applied_on");
    }

    #[test]
    fn an_organisation_applies_by_its_head() {
        let organisation = Position {
            subject: Some(Subject {
                kind: SubjectKind::Organisation,
                ..subject()
            }),
            ..position()
        };
        let of = || an_unopened_one().facts(knowing(organisation.clone()));
        of().when(hand_in()).then_refused(&NOT_BY_ITS_HEAD);
        let by_head = Command::ApplyForClarification(Box::new(Applying {
            spoken_by: Some(id(0x35)),
            ..an_application()
        }));
        of().when(by_head.clone()).then_stale();
        of().facts(Facts {
            speaker: Some(Speaker {
                person: id(0x35),
                heads: Some(subject().unit),
            }),
            ..knowing(organisation.clone())
        })
        .when(by_head)
        .accepted();
    }

    #[test]
    fn what_one_took_in_who_is_recused_before_it_counts_is_nobodys_wish() {
        let recusal = Recusal {
            actors: [actor_id("otto")].into(),
            ..Recusal::default()
        };
        let recuse = Command::RecuseFromClarification {
            recusal: recusal.clone(),
        };
        let told_before = an_applied_one().actor(service()).when(recuse).accepted().1;
        let told_before = told_before.when(follow(cleared(1))).accepted().1;
        let mut ruling = cleared(1);
        ruling.recusal.extend(&recusal);
        let told_with_it = an_applied_one()
            .actor(service())
            .when(follow(ruling))
            .accepted()
            .1;
        for after in [told_before, told_with_it] {
            assert_eq!(wish(&after), None);
            let dossier = after.state().dossier().expect("it is open");
            assert_eq!(dossier.applications.received.len(), 1, "it is kept");
        }
    }
}

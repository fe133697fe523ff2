//! The form: how a name is cleared. The service recommends one and says why; an officer may choose another with a
//! reason, and never one that the subject refused. In person, meeting and bulletin include written.
//!
//! The recommendation reaches as far as the harm does and no further: nobody is named before more people than have heard
//! of it. Where that form is refused it falls back to the widest narrower one.

use chassis::aggregate::{Decision, TextRef};
use chassis::refusal::{Refusal, RefusalKind};
use office::{ActorId, TextId};
use serde::{Deserialize, Serialize};

use super::drafting::DRAFTED;
use super::wish::{self, Wish};
use super::{APPROVED, Context, Event, Preparation, Progress, State};
use crate::conclusion::{Clearance, Degree, Harm, Reach, SubjectHarm};

/// The subject refused the form.
pub const FORM_REFUSED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_FORM_REFUSED",
    "The subject refused this form; choose one that they did not.",
);
/// A form that needs the subject, who cannot be reached.
pub const NOBODY_TO_MEET: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_NOBODY_TO_MEET",
    "The subject cannot be reached, so nobody can be told in person; choose another form.",
);
/// Another form than the recommended one, without a reason.
pub const FORM_NEEDS_REASON: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "CLARIFICATION_FORM_NEEDS_REASON",
    "Another form is recommended; say why this one is chosen.",
);

/// How a name is cleared, the narrowest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A letter.
    #[default]
    Written,
    /// Told to the subject in person, with the letter.
    InPerson,
    /// Told at a meeting, with the letter.
    Meeting,
    /// Published in a bulletin, with the letter.
    Bulletin,
}

impl Form {
    /// All forms, the narrowest first.
    pub const ALL: [Self; 4] = [Self::Written, Self::InPerson, Self::Meeting, Self::Bulletin];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::InPerson => "in_person",
            Self::Meeting => "meeting",
            Self::Bulletin => "bulletin",
        }
    }
}

/// Why a form is recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Few know of it, and it is slight.
    KnownToFew,
    /// Few know of it, and it goes deep.
    GoesDeep,
    /// It is known in the subject's unit.
    KnownInUnit,
    /// It is known in public.
    KnownInPublic,
    /// The kind of problem is one that should be told to nobody else.
    Discreet,
    /// There is nobody to be told in person.
    Unreachable,
    /// The subject would like it.
    Wished,
    /// What reaches further is refused.
    OthersRefused,
}

impl Because {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::KnownToFew => "known_to_few",
            Self::GoesDeep => "goes_deep",
            Self::KnownInUnit => "known_in_unit",
            Self::KnownInPublic => "known_in_public",
            Self::Discreet => "discreet",
            Self::Unreachable => "unreachable",
            Self::Wished => "wished",
            Self::OthersRefused => "others_refused",
        }
    }
}

/// A form and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The form.
    pub form: Form,
    /// Why.
    pub because: Because,
}

/// Recommends a form from the kinds of problem (the categories of the allegations), the degree and reach of the harm,
/// and the subject's wish; `None` where the subject refuses all of them. `discreet` are the policy's categories that are
/// told to nobody else.
pub fn recommend<'c>(
    kinds: impl IntoIterator<Item = &'c str>,
    discreet: &[String],
    harm: &SubjectHarm,
    wish: &Wish,
) -> Option<Recommendation> {
    let fitting = fitting(kinds, discreet, harm, wish);
    let allowed = |form: &Form| !wish.rules_out(*form);
    let nearest = wish
        .wanted()
        .into_iter()
        .filter(allowed)
        .min_by_key(|form| (*form as i32 - fitting.form as i32).abs());
    if let Some(form) = nearest
        && form != fitting.form
    {
        let because = Because::Wished;
        return Some(Recommendation { form, because });
    }
    if allowed(&fitting.form) {
        return Some(fitting);
    }
    let narrower = Form::ALL.into_iter().filter(|form| *form < fitting.form);
    let form = narrower.rev().find(allowed)?;
    let because = Because::OthersRefused;
    Some(Recommendation { form, because })
}

/// The form that reaches as far as the harm, whatever the subject likes.
fn fitting<'c>(
    kinds: impl IntoIterator<Item = &'c str>,
    discreet: &[String],
    harm: &SubjectHarm,
    wish: &Wish,
) -> Recommendation {
    let spread = harm.harms.contains(&Harm::SpreadInPublic);
    let (form, because) = match (harm.reach, harm.degree) {
        (Some(Reach::Public), _) => (Form::Bulletin, Because::KnownInPublic),
        _ if spread => (Form::Bulletin, Because::KnownInPublic),
        (Some(Reach::Unit), _) => (Form::Meeting, Because::KnownInUnit),
        (_, Some(Degree::Serious | Degree::Grave)) => (Form::InPerson, Because::GoesDeep),
        _ => (Form::Written, Because::KnownToFew),
    };
    let is_discreet = |kind: &str| discreet.iter().any(|listed| listed == kind);
    let (form, because) = if form > Form::InPerson && kinds.into_iter().any(is_discreet) {
        (Form::InPerson, Because::Discreet)
    } else {
        (form, because)
    };
    match wish {
        Wish::Unreachable { .. } if form == Form::InPerson => Recommendation {
            form: Form::Written,
            because: Because::Unreachable,
        },
        _ => Recommendation { form, because },
    }
}

/// What is recommended for a clearance under a wish.
pub fn recommended(
    clearance: &Clearance,
    wish: &Wish,
    discreet: &[String],
) -> Option<Recommendation> {
    let kinds = clearance.findings.iter().map(|line| line.category.as_str());
    let nothing = SubjectHarm::default();
    let harm = clearance.harm.as_ref().unwrap_or(&nothing);
    recommend(kinds, discreet, harm, wish)
}

/// A form that was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecidedForm {
    /// The form.
    pub form: Form,
    /// Who chose it.
    pub by: ActorId,
    /// What was recommended, and why.
    pub recommended: Recommendation,
    /// Why it is this one; always given where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<TextRef>,
}

/// See [`Event::FormDecided`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormDecided {
    /// The form.
    pub form: DecidedForm,
}

/// Chooses a form, or another one while nothing is drafted for the first.
pub(super) fn decide(
    state: &State,
    form: Form,
    reason: Option<TextId>,
    context: &Context,
) -> Decision<Event> {
    let (dossier, preparation) = state.preparing(context)?;
    match &preparation.progress {
        Progress::FormDecided { form: decided, .. }
            if decided.form == form && decided.reason.as_ref().map(|given| given.id) == reason =>
        {
            return Ok(Vec::new());
        }
        Progress::Undecided | Progress::FormDecided { .. } => {}
        Progress::Drafted { .. } => return Err(DRAFTED.into()),
        Progress::Approved { .. } => return Err(APPROVED.into()),
    }
    wish::wanted(preparation)?;
    preparation.screening.complete()?;
    let wish = wish::heard(preparation)?;
    let discreet = &context.profile.clarification.discreet_categories;
    let Some(recommended) = recommended(&dossier.clearance, wish, discreet) else {
        return Err(FORM_REFUSED.into());
    };
    if wish.refuses(form) {
        return Err(FORM_REFUSED.into());
    }
    if wish.rules_out(form) {
        return Err(NOBODY_TO_MEET.into());
    }
    if form != recommended.form && reason.is_none() {
        return Err(FORM_NEEDS_REASON.at("reason").into());
    }
    Ok(vec![
        FormDecided {
            form: DecidedForm {
                form,
                by: context.actor.id.clone(),
                recommended,
                reason: reason.map(|reason| context.text(reason)),
            },
        }
        .into(),
    ])
}

pub(super) fn decided(preparation: &mut Preparation, decided: &FormDecided) {
    preparation.progress = Progress::FormDecided {
        form: decided.form.clone(),
        returned: None,
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    use super::super::Command;
    use super::super::fixture::*;
    use super::super::screening::{Opinion, SCREENING_INCOMPLETE};
    use super::super::wish::Said;
    use super::*;

    fn harm(degree: Degree, reach: Reach) -> SubjectHarm {
        SubjectHarm {
            harms: [Harm::RightsHarmed].into(),
            degree: Some(degree),
            reach: Some(reach),
            exclusions: [].into(),
        }
    }

    fn wish(wanted: &[Form], refused: &[Form]) -> Wish {
        Wish::Heard {
            by: actor_id("otto"),
            on: jiff::civil::date(2026, 3, 9),
            said: Said::Wants {
                wanted: wanted.iter().copied().collect(),
                refused: refused.iter().copied().collect(),
            },
            spoken_by: None,
        }
    }

    fn unreachable(refused: &[Form]) -> Wish {
        Wish::Unreachable {
            by: actor_id("otto"),
            reason: text(TEXT),
            refused: refused.iter().copied().collect(),
        }
    }

    fn told(kind: &str, harm: &SubjectHarm, wish: &Wish) -> Option<(Form, &'static str)> {
        let discreet = ["private_conduct".to_owned()];
        let recommendation = recommend([kind], &discreet, harm, wish)?;
        Some((recommendation.form, recommendation.because.code()))
    }

    #[test]
    fn the_form_reaches_as_far_as_the_harm() {
        let of = |degree, reach| told("bribery", &harm(degree, reach), &wish(&[], &[]));
        assert_eq!(
            of(Degree::Slight, Reach::Few),
            Some((Form::Written, "known_to_few"))
        );
        assert_eq!(
            of(Degree::Grave, Reach::Few),
            Some((Form::InPerson, "goes_deep"))
        );
        assert_eq!(
            of(Degree::Slight, Reach::Unit),
            Some((Form::Meeting, "known_in_unit"))
        );
        assert_eq!(
            of(Degree::Slight, Reach::Public),
            Some((Form::Bulletin, "known_in_public"))
        );
        let mut spread = harm(Degree::Slight, Reach::Few);
        spread.harms.insert(Harm::SpreadInPublic);
        assert_eq!(
            told("bribery", &spread, &wish(&[], &[])),
            Some((Form::Bulletin, "known_in_public"))
        );
    }

    #[test]
    fn a_discreet_kind_of_problem_is_told_to_nobody_else() {
        let public = harm(Degree::Grave, Reach::Public);
        assert_eq!(
            told("private_conduct", &public, &wish(&[], &[])),
            Some((Form::InPerson, "discreet"))
        );
        assert_eq!(
            told("private_conduct", &public, &wish(&[Form::Bulletin], &[])),
            Some((Form::Bulletin, "wished")),
            "unless the subject would like it"
        );
    }

    #[test]
    fn the_wish_goes_before_the_reach() {
        let public = harm(Degree::Serious, Reach::Public);
        assert_eq!(
            told(
                "bribery",
                &public,
                &wish(&[Form::Written, Form::Meeting], &[])
            ),
            Some((Form::Meeting, "wished"))
        );
        assert_eq!(
            told(
                "bribery",
                &public,
                &wish(&[], &[Form::Bulletin, Form::Meeting])
            ),
            Some((Form::InPerson, "others_refused"))
        );
        assert_eq!(told("bribery", &public, &wish(&[], &[Form::Written])), None);
    }

    #[test]
    fn nobody_is_told_in_person_who_cannot_be_reached() {
        let deep = harm(Degree::Grave, Reach::Few);
        assert_eq!(
            told("bribery", &deep, &unreachable(&[])),
            Some((Form::Written, "unreachable"))
        );
        let known = harm(Degree::Slight, Reach::Unit);
        assert_eq!(
            told("bribery", &known, &unreachable(&[Form::Meeting])),
            Some((Form::Written, "others_refused")),
            "nor where what reaches further is refused"
        );
    }

    proptest! {
        /// Whatever is wished: never a refused form, never further than the harm unless wished, something unless all is refused.
        #[test]
        fn no_recommended_form_was_refused(
            degree in select(vec![Degree::Slight, Degree::Serious, Degree::Grave]),
            reach in select(vec![Reach::Few, Reach::Unit, Reach::Public]),
            wanted in subsequence(Form::ALL.to_vec(), 0..=4),
            refused in subsequence(Form::ALL.to_vec(), 0..=4),
            kind in select(vec!["bribery", "private_conduct"]),
        ) {
            let wish = wish(&wanted, &refused);
            let harm = harm(degree, reach);
            let nothing_wished = Wish::Heard {
                by: actor_id("otto"),
                on: jiff::civil::date(2026, 3, 9),
                said: Said::Wants { wanted: [].into(), refused: [].into() },
                spoken_by: None,
            };
            let widest = told(kind, &harm, &nothing_wished).expect("nothing is refused").0;
            match told(kind, &harm, &wish) {
                None => prop_assert!(refused.contains(&Form::Written)),
                Some((form, _)) => {
                    prop_assert!(!wish.refuses(form));
                    prop_assert!(form <= widest || wanted.contains(&form));
                }
            }
        }
    }

    #[test]
    fn an_officer_chooses_another_form_only_with_a_reason() {
        let refusal = a_heard_one()
            .actor(officer("otto"))
            .when(Command::DecideForm {
                form: Form::Written,
                reason: None,
            })
            .then_refused(&FORM_NEEDS_REASON);
        assert_eq!(refusal.violations[0].field, "reason");
        a_heard_one()
            .actor(officer("otto"))
            .when(choose(Form::Written))
            .then([form_decided(Form::Written)]);
        a_heard_one()
            .actor(officer("otto"))
            .when(Command::DecideForm {
                form: Form::Meeting,
                reason: None,
            })
            .accepted();
    }

    #[test]
    fn no_form_before_the_screening_is_complete() {
        a_candidate()
            .events([
                opinion("anna", "petitions", Opinion::Agrees),
                wish_heard(&[]),
            ])
            .actor(officer("otto"))
            .when(choose(Form::Meeting))
            .then_refused(&SCREENING_INCOMPLETE);
    }

    #[test]
    fn a_form_changes_until_a_statement_is_drafted_for_it() {
        a_decided_one(Form::Written)
            .actor(officer("otto"))
            .when(choose(Form::Bulletin))
            .then([form_decided(Form::Bulletin)]);
        a_drafted_one(Form::Written)
            .actor(officer("otto"))
            .when(choose(Form::Bulletin))
            .then_refused(&DRAFTED);
        an_approved_one(Form::Written)
            .actor(officer("otto"))
            .when(choose(Form::Bulletin))
            .then_refused(&APPROVED);
    }
}

//! Joining a report by hand to the matter that it repeats, and following what becomes known in its matter.
//!
//! Whoever is recused in a matter is recused from all its reports. A report cannot look at its matter while it decides
//! whom to admit, so it takes over who is recused when it joins, and the matter tells it of later ones; so too of the unit
//! that handles the matter.
//! Source: `domain.md`, Intake, Repeat ledger; Actors.

use chassis::aggregate::{Aggregate, Context, Decision};
use chassis::recusal::Recusal;
use chassis::refusal::{Refusal, RefusalKind};
use office::{MatterId, SubjectId, UnitCode};
use serde::{Deserialize, Serialize};

use crate::matter::{Matter, NewFacts};
use crate::report::{ALREADY_DECIDED, Event, Facts, Filed, HEADED_BY_SUBJECT, Stage};
use crate::subject::Entry;

/// There is no such matter.
pub const MATTER_UNKNOWN: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "INTAKE_MATTER_UNKNOWN",
    "There is no matter with this id; list the report's candidates.",
);

/// It joined a matter that was there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    /// The matter.
    pub matter: MatterId,
    /// The matter's handling unit.
    pub unit: UnitCode,
    /// Whether it brings something new.
    pub new_facts: NewFacts,
    /// Who was recused in the matter.
    #[serde(default, skip_serializing_if = "Recusal::is_empty")]
    pub recusal: Recusal,
}

/// What became known in a matter that its reports must know too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct News {
    /// Who is recused from now on.
    #[serde(default, skip_serializing_if = "Recusal::is_empty")]
    pub recusal: Recusal,
    /// Who was identified, if anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identified: Option<Identity>,
    /// The unit that it was raised to, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitCode>,
}

/// Who somebody is that was not identified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The placeholder.
    pub placeholder: SubjectId,
    /// The subject.
    pub subject: Entry,
}

pub(super) fn join(
    filed: &Filed,
    matter: MatterId,
    new_facts: NewFacts,
    context: &Context<Facts>,
) -> Decision<Event> {
    match &filed.stage {
        Stage::Received => {}
        Stage::Joined(joined) if joined.matter == matter && joined.new_facts == new_facts => {
            return Ok(Vec::new());
        }
        _ => return Err(ALREADY_DECIDED.into()),
    }
    let Some(open) = context.facts.matter.open() else {
        return Err(MATTER_UNKNOWN.at("matter_id").into());
    };
    Matter::admit(&context.facts.matter, &context.visitor())?;
    if filed.is_headed_by_subject(&open.unit, &context.profile.units) {
        return Err(HEADED_BY_SUBJECT.at("matter_id").into());
    }
    Ok(vec![
        Joined {
            matter,
            unit: open.unit.clone(),
            new_facts,
            recusal: filed.recusal.lacking(&open.recusal),
        }
        .into(),
    ])
}

pub(super) fn follow_matter(
    filed: &Filed,
    news: &News,
    context: &Context<Facts>,
) -> Decision<Event> {
    let News {
        recusal,
        identified,
        unit,
    } = news;
    let units = &context.profile.units;
    // What became known earlier may come later, and a matter is only ever raised.
    let is_above =
        |unit: &UnitCode| unit != filed.unit() && units.is_at_or_above(unit, filed.unit());
    let news = News {
        recusal: filed.recusal.lacking(recusal),
        identified: identified
            .clone()
            .filter(|identity| concerns(filed, identity)),
        unit: unit.clone().filter(is_above),
    };
    if news == News::default() {
        return Ok(Vec::new());
    }
    Ok(vec![news.into()])
}

/// Whether the placeholder is one of this report's and nobody yet.
fn concerns(filed: &Filed, identity: &Identity) -> bool {
    let ours = filed
        .allegations()
        .iter()
        .any(|allegation| allegation.whom.id() == identity.placeholder);
    ours && !filed.identified.contains_key(&identity.placeholder)
}

pub(super) fn followed(filed: &mut Filed, news: &News) {
    filed.recusal.extend(&news.recusal);
    if news.unit.is_some() {
        filed.raised_to.clone_from(&news.unit);
    }
    if let Some(Identity {
        placeholder,
        subject,
    }) = &news.identified
    {
        filed.identified.insert(*placeholder, subject.id);
        if !filed.subjects.iter().any(|known| known.id == subject.id) {
            filed.subjects.push(subject.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;

    use super::*;
    use crate::examples::{
        CITY, COUNTY, NATION, PROVINCE, about, about_somebody, accept, acting_as, officer, raised,
        received, subject, submission, unit,
    };
    use crate::matter::State as MatterState;
    use crate::matter::progress::CaseStage;
    use crate::recusal::RECUSED;
    use crate::report::Command;

    fn matter() -> (MatterId, MatterState) {
        let other = acting_as("colleague", subject("other"));
        let matter = raised(submission([about(&other)]), &[other]);
        (matter.context().id.into(), matter.state().clone())
    }

    fn knowing(matter: MatterState) -> Facts {
        Facts {
            matter,
            ..Facts::default()
        }
    }

    fn join(matter: MatterId, new_facts: NewFacts) -> Command {
        Command::Join { matter, new_facts }
    }

    #[test]
    fn a_report_joins_a_matter_that_is_there() {
        let (id, known) = matter();
        let report = received(&[subject("one")]);
        report
            .clone()
            .when(join(id, NewFacts::None))
            .then_refused(&MATTER_UNKNOWN);
        let (_, joined) = report
            .facts(knowing(known))
            .when(join(id, NewFacts::None))
            .accepted();
        let filed = joined.state().filed().expect("it was submitted");
        assert_eq!((filed.matter(), filed.unit()), (Some(id), &unit(COUNTY)));
        joined.clone().when(join(id, NewFacts::None)).then_already();
        joined
            .clone()
            .when(join(id, NewFacts::Brought))
            .then_refused(&ALREADY_DECIDED);
        joined.when(accept()).then_refused(&ALREADY_DECIDED);
    }

    #[test]
    fn a_repeat_of_a_concluded_matter_is_registered_and_kept() {
        let (id, known) = matter();
        let MatterState::Open(mut open) = known else {
            panic!("it was raised");
        };
        open.case.stage = CaseStage::Concluded;
        received(&[subject("one")])
            .facts(knowing(MatterState::Open(open)))
            .when(join(id, NewFacts::None))
            .accepted();
    }

    #[test]
    fn a_report_joins_only_a_matter_that_the_officer_may_see() {
        let (id, known) = matter();
        let MatterState::Open(mut open) = known else {
            panic!("it was raised");
        };
        open.unit = unit(CITY);
        received(&[subject("one")])
            .facts(knowing(MatterState::Open(open)))
            .when(join(id, NewFacts::None))
            .then_refused(&OUT_OF_SCOPE);
    }

    #[test]
    fn a_report_about_a_head_joins_no_matter_of_that_unit() {
        let (id, known) = matter();
        let head = Entry {
            heads: Some(unit(COUNTY)),
            ..subject("head")
        };
        received(&[head])
            .actor(officer("of-the-city", CITY))
            .facts(knowing(known))
            .when(join(id, NewFacts::None))
            .then_refused(&HEADED_BY_SUBJECT);
    }

    #[test]
    fn who_is_recused_in_a_matter_is_recused_from_all_its_reports() {
        let (id, known) = matter();
        let (_, joined) = received(&[subject("one")])
            .facts(knowing(known))
            .when(join(id, NewFacts::None))
            .accepted();
        joined
            .clone()
            .actor(officer("colleague", COUNTY))
            .when(join(id, NewFacts::None))
            .then_refused(&RECUSED);
        let news = News {
            recusal: Recusal {
                actors: ["latecomer".parse().expect("a valid id")].into(),
                ..Recusal::default()
            },
            ..News::default()
        };
        joined
            .when(Command::FollowMatter(news.clone()))
            .then([news])
            .actor(officer("latecomer", COUNTY))
            .when(join(id, NewFacts::None))
            .then_refused(&RECUSED);
    }

    fn raised_to(code: &str) -> News {
        News {
            unit: Some(unit(code)),
            ..News::default()
        }
    }

    #[test]
    fn a_report_follows_its_matter_to_the_unit_above_and_the_unit_below_sees_it_no_longer() {
        let (_, accepted) = received(&[subject("one")]).when(accept()).accepted();
        let follow = |code: &str| Command::FollowMatter(raised_to(code));
        let followed = accepted
            .actor(officer("officer-2", NATION))
            .when(follow(CITY))
            .then([raised_to(CITY)]);
        let filed = followed.state().filed().expect("it was submitted");
        assert_eq!(filed.unit(), &unit(CITY));
        followed
            .clone()
            .actor(officer("officer-1", COUNTY))
            .when(accept())
            .then_refused(&OUT_OF_SCOPE);
        followed
            .when(follow(PROVINCE))
            .then([raised_to(PROVINCE)])
            .when(follow(CITY))
            .then_already();
    }

    #[test]
    fn who_was_identified_is_known_in_the_report_too() {
        let one = subject("one");
        let (submitted, report) = crate::examples::submitted_as(
            submission([about_somebody()]),
            &[],
            chassis::testing::given(),
        );
        let placeholder = submitted.allegations[0].whom.id();
        let news = News {
            identified: Some(Identity {
                placeholder,
                subject: one.clone(),
            }),
            ..News::default()
        };
        let elsewhere = News {
            identified: Some(Identity {
                placeholder: subject("another report's").id,
                subject: one.clone(),
            }),
            ..News::default()
        };
        let report = report
            .when(Command::FollowMatter(elsewhere))
            .then_already()
            .when(Command::FollowMatter(news.clone()))
            .then([news]);
        let filed = report.state().filed().expect("it was submitted");
        assert_eq!(filed.current_allegations()[0].whom.id(), one.id);
    }
}

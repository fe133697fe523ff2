//! Harm on its way in: from what a request tells of a subject to what is recorded on it. Whatever contradicts itself is
//! found here, so that the inside holds no harm without an effect and no degree without a harm.

use std::collections::BTreeSet;

use chassis::request::Reading;
use proto::office as o;

use crate::case::{Harm, HarmDegree, HarmEffect, HarmExclusion, HarmReach, SubjectHarm};

const UNKNOWN: &str = "must be one of the enum's values";

/// One harm of a proposal.
pub(super) fn subject_harm(
    index: usize,
    told: &o::SubjectHarm,
    reading: &mut Reading<'_>,
) -> SubjectHarm {
    let field = |name: &str| format!("harms[{index}].{name}");
    let subject = reading.id(&field("subject_id"), &told.subject_id);
    let mut none = false;
    let mut effects = BTreeSet::new();
    for (at, value) in told.harms.iter().enumerate() {
        let effect = match o::Harm::try_from(*value).unwrap_or_default() {
            o::Harm::Unspecified => {
                reading.violation(field(&format!("harms[{at}]")), UNKNOWN);
                continue;
            }
            o::Harm::None => {
                none = true;
                continue;
            }
            o::Harm::AdvancementAffected => HarmEffect::AdvancementAffected,
            o::Harm::RightsHarmed => HarmEffect::RightsHarmed,
            o::Harm::ReportedAgain => HarmEffect::ReportedAgain,
            o::Harm::SpreadInPublic => HarmEffect::SpreadInPublic,
        };
        effects.insert(effect);
    }
    if told.harms.is_empty() {
        reading.violation(field("harms"), "must hold at least one, or none alone");
    } else if none && told.harms.len() > 1 {
        reading.violation(field("harms"), "must hold nothing beside none");
    }
    let harm = if effects.is_empty() {
        if none {
            nothing_more(told, field, reading);
        }
        Harm::None
    } else {
        Harm::Done {
            effects,
            degree: reading.choice(&field("degree"), degree(told.degree())),
            reach: reading.choice(&field("reach"), reach(told.reach())),
            exclusions: exclusions(told, field, reading),
        }
    };
    SubjectHarm { subject, harm }
}

/// Where nothing is harmed there is no degree and no reach of it, and nothing to exclude.
fn nothing_more(told: &o::SubjectHarm, field: impl Fn(&str) -> String, reading: &mut Reading<'_>) {
    let given = [
        ("degree", told.degree != 0),
        ("reach", told.reach != 0),
        ("exclusions", !told.exclusions.is_empty()),
    ];
    for (name, _) in given.into_iter().filter(|(_, given)| *given) {
        reading.violation(field(name), "must be given only where something was harmed");
    }
}

fn degree(told: o::HarmDegree) -> Option<HarmDegree> {
    match told {
        o::HarmDegree::Unspecified => None,
        o::HarmDegree::Slight => Some(HarmDegree::Slight),
        o::HarmDegree::Serious => Some(HarmDegree::Serious),
        o::HarmDegree::Grave => Some(HarmDegree::Grave),
    }
}

fn reach(told: o::HarmReach) -> Option<HarmReach> {
    match told {
        o::HarmReach::Unspecified => None,
        o::HarmReach::Few => Some(HarmReach::Few),
        o::HarmReach::Unit => Some(HarmReach::Unit),
        o::HarmReach::Public => Some(HarmReach::Public),
    }
}

fn exclusions(
    told: &o::SubjectHarm,
    field: impl Fn(&str) -> String,
    reading: &mut Reading<'_>,
) -> BTreeSet<HarmExclusion> {
    let mut exclusions = BTreeSet::new();
    for (at, value) in told.exclusions.iter().enumerate() {
        let exclusion = match o::HarmExclusion::try_from(*value).unwrap_or_default() {
            o::HarmExclusion::Unspecified => {
                reading.violation(field(&format!("exclusions[{at}]")), UNKNOWN);
                continue;
            }
            o::HarmExclusion::WrittenExplanation => HarmExclusion::WrittenExplanation,
            o::HarmExclusion::MerelyTalkedTo => HarmExclusion::MerelyTalkedTo,
        };
        exclusions.insert(exclusion);
    }
    exclusions
}

#[cfg(test)]
mod tests {
    use chassis::testing::given;

    use super::*;
    use crate::announcements;
    use crate::case::Case;
    use crate::case::fixture::{OFFICIAL, harm_on, id, investigator};

    const REQUEST: &str = "00000000-0000-0000-0000-0000000000aa";

    fn read(told: &o::SubjectHarm) -> Result<SubjectHarm, Vec<String>> {
        let setting = given::<Case>();
        let actor = investigator("chen");
        let profile = &setting.context().profile;
        let mut reading = Reading::new(&actor, profile, "ProposeFindings", REQUEST);
        let harm = subject_harm(0, told, &mut reading);
        let violations = |found: Vec<chassis::refusal::Violation>| {
            let fields = found.into_iter().map(|one| one.field);
            fields
                .map(|field| field.trim_start_matches("harms[0].").to_owned())
                .collect()
        };
        reading.finish().map(|_| harm).map_err(violations)
    }

    fn told() -> o::SubjectHarm {
        announcements::subject_harm(id(OFFICIAL), &harm_on(OFFICIAL).harm)
    }

    fn none() -> o::SubjectHarm {
        announcements::subject_harm(id(OFFICIAL), &Harm::None)
    }

    #[test]
    fn harm_is_read_as_it_is_shown() {
        assert_eq!(read(&told()), Ok(harm_on(OFFICIAL)));
        let nothing = SubjectHarm {
            subject: id(OFFICIAL),
            harm: Harm::None,
        };
        assert_eq!(read(&none()), Ok(nothing));
    }

    #[test]
    fn none_stands_alone() {
        let mut beside = told();
        beside.harms.push(o::Harm::None.into());
        assert_eq!(read(&beside), Err(vec!["harms".to_owned()]));
        let mut nothing = told();
        nothing.harms.clear();
        assert_eq!(read(&nothing), Err(vec!["harms".to_owned()]));
    }

    #[test]
    fn what_was_harmed_has_a_degree_and_a_reach() {
        let bare = o::SubjectHarm {
            degree: 0,
            reach: 99,
            ..told()
        };
        assert_eq!(read(&bare), Err(vec!["degree".into(), "reach".into()]));
    }

    #[test]
    fn where_nothing_was_harmed_there_is_neither_degree_nor_reach_nor_exclusion() {
        let full = o::SubjectHarm {
            harms: none().harms,
            ..told()
        };
        let all = ["degree", "reach", "exclusions"].map(str::to_owned);
        assert_eq!(read(&full), Err(all.to_vec()));
    }

    #[test]
    fn no_value_is_unspecified_and_a_harm_is_somebodys() {
        let vague = o::SubjectHarm {
            subject_id: String::new(),
            harms: vec![o::Harm::RightsHarmed.into(), 0, 99],
            exclusions: vec![0],
            ..told()
        };
        let expected = ["subject_id", "harms[1]", "harms[2]", "exclusions[0]"];
        assert_eq!(read(&vague), Err(expected.map(str::to_owned).to_vec()));
    }
}

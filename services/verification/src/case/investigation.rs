//! Who investigates a case and what they find: assignment, declared conflicts, evidence.

use chassis::aggregate::{Decision, Rejection};
use chassis::recusal::Recusal;
use chassis::refusal::NOT_FOUND;
use jiff::civil::Date;
use office::{ActorId, EvidenceId, TextId};
use serde::{Deserialize, Serialize};

use super::events::{
    ActorsRecused, ConflictDeclared, Event, EvidenceRecorded, InvestigatorsAssigned,
    RecordedEvidence,
};
use super::{
    Context, FINDINGS_PROPOSED, INVESTIGATOR_RECUSED, NOT_INVESTIGATOR, OBTAINED_LATER, Progress,
    State, TOO_FEW_INVESTIGATORS, Team,
};

/// What sort of evidence an item is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A document.
    #[default]
    Document,
    /// What somebody said.
    Testimony,
    /// A recording.
    Recording,
    /// A thing.
    Physical,
    /// An expert's opinion.
    Expert,
    /// An entry in a register.
    Register,
}

/// One item of evidence to be recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceItem {
    /// Its kind.
    pub kind: EvidenceKind,
    /// What it is and where it comes from.
    pub description: TextId,
    /// When it was obtained.
    pub obtained_on: Date,
    /// SHA-256 of its attachment, hexadecimal.
    pub attachment: Option<String>,
}

/// Assigns investigators in place of any before, as long as no findings are proposed.
pub(super) fn assign(
    state: &State,
    investigators: &[ActorId],
    context: &Context,
) -> Decision<Event> {
    let open = state.open()?;
    let team: Team = investigators.iter().cloned().collect();
    let at_least = context.profile.verification.investigators_min;
    if team.len() < at_least as usize {
        return Err(TOO_FEW_INVESTIGATORS.at("investigators").into());
    }
    let recused = investigators
        .iter()
        .enumerate()
        .filter(|(_, actor)| open.dossier.recusal.names(actor, &context.secrets))
        .fold(None, |refusal, (index, _)| {
            Some(
                refusal
                    .unwrap_or(INVESTIGATOR_RECUSED)
                    .at(format!("investigators[{index}]")),
            )
        });
    if let Some(refusal) = recused {
        return Err(refusal.into());
    }
    if open.progress.team() == Some(&team) {
        return Ok(Vec::new());
    }
    if let Progress::Proposed { .. } = open.progress {
        return Err(FINDINGS_PROPOSED.into());
    }
    open.running()?;
    Ok(vec![
        InvestigatorsAssigned {
            investigators: team,
            at_least,
        }
        .into(),
    ])
}

/// Recuses the actor by their own word, whatever the case's state: a conflict may come to mind late.
pub(super) fn declare_conflict(
    state: &State,
    reason: TextId,
    context: &Context,
) -> Decision<Event> {
    let Some(dossier) = state.dossier() else {
        return Err(NOT_FOUND.into());
    };
    if dossier.recusal.actors.contains(&context.actor.id) {
        return Ok(Vec::new());
    }
    Ok(vec![
        ConflictDeclared {
            matter: Some(dossier.matter),
            actor: context.actor.id.clone(),
            reason: context.text(reason),
        }
        .into(),
    ])
}

/// Recuses who declared a conflict elsewhere in the matter. What they did stays known, and nothing goes on with them.
pub(super) fn learn_recusal(state: &State, recusal: &Recusal) -> Decision<Event> {
    let Some(dossier) = state.dossier() else {
        return Err(Rejection::NotYet("the case that they are recused from"));
    };
    let recusal = dossier.recusal.lacking(recusal);
    if recusal.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![ActorsRecused { recusal }.into()])
}

/// Records evidence: by an assigned investigator, while the case is being investigated.
pub(super) fn record_evidence(
    state: &State,
    items: &[EvidenceItem],
    context: &Context,
) -> Decision<Event> {
    let open = state.open()?;
    let recorded: Vec<RecordedEvidence> = (0u32..)
        .zip(items)
        .map(|(ordinal, item)| RecordedEvidence {
            id: EvidenceId::from(context.created(EvidenceId::KIND, ordinal)),
            kind: item.kind,
            description: context.text(item.description),
            obtained_on: item.obtained_on,
            attachment: item.attachment.clone(),
        })
        .collect();
    // The first of them came with this very request, so all of them did.
    let first = recorded.first().map(|item| item.id);
    if first.is_none_or(|first| open.dossier.evidence.contains(&first)) {
        return Ok(Vec::new());
    }
    if let Progress::Proposed { .. } = open.progress {
        return Err(FINDINGS_PROPOSED.into());
    }
    open.running()?;
    if open
        .progress
        .team()
        .is_none_or(|team| !team.contains(&context.actor.id))
    {
        return Err(NOT_INVESTIGATOR.into());
    }
    let today = context.profile.calendar.date(context.now);
    if let Some(late) = items.iter().position(|item| item.obtained_on > today) {
        return Err(OBTAINED_LATER
            .at(format!("evidence[{late}].obtained_on"))
            .into());
    }
    Ok(vec![
        EvidenceRecorded {
            by: context.actor.id.clone(),
            items: recorded,
        }
        .into(),
    ])
}

#[cfg(test)]
mod tests {
    use chassis::aggregate::Aggregate;
    use chassis::refusal::OUT_OF_SCOPE;
    use office::{Actor, Role};

    use super::super::fixture::*;
    use super::super::{Case, Command, RECUSED, SUSPENDED, events::Suspended};
    use super::*;

    fn assign(names: &[&str]) -> Command {
        Command::AssignInvestigators {
            investigators: names.iter().map(|name| actor_id(name)).collect(),
        }
    }

    fn record() -> Command {
        Command::RecordEvidence {
            items: vec![evidence_item()],
        }
    }

    fn declared(name: &str) -> Event {
        ConflictDeclared {
            matter: Some(id(0x10)),
            actor: actor_id(name),
            reason: text(TEXT),
        }
        .into()
    }

    #[test]
    fn a_case_has_at_least_two_investigators() {
        let refusal = an_opened_case()
            .when(assign(&["chen"]))
            .then_refused(&TOO_FEW_INVESTIGATORS);
        assert_eq!(refusal.violations[0].field, "investigators");
        an_opened_case()
            .when(assign(&["chen", "chen"]))
            .then_refused(&TOO_FEW_INVESTIGATORS);
        an_opened_case()
            .when(assign(&["lin", "chen"]))
            .then([super::super::fixture::assigned(&["chen", "lin"])])
            .when(assign(&["chen", "lin"]))
            .then_already();
    }

    #[test]
    fn nobody_who_is_recused_investigates() {
        let refusal = an_opened_case()
            .events([declared("wu")])
            .when(assign(&["accused", "chen", "reporter", "wu"]))
            .then_refused(&INVESTIGATOR_RECUSED);
        let fields: Vec<_> = refusal
            .violations
            .iter()
            .map(|v| v.field.as_str())
            .collect();
        let expected = ["investigators[0]", "investigators[2]", "investigators[3]"];
        assert_eq!(fields, expected);
    }

    #[test]
    fn investigators_change_only_before_findings_are_proposed() {
        an_investigated_case()
            .when(assign(&["wu", "zhou"]))
            .then([super::super::fixture::assigned(&["wu", "zhou"])]);
        a_proposed_case()
            .when(assign(&["wu", "zhou"]))
            .then_refused(&FINDINGS_PROPOSED);
    }

    #[test]
    fn recused_actors_are_refused_everything_also_reads() {
        for name in ["accused", "reporter", "wu"] {
            for command in [record(), Command::ApproveFindings, assign(&["chen", "lin"])] {
                a_proposed_case()
                    .events([declared("wu")])
                    .actor(supervisor(name))
                    .when(command)
                    .then_refused(&RECUSED);
            }
            let case = a_proposed_case()
                .events([declared("wu")])
                .actor(supervisor(name));
            let reads = Case::admit(case.state(), &case.context().visitor());
            assert_eq!(reads, Err(RECUSED), "{name}");
        }
    }

    #[test]
    fn a_unit_acts_on_its_own_cases_and_those_below() {
        let of = |unit: &str| Actor {
            unit: unit.parse().expect("a unit code"),
            ..actor("somebody", Role::Supervisor)
        };
        for (unit, admitted) in [("P51", true), ("P51-01", true), ("P51-01-01", false)] {
            let case = an_opened_case().actor(of(unit));
            let answer = Case::admit(case.state(), &case.context().visitor());
            let expected = if admitted { Ok(()) } else { Err(OUT_OF_SCOPE) };
            assert_eq!(answer, expected, "{unit}");
        }
    }

    #[test]
    fn who_has_a_conflict_in_clearing_a_name_is_recused_from_the_case() {
        let conflict = || Command::RecuseFromCase {
            recusal: Recusal {
                actors: [actor_id("chen")].into(),
                ..Recusal::default()
            },
        };
        let (_, after) = a_proposed_case()
            .actor(service())
            .when(conflict())
            .accepted();
        let of = after.clone().actor(investigator("chen"));
        let reads = Case::admit(of.state(), &of.context().visitor());
        assert_eq!(reads, Err(RECUSED));
        after.when(conflict()).then_already();
        chassis::testing::given::<Case>()
            .actor(service())
            .when(conflict())
            .then_not_yet();
    }

    #[test]
    fn whoever_declares_a_conflict_is_recused_from_then_on() {
        let declare = Command::DeclareConflict { reason: id(TEXT) };
        an_investigated_case()
            .actor(investigator("chen"))
            .when(declare)
            .then([declared("chen")])
            .when(record())
            .then_refused(&RECUSED);
    }

    #[test]
    fn only_an_assigned_investigator_records_evidence() {
        let (events, after) = an_investigated_case()
            .actor(investigator("lin"))
            .when(record())
            .accepted();
        let Some(Event::EvidenceRecorded(recorded)) = events.first() else {
            panic!("evidence was recorded, not {events:?}");
        };
        assert_eq!(recorded.by, actor_id("lin"));
        assert_eq!(recorded.items[0].description, text(TEXT));
        after.when(record()).then_already();

        for name in ["wu", "supervisor-1"] {
            an_investigated_case()
                .actor(investigator(name))
                .when(record())
                .then_refused(&NOT_INVESTIGATOR);
        }
        an_opened_case()
            .actor(investigator("chen"))
            .when(record())
            .then_refused(&NOT_INVESTIGATOR);
    }

    #[test]
    fn who_was_replaced_records_nothing_more() {
        an_investigated_case()
            .events([super::super::fixture::assigned(&["wu", "zhou"])])
            .actor(investigator("chen"))
            .when(record())
            .then_refused(&NOT_INVESTIGATOR);
    }

    #[test]
    fn evidence_is_not_from_the_future() {
        let item = EvidenceItem {
            obtained_on: jiff::civil::date(2026, 3, 10),
            ..evidence_item()
        };
        let refusal = an_investigated_case()
            .actor(investigator("chen"))
            .when(Command::RecordEvidence {
                items: vec![evidence_item(), item],
            })
            .then_refused(&OBTAINED_LATER);
        assert_eq!(refusal.violations[0].field, "evidence[1].obtained_on");
    }

    #[test]
    fn no_evidence_while_findings_wait_or_the_case_is_suspended() {
        a_proposed_case()
            .actor(investigator("chen"))
            .when(record())
            .then_refused(&FINDINGS_PROPOSED);
        an_investigated_case()
            .events([Suspended {
                reason: "illness".to_owned(),
                days_left: 60,
            }])
            .actor(investigator("chen"))
            .when(record())
            .then_refused(&SUSPENDED);
    }
}

//! Who plays which part in a replay: automation that registers, submits and tells sanctions, intake officers, investigators, supervisors, an auditor who
//! only reads; and after a conclusion a screener of each department, clarification officers, personnel officers, follow-up officers.
//!
//! Whose turn it is follows from the case's reference alone. A request id belongs to one actor for ever, so a replay that is run again
//! must send the same actor to the same step; a turn that went round by chance, or by who is free, would be refused.

use std::collections::BTreeSet;
use std::fmt;

use office::{Actor, ActorId, Department, Role, UnitCode, natural_id};

#[cfg(test)]
mod tests;

/// With fewer people than this a register is not replayed: four eyes would be the same eyes.
pub const AT_LEAST: usize = 10;
/// How many investigators a case gets.
pub const TEAM: usize = 2;

/// How many of each are made where no tokens are given.
const INTAKE_OFFICERS: usize = 3;
const INVESTIGATORS: usize = 6;
const SUPERVISORS: usize = 3;
const CLARIFICATION_OFFICERS: usize = 3;
const PERSONNEL_OFFICERS: usize = 2;
const FOLLOW_UP_OFFICERS: usize = 4;

/// How many visit a person.
pub const VISITORS: usize = 2;

/// The people and machines of a replay.
#[derive(Debug, Clone)]
pub struct Cast {
    unit: UnitCode,
    registrar: Actor,
    teller: Actor,
    auditor: Actor,
    intake: Intake,
    investigators: Vec<Actor>,
    supervisors: Vec<Actor>,
    screeners: Screeners,
    clarification_officers: Vec<Actor>,
    personnel_officers: Vec<Actor>,
    follow_up_officers: Vec<Actor>,
}

/// Where intake officers come from.
#[derive(Debug, Clone)]
enum Intake {
    /// Made for the unit where a report lies.
    Made,
    /// Those that have a token.
    Given(Vec<Actor>),
}

/// Where screeners come from. Which departments there are the policy profile says, so they are asked for one by one.
#[derive(Debug, Clone)]
enum Screeners {
    /// Made for each department.
    Made,
    /// Those of the unit that have a token.
    Given(Vec<Actor>),
}

/// What a register leads to after its conclusions, as far as it takes people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    /// It clears names.
    pub clearing: bool,
    /// It sanctions persons.
    pub sanctions: bool,
}

/// Why those who have tokens cannot replay a register.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CastFault {
    /// What is missing.
    pub lacks: Vec<String>,
}

impl fmt::Display for CastFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "these tokens cannot play all parts of a replay; add what is missing: {}",
            self.lacks.join("; ")
        )
    }
}

impl Cast {
    /// A cast made up for a handling unit; whoever holds the signing key can mint its tokens.
    #[must_use]
    pub fn made(unit: &UnitCode) -> Self {
        let several = |role: Role, count: usize| {
            let numbers = 1..=count;
            numbers
                .map(|number| made_actor(role, number, unit))
                .collect()
        };
        Self {
            unit: unit.clone(),
            registrar: made_actor(Role::Automation, 1, unit),
            teller: made_actor(Role::Automation, 1, unit),
            auditor: made_actor(Role::Auditor, 1, unit),
            intake: Intake::Made,
            investigators: several(Role::Investigator, INVESTIGATORS),
            supervisors: several(Role::Supervisor, SUPERVISORS),
            screeners: Screeners::Made,
            clarification_officers: several(Role::ClarificationOfficer, CLARIFICATION_OFFICERS),
            personnel_officers: several(Role::PersonnelOfficer, PERSONNEL_OFFICERS),
            follow_up_officers: several(Role::FollowUpOfficer, FOLLOW_UP_OFFICERS),
        }
    }

    /// A cast of those who have tokens.
    ///
    /// # Errors
    /// A part that nobody can play, a team that nobody could approve, or fewer than [`AT_LEAST`] actors; all told at once.
    pub fn given(unit: &UnitCode, actors: Vec<Actor>, parts: Parts) -> Result<Self, CastFault> {
        let mut actors = actors;
        actors.sort_by(|one, other| one.id.cmp(&other.id));
        actors.dedup_by(|one, other| one.id == other.id);
        let with = |role: Role| -> Vec<Actor> {
            let having = actors.iter().filter(|actor| actor.has(role));
            having.cloned().collect()
        };
        let of_unit = |role: Role| -> Vec<Actor> {
            let mut having = with(role);
            having.retain(|actor| actor.unit == *unit);
            having
        };

        let mut lacks = Vec::new();
        if actors.len() < AT_LEAST {
            lacks.push(format!(
                "{} actors are too few, it takes {AT_LEAST}",
                actors.len()
            ));
        }
        let investigators = of_unit(Role::Investigator);
        let supervisors = of_unit(Role::Supervisor);
        let intake = with(Role::IntakeOfficer);
        if investigators.len() < TEAM {
            lacks.push(format!("{TEAM} investigators of unit {unit}"));
        }
        if supervisors.is_empty() {
            lacks.push(format!("a supervisor of unit {unit}"));
        }
        if intake.is_empty() {
            lacks.push("an intake officer".to_owned());
        }
        let screeners = of_unit(Role::Screener);
        let clarification_officers = of_unit(Role::ClarificationOfficer);
        let personnel_officers = of_unit(Role::PersonnelOfficer);
        let follow_up_officers = of_unit(Role::FollowUpOfficer);
        if parts.clearing {
            let needed = [
                (&screeners, "screeners, one of each department,"),
                (&clarification_officers, "a clarification officer"),
                (&personnel_officers, "a personnel officer"),
            ];
            let missing = needed.iter().filter(|(having, _)| having.is_empty());
            lacks.extend(missing.map(|(_, who)| format!("{who} of unit {unit}")));
        }
        if parts.sanctions && follow_up_officers.len() < VISITORS {
            lacks.push(format!("{VISITORS} follow-up officers of unit {unit}"));
        }
        let machines = with(Role::Automation);
        // What was decided elsewhere is told by a machine and nobody else, at the unit of the case.
        let only_machine = |actor: &&Actor| actor.roles.len() == 1 && actor.unit == *unit;
        let teller = machines.iter().find(only_machine).cloned();
        if parts.sanctions && teller.is_none() {
            lacks.push(format!("an automation of unit {unit} with no other role"));
        }
        let registrar = machines.into_iter().next();
        if registrar.is_none() {
            lacks.push("an automation".to_owned());
        }
        let auditor = with(Role::Auditor).into_iter().next();
        if auditor.is_none() {
            lacks.push("an auditor".to_owned());
        }
        let (Some(registrar), Some(auditor), true) = (registrar, auditor, lacks.is_empty()) else {
            return Err(CastFault { lacks });
        };
        let cast = Self {
            unit: unit.clone(),
            teller: teller.unwrap_or_else(|| registrar.clone()),
            registrar,
            auditor,
            intake: Intake::Given(intake),
            investigators,
            supervisors,
            screeners: Screeners::Given(screeners),
            clarification_officers,
            personnel_officers,
            follow_up_officers,
        };
        match cast.team_without_approver() {
            None => Ok(cast),
            Some(team) => Err(CastFault {
                lacks: vec![format!(
                    "a supervisor of unit {unit} who may approve what {} investigated",
                    team.join(" and ")
                )],
            }),
        }
    }

    /// A team that each supervisor is in.
    fn team_without_approver(&self) -> Option<Vec<String>> {
        let teams = (0..self.investigators.len()).map(|first| self.team_from(first));
        let mut teams = teams.map(|team| ids(&team));
        teams
            .find(|team| self.approver("", team).is_none())
            .map(|team| team.into_iter().collect())
    }

    /// The unit that handles the register's cases.
    #[must_use]
    pub fn unit(&self) -> &UnitCode {
        &self.unit
    }

    /// Everybody who is known before the first report has come in.
    pub fn everybody(&self) -> impl Iterator<Item = &Actor> {
        let given: &[Actor] = match &self.intake {
            Intake::Made => &[],
            Intake::Given(officers) => officers,
        };
        [&self.registrar, &self.teller, &self.auditor]
            .into_iter()
            .chain(given)
            .chain(&self.investigators)
            .chain(&self.supervisors)
            .chain(match &self.screeners {
                Screeners::Made => &[],
                Screeners::Given(screeners) => screeners.as_slice(),
            })
            .chain(&self.clarification_officers)
            .chain(&self.personnel_officers)
            .chain(&self.follow_up_officers)
    }

    /// The machine that registers subjects and submits reports. One for all: a report's id rests on it.
    #[must_use]
    pub fn registrar(&self) -> &Actor {
        &self.registrar
    }

    /// The machine that tells sanctions, which were decided where the register comes from.
    #[must_use]
    pub fn teller(&self) -> &Actor {
        &self.teller
    }

    /// Who reads.
    #[must_use]
    pub fn auditor(&self) -> &Actor {
        &self.auditor
    }

    /// The officer who decides on this report, which lies at a unit; `None` if nobody there has a token.
    #[must_use]
    pub fn intake_officer(&self, reference: &str, lies_at: &UnitCode) -> Option<Actor> {
        match &self.intake {
            Intake::Made => {
                let number = 1 + turn("intake", reference) % INTAKE_OFFICERS;
                Some(made_actor(Role::IntakeOfficer, number, lies_at))
            }
            Intake::Given(officers) => {
                let there: Vec<_> = officers
                    .iter()
                    .filter(|officer| officer.unit == *lies_at)
                    .collect();
                let at = turn("intake", reference).checked_rem(there.len())?;
                there.get(at).map(|officer| (*officer).clone())
            }
        }
    }

    /// The investigators whose turn it is, in the order of their ids.
    #[must_use]
    pub fn team(&self, reference: &str) -> Vec<Actor> {
        self.team_from(turn("team", reference) % self.investigators.len().max(1))
    }

    fn team_from(&self, first: usize) -> Vec<Actor> {
        let turns = self.investigators.iter().cycle().skip(first).take(TEAM);
        let mut team: Vec<Actor> = turns.cloned().collect();
        team.sort_by(|one, other| one.id.cmp(&other.id));
        team
    }

    /// The supervisor who assigns the investigators.
    #[must_use]
    pub fn assigner(&self, reference: &str) -> Option<Actor> {
        in_turn(&self.supervisors, "supervisor", reference)
    }

    /// A supervisor who is not in the team; where there is a choice, not the one who assigned it either.
    #[must_use]
    pub fn approver(&self, reference: &str, team: &BTreeSet<String>) -> Option<Actor> {
        let start = turn("supervisor", reference);
        let turns = 1..=self.supervisors.len();
        let in_turn = turns.filter_map(|next| {
            let at = (start + next).checked_rem(self.supervisors.len())?;
            self.supervisors.get(at)
        });
        in_turn
            .into_iter()
            .find(|supervisor| !team.contains(supervisor.id.as_str()))
            .cloned()
    }

    /// The screener of a department; `None` if nobody of it has a token.
    #[must_use]
    pub fn screener(&self, department: &Department) -> Option<Actor> {
        match &self.screeners {
            Screeners::Made => Some(made_screener(department, &self.unit)),
            Screeners::Given(screeners) => {
                let mut screeners = screeners.iter();
                let of_it = |screener: &&Actor| screener.department.as_ref() == Some(department);
                screeners.find(of_it).cloned()
            }
        }
    }

    /// The officer who hears a subject of this case, decides the form, drafts and carries out.
    #[must_use]
    pub fn clarification_officer(&self, reference: &str) -> Option<Actor> {
        in_turn(&self.clarification_officers, "clarification", reference)
    }

    /// The supervisor who approves what this officer drafted: another person.
    #[must_use]
    pub fn clearing_approver(&self, reference: &str, officer: &Actor) -> Option<Actor> {
        self.approver(reference, &BTreeSet::from([officer.id.to_string()]))
    }

    /// Who takes note for the organisation department.
    #[must_use]
    pub fn personnel_officer(&self, reference: &str) -> Option<Actor> {
        in_turn(&self.personnel_officers, "personnel", reference)
    }

    /// Those who visit a person, in the order of their ids; the first records it.
    #[must_use]
    pub fn visitors(&self, reference: &str) -> Vec<Actor> {
        let first = turn("visitors", reference)
            .checked_rem(self.follow_up_officers.len())
            .unwrap_or_default();
        let turns = self.follow_up_officers.iter().cycle().skip(first);
        let mut visitors: Vec<Actor> = turns.take(VISITORS).cloned().collect();
        visitors.sort_by(|one, other| one.id.cmp(&other.id));
        visitors
    }

    /// The actor of this id, if they investigate.
    #[must_use]
    pub fn investigator(&self, id: &str) -> Option<&Actor> {
        self.investigators
            .iter()
            .find(|actor| actor.id.as_str() == id)
    }
}

/// The ids of these actors.
#[must_use]
pub fn ids(actors: &[Actor]) -> BTreeSet<String> {
    actors.iter().map(|actor| actor.id.to_string()).collect()
}

/// Called `replay/P51-01/investigator-3`: journals keep it for ever, so it says where it comes from.
fn made_actor(role: Role, number: usize, unit: &UnitCode) -> Actor {
    let word = role.word().replace('_', "-");
    let id = ActorId::new(format!("replay/{unit}/{word}-{number}"));
    Actor {
        id: id
            .expect("a unit's code has at most 64 characters, all of which an actor's id may have"),
        unit: unit.clone(),
        department: None,
        roles: BTreeSet::from([role]),
        on_behalf_of: None,
    }
}

/// Called `replay/P51-01/screener-petitions`.
fn made_screener(department: &Department, unit: &UnitCode) -> Actor {
    let id = ActorId::new(format!("replay/{unit}/screener-{department}"));
    Actor {
        id: id.expect(
            "the codes of a unit and a department have at most 64 characters each, all of which an actor's id may have",
        ),
        unit: unit.clone(),
        department: Some(department.clone()),
        roles: BTreeSet::from([Role::Screener]),
        on_behalf_of: None,
    }
}

fn in_turn(actors: &[Actor], part: &str, reference: &str) -> Option<Actor> {
    let at = turn(part, reference).checked_rem(actors.len())?;
    actors.get(at).cloned()
}

/// Whose turn it is: a number that follows from a reference, and differs from part to part.
fn turn(part: &str, reference: &str) -> usize {
    let drawn = natural_id("replay.turn", &[part.as_bytes(), reference.as_bytes()]);
    let [first, second, ..] = *drawn.as_bytes();
    usize::from(u16::from_be_bytes([first, second]))
}

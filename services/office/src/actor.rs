//! Who acts. Every call carries an actor: an id, a unit, perhaps a department, and roles. A role permits commands (the
//! table in the policy profile), the unit limits them; see `domain.md`, Actors.
//!
//! An actor's JSON is stored with every event of every journal and is hashed there: its bytes are a contract.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::code::code;
use crate::unit::UnitCode;

/// What the id of a service starts with. No person's id does.
const SERVICE: &str = "service:";

code! {
    /// The id of an actor: a person's as their identity provider knows them, or `service:<name>`, which is reserved
    /// for services.
    ActorId, "actor id", 1..=128 of "A-Z a-z 0-9 . _ : @ / -" also b"._:@/-"
}

code! {
    /// The code of a department within a unit, such as `petitions` or `case_supervision`.
    Department, "department", 1..=64 of "A-Z a-z 0-9 . _ -" also b"._-"
}

impl ActorId {
    /// Whether it is of the form that is reserved for services.
    pub fn is_service(&self) -> bool {
        self.as_str().starts_with(SERVICE)
    }
}

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident = $word:literal,)*) => {
        /// What an actor may be. The order is that of their storage: a new role is added at the end.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Role {
            $($(#[$doc])* #[serde(rename = $word)] $role,)*
        }

        impl Role {
            /// All roles, in their order.
            pub const ALL: &'static [Role] = &[$(Role::$role),*];

            /// The role's word, the same in tokens, policy files, journals and messages.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Role::$role => $word,)*
                }
            }
        }
    };
}

roles! {
    /// Receives reports and decides on them (triage).
    IntakeOfficer = "intake_officer",
    /// Assigns, returns, approves; never what they investigated themselves.
    Supervisor = "supervisor",
    /// Gathers evidence and proposes findings.
    Investigator = "investigator",
    /// Gives a department's opinion in the joint screening of a clarification.
    Screener = "screener",
    /// Prepares and carries out clarifications.
    ClarificationOfficer = "clarification_officer",
    /// Visits those who were sanctioned, and keeps their files.
    FollowUpOfficer = "follow_up_officer",
    /// Confirms clarifications for the organisation department.
    PersonnelOfficer = "personnel_officer",
    /// Opens sealed identities, with a reason and a second approver.
    Custodian = "custodian",
    /// Reads everything but identities, changes nothing.
    Auditor = "auditor",
    /// A machine of the office's own: enters what needs no judgement.
    Automation = "automation",
    /// Anyone: submits a report, uses a receipt code, nothing else.
    Public = "public",
    /// One of the services, acting by a reaction or a clock.
    Service = "service",
    /// Keeps the machinery running: held events, journals, the clock of tests and replays. Decides nothing on a matter.
    Operator = "operator",
}

impl Role {
    /// Whether the unit of an actor limits what the role may act on. Not so for those that are bound by something else:
    /// an auditor by changing nothing, a service by the decision that it follows, an operator by touching no matter,
    /// the public by the receipt code.
    pub const fn is_bound_by_unit(self) -> bool {
        !matches!(
            self,
            Role::Auditor | Role::Service | Role::Operator | Role::Public
        )
    }
}

/// A word that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: expected one of {roles}", roles = Role::ALL.iter().map(|role| role.word()).collect::<Vec<_>>().join(", "))]
pub struct UnknownRole(pub String);

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        let role = Role::ALL.iter().find(|role| role.word() == word);
        role.copied()
            .ok_or_else(|| UnknownRole(word.chars().take(64).collect()))
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// Who it is. Four eyes and recusal compare this.
    pub id: ActorId,
    /// The unit that they belong to; [`UnitCode::none`] for services and the public.
    pub unit: UnitCode,
    /// Their department within the unit, where one matters (joint screening).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<Department>,
    /// What they may be; never empty for an actor that may do anything.
    pub roles: BTreeSet<Role>,
    /// For a service: the actor whose doing led to this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<ActorId>,
}

/// What is wrong with an actor as a token describes them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActorFault {
    /// A person's token with an id that is reserved for services.
    #[error("the id {0} is reserved for services, but the role service is missing")]
    ReservedId(ActorId),
    /// A service that is called otherwise.
    #[error("an actor with the role service has an id of the form service:<name>, not {0}")]
    ServiceId(ActorId),
    /// A service that would also be something else.
    #[error("the role service goes with no other role")]
    ServiceWithRoles,
    /// Nobody in particular.
    #[error("an actor has at least one role")]
    NoRole,
}

impl Actor {
    /// A service of the given name, perhaps on behalf of the actor whose doing it follows.
    ///
    /// Characters that an actor's id may not have are written as `-`, so that this cannot fail.
    pub fn service(name: &str, on_behalf_of: Option<ActorId>) -> Actor {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        };
        let name: String = name.chars().take(100).map(plain).collect();
        Actor {
            id: ActorId(format!("{SERVICE}{name}")),
            unit: UnitCode::none(),
            department: None,
            roles: BTreeSet::from([Role::Service]),
            on_behalf_of,
        }
    }

    /// Whether they have the role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether it is a service: by its id and its role. [`Actor::check`] holds both together.
    pub fn is_service(&self) -> bool {
        self.id.is_service() && self.has(Role::Service)
    }

    /// Who is behind what this actor does: the actor on whose behalf a service acts, or the actor itself; `None` for a
    /// service that acts by itself, such as for a clock.
    pub fn behind(&self) -> Option<&ActorId> {
        self.on_behalf_of
            .as_ref()
            .or_else(|| (!self.is_service()).then_some(&self.id))
    }

    /// Checks what a token says before anything trusts it: the ids of services are theirs alone.
    ///
    /// # Errors
    /// The first thing that does not fit together.
    pub fn check(&self) -> Result<(), ActorFault> {
        match (self.id.is_service(), self.has(Role::Service)) {
            (true, false) => Err(ActorFault::ReservedId(self.id.clone())),
            (false, true) => Err(ActorFault::ServiceId(self.id.clone())),
            (true, true) if self.roles.len() > 1 => Err(ActorFault::ServiceWithRoles),
            _ if self.roles.is_empty() => Err(ActorFault::NoRole),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn officer() -> Actor {
        Actor {
            id: ActorId::new("li.wei@example.org").expect("a valid id"),
            unit: UnitCode::new("P51-01").expect("a valid code"),
            department: Some(Department::new("petitions").expect("a valid code")),
            roles: BTreeSet::from([Role::Supervisor, Role::IntakeOfficer]),
            on_behalf_of: None,
        }
    }

    #[test]
    fn an_actors_json_is_a_stored_contract() {
        let json = serde_json::to_string(&officer()).expect("an actor is JSON");
        assert_eq!(
            json,
            r#"{"id":"li.wei@example.org","unit":"P51-01","department":"petitions","roles":["intake_officer","supervisor"]}"#
        );
        assert_eq!(
            serde_json::from_str::<Actor>(&json).expect("and back"),
            officer()
        );

        let service = Actor::service("intake", Some(officer().id));
        let json = serde_json::to_string(&service).expect("an actor is JSON");
        assert_eq!(
            json,
            r#"{"id":"service:intake","unit":"-","roles":["service"],"on_behalf_of":"li.wei@example.org"}"#
        );
        assert_eq!(
            serde_json::from_str::<Actor>(&json).expect("and back"),
            service
        );
    }

    #[test]
    fn the_order_of_roles_is_a_stored_contract() {
        let words: Vec<_> = Role::ALL.iter().map(|role| role.word()).collect();
        assert_eq!(
            words,
            [
                "intake_officer",
                "supervisor",
                "investigator",
                "screener",
                "clarification_officer",
                "follow_up_officer",
                "personnel_officer",
                "custodian",
                "auditor",
                "automation",
                "public",
                "service",
                "operator",
            ]
        );
        assert!(Role::ALL.is_sorted());
    }

    #[test]
    fn a_role_has_the_same_word_everywhere() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(*role));
            let json = serde_json::to_string(role).expect("a role is JSON");
            assert_eq!(json, format!("{:?}", role.word()));
        }
        let fault = "chief".parse::<Role>().expect_err("no such role");
        assert!(fault.to_string().contains("intake_officer, supervisor"));
    }

    #[test]
    fn the_ids_of_services_are_theirs_alone() {
        assert_eq!(officer().check(), Ok(()));
        assert_eq!(Actor::service("intake", None).check(), Ok(()));

        let posing = Actor {
            id: Actor::service("intake", None).id,
            ..officer()
        };
        assert!(matches!(posing.check(), Err(ActorFault::ReservedId(_))));
        assert!(!posing.is_service());

        let mut promoted = officer();
        promoted.roles.insert(Role::Service);
        assert!(matches!(promoted.check(), Err(ActorFault::ServiceId(_))));
        assert!(!promoted.is_service());

        let mut mixed = Actor::service("intake", None);
        mixed.roles.insert(Role::Supervisor);
        assert_eq!(mixed.check(), Err(ActorFault::ServiceWithRoles));

        let nobody = Actor {
            roles: BTreeSet::new(),
            ..officer()
        };
        assert_eq!(nobody.check(), Err(ActorFault::NoRole));
    }

    #[test]
    fn an_actor_id_is_short_plain_text() {
        assert!(ActorId::new("a".repeat(128)).is_ok());
        for bad in ["", "li wei", "李伟", "a\n", &"a".repeat(129)] {
            assert!(ActorId::new(bad).is_err(), "{bad:?}");
            let json = serde_json::to_string(bad).expect("a text is JSON");
            assert!(serde_json::from_str::<ActorId>(&json).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn whatever_its_name_a_service_has_a_valid_id() {
        for name in ["follow-up", "", "a b/ü", &"x".repeat(500)] {
            let id = Actor::service(name, None).id;
            assert_eq!(ActorId::new(id.as_str()), Ok(id.clone()));
        }
    }
}

//! Who acts, as `--as` says it: `ROLE[@UNIT][/DEPARTMENT][=ACTORID]`.

use std::collections::BTreeSet;
use std::str::FromStr;

use office::{Actor, ActorId, Department, Role, UnitCode};

/// What `--as` said; what it left out is made up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// In which role.
    pub role: Role,
    /// Of which unit.
    pub unit: Option<UnitCode>,
    /// Of which department.
    pub department: Option<Department>,
    /// Under which id.
    pub id: Option<ActorId>,
}

impl Who {
    /// Somebody in this role.
    pub fn of(role: Role) -> Self {
        Self {
            role,
            unit: None,
            department: None,
            id: None,
        }
    }

    /// The actor: of the given unit if none was said, called by the role and a one (`intake-officer-1`) if no id was.
    pub fn actor(&self, unit: &UnitCode) -> Actor {
        Actor {
            id: self.id.clone().unwrap_or_else(|| numbered(self.role, 1)),
            unit: self.unit.clone().unwrap_or_else(|| match self.role {
                Role::Public => UnitCode::none(),
                _ => unit.clone(),
            }),
            department: self.department.clone(),
            roles: BTreeSet::from([self.role]),
            on_behalf_of: None,
        }
    }
}

/// The id of the n-th made-up actor of a role, such as `investigator-2`.
pub fn numbered(role: Role, number: usize) -> ActorId {
    ActorId::new(format!("{}-{number}", role.word().replace('_', "-")))
        .expect("a role's word, a hyphen and a number are an actor id")
}

impl FromStr for Who {
    type Err = String;

    /// The id comes last and may itself hold `@` and `/`, as those of identity providers do.
    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, id) = match text.split_once('=') {
            Some((rest, id)) => (rest, Some(code(id)?)),
            None => (text, None),
        };
        let (rest, department) = match rest.split_once('/') {
            Some((rest, department)) => (rest, Some(code(department)?)),
            None => (rest, None),
        };
        let (role, unit) = match rest.split_once('@') {
            Some((role, unit)) => (role, Some(code(unit)?)),
            None => (rest, None),
        };
        Ok(Self {
            role: self::role(role)?,
            unit,
            department,
            id,
        })
    }
}

fn code<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: ToString,
{
    text.parse().map_err(|fault: T::Err| fault.to_string())
}

/// A role by its word; hyphens are as good as underscores.
///
/// # Errors
/// When it is no role, with all that are.
pub fn role(word: &str) -> Result<Role, String> {
    code(&word.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(text: &str) -> Who {
        text.parse().expect(text)
    }

    #[test]
    fn a_role_alone_makes_up_the_rest() {
        let unit = UnitCode::new("N").expect("a code");
        let actor = who("intake-officer").actor(&unit);
        assert_eq!(actor.id.as_str(), "intake-officer-1");
        assert_eq!(actor.unit, unit);
        assert_eq!(actor.roles, BTreeSet::from([Role::IntakeOfficer]));
        assert_eq!(actor.department, None);
        assert_eq!(actor.check(), Ok(()));
    }

    #[test]
    fn the_public_belongs_to_no_unit() {
        let unit = UnitCode::new("N").expect("a code");
        assert!(who("public").actor(&unit).unit.is_none());
    }

    #[test]
    fn every_part_can_be_said() {
        let said = who("screener@P51-01/case_supervision=li@example.org/x");
        assert_eq!(said.role, Role::Screener);
        assert_eq!(said.unit.expect("a unit").as_str(), "P51-01");
        assert_eq!(
            said.department.expect("a department").as_str(),
            "case_supervision"
        );
        assert_eq!(said.id.expect("an id").as_str(), "li@example.org/x");
    }

    #[test]
    fn the_id_may_follow_the_role_at_once() {
        let said = who("supervisor=wang");
        assert_eq!(
            (said.unit, said.id.expect("an id").as_str()),
            (None, "wang")
        );
    }

    #[test]
    fn what_is_no_role_is_told_with_all_that_are() {
        let fault = "boss@N".parse::<Who>().expect_err("no role");
        assert!(
            fault.contains("boss") && fault.contains("supervisor"),
            "{fault}"
        );
        assert!("supervisor@".parse::<Who>().is_err());
        assert!("supervisor=".parse::<Who>().is_err());
    }
}

//! What every method that only asks needs: reading ids and pages, saying what is wrong with them, and knowing how far
//! the actor's lists and counts may reach; and the order of what they are told of counts.
//!
//! A single aggregate admits its visitor; a list cannot ask each, so its rows carry what `admit` looks at, and its query
//! restricts them to a [`Reach`]. A page asks for one row more than it shows: whether that comes says whether there is a
//! next page ([`Page::cut`]).

use std::collections::BTreeMap;

use jiff::civil::Date;
use office::{Actor, Profile, UnitCode};
use tonic::Status;
use uuid::Uuid;

use crate::recusal::Mark;
use crate::refusal::{Refusal, UNAVAILABLE, Violation};
use crate::secrets::Secrets;

/// How many lines a page has if the caller does not say.
const PAGE: i32 = 50;
/// How many lines a page has at most.
const LONGEST_PAGE: i32 = 200;

/// A field of a question that breaks a rule, as a status.
pub fn invalid(field: &str, description: &str) -> Status {
    Refusal::invalid(vec![Violation {
        field: field.to_owned(),
        description: description.to_owned(),
    }])
    .status()
}

/// The database did not answer, as a status.
pub fn unavailable(error: sqlx::Error) -> Status {
    UNAVAILABLE.with_note(error).status()
}

/// An id of its own type.
///
/// # Errors
/// A status that names the field.
pub fn id<I: From<Uuid>>(field: &str, value: &str) -> Result<I, Status> {
    let id = Uuid::parse_str(value).map_err(|_| invalid(field, "must be a UUID"))?;
    Ok(id.into())
}

/// An id of its own type; `None` if empty.
///
/// # Errors
/// A status that names the field.
pub fn optional_id<I: From<Uuid>>(field: &str, value: &str) -> Result<Option<I>, Status> {
    if value.is_empty() {
        return Ok(None);
    }
    id(field, value).map(Some)
}

/// A day; `None` if empty.
///
/// # Errors
/// A status that names the field.
pub fn optional_date(field: &str, value: &str) -> Result<Option<Date>, Status> {
    if value.is_empty() {
        return Ok(None);
    }
    let day = value.parse();
    day.map(Some)
        .map_err(|_| invalid(field, "must be an ISO date such as 2026-03-09"))
}

/// A page of a list: how many lines it shows, and after which it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<T> {
    size: usize,
    /// The last line of the page before; `None` for the first page.
    pub after: Option<T>,
}

impl<T> Page<T> {
    /// As a caller asks for it; `read` reads the token that an earlier page gave.
    ///
    /// # Errors
    /// A status that names the field.
    pub fn asked(
        size: i32,
        token: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Self, Status> {
        let size = match size {
            0 => PAGE,
            given => given.min(LONGEST_PAGE),
        };
        let size =
            usize::try_from(size).map_err(|_| invalid("page_size", "must not be negative"))?;
        let after = match token {
            "" => None,
            token => {
                let read = read(token);
                Some(read.ok_or_else(|| {
                    invalid("page_token", "must be one that an earlier page gave")
                })?)
            }
        };
        Ok(Self { size, after })
    }

    /// How many rows the query fetches: one more than the page shows.
    pub fn most(&self) -> i64 {
        i64::try_from(self.size + 1).unwrap_or(i64::MAX)
    }

    /// The rows that the page shows, and the token of the next one, which is empty if this is the last.
    pub fn cut<R>(&self, mut rows: Vec<R>, token: impl FnOnce(&R) -> String) -> (Vec<R>, String) {
        if rows.len() <= self.size {
            return (rows, String::new());
        }
        rows.truncate(self.size);
        let next = rows.last().map(token).unwrap_or_default();
        (rows, next)
    }
}

/// How far an actor's lists and counts reach: the same as what `admit` lets them see one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The codes of the units whose things they see; `None` for all.
    pub units: Option<Vec<String>>,
    /// The actor's id, by which they may be recused.
    pub actor: String,
    /// The mark that the actor would have as a reporter.
    pub mark: String,
}

impl Reach {
    /// That of an actor.
    pub fn of(actor: &Actor, profile: &Profile, secrets: &Secrets) -> Self {
        // As in `Visitor::within`; and whoever is in scope where there is no unit is bound by none.
        let everywhere = actor.is_service() || profile.in_scope(actor, &UnitCode::none());
        let units = (!everywhere).then(|| {
            let below = profile.units.below(&actor.unit);
            below.iter().map(|unit| unit.code.to_string()).collect()
        });
        Self {
            units,
            actor: actor.id.to_string(),
            mark: Mark::of_reporter(secrets, &actor.id).hexadecimal(),
        }
    }
}

/// What was counted under these keys, in their order, nought where nothing was; behind them what was counted under
/// others, such as a unit's, by their keys.
pub fn figures(
    keys: &[&str],
    counted: impl IntoIterator<Item = (String, i64)>,
) -> Vec<(String, i64)> {
    let mut counted: BTreeMap<String, i64> = counted.into_iter().collect();
    let mut figures: Vec<(String, i64)> = keys
        .iter()
        .map(|key| {
            let count = counted.remove(*key).unwrap_or_default();
            ((*key).to_owned(), count)
        })
        .collect();
    figures.extend(counted);
    figures
}

#[cfg(test)]
mod tests {
    use office::{Policies, Role};
    use tonic::Code;

    use super::*;

    fn asked(size: i32, token: &str) -> Result<Page<i32>, Status> {
        Page::asked(size, token, |token| token.parse().ok())
    }

    fn cut(page: Page<i32>, rows: i32) -> (usize, String) {
        let rows = (1..=rows).collect();
        let (shown, next) = page.cut(rows, i32::to_string);
        (shown.len(), next)
    }

    #[test]
    fn a_page_fetches_one_more_than_it_shows_and_so_knows_whether_there_is_a_next() {
        let page = asked(2, "").expect("a page");
        assert_eq!((page.most(), page.after), (3, None));
        assert_eq!(cut(page, 1), (1, String::new()));
        assert_eq!(cut(page, 2), (2, String::new()));
        assert_eq!(cut(page, 3), (2, "2".to_owned()));
        assert_eq!(asked(2, "2").expect("the next").after, Some(2));
    }

    #[test]
    fn a_page_has_fifty_lines_and_at_most_two_hundred() {
        assert_eq!(asked(0, "").expect("a page").most(), 51);
        assert_eq!(asked(1000, "").expect("a page").most(), 201);
        for (size, token) in [(-1, ""), (0, "x")] {
            let status = asked(size, token).expect_err("it is wrong");
            assert_eq!(status.code(), Code::InvalidArgument);
        }
    }

    #[test]
    fn an_id_that_is_none_is_told_with_its_field() {
        let status = id::<Uuid>("case_id", "42").expect_err("it is none");
        let refusal = Refusal::from_status(&status);
        assert_eq!(refusal.violations[0].field, "case_id");
        assert_eq!(optional_id::<Uuid>("case_id", "").expect("nothing"), None);
    }

    #[test]
    fn figures_come_in_the_order_of_their_keys_and_nought_is_told_too() {
        let counted = [("unit:b", 1), ("cases", 2), ("unit:a", 3)];
        let counted = counted.map(|(key, count)| (key.to_owned(), count));
        let figures = figures(&["reports", "cases"], counted);
        let told: Vec<(&str, i64)> = figures.iter().map(|(key, n)| (key.as_str(), *n)).collect();
        assert_eq!(
            told,
            [("reports", 0), ("cases", 2), ("unit:a", 3), ("unit:b", 1)]
        );
    }

    #[test]
    fn an_actor_reaches_their_unit_and_those_below_an_auditor_all() {
        let policies = Policies::shipped().expect("the shipped policy loads");
        let profile = policies.in_force("2026-03-09T01:00:00Z".parse().expect("a timestamp"));
        let secrets = Secrets::new([7; 32]);
        let reach = |role: Role| {
            let actor = Actor {
                id: "wang".parse().expect("an actor id"),
                unit: "P51-01-01".parse().expect("a unit code"),
                department: None,
                roles: [role].into(),
                on_behalf_of: None,
            };
            Reach::of(&actor, profile, &secrets)
        };
        let units = reach(Role::Supervisor).units.expect("they are bound");
        assert_eq!(units, ["P51-01-01", "P51-01-01-01", "P51-01-01-02"]);
        assert_eq!(reach(Role::Auditor).units, None);
        assert_eq!(reach(Role::Auditor).actor, "wang");
    }
}

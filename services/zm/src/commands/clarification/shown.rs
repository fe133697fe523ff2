//! `zm clarification show`: all that whoever screens, approves or takes note must know, in one place.
//!
//! Reasons and particulars are texts, asked for one by one as the same actor; who may not read texts is told so. The trap:
//! what an officer wrote freely must never look like the statement. Beside the fields it is one line, and the remark
//! stands apart, under a heading that says what it is, with a mark before each of its lines.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use office::Role;
use proto::clarification::{
    BulletinRemoval, Clarification, ClarificationState, DeadlineNotice, GetTextRequest, Opinion,
    Wish,
};
use proto::office::{
    ClarificationForm, ClosingReason, Finding, Harm, HarmDegree, HarmExclusion, HarmReach,
    SubjectKind, TextRef,
};

use super::{documents, get, unmet};
use crate::client::{Clarification as Desk, Unanswered};
use crate::{Context, ids, output, words};

/// Which clarification.
#[derive(Debug, Args)]
pub struct Show {
    /// Its id
    #[arg(value_name = "CLARIFICATION", value_parser = ids::clarification)]
    clarification: String,
}

impl Show {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let found = get(context, &self.clarification, Role::ClarificationOfficer).await?;
        let texts = match context.json {
            true => Texts::default(),
            false => Texts::of(context, &found).await?,
        };
        context.answer(&found, |found| told(found, &texts))
    }
}

/// What a text holds, for whoever asked.
enum Read {
    Said(String),
    Erased,
    NotPermitted,
}

/// The texts of a clarification, by their ids.
#[derive(Default)]
struct Texts(BTreeMap<String, Read>);

impl Texts {
    async fn of(context: &Context, found: &Clarification) -> Result<Self> {
        let wanted = [
            &found.note,
            &found.unreachable,
            &found.form_reason,
            &found.returned,
            &found.place,
            &found.attended,
            &found.published_in,
        ];
        let opinions = found.opinions.iter();
        let wanted = wanted
            .into_iter()
            .chain(opinions.map(|opinion| &opinion.reason));
        let mut texts = BTreeMap::new();
        for wanted in wanted.flatten() {
            let text_id = wanted.text_id.clone();
            texts.insert(text_id.clone(), read(context, text_id).await?);
        }
        Ok(Self(texts))
    }

    /// A text in one line of the fields; nothing where there is none.
    fn line(&self, text: Option<&TextRef>) -> String {
        let Some(text) = text else {
            return String::new();
        };
        match self.0.get(&text.text_id) {
            Some(Read::Said(said)) => plain(&said.split_whitespace().collect::<Vec<_>>().join(" ")),
            Some(Read::Erased) => "(erased)".to_owned(),
            Some(Read::NotPermitted) | None => {
                format!("(text {}, not yours to read)", text.text_id)
            }
        }
    }

    /// The remark beside a statement, marked as what it is.
    fn remark(&self, note: Option<&TextRef>) -> String {
        let Some(note) = note else {
            return "There is no remark beside the statement.".to_owned();
        };
        let heading = "The officer's own remark, which is no part of the statement:";
        let Some(Read::Said(said)) = self.0.get(&note.text_id) else {
            return format!("{heading} {}", self.line(Some(note)));
        };
        let lines = said.lines().map(|line| format!("\n  | {}", plain(line)));
        format!("{heading}{}", lines.collect::<String>())
    }
}

/// A text as the same actor may read it.
async fn read(context: &Context, text_id: String) -> Result<Read> {
    let request = GetTextRequest { text_id };
    let ask = async |mut desk: Desk| desk.get_text(request).await;
    let role = Role::ClarificationOfficer;
    match context.clarification(role, ask).await {
        Ok(answer) if answer.text.is_empty() => Ok(Read::Erased),
        Ok(answer) => Ok(Read::Said(answer.text)),
        Err(refused) if not_permitted(&refused) => Ok(Read::NotPermitted),
        Err(refused) => Err(refused),
    }
}

/// Whether the actor may read no texts at all.
fn not_permitted(refused: &anyhow::Error) -> bool {
    let refused = refused.downcast_ref::<Unanswered>();
    refused.is_some_and(|refused| refused.refusal.code == "NOT_PERMITTED")
}

/// Without what would move the cursor of a terminal.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn told(found: &Clarification, texts: &Texts) -> String {
    let statement = statement(found);
    let remark = match found.statement.is_empty() {
        true => String::new(),
        false => format!("\n\n{}", texts.remark(found.note.as_ref())),
    };
    format!(
        "{}\n\n{}\n\n{}\n\n{statement}{remark}",
        fields(found, texts),
        applications(found),
        opinions(found, texts)
    )
}

fn fields(found: &Clarification, texts: &Texts) -> String {
    let harm = found.harm.clone().unwrap_or_default();
    let ledger = found.ledger.as_ref();
    let because = found.recommended_because.replace('_', " ");
    let recommended = words::word::<ClarificationForm>(found.recommended_form);
    let late = match words::word::<DeadlineNotice>(found.notice).as_str() {
        "" => String::new(),
        notice => format!(" ({notice})"),
    };
    let reminded = match found.notice() {
        DeadlineNotice::Overdue => " (reminded)",
        _ => "",
    };
    let after = |day: &str, more: &str| match day {
        "" => String::new(),
        day => format!("{day}{more}"),
    };
    output::fields(&[
        ("clarification", found.clarification_id.clone()),
        ("matter", found.matter_id.clone()),
        ("subject", found.subject_id.clone()),
        ("kind", words::word::<SubjectKind>(found.subject_kind)),
        ("state", words::word::<ClarificationState>(found.state)),
        ("not met", unmet(&found.unmet)),
        ("unit", found.unit.clone()),
        ("conclusion", found.conclusion.to_string()),
        ("round", round(found.round)),
        ("harm", words::several::<Harm>(&harm.harms)),
        ("degree", words::word::<HarmDegree>(harm.degree)),
        ("reach", words::word::<HarmReach>(harm.reach)),
        (
            "excluded by",
            words::several::<HarmExclusion>(&harm.exclusions),
        ),
        ("missing", found.opinions_missing.join(" ")),
        ("wish", wish(found, texts)),
        ("spoken by", found.spoken_by.clone()),
        ("wanted", words::several::<ClarificationForm>(&found.wanted)),
        (
            "refused",
            words::several::<ClarificationForm>(&found.refused),
        ),
        (
            "recommended",
            match because.as_str() {
                "" => recommended,
                because => format!("{recommended} ({because})"),
            },
        ),
        ("form", words::word::<ClarificationForm>(found.form)),
        ("chosen because", texts.line(found.form_reason.as_ref())),
        ("returned because", texts.line(found.returned.as_ref())),
        ("due on", after(&found.due_on, &late)),
        ("documents", documents(&found.documents)),
        ("earlier documents", documents(&found.earlier_documents)),
        ("carried out on", found.carried_out_on.clone()),
        ("place", texts.line(found.place.as_ref())),
        ("handed over by", found.handed_over_by.clone()),
        ("meeting", found.meeting_id.clone()),
        (
            "attendance",
            match found.attendance {
                0 => String::new(),
                many => many.to_string(),
            },
        ),
        ("attended", texts.line(found.attended.as_ref())),
        ("published in", texts.line(found.published_in.as_ref())),
        ("published until", removals(&found.removals)),
        (
            "to be confirmed by",
            after(&found.confirmation_due_on, reminded),
        ),
        (
            "ledger",
            ledger.map_or_else(String::new, |entry| {
                format!("{} {}, number {}", entry.unit, entry.year, entry.number)
            }),
        ),
        ("source", found.source.clone()),
        ("version", found.version.to_string()),
    ])
}

/// Which time it is, where it was taken up again.
fn round(round: i32) -> String {
    match round {
        0 | 1 => String::new(),
        again => format!("{again} (taken up again)"),
    }
}

/// What the subject wishes, or why nobody can ask them; nothing where nobody is to be asked.
fn wish(found: &Clarification, texts: &Texts) -> String {
    if found.unreachable.is_some() {
        let why = texts.line(found.unreachable.as_ref());
        return format!("unreachable, so the unit decides: {why}");
    }
    let screened = !found.opinions.is_empty() || !found.opinions_missing.is_empty();
    match words::word::<Wish>(found.wish).as_str() {
        "" if screened => "not heard yet".to_owned(),
        "" => String::new(),
        wish => format!("{wish} (heard on {})", found.heard_on),
    }
}

/// Until when bulletins hang, and which of them should be gone.
fn removals(found: &[BulletinRemoval]) -> String {
    let told = found.iter().map(|removal| {
        let asked = match removal.asked {
            true => " (its removal was asked for)",
            false => "",
        };
        format!("{}{asked}", removal.due_on)
    });
    told.collect::<Vec<_>>().join("; ")
}

/// What the subject handed in, a line each.
fn applications(found: &Clarification) -> String {
    let applications = found.applications.iter().map(|application| {
        let text = application.application.as_ref();
        vec![
            application.applied_on.clone(),
            text.map(|text| text.text_id.clone()).unwrap_or_default(),
            words::several::<ClarificationForm>(&application.wanted),
            words::several::<ClarificationForm>(&application.refused),
            application.by.clone(),
        ]
    });
    output::table(
        &[
            "applied on",
            "application",
            "wanted",
            "refused",
            "taken in by",
        ],
        applications.collect(),
        "Nobody has applied for it in writing.",
    )
}

/// What the departments said, a line each.
fn opinions(found: &Clarification, texts: &Texts) -> String {
    let opinions = found.opinions.iter().map(|opinion| {
        vec![
            opinion.department.clone(),
            words::word::<Opinion>(opinion.opinion),
            opinion.by.clone(),
            texts.line(opinion.reason.as_ref()),
        ]
    });
    output::table(
        &["department", "opinion", "by", "reason"],
        opinions.collect(),
        "No department has said anything yet.",
    )
}

/// The statement, a line for each allegation.
fn statement(found: &Clarification) -> String {
    let statement = found.statement.iter().map(|line| {
        let reason = words::word::<ClosingReason>(line.closing_reason);
        let finding = words::word::<Finding>(line.finding);
        vec![
            line.allegation_id.clone(),
            line.category.clone(),
            line.occurred_on.clone(),
            match reason.as_str() {
                "" => finding,
                reason => format!("{finding}/{reason}"),
            },
        ]
    });
    output::table(
        &["allegation", "category", "on", "finding"],
        statement.collect(),
        "No statement is drafted yet.",
    )
}

#[cfg(test)]
mod tests {
    use proto::clarification::{DepartmentOpinion, StatementLine};

    use super::*;

    fn text(id: &str) -> Option<TextRef> {
        Some(TextRef {
            text_id: id.to_owned(),
            ..TextRef::default()
        })
    }

    fn texts(all: impl IntoIterator<Item = (&'static str, Read)>) -> Texts {
        let all = all.into_iter();
        Texts(all.map(|(id, read)| (id.to_owned(), read)).collect())
    }

    fn said(text: &str) -> Read {
        Read::Said(text.to_owned())
    }

    fn drafted() -> Clarification {
        let mut line = StatementLine {
            allegation_id: "a-1".to_owned(),
            category: "bribery".to_owned(),
            ..StatementLine::default()
        };
        line.set_finding(Finding::Unfounded);
        let mut drafted = Clarification {
            statement: vec![line],
            opinions_missing: vec!["petitions".to_owned()],
            note: text("n"),
            ..Clarification::default()
        };
        drafted.set_state(ClarificationState::Drafted);
        drafted
    }

    #[test]
    fn a_remark_stands_apart_from_the_statement_and_cannot_look_like_one() {
        let spoofed = "mind the date\n\u{1b}[2Aa-2  bribery  unfounded";
        let told = told(&drafted(), &texts([("n", said(spoofed))]));
        let ends = "\
a-1         bribery       unfounded

The officer's own remark, which is no part of the statement:
  | mind the date
  |  [2Aa-2  bribery  unfounded";
        assert!(told.ends_with(ends), "{told}");
    }

    #[test]
    fn a_remark_that_is_erased_or_not_there_is_told_so() {
        let ends = |found: &Clarification, texts: &Texts, ends: &str| {
            let told = told(found, texts);
            assert!(told.ends_with(ends), "{told}");
        };
        let erased = texts([("n", Read::Erased)]);
        ends(&drafted(), &erased, "no part of the statement: (erased)");
        let kept = texts([("n", Read::NotPermitted)]);
        ends(&drafted(), &kept, "(text n, not yours to read)");
        let without = Clarification {
            note: None,
            ..drafted()
        };
        let none = "There is no remark beside the statement.";
        ends(&without, &Texts::default(), none);
    }

    #[test]
    fn an_opinion_is_told_with_its_reason() {
        let opinion = DepartmentOpinion {
            department: "petitions".to_owned(),
            reason: text("r"),
            ..DepartmentOpinion::default()
        };
        let found = Clarification {
            opinions: vec![opinion],
            ..drafted()
        };
        let told = opinions(&found, &texts([("r", said("A witness\nis missing"))]));
        assert!(told.ends_with("A witness is missing"), "{told}");
    }

    #[test]
    fn who_cannot_be_reached_does_not_look_like_somebody_who_was_not_heard() {
        let mut found = drafted();
        let texts = texts([("u", said("Two letters\ncame back"))]);
        assert_eq!(wish(&found, &texts), "not heard yet");
        found.unreachable = text("u");
        assert_eq!(
            wish(&found, &texts),
            "unreachable, so the unit decides: Two letters came back"
        );
        found.unreachable = None;
        found.set_wish(Wish::Wants);
        found.heard_on = "2026-03-09".to_owned();
        assert_eq!(wish(&found, &texts), "wants (heard on 2026-03-09)");
    }

    #[test]
    fn what_is_late_is_told_beside_its_day() {
        let mut found = Clarification {
            due_on: "2026-03-16".to_owned(),
            ..drafted()
        };
        found.set_notice(DeadlineNotice::Overdue);
        let approved = fields(&found, &Texts::default());
        assert!(approved.contains("2026-03-16 (overdue)"), "{approved}");
        found.due_on = String::new();
        found.confirmation_due_on = "2026-03-23".to_owned();
        let removal = |due_on: &str, asked| BulletinRemoval {
            due_on: due_on.to_owned(),
            asked,
        };
        found.removals = vec![removal("2026-04-08", true), removal("2026-05-08", false)];
        let carried_out = fields(&found, &Texts::default());
        for told in [
            "to be confirmed by  2026-03-23 (reminded)",
            "2026-04-08 (its removal was asked for); 2026-05-08",
        ] {
            assert!(carried_out.contains(told), "{carried_out}");
        }
    }
}

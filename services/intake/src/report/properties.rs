//! Random commands against a report and its matter: a refusal changes nothing, replaying the events gives the state, an
//! accepted command run again is already so, and what triage decided stays decided.

use std::sync::LazyLock;

use chassis::aggregate::Context;
use chassis::recusal::Recusal;
use chassis::testing::{Given, Journal, given};
use office::{Actor, ClarificationId, MatterId, Role};
use proptest::prelude::*;

use crate::erasure::Erasure;
use crate::examples::{
    CITY, CODE, COUNTY, NATION, TOWN, about, about_somebody, acting_as, actor, anybody, officer,
    raising, subject, submission, text, unit,
};
use crate::matter::clarification::{Clarification, ClarificationStage};
use crate::matter::progress::CaseStage;
use crate::matter::{self, Matter, NewFacts};
use crate::report::joining::{Identity, News};
use crate::report::receipt::ReceiptCode;
use crate::report::triage::RejectedCandidate;
use crate::report::{Command, Facts, Report, Stage, State};
use crate::subject::Entry;

fn subjects() -> Vec<Entry> {
    let head = Entry {
        heads: Some(unit(TOWN)),
        ..subject("head")
    };
    vec![acting_as("officer-3", subject("one")), head]
}

fn candidate(number: u8) -> MatterId {
    MatterId::natural(&[&[number]])
}

/// By its serialised form, which holds neither a receipt code nor a reporter.
impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}

/// What every case begins with, made once because the policy is read for it.
static FRESH: LazyLock<Given<Report>> = LazyLock::new(given::<Report>);
/// A matter that was raised, and what is known when an officer comes to it.
static MATTER: LazyLock<(Journal<Matter>, Context<matter::Facts>)> = LazyLock::new(|| {
    let known = subjects();
    let (setting, open) = raising(
        submission([about_somebody(), about(&known[1])]),
        &known[1..],
    );
    let mut journal = Journal::default();
    let raised = journal.take(&open, setting.context());
    raised.expect("the matter is raised");
    let counter = setting
        .actor(officer("officer-1", COUNTY))
        .facts(matter::Facts::default());
    (journal, counter.context().clone())
});

/// Who is at the counter, when, and what was gathered.
type Circumstances = (Actor, &'static str, Vec<MatterId>, bool);

fn commands() -> impl Strategy<Value = Command> {
    let receipt = || {
        let codes = vec!["0000000000000000", CODE];
        prop::option::of(prop::sample::select(codes).prop_map(str::to_owned))
    };
    let typed = |code: Option<String>| code.as_deref().and_then(ReceiptCode::typed);
    let rejected = prop::collection::vec(0u8..3, 0..3).prop_map(|numbers| {
        numbers
            .into_iter()
            .map(|number| RejectedCandidate {
                matter: candidate(number),
                reason: "other_incident".to_owned(),
            })
            .collect::<Vec<_>>()
    });
    let units = prop::option::of(prop::sample::select(vec![CITY, COUNTY, TOWN]));
    let higher = prop::option::of(prop::sample::select(vec![CITY, COUNTY, NATION]));
    let allegations = prop::collection::vec(0usize..3, 1..4).prop_map(|drawn| {
        let known = subjects();
        Command::Submit(submission(drawn.into_iter().map(
            |number| match known.get(number) {
                Some(subject) => about(subject),
                None => about_somebody(),
            },
        )))
    });
    prop_oneof![
        2 => allegations,
        1 => (0u8..3, receipt()).prop_map(move |(number, receipt)| Command::AddMaterial {
            material: text(&number.to_string()),
            receipt: typed(receipt),
        }),
        1 => receipt().prop_map(move |receipt| Command::Withdraw { receipt: typed(receipt) }),
        1 => receipt().prop_map(move |receipt| Command::UseReceipt { receipt: typed(receipt) }),
        1 => receipt().prop_map(move |receipt| Command::ReplaceReceipt { receipt: typed(receipt) }),
        2 => (units, rejected).prop_map(|(code, rejected)| Command::Accept {
            unit: code.map(unit),
            rejected,
        }),
        1 => prop::sample::select(vec!["out_of_scope", "boring"])
            .prop_map(|reason| Command::Decline { reason: reason.to_owned() }),
        1 => prop::sample::select(vec!["COURT", "POLICE"]).prop_map(|body| Command::Transfer {
            body: body.to_owned(),
            reason: "other_body_competent".to_owned(),
        }),
        1 => Just(Command::RecordTriageOverdue),
        1 => prop::sample::select(vec!["narrative", "description", "1"]).prop_map(|name| {
            Command::EraseText(Erasure {
                text: text(name),
                reason: "court_order".to_owned(),
            })
        }),
        1 => any::<bool>().prop_map(|new| Command::Join {
            matter: candidate(0),
            new_facts: if new { NewFacts::Brought } else { NewFacts::None },
        }),
        1 => (prop::option::of(0usize..2), higher).prop_map(|(who, higher)| Command::FollowMatter(News {
            recusal: Recusal {
                actors: ["officer-4".parse().expect("a valid id")].into(),
                ..Recusal::default()
            },
            identified: who.map(|number| Identity {
                placeholder: subject("nobody").id,
                subject: subjects()[number].clone(),
            }),
            unit: higher.map(unit),
        })),
    ]
}

fn circumstances() -> impl Strategy<Value = Circumstances> {
    let actors = prop::sample::select(vec![
        officer("officer-1", CITY),
        officer("officer-2", COUNTY),
        officer("officer-3", COUNTY),
        actor("officer-4", "N", Role::Supervisor),
        anybody(),
    ]);
    let times = prop::sample::select(vec!["2026-03-09T01:00:00Z", "2026-04-20T01:00:00Z"]);
    let candidates = prop::collection::vec((0u8..3).prop_map(candidate), 0..2);
    (actors, times, candidates, any::<bool>())
}

fn context((actor, now, candidates, matter): Circumstances) -> Context<Facts> {
    let known = subjects();
    let facts = Facts {
        subjects: known
            .iter()
            .map(|subject| (subject.id, subject.clone()))
            .collect(),
        candidates,
        matter: if matter {
            MATTER.0.state().clone()
        } else {
            matter::State::Unknown
        },
    };
    FRESH
        .clone()
        .actor(actor)
        .now(now)
        .facts(facts)
        .context()
        .clone()
}

fn is_final(state: &State) -> bool {
    state
        .filed()
        .is_some_and(|filed| filed.stage != Stage::Received)
}

proptest! {
    #[test]
    fn a_report_is_what_its_journal_says(
        script in prop::collection::vec((commands(), circumstances()), 1..12)
    ) {
        let mut journal = Journal::<Report>::default();
        for (command, circumstances) in script {
            let context = context(circumstances);
            let decided = is_final(journal.state()).then(|| journal.state().clone());
            let lay = journal.state().filed().map(|filed| filed.unit().clone());
            let follows = matches!(command, Command::FollowMatter(_));
            // What is turned away is part of the script.
            let _ = journal.take(&command, &context);
            if let (Some(before), Some(after)) = (decided, journal.state().filed()) {
                prop_assert_eq!(&before.filed().expect("it is final").stage, &after.stage);
            }
            if let (Some(lay), Some(after), true) = (lay, journal.state().filed(), follows) {
                let units = &context.profile.units;
                prop_assert!(units.is_at_or_above(after.unit(), &lay), "only upwards");
            }
            journal.check_replay();
        }
    }

    #[test]
    fn a_matter_is_what_its_journal_says(
        script in prop::collection::vec((0u8..8, 0i64..5, 0usize..2), 1..12)
    ) {
        let known = subjects();
        let (mut journal, mut context) = MATTER.clone();
        let raised = journal.state().open().expect("raised").clone();
        let placeholder = raised.allegations[0].whom.id();
        for (what, sequence, who) in script {
            context.facts.subject = Some(known[who].clone());
            let command = match what {
                0 => matter::Command::IdentifySubject {
                    placeholder,
                    subject: known[who].id,
                    reason: text("reason"),
                },
                1 => matter::Command::RecordCaseState {
                    stage: CaseStage::Concluded,
                    conclusion: Some(1),
                    sequence,
                },
                2 => matter::Command::RecordCaseState {
                    stage: CaseStage::Reopened,
                    conclusion: Some(1),
                    sequence,
                },
                3 | 4 => matter::Command::RecordClarification {
                    id: ClarificationId::natural(&[known[who].id.as_bytes()]),
                    clarification: Clarification {
                        subject: known[who].id,
                        stage: if what == 3 {
                            ClarificationStage::CarriedOut
                        } else {
                            ClarificationStage::Superseded
                        },
                        sequence,
                    },
                },
                5 | 6 => matter::Command::RaiseLevel {
                    reason: text(&sequence.to_string()),
                },
                _ => matter::Command::Open {
                    report: raised.reports[0],
                },
            };
            context.actor = match what {
                5 => officer("officer-1", COUNTY),
                6 => actor("supervisor-1", NATION, Role::Supervisor),
                _ => Actor::service("intake", None),
            };
            let before = journal.state().open().expect("raised").clone();
            // What is turned away is part of the script.
            let _ = journal.take(&command, &context);
            let after = journal.state().open().expect("raised");
            prop_assert!(after.case.sequence >= before.case.sequence);
            if before.unit == after.unit {
                prop_assert_eq!(before.raised.len(), after.raised.len());
            } else {
                let above = context.profile.units.parent_of(&before.unit);
                prop_assert_eq!(above.map(|unit| &unit.code), Some(&after.unit));
                prop_assert_ne!(before.case.stage, CaseStage::Concluded);
                prop_assert_eq!(what, 6, "from above");
            }
            for (id, known) in &before.clarifications {
                prop_assert!(after.clarifications[id].sequence >= known.sequence);
            }
            journal.check_replay();
        }
    }
}

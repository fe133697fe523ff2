//! What a replay's requests are called, and with that what a report's id says about the content it was entered with.
//!
//! A request id is made of the register's digest, the case with the digest of all its mapped rows, and the step. So the same replay
//! asks the same thing for ever, and each service answers what it answered the first time.
//!
//! **How we know what was entered.** A report's id follows from its request id and its actor (`engine.md`, Request ids), so
//! it is, without any text of it, a seal on the mapped content: for each case that a service lists, the id that the map gives
//! now is compared with the id that is there. One listing answers for a whole register before the first command; it needs no
//! field in the contracts, no memory beside the services, and nothing that a killed replay could fail to write.
//! The trap: whatever is to be part of "what was entered" must be part of the row's digest (`register::Row::digest`).

use office::{Actor, ReportId, SubjectId, natural_id};
use uuid::Uuid;

use crate::register::{Case, Digest};

/// A command that a replay sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Put a subject into the subject register.
    RegisterSubject,
    /// Take the report in.
    SubmitReport,
    /// Accept it, and raise a matter by that.
    AcceptReport,
    /// Assign those who investigate.
    AssignInvestigators,
    /// Record the register's entry as evidence.
    RecordEvidence,
    /// Propose a finding for each row.
    ProposeFindings,
    /// Approve them: the conclusion.
    ApproveFindings,
    /// Record a person's sanction.
    RecordSanction,
    /// Record a visit to a person who was sanctioned.
    RecordVisit,
    /// Give a department's opinion on clearing a name.
    RecordOpinion,
    /// Record what the subject wishes.
    RecordWish,
    /// Decide the form.
    DecideForm,
    /// Draft the statement.
    DraftStatement,
    /// Approve it.
    ApproveClarification,
    /// Carry it out.
    CarryOutClarification,
    /// Take note of it for the organisation department.
    ConfirmClarification,
}

impl Step {
    /// The method's name in the contract.
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Self::RegisterSubject => "RegisterSubject",
            Self::SubmitReport => "SubmitReport",
            Self::AcceptReport => "AcceptReport",
            Self::AssignInvestigators => "AssignInvestigators",
            Self::RecordEvidence => "RecordEvidence",
            Self::ProposeFindings => "ProposeFindings",
            Self::ApproveFindings => "ApproveFindings",
            Self::RecordSanction => "RecordSanction",
            Self::RecordVisit => "RecordVisit",
            Self::RecordOpinion => "RecordOpinion",
            Self::RecordWish => "RecordWish",
            Self::DecideForm => "DecideForm",
            Self::DraftStatement => "DraftStatement",
            Self::ApproveClarification => "ApproveClarification",
            Self::CarryOutClarification => "CarryOutClarification",
            Self::ConfirmClarification => "ConfirmClarification",
        }
    }
}

/// The id of the request for a step of a case.
#[must_use]
pub fn request_id(register: Digest, case: &Case, step: Step) -> Uuid {
    natural_id(
        "replay.case",
        &[
            &register.0,
            case.reference.as_bytes(),
            &case.digest().0,
            step.method().as_bytes(),
        ],
    )
}

/// The id of the request for a step on one subject of a case; a department's, where several take the step, else of an empty one.
#[must_use]
pub fn request_id_on(
    register: Digest,
    case: &Case,
    step: Step,
    reference: &str,
    department: &str,
) -> Uuid {
    natural_id(
        "replay.subject_of_case",
        &[
            &register.0,
            case.reference.as_bytes(),
            &case.digest().0,
            step.method().as_bytes(),
            reference.as_bytes(),
            department.as_bytes(),
        ],
    )
}

/// The id that a subject of a register has, whoever registered it.
#[must_use]
pub fn subject_id(source: &str, reference: &str) -> SubjectId {
    SubjectId::natural(&[source.as_bytes(), reference.as_bytes()])
}

/// Under which name of a register those are registered who head a register's units: another than the register's own, so that no
/// reference of a row means one of them. No register can be called so.
#[must_use]
pub fn heads_of(source: &str) -> String {
    format!("{source} heads")
}

/// The id of the request that registers who heads a register's unit.
#[must_use]
pub fn head_request_id(register: Digest, head: &str) -> Uuid {
    natural_id(
        "replay.head",
        &[
            &register.0,
            head.as_bytes(),
            Step::RegisterSubject.method().as_bytes(),
        ],
    )
}

/// The id of the request that registers a subject.
#[must_use]
pub fn subject_request_id(register: Digest, reference: &str) -> Uuid {
    natural_id(
        "replay.subject",
        &[
            &register.0,
            reference.as_bytes(),
            Step::RegisterSubject.method().as_bytes(),
        ],
    )
}

/// The id that the case's report has if it was entered with exactly this content, by this actor.
#[must_use]
pub fn report_id(register: Digest, case: &Case, registrar: &Actor) -> ReportId {
    let step = Step::SubmitReport;
    let request_id = request_id(register, case, step);
    chassis::aggregate::created_id(ReportId::KIND, registrar, step.method(), request_id, 0).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use office::UnitCode;

    use super::*;
    use crate::register::{Map, Register};
    use crate::replay::actors::Cast;

    const TOWN: &[u8] = include_bytes!("../../../../tests/registers/town.csv");
    const MAP: &str = include_str!("../../../../tests/registers/town.toml");

    fn town(map: &str) -> Register {
        let map = Map::parse(map).expect("a map");
        Register::read(TOWN, &map).expect("a register")
    }

    fn registrar() -> Actor {
        let unit = UnitCode::new("P51-01").expect("a code");
        Cast::made(&unit).registrar().clone()
    }

    const STEPS: [Step; 6] = [
        Step::SubmitReport,
        Step::AcceptReport,
        Step::AssignInvestigators,
        Step::RecordEvidence,
        Step::ProposeFindings,
        Step::ApproveFindings,
    ];

    /// Whoever changes one of these makes every register that is entered anywhere look like another.
    #[test]
    fn ids_are_a_stored_contract() {
        let map = Map::parse(concat!(
            "register = 'brief'\nunit = 'P51-01'\n",
            "[case]\ncolumn = 'no'\n[received]\ncolumn = 'day'\nforms = ['%Y-%m-%d']\n",
            "[channel]\nalways = 'queue'\n[category]\ncolumn = 'what'\n",
            "[subject]\ncolumn = 'who'\nkind = 'person'\nnot_identified = ['']\n",
            "[finding]\ncolumn = 'result'\nwords = { 'True' = 'substantiated' }\n",
        ));
        let csv = b"no,day,what,who,result\n1,2023-02-06,Bribery,S1,True\n";
        let register = Register::read(csv, &map.expect("a map")).expect("a register");
        let (digest, case) = (register.digest, &register.cases[0]);
        let ids = [
            request_id(digest, case, Step::SubmitReport),
            request_id(digest, case, Step::ApproveFindings),
            subject_request_id(digest, "S1"),
            report_id(digest, case, &registrar()).into(),
            request_id_on(digest, case, Step::RecordOpinion, "S1", "petitions"),
            head_request_id(digest, "S1"),
            subject_id(&heads_of("brief"), "S1").into(),
        ];
        assert_eq!(
            ids.map(|id| id.to_string()),
            [
                "e5dbc99c-b1cf-5784-9713-3ef15ba71420",
                "496785ff-c8ff-5988-895e-e4afdd51cdb1",
                "5606b5ff-bc8c-53d9-a1bb-6424a8810096",
                "e9fcd9c5-6f88-55ba-9484-55b0cdd7f0bb",
                "dcaecc1d-5e61-553b-8500-2b9ae8197b72",
                "80a29455-e268-52ad-b7fa-579001a287a2",
                "ba88ecaf-012d-50dd-8615-713511090509"
            ]
        );
    }

    #[test]
    fn each_step_of_each_case_has_an_id_of_its_own() {
        let register = town(MAP);
        let ids: BTreeSet<_> = register
            .cases
            .iter()
            .flat_map(|case| STEPS.map(|step| request_id(register.digest, case, step)))
            .collect();
        assert_eq!(ids.len(), register.cases.len() * STEPS.len());
    }

    #[test]
    fn each_step_on_each_subject_has_an_id_of_its_own() {
        let register = town(MAP);
        let mut ids = BTreeSet::new();
        let mut count = 0;
        for case in &register.cases {
            for subject in ["S0101", "S0102"] {
                for step in [Step::RecordOpinion, Step::RecordWish, Step::RecordSanction] {
                    for department in ["", "petitions", "handling"] {
                        count += 1;
                        let digest = register.digest;
                        ids.insert(request_id_on(digest, case, step, subject, department));
                    }
                }
            }
        }
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn reading_again_gives_the_same_ids() {
        let (one, other) = (town(MAP), town(MAP));
        for (case, again) in one.cases.iter().zip(&other.cases) {
            assert_eq!(
                report_id(one.digest, case, &registrar()),
                report_id(other.digest, again, &registrar())
            );
        }
    }

    #[test]
    fn a_map_that_changes_a_row_changes_the_id_of_its_case_and_no_other() {
        let before = town(MAP);
        let after = town(&MAP.replace(
            r#""Partly true" = "substantiated""#,
            r#""Partly true" = "unfounded""#,
        ));
        let mut changed = 0;
        for (case, edited) in before.cases.iter().zip(&after.cases) {
            let touched = case
                .rows
                .iter()
                .any(|row| row.words.deciding() == "Partly true");
            let differs = report_id(before.digest, case, &registrar())
                != report_id(after.digest, edited, &registrar());
            assert_eq!(differs, touched, "{}", case.reference);
            changed += usize::from(differs);
        }
        assert!(changed > 0);
    }

    #[test]
    fn another_edition_of_the_file_is_another_register() {
        let register = town(MAP);
        let case = &register.cases[0];
        let other = Digest([7; 32]);
        for step in STEPS {
            assert_ne!(
                request_id(register.digest, case, step),
                request_id(other, case, step)
            );
        }
        assert_ne!(
            subject_request_id(register.digest, "S0101"),
            subject_request_id(other, "S0101")
        );
    }
}

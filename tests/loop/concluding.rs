//! A report led by hand to the conclusion of its case, for the tests of what follows from one.

use serde_json::Value;
use servers::eventually;
use tests::Office;

/// A case that was concluded, or is on its way there.
pub(crate) struct Concluded {
    pub(crate) matter: String,
    pub(crate) case: String,
    pub(crate) person: String,
    pub(crate) allegation: String,
}

impl Concluded {
    /// Proposes and approves a finding on what was alleged, in a case that is being investigated.
    pub(crate) fn conclude(&self, office: &Office, outcome: (&str, Option<&str>)) {
        self.propose(office, outcome);
        office.zm_json(&["approve", &self.case]);
    }

    /// Proposes a finding on what was alleged, in a case that is being investigated.
    pub(crate) fn propose(&self, office: &Office, (finding, harm): (&str, Option<&str>)) {
        let case = self.case.as_str();
        let evidence = office.zm_json(&[
            "evidence",
            case,
            "--kind",
            "document",
            "--description",
            "a ledger",
            "--obtained-on",
            "2024-01-08",
        ]);
        let evidence = word(&evidence["evidenceIds"][0]);
        let finding = format!("{}={finding}:{evidence}", self.allegation);
        let harm = harm.map(|harm| format!("{}={harm}", self.person));
        let mut propose = vec!["propose", case, "--finding", &finding];
        if let Some(harm) = &harm {
            propose.extend(["--harm", harm]);
        }
        office.zm_json(&propose);
    }
}

impl Concluded {
    /// Has what is substantiated assessed before a sanction: nothing speaks for the person.
    pub(crate) fn find_liable(&self, office: &Office) {
        office.zm_json(&[
            "tolerance",
            "propose",
            &self.case,
            &self.person,
            "--breach",
            "knowing=They had signed the rule",
            "--experiment",
            "neither=Nothing was tried out",
            "--motive",
            "private_gain=It paid for a car",
            "--liability",
            "liable=They knew it and gained by it",
        ]);
        office.zm_json(&["tolerance", "approve", &self.case, &self.person]);
    }
}

/// A word of an answer.
pub(crate) fn word(value: &Value) -> String {
    value.as_str().expect("a word").to_owned()
}

/// Puts a person of a unit into the register; their id.
pub(crate) fn registered(office: &Office, name: &str, unit: &str, rest: &[&str]) -> String {
    let arguments = [
        "subject", "register", "--kind", "person", "--name", name, "--unit", unit,
    ];
    word(&office.zm_json(&[&arguments[..], rest].concat())["subjectId"])
}

/// A report on a person, accepted for a unit and concluded there with this finding and harm, as `zm propose` takes them.
pub(crate) async fn concluded(
    office: &Office,
    about: (&str, &str),
    unit: &str,
    outcome: (&str, Option<&str>),
) -> Concluded {
    let case = investigated(office, about, unit).await;
    case.conclude(office, outcome);
    case
}

/// A report on a person, accepted for a unit and investigated there.
pub(crate) async fn investigated(
    office: &Office,
    (person, category): (&str, &str),
    unit: &str,
) -> Concluded {
    let submitted = office.zm_json(&[
        "submit",
        "--subject",
        person,
        "--category",
        category,
        "--narrative",
        "took an envelope",
    ]);
    let report = word(&submitted["reportId"]);
    let accepted = office.zm_json(&["accept", &report, "--unit", unit]);
    let matter = word(&accepted["matterId"]);
    let mut opened = Value::Null;
    eventually("the case is open", async || {
        let shown = office.zm(&["case", "show", &matter, "--json"]).output();
        let shown = shown.expect("zm runs").stdout;
        opened = serde_json::from_slice::<Value>(&shown).unwrap_or_default()["case"].take();
        opened.is_object()
    })
    .await;
    let case = Concluded {
        matter,
        case: word(&opened["caseId"]),
        person: person.to_owned(),
        allegation: word(&opened["findings"][0]["allegationId"]),
    };
    office.zm_json(&["assign", &case.case, "investigator-1", "investigator-2"]);
    case
}

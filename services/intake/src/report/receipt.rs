//! The receipt code, and what a reporter does with it: add material, take the report back.
//!
//! The code is derived from the report's id with the office's key, so that an answer that was lost can be given again;
//! the journal holds only a keyed hash of it. Officers do the same without a code.
//! Source: `domain.md`, Intake, Report.

use chassis::aggregate::{Context, Decision, TextRef};
use chassis::refusal::{Refusal, RefusalKind};
use chassis::secrets::Secrets;
use office::{ReportId, Role, TextId};
use serde::{Deserialize, Serialize};

use crate::recusal::Mark;
use crate::report::{ALREADY_DECIDED, Event, Facts, Filed, Stage};

/// The code is missing or another's.
pub const RECEIPT_CODE_WRONG: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "INTAKE_RECEIPT_CODE_WRONG",
    "This receipt code does not belong to this report; check its digits.",
);

/// A receipt code as somebody gives it; its `Debug` tells nothing, and it has no serialised form.
#[derive(Clone)]
pub struct ReceiptCode(String);

impl ReceiptCode {
    /// From what was typed: people group digits with blanks and dashes.
    pub fn typed(text: &str) -> Option<Self> {
        let code: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .collect();
        (!code.is_empty()).then_some(Self(code))
    }
}

impl std::fmt::Debug for ReceiptCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReceiptCode(…)")
    }
}

/// How a report's receipt code is made and checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// How many digits the code has.
    pub digits: u32,
    /// Its keyed hash.
    pub check: Mark,
}

impl Receipt {
    /// Issues the code of a report.
    pub fn issue(secrets: &Secrets, report: ReportId, digits: u32) -> Self {
        let code = code(secrets, report, digits);
        Self {
            digits,
            check: Mark::of_receipt(secrets, &code),
        }
    }

    /// Whether this is the code.
    pub fn fits(&self, secrets: &Secrets, given: &ReceiptCode) -> bool {
        self.check == Mark::of_receipt(secrets, &given.0)
    }
}

/// The receipt code of a report, `digits` decimal digits.
pub fn code(secrets: &Secrets, report: ReportId, digits: u32) -> String {
    let mark = secrets.mark("receipt", &[report.as_bytes()]);
    let drawn = mark
        .iter()
        .take(16)
        .fold(0u128, |number, byte| number << 8 | u128::from(*byte));
    // 10^38 is the last power of ten that the drawn number can fill.
    let digits = digits.min(38);
    format!(
        "{:0width$}",
        drawn % 10u128.pow(digits),
        width = digits as usize
    )
}

/// Something was added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaterialAdded {
    /// What.
    pub material: TextRef,
    /// Whether the reporter added it, with the code.
    pub by_reporter: bool,
}

/// It was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// Whether the reporter did it, with the code, or an officer noted it.
    pub by_reporter: bool,
}

/// Whether the reporter is at the counter: whoever gives a code must give the right one, and the public must give one.
fn is_reporter(
    filed: &Filed,
    receipt: Option<&ReceiptCode>,
    context: &Context<Facts>,
) -> Result<bool, Refusal> {
    let actor = &context.actor;
    let public = actor.roles.iter().all(|role| *role == Role::Public);
    match receipt {
        Some(code) if filed.submitted.receipt.fits(&context.secrets, code) => Ok(true),
        Some(_) => Err(RECEIPT_CODE_WRONG),
        None if public => Err(RECEIPT_CODE_WRONG),
        None => Ok(false),
    }
}

pub(super) fn add_material(
    filed: &Filed,
    material: TextId,
    receipt: Option<&ReceiptCode>,
    context: &Context<Facts>,
) -> Decision<Event> {
    let by_reporter = is_reporter(filed, receipt, context)?;
    if filed.materials.iter().any(|known| known.id == material) {
        return Ok(Vec::new());
    }
    Ok(vec![
        MaterialAdded {
            material: context.text(material),
            by_reporter,
        }
        .into(),
    ])
}

/// A report that was decided on is no longer the reporter's alone: what it alleges is looked into whoever regrets it.
pub(super) fn withdraw(
    filed: &Filed,
    receipt: Option<&ReceiptCode>,
    context: &Context<Facts>,
) -> Decision<Event> {
    let by_reporter = is_reporter(filed, receipt, context)?;
    match filed.stage {
        Stage::Received => Ok(vec![Withdrawn { by_reporter }.into()]),
        Stage::Withdrawn => Ok(Vec::new()),
        Stage::Accepted(_) | Stage::Joined(_) | Stage::Declined(_) | Stage::Transferred(_) => {
            Err(ALREADY_DECIDED.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::Given;

    use super::*;
    use crate::examples::{accept, anybody, officer, received, subject, text, text_ref};
    use crate::report::{Command, Report};

    fn report() -> (String, Given<Report>) {
        let report = received(&[subject("one")]);
        let context = report.context();
        let code = code(
            &context.secrets,
            context.id.into(),
            context.profile.intake.receipt_digits,
        );
        (code, report)
    }

    fn add(code: Option<&str>) -> Command {
        Command::AddMaterial {
            material: text("material"),
            receipt: code.and_then(ReceiptCode::typed),
        }
    }

    fn withdraw(code: Option<&str>) -> Command {
        Command::Withdraw {
            receipt: code.and_then(ReceiptCode::typed),
        }
    }

    #[test]
    fn a_receipt_code_has_sixteen_digits_and_is_always_the_same() {
        let (code, report) = report();
        assert!(code.len() == 16 && code.bytes().all(|b| b.is_ascii_digit()));
        let filed = report.state().filed().expect("it was submitted");
        let secrets = &report.context().secrets;
        let typed = |text: &str| ReceiptCode::typed(text).expect("something was typed");
        let receipt = &filed.submitted.receipt;
        assert!(receipt.fits(secrets, &typed(&code)));
        let grouped = format!("{} {}-{}", &code[..4], &code[4..8], &code[8..]);
        assert!(receipt.fits(secrets, &typed(&grouped)));
        assert!(!receipt.fits(secrets, &typed("0000000000000000")));
    }

    #[test]
    fn the_public_adds_material_only_with_the_code() {
        let (code, report) = report();
        let public = report.actor(anybody());
        public
            .clone()
            .when(add(None))
            .then_refused(&RECEIPT_CODE_WRONG);
        public
            .clone()
            .when(add(Some("1")))
            .then_refused(&RECEIPT_CODE_WRONG);
        public.when(add(Some(&code))).then([MaterialAdded {
            material: text_ref("material"),
            by_reporter: true,
        }]);
    }

    #[test]
    fn an_officer_adds_material_without_a_code() {
        let (_, report) = report();
        report
            .actor(officer("officer-1", crate::examples::COUNTY))
            .when(add(None))
            .then([MaterialAdded {
                material: text_ref("material"),
                by_reporter: false,
            }]);
    }

    #[test]
    fn a_reporter_takes_back_what_nobody_decided_on_yet() {
        let (code, report) = report();
        report
            .clone()
            .actor(anybody())
            .when(withdraw(Some(&code)))
            .then([Withdrawn { by_reporter: true }])
            .when(withdraw(Some(&code)))
            .then_already();
        let (_, accepted) = report.when(accept()).accepted();
        accepted
            .when(withdraw(Some(&code)))
            .then_refused(&ALREADY_DECIDED);
    }
}

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

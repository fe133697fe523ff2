//! The receipt code, and what a reporter does with it: look, add material, take the report back.
//!
//! The code is drawn for the call that submits and is told in its answer alone; the journal holds only a keyed hash of
//! it. Whoever lost that answer submits again under the same request id and gets a fresh code, which replaces the one
//! before unless somebody has used it: so a lost answer locks nobody out, and nobody who sees a code's use can still be
//! robbed of it. Where answers cross on the way, the code that came with the highest version is the valid one. Officers
//! do the same without a code.
//! Source: `domain.md`, Intake, Report.

use chassis::aggregate::{Context, Decision, TextRef};
use chassis::recusal::Mark;
use chassis::refusal::{INTERNAL, Refusal, RefusalKind};
use chassis::request::Draw;
use chassis::secrets::Secrets;
use office::{Role, TextId};
use serde::{Deserialize, Serialize};

use crate::report::{ALREADY_DECIDED, Event, Facts, Filed, Stage};

/// The purpose of a code's mark; part of every mark that was stored.
const RECEIPT: &str = "receipt-check";

/// The code is missing or another's.
pub const RECEIPT_CODE_WRONG: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "INTAKE_RECEIPT_CODE_WRONG",
    "This receipt code does not belong to this report; check its digits.",
);

/// A receipt code in the clear; its `Debug` tells nothing, and it has no serialised form.
#[derive(Clone)]
pub struct ReceiptCode(String);

impl ReceiptCode {
    /// A fresh code of `digits` decimal digits, made of what was drawn for the call.
    pub fn drawn(draw: &Draw, digits: u32) -> Self {
        let drawn = draw
            .bytes()
            .iter()
            .take(16)
            .fold(0u128, |number, byte| number << 8 | u128::from(*byte));
        // 10^38 is the last power of ten that the drawn number can fill.
        let digits = digits.min(38);
        Self(format!(
            "{:0width$}",
            drawn % 10u128.pow(digits),
            width = digits as usize
        ))
    }

    /// Its digits, for the one answer that tells them.
    pub fn reveal(&self) -> &str {
        &self.0
    }

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

/// What is kept of a receipt code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// How many digits the code has.
    pub digits: u32,
    /// Its keyed hash.
    pub check: Mark,
}

impl Receipt {
    /// What is kept of this code.
    pub fn of(secrets: &Secrets, code: &ReceiptCode) -> Self {
        Self {
            digits: u32::try_from(code.0.len()).unwrap_or(u32::MAX),
            check: Mark::of(secrets, RECEIPT, code.0.as_bytes()),
        }
    }

    /// Whether this is the code.
    pub fn fits(&self, secrets: &Secrets, given: &ReceiptCode) -> bool {
        self.check == Mark::of(secrets, RECEIPT, given.0.as_bytes())
    }

    /// The receipt that was issued last by these events.
    pub fn issued(events: &[Event]) -> Option<&Self> {
        events.iter().rev().find_map(|event| match event {
            Event::Submitted(submitted) => Some(&submitted.receipt),
            Event::ReceiptReplaced(replaced) => Some(&replaced.receipt),
            _ => None,
        })
    }
}

/// A fresh code stands in for the one before, which is valid no longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReceiptReplaced {
    /// What is kept of the fresh code.
    pub receipt: Receipt,
}

/// The code was used for the first time: its reporter has it, and no repeat replaces it any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReceiptUsed {}

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
        Some(code) if filed.receipt.fits(&context.secrets, code) => Ok(true),
        Some(_) => Err(RECEIPT_CODE_WRONG),
        None if public => Err(RECEIPT_CODE_WRONG),
        None => Ok(false),
    }
}

/// The code that goes with a command; commands that draw one are never read back from where it is left out.
pub(super) fn fresh(code: Option<&ReceiptCode>) -> Result<&ReceiptCode, Refusal> {
    code.ok_or_else(|| INTERNAL.with_note("a command came without the code that was drawn for it"))
}

/// A repeated submit draws a fresh code; the one before stays once it was used.
pub(super) fn replace(
    filed: &Filed,
    code: Option<&ReceiptCode>,
    context: &Context<Facts>,
) -> Decision<Event> {
    let code = fresh(code)?;
    if filed.receipt_used || filed.receipt.fits(&context.secrets, code) {
        return Ok(Vec::new());
    }
    let receipt = Receipt::of(&context.secrets, code);
    Ok(vec![ReceiptReplaced { receipt }.into()])
}

/// Whoever looks with the code has it.
pub(super) fn use_receipt(
    filed: &Filed,
    code: Option<&ReceiptCode>,
    context: &Context<Facts>,
) -> Decision<Event> {
    match code {
        Some(code) if filed.receipt.fits(&context.secrets, code) => Ok(first_use(filed, true)),
        _ => Err(RECEIPT_CODE_WRONG.into()),
    }
}

fn first_use(filed: &Filed, with_code: bool) -> Vec<Event> {
    if with_code && !filed.receipt_used {
        vec![ReceiptUsed {}.into()]
    } else {
        Vec::new()
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
    let added = MaterialAdded {
        material: context.text(material),
        by_reporter,
    };
    let mut events = first_use(filed, by_reporter);
    events.push(added.into());
    Ok(events)
}

/// A report that was decided on is no longer the reporter's alone: what it alleges is looked into whoever regrets it.
pub(super) fn withdraw(
    filed: &Filed,
    receipt: Option<&ReceiptCode>,
    context: &Context<Facts>,
) -> Decision<Event> {
    let by_reporter = is_reporter(filed, receipt, context)?;
    match filed.stage {
        Stage::Received => {
            let mut events = first_use(filed, by_reporter);
            events.push(Withdrawn { by_reporter }.into());
            Ok(events)
        }
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
    use crate::examples::{
        CODE, accept, anybody, officer, received, subject, text, text_ref, typed,
    };
    use crate::report::{Command, Report};

    const FRESH: &str = "5555666677778888";

    fn report() -> Given<Report> {
        received(&[subject("one")])
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

    fn look(code: &str) -> Command {
        Command::UseReceipt {
            receipt: Some(typed(code)),
        }
    }

    fn replace(code: &str) -> Command {
        Command::ReplaceReceipt {
            receipt: Some(typed(code)),
        }
    }

    fn added(by_reporter: bool) -> Event {
        let material = text_ref("material");
        MaterialAdded {
            material,
            by_reporter,
        }
        .into()
    }

    fn replaced(report: &Given<Report>, code: &str) -> ReceiptReplaced {
        let receipt = Receipt::of(&report.context().secrets, &typed(code));
        ReceiptReplaced { receipt }
    }

    #[test]
    fn a_receipt_code_has_sixteen_digits_and_every_call_draws_another() {
        let drawn = |seed| ReceiptCode::drawn(&Draw::of([seed; 32]), 16);
        let code = drawn(1);
        assert!(code.0.len() == 16 && code.0.bytes().all(|b| b.is_ascii_digit()));
        assert_ne!(code.0, drawn(2).0);
        assert_eq!(ReceiptCode::drawn(&Draw::of([0; 32]), 16).0, "0".repeat(16));
    }

    #[test]
    fn a_receipt_code_may_be_typed_in_groups() {
        let report = report();
        let secrets = &report.context().secrets;
        let receipt = &report.state().filed().expect("it was submitted").receipt;
        assert!(receipt.fits(secrets, &typed(CODE)));
        let grouped = format!("{} {}-{}", &CODE[..4], &CODE[4..8], &CODE[8..]);
        assert!(receipt.fits(secrets, &typed(&grouped)));
        assert!(!receipt.fits(secrets, &typed("0000000000000000")));
    }

    #[test]
    fn a_repeated_submit_replaces_the_code_and_the_first_is_valid_no_longer() {
        let report = report();
        let fresh = replaced(&report, FRESH);
        let report = report.when(replace(FRESH)).then([fresh]).actor(anybody());
        report
            .clone()
            .when(add(Some(CODE)))
            .then_refused(&RECEIPT_CODE_WRONG);
        report
            .clone()
            .when(look(CODE))
            .then_refused(&RECEIPT_CODE_WRONG);
        report
            .when(look(FRESH))
            .then([ReceiptUsed {}])
            .when(look(FRESH))
            .then_already();
    }

    #[test]
    fn two_repeats_at_once_end_with_the_one_code_that_was_written_last() {
        let report = report();
        let (first, second) = (replaced(&report, FRESH), replaced(&report, "2"));
        let report = report
            .when(replace(FRESH))
            .then([first])
            .when(replace("2"))
            .then([second]);
        report
            .clone()
            .when(look(FRESH))
            .then_refused(&RECEIPT_CODE_WRONG);
        report.when(look("2")).then([ReceiptUsed {}]);
    }

    #[test]
    fn a_code_that_was_used_is_not_replaced() {
        for (used, written) in [
            (look(CODE), vec![ReceiptUsed {}.into()]),
            (add(Some(CODE)), vec![ReceiptUsed {}.into(), added(true)]),
            (
                withdraw(Some(CODE)),
                vec![
                    ReceiptUsed {}.into(),
                    Withdrawn { by_reporter: true }.into(),
                ],
            ),
        ] {
            report()
                .actor(anybody())
                .when(used)
                .then(written)
                .when(replace(FRESH))
                .then_already()
                .when(look(CODE))
                .then_already();
        }
    }

    #[test]
    fn what_an_officer_does_uses_no_code() {
        let report = report();
        let fresh = replaced(&report, FRESH);
        report
            .when(add(None))
            .then([added(false)])
            .when(replace(FRESH))
            .then([fresh]);
    }

    #[test]
    fn the_public_adds_material_only_with_the_code() {
        let public = report().actor(anybody());
        public
            .clone()
            .when(add(None))
            .then_refused(&RECEIPT_CODE_WRONG);
        public
            .clone()
            .when(add(Some("1")))
            .then_refused(&RECEIPT_CODE_WRONG);
        public
            .when(add(Some(CODE)))
            .then([ReceiptUsed {}.into(), added(true)]);
    }

    #[test]
    fn an_officer_adds_material_without_a_code() {
        report()
            .actor(officer("officer-1", crate::examples::COUNTY))
            .when(add(None))
            .then([added(false)]);
    }

    #[test]
    fn a_reporter_takes_back_what_nobody_decided_on_yet() {
        let report = report();
        report
            .clone()
            .actor(anybody())
            .when(withdraw(Some(CODE)))
            .then([
                ReceiptUsed {}.into(),
                Event::from(Withdrawn { by_reporter: true }),
            ])
            .when(withdraw(Some(CODE)))
            .then_already();
        let (_, accepted) = report.when(accept()).accepted();
        accepted
            .when(withdraw(Some(CODE)))
            .then_refused(&ALREADY_DECIDED);
    }
}

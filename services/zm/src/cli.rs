//! The list of commands, a line each with its example, and how a command ends.

use std::io;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::commands::{
    case, clarification, clock, dev, events, file, investigation, journal, ledger, matter, quiet,
    report, sanction, show, stats, subject, submit, text, token, tolerance, triage,
};
use crate::{Context, Options, Usage, replay, story};

/// The command line of Zhengming: allegations from their intake to a name that is cleared, or a person who is helped.
#[derive(Debug, Parser)]
#[command(
    name = "zm",
    version,
    after_help = "\
Begin with:
  deploy/local/up --detach    start everything here; zm finds it by itself
  zm story                    two reports and their ways, told step by step
  zm report list              what intake has
  zm show ID                  the whole history of a matter over all services

zm signs as a made-up actor of the role that usually does a command (intake-officer-1, supervisor-1, …); --as says \
another. In production, give your own token in ZHENGMING_TOKEN.

Exit codes: 0 all is well, 1 the answer is no or a fault was found, 2 zm was used wrongly."
)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Submit a report
    #[command(after_help = submit::EXAMPLES)]
    Submit(Box<submit::Submit>),
    /// The register of subjects: register, show
    #[command(subcommand)]
    Subject(subject::Subject),
    /// Reports: show, list
    #[command(subcommand)]
    Report(report::Reports),
    /// The matters that a report may repeat
    #[command(after_help = "Example:\n  zm candidates REPORT")]
    Candidates(report::Candidates),
    /// Accept a report to a handling unit; raises a matter
    #[command(after_help = "\
Examples:
  zm accept REPORT
  zm accept REPORT --unit P51-01-01
  zm accept REPORT --reject MATTER=other_incident --reject MATTER=other_person")]
    Accept(triage::Accept),
    /// Join a report to the matter that it repeats
    #[command(after_help = "Example:\n  zm join REPORT MATTER --new-facts brought")]
    Join(triage::Join),
    /// Decline a report
    #[command(after_help = "Example:\n  zm decline REPORT --reason out_of_scope")]
    Decline(triage::Decline),
    /// Hand a report to another body
    #[command(
        after_help = "Example:\n  zm transfer REPORT --body court-51 --reason other_body_competent"
    )]
    Transfer(triage::Transfer),
    /// Record that the reporter takes a report back
    #[command(after_help = "Example:\n  zm withdraw REPORT --receipt 1234567890123456")]
    Withdraw(triage::Withdraw),
    /// Add material to a report: its officer, or its reporter with the receipt code
    #[command(after_help = "\
Examples:
  zm material REPORT 'The invoice is of 3 March' --receipt 1234567890123456
  zm material REPORT --file statement.txt")]
    Material(triage::Material),
    /// See how a report stands, with its receipt code and nothing else
    #[command(after_help = "Example:\n  zm receipt REPORT 1234567890123456")]
    Receipt(triage::Receipt),
    /// Say who a subject is that was not yet identified
    #[command(
        after_help = "Example:\n  zm identify MATTER PLACEHOLDER SUBJECT --reason 'Two witnesses knew the face'"
    )]
    Identify(triage::Identify),
    /// Matters: show, raise to the unit above
    #[command(subcommand)]
    Matter(matter::Matters),
    /// Cases: show, list
    #[command(subcommand)]
    Case(case::Cases),
    /// Assign at least two investigators
    #[command(after_help = "Example:\n  zm assign CASE investigator-1 investigator-2")]
    Assign(investigation::Assign),
    /// Declare a conflict of interest: the actor is recused from the case
    #[command(
        after_help = "Example:\n  zm conflict CASE --reason 'We are cousins' --as investigator=investigator-2"
    )]
    Conflict(investigation::CaseForReason),
    /// Record evidence
    #[command(after_help = investigation::EVIDENCE_EXAMPLES)]
    Evidence(investigation::Evidence),
    /// Propose a finding for every allegation
    #[command(after_help = investigation::PROPOSE_EXAMPLES)]
    Propose(investigation::Propose),
    /// Return proposed findings to the investigators
    #[command(
        after_help = "Example:\n  zm return CASE --reason 'The second witness was not heard'"
    )]
    Return(investigation::CaseForReason),
    /// Approve proposed findings: the conclusion; by somebody who did not investigate
    #[command(after_help = "Example:\n  zm approve CASE --as supervisor@P51-01=wang")]
    Approve(investigation::Case),
    /// Stop a case's deadline
    #[command(after_help = "Example:\n  zm suspend CASE --reason awaiting_expert")]
    Suspend(investigation::CaseForReason),
    /// Let a case's deadline go on
    #[command(after_help = "Example:\n  zm resume CASE")]
    Resume(investigation::Case),
    /// End a case without a conclusion
    #[command(after_help = "Example:\n  zm discontinue CASE --reason subject_died")]
    Discontinue(investigation::CaseForReason),
    /// Open a concluded case again
    #[command(after_help = "Example:\n  zm reopen CASE --reason new_facts")]
    Reopen(investigation::CaseForReason),
    /// Names that are to be cleared: list, show, screen, wish, form, draft, approve, carry-out, confirm, …
    #[command(subcommand)]
    Clarification(clarification::Clarifications),
    /// The ledger of a unit and year: every name that it cleared
    #[command(after_help = "Examples:\n  zm ledger P51-01\n  zm ledger P51-01 --year 2026 --all")]
    Ledger(ledger::Ledger),
    /// What is on record about one subject: cleared, sanctioned, exempt, followed up
    #[command(after_help = "Example:\n  zm integrity SUBJECT")]
    Integrity(ledger::Integrity),
    /// What is assessed before a sanction: propose, return, approve, show
    #[command(subcommand)]
    Tolerance(tolerance::Tolerances),
    /// Sanctions: record, list
    #[command(subcommand)]
    Sanction(sanction::Sanctions),
    /// A person's file in follow-up; and list, plan, visit, assess, aftercare
    #[command(after_help = "\
Examples:
  zm file PERSON
  zm file list --state open
  zm file visit PERSON --visitor A --visitor B --talk person='Regrets it' --observations 'At work, calm'")]
    File(Box<file::Files>),
    /// The whole history of a matter over all services, by cause and time
    #[command(after_help = "\
Examples:
  zm show ID
  zm show ID --json

ID is that of a matter, a report, a case, a subject, a clarification or a file. Names and narratives are not shown: `zm text SERVICE ID`.")]
    Show(show::Show),
    /// Show or erase a name, narrative, reason or description
    #[command(after_help = "Example:\n  zm text intake 0192f0c4-…")]
    Text(text::Text),
    /// The figures of all services
    #[command(after_help = stats::EXAMPLES)]
    Stats(stats::Stats),
    /// Journals: verify, export
    #[command(subcommand)]
    Journal(journal::Journals),
    /// Parked and dead events: list, show, retry, skip
    #[command(subcommand)]
    Events(events::Events),
    /// Whether anything is still on its way between the services
    #[command(after_help = "Examples:\n  zm quiet\n  zm quiet --wait 60")]
    Quiet(quiet::ReadQuiet),
    /// Sign an actor token for development
    #[command(after_help = "\
Examples:
  zm token --role supervisor --unit P51-01 --id wang
  export ZHENGMING_TOKEN=$(zm token --role intake_officer)
  zm token --role automation --audience queue --hours 168")]
    Token(token::Token),
    /// Show domain time, or move it ahead to see deadlines pass
    #[command(after_help = "Examples:\n  zm clock\n  zm clock --ahead 40d")]
    Clock(clock::Clock),
    /// Drive an existing register through the services and compare the figures
    #[command(after_help = "\
Example:
  zm replay tests/registers/town.csv --map tests/registers/town.toml

Exits with 1 if any figure differs. Running it again adds nothing and prints the same table.")]
    Replay(replay::Replay),
    /// Walk two sample reports through the services and tell their stories
    #[command(after_help = "Example:\n  zm story")]
    Story(story::Story),
    /// Completions for a shell
    #[command(
        after_help = "Example:\n  zm completions bash > ~/.local/share/bash-completion/completions/zm"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// For development and tests: keys, broker, wait
    #[command(subcommand)]
    Dev(dev::Dev),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(fault) => Err(fault.into()),
    };
    ended.unwrap_or_else(|fault| failed(&fault))
}

/// Tells what went wrong, and how the program ends for it.
fn failed(fault: &anyhow::Error) -> ExitCode {
    if let Some(fault) = fault.downcast_ref::<io::Error>()
        && fault.kind() == io::ErrorKind::BrokenPipe
    {
        // Whoever reads has seen enough.
        return ExitCode::SUCCESS;
    }
    eprintln!("zm: {fault:#}");
    match fault.is::<Usage>() {
        true => ExitCode::from(2),
        false => ExitCode::FAILURE,
    }
}

async fn run(cli: Cli) -> Result<ExitCode> {
    if let Command::Completions { shell } = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "zm", &mut script);
        crate::output::line(String::from_utf8_lossy(&script))?;
        return Ok(ExitCode::SUCCESS);
    }
    let context = match &cli.command {
        // `up` writes the configuration only after these.
        Command::Dev(dev) if !dev.asks_services() => Context::bare(cli.options.json),
        _ => Context::new(cli.options)?,
    };
    if let Command::Replay(replay) = cli.command {
        return replay.run(&context).await;
    }
    carry_out(cli.command, &context).await?;
    Ok(ExitCode::SUCCESS)
}

async fn carry_out(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Submit(submit) => submit.run(context).await,
        Command::Subject(subject) => subject.run(context).await,
        Command::Report(reports) => reports.run(context).await,
        Command::Candidates(candidates) => candidates.run(context).await,
        Command::Accept(accept) => accept.run(context).await,
        Command::Join(join) => join.run(context).await,
        Command::Decline(decline) => decline.run(context).await,
        Command::Transfer(transfer) => transfer.run(context).await,
        Command::Withdraw(withdraw) => withdraw.run(context).await,
        Command::Material(material) => material.run(context).await,
        Command::Receipt(receipt) => receipt.run(context).await,
        Command::Identify(identify) => identify.run(context).await,
        Command::Matter(matters) => matters.run(context).await,
        Command::Case(cases) => cases.run(context).await,
        Command::Assign(assign) => assign.run(context).await,
        Command::Conflict(case) => case.declare_conflict(context).await,
        Command::Evidence(evidence) => evidence.run(context).await,
        Command::Propose(propose) => propose.run(context).await,
        Command::Return(case) => case.return_findings(context).await,
        Command::Approve(case) => case.approve(context).await,
        Command::Suspend(case) => case.suspend(context).await,
        Command::Resume(case) => case.resume(context).await,
        Command::Discontinue(case) => case.discontinue(context).await,
        Command::Reopen(case) => case.reopen(context).await,
        Command::Clarification(clarifications) => clarifications.run(context).await,
        Command::Ledger(ledger) => ledger.run(context).await,
        Command::Integrity(integrity) => integrity.run(context).await,
        Command::Tolerance(tolerances) => tolerances.run(context).await,
        Command::Sanction(sanctions) => sanctions.run(context).await,
        Command::File(files) => files.run(context).await,
        Command::Show(show) => show.run(context).await,
        Command::Text(text) => text.run(context).await,
        Command::Stats(stats) => stats.run(context).await,
        Command::Journal(journals) => journals.run(context).await,
        Command::Events(events) => events.run(context).await,
        Command::Quiet(quiet) => quiet.run(context).await,
        Command::Token(token) => token.run(context),
        Command::Clock(clock) => clock.run(context).await,
        Command::Story(story) => story.run(context).await,
        Command::Dev(dev) => dev.run(context).await,
        // These two have ended before: one needs no context, the other has its own exit code.
        Command::Completions { .. } | Command::Replay(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_commands_fits_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let mut subcommands = command.get_subcommands().peekable();
            if subcommands.peek().is_none() && command.get_name() != "help" {
                let help = command.get_after_help().map(ToString::to_string);
                assert!(
                    help.unwrap_or_default().contains("zm "),
                    "{path} has no example"
                );
            }
            subcommands.for_each(|command| check(command, &path));
        }
        check(&Cli::command(), "");
    }

    #[test]
    fn who_acts_may_stand_before_or_after_the_command() {
        for line in [
            "zm --as supervisor@P51=wang approve 0192f0c4-7b1e-7c3a-9d52-6f2b8a4e1c07",
            "zm approve 0192f0c4-7b1e-7c3a-9d52-6f2b8a4e1c07 --as supervisor@P51=wang",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            assert!(cli.options.who.is_some(), "{line}");
        }
    }

    /// How the help names arguments that take the id of something.
    const IDS: [&str; 6] = [
        "REPORT",
        "MATTER",
        "CASE",
        "CASE|MATTER",
        "SUBJECT",
        "PLACEHOLDER",
    ];

    const ID: &str = "0192f0c4-7b1e-7c3a-9d52-6f2b8a4e1c07";

    #[test]
    fn what_is_no_id_is_told_with_what_one_looks_like_and_where_to_find_one() {
        fn check(root: &clap::Command, command: &clap::Command, path: &str) -> usize {
            let takes_id = |arg: &&clap::Arg| {
                let names = arg.get_value_names().unwrap_or_default();
                names.iter().any(|name| IDS.contains(&name.as_str()))
            };
            let mut checked = 0;
            for arg in command.get_arguments().filter(takes_id) {
                let line = match arg.get_long() {
                    Some(long) => format!("zm{path} --{long} nonsense"),
                    None => {
                        let before = arg.get_index().unwrap_or(1) - 1;
                        format!("zm{path} {}nonsense", format!("{ID} ").repeat(before))
                    }
                };
                let told = root.clone().try_get_matches_from(line.split(' '));
                let told = told.expect_err(&line).to_string();
                let clear =
                    told.contains("an id is a UUID such as 0192f0c4") && told.contains("`zm ");
                assert!(clear, "{line}: {told}");
                checked += 1;
            }
            let inner = command.get_subcommands();
            checked
                + inner
                    .map(|inner| check(root, inner, &format!("{path} {}", inner.get_name())))
                    .sum::<usize>()
        }
        let root = Cli::command();
        assert!(check(&root, &root, "") > 20);
        for line in [
            "zm show nonsense",
            "zm text intake nonsense",
            "zm accept 0192f0c4-7b1e-7c3a-9d52-6f2b8a4e1c07 --reject nonsense=x",
        ] {
            let told = Cli::try_parse_from(line.split(' '))
                .expect_err(line)
                .to_string();
            assert!(told.contains("an id is a UUID"), "{line}: {told}");
        }
    }
}

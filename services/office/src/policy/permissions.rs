//! Who may do what: a role and the commands that it permits. The table is the office's to decide, within two lines that
//! `domain.md` (Actors) draws for every office: an auditor changes nothing, and the public does nothing beyond
//! submitting a report and using a receipt code.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::section::Section;
use crate::actor::Role;

/// How the name of a command that only reads begins; the API style holds method names to these.
const READING: [&str; 5] = ["Get", "List", "Read", "Show", "Export"];

/// Everything that anyone may do without an account, whatever an office decides.
const PUBLIC: [&str; 3] = ["SubmitReport", "AddMaterial", "GetReceipt"];

/// The table, by command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Permissions {
    roles: BTreeMap<String, BTreeSet<Role>>,
}

impl Permissions {
    pub(super) fn roles_for(&self, command: &str) -> impl Iterator<Item = Role> {
        self.roles.get(command).into_iter().flatten().copied()
    }

    pub(super) fn commands(&self) -> impl Iterator<Item = &str> {
        self.roles.keys().map(String::as_str)
    }

    pub(super) fn read(section: &Section<'_>) -> Permissions {
        let mut permissions = Permissions::default();
        for word in section.keys() {
            let commands =
                section.list::<Command>(word, "names of commands, such as \"SubmitReport\"");
            let role = match word.parse::<Role>() {
                Ok(role) => role,
                Err(unknown) => {
                    section.fault(word, unknown.to_string());
                    continue;
                }
            };
            for Command(command) in commands {
                if role == Role::Auditor && !READING.iter().any(|verb| command.starts_with(verb)) {
                    let problem =
                        format!("permits {command}, but an auditor changes nothing; take it out");
                    section.fault(word, problem);
                }
                if role == Role::Public && !PUBLIC.contains(&command.as_str()) {
                    let most = PUBLIC.join(", ");
                    section.fault(
                        word,
                        format!(
                            "permits {command}, but the public may at most {most}; take it out"
                        ),
                    );
                }
                permissions.roles.entry(command).or_default().insert(role);
            }
        }
        section.done();
        permissions
    }
}

/// The name of a command: that of the method which it comes by.
struct Command(String);

impl FromStr for Command {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.bytes().all(|c| c.is_ascii_alphanumeric());
        if plain && text.starts_with(|c: char| c.is_ascii_uppercase()) {
            return Ok(Command(text.to_owned()));
        }
        Err(format!(
            "{text:?} is no name of a command; give the method's exact name, such as SubmitReport"
        ))
    }
}

//! A document as a file: the letter that is handed over, the bulletin that is published, or the announcement or the
//! record of a meeting.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use office::Role;
use proto::clarification::{DocumentKind, GetDocumentRequest};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::client::Clarification as Desk;
use crate::{Context, Usage, ids, output, words};

/// The examples of the help text.
pub(crate) const EXAMPLES: &str = "\
Examples:
  zm clarification document CLARIFICATION                     # the letter, as letter-CLARIFICATION.pdf
  zm clarification document CLARIFICATION --kind bulletin --out bulletin.pdf
  zm clarification document CLARIFICATION --round 1           # what was handed over first, where it was cleared again since
  zm clarification document MEETING --kind announcement       # or record, once it was held

The documents are made by themselves: after the approval, after the convening, and once it is known whose names a meeting \
cleared. The journal holds the SHA-256 that is printed here.";

/// Save a document.
#[derive(Debug, Args)]
pub struct Save {
    /// The clarification's id; of an announcement or a record, the meeting's
    #[arg(value_name = "ID", value_parser = ids::documented)]
    of: String,
    /// Which document
    #[arg(long, default_value = "letter", value_parser = words::parser::<DocumentKind>())]
    kind: DocumentKind,
    /// One that was handed over earlier: which time it was, from 1, as `zm clarification show` lists it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    round: Option<i32>,
    /// Where to [default: KIND-ID.pdf in this folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

impl Save {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let kind = words::word::<DocumentKind>(self.kind.into());
        let path = self.out.unwrap_or_else(|| {
            let round = self.round.map(|round| format!("-{round}"));
            PathBuf::from(format!(
                "{kind}-{}{}.pdf",
                self.of,
                round.unwrap_or_default()
            ))
        });
        let mut request = GetDocumentRequest {
            kind: self.kind.into(),
            round: self.round.unwrap_or_default(),
            ..GetDocumentRequest::default()
        };
        match self.kind {
            DocumentKind::Announcement | DocumentKind::Record => request.meeting_id = self.of,
            _ => request.clarification_id = self.of,
        }
        let ask = async |mut desk: Desk| desk.get_document(request).await;
        let answer = context
            .clarification(Role::ClarificationOfficer, ask)
            .await?;
        let document = answer.document.unwrap_or_default();
        let digest = chassis::hexadecimal::encode(&Sha256::digest(&answer.content));
        ensure!(
            digest == document.sha256,
            "what came is not the document of which the journal holds the hash {}; nothing was saved",
            document.sha256
        );
        save(&path, &answer.content, self.force)?;
        let saved = json!({
            "path": path,
            "kind": kind,
            "bytes": answer.content.len(),
            "sha256": digest,
            "mediaType": document.media_type,
            "language": document.language,
            "pages": document.pages,
        });
        context.answer(&saved, |_| {
            output::fields(&[
                ("saved", path.display().to_string()),
                ("bytes", answer.content.len().to_string()),
                ("pages", document.pages.to_string()),
                ("SHA-256", digest.clone()),
            ])
        })
    }
}

/// Writes a file; over one that is there only where that was said.
fn save(path: &Path, content: &[u8], force: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    match force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    let mut file = match options.open(path) {
        Err(fault) if fault.kind() == ErrorKind::AlreadyExists => {
            let path = path.display();
            return Err(Usage(format!("{path} is there already; give --force, or --out")).into());
        }
        opened => opened.with_context(|| format!("{} cannot be written", path.display()))?,
    };
    file.write_all(content)
        .with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_written_over_only_by_force() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("letter.pdf");
        save(&path, b"first", false).expect("there was none");
        let refused = save(&path, b"second", false).expect_err("there is one");
        assert!(refused.to_string().contains("--force"), "{refused}");
        assert_eq!(std::fs::read(&path).expect("a file"), b"first");
        save(&path, b"2nd", true).expect("by force");
        assert_eq!(std::fs::read(&path).expect("a file"), b"2nd");
    }
}

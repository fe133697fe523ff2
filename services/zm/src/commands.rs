//! The commands, by the services and the work that they are about. To add one: its arguments and what it does in the room
//! of its work, then its line with an example in [`crate::cli`].

pub mod case;
pub mod clarification;
pub mod clock;
pub mod dev;
pub mod events;
pub mod file;
pub mod investigation;
pub mod journal;
pub mod ledger;
pub mod matter;
pub mod quiet;
pub mod report;
pub mod sanction;
pub mod show;
pub mod stats;
pub mod subject;
pub mod submit;
pub mod text;
pub mod token;
pub mod tolerance;
pub mod triage;

use anyhow::Result;

/// How much of a long list is shown.
#[derive(Clone, Debug, clap::Args)]
pub struct Paging {
    /// How many on a page, at most 200
    #[arg(long, value_name = "N", default_value_t = 50)]
    page_size: u8,
    /// The page after an earlier one: the token that it ended with
    #[arg(
        long,
        value_name = "TOKEN",
        default_value = "",
        hide_default_value = true
    )]
    page_token: String,
    /// All pages
    #[arg(long, conflicts_with = "page_token")]
    all: bool,
}

impl Paging {
    fn page_size(&self) -> i32 {
        match self.all {
            true => 200,
            false => self.page_size.into(),
        }
    }

    /// The page that is wanted, or all of them: `ask` is given a page's token, takes its rows, and answers with the next
    /// one's. What it answered last.
    async fn pages(&self, mut ask: impl AsyncFnMut(String) -> Result<String>) -> Result<String> {
        let mut page_token = self.page_token.clone();
        loop {
            page_token = ask(page_token).await?;
            if page_token.is_empty() || !self.all {
                return Ok(page_token);
            }
        }
    }

    /// The table, with how to go on if there is more.
    fn ended(&self, table: String, next_page_token: &str) -> String {
        match next_page_token {
            "" => table,
            token => format!("{table}\n\nThere are more: --page-token {token}, or --all"),
        }
    }
}

//! What every command gets: where the services are, who acts, and how to answer.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use chassis::token::Signer;
use office::Role;
use proto::chassis::ReadClockRequest;
use serde::Serialize;
use tonic::{Response, Status};
use uuid::Uuid;

use crate::client::{
    Clarification, FollowUp, Intake, Office, Person, Verification, fresh_request_id, minted,
};
use crate::config::Config;
use crate::who::Who;
use crate::{ids, output};

/// The options that every command takes.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Options {
    /// Where the services are and which key signs [default: the nearest target/local/zm.toml]
    #[arg(long, global = true, value_name = "FILE", env = "ZHENGMING_CLI_CONFIG")]
    pub config: Option<PathBuf>,
    // `_url`, as clap knows an option of every command by its name: an argument of the same name, such as a clarification's
    // id, would give it its value.
    /// Where intake is
    #[arg(long, global = true, value_name = "URL")]
    pub intake_url: Option<String>,
    /// Where verification is
    #[arg(long, global = true, value_name = "URL")]
    pub verification_url: Option<String>,
    /// Where clarification is
    #[arg(long, global = true, value_name = "URL")]
    pub clarification_url: Option<String>,
    /// Where follow-up is
    #[arg(long, global = true, value_name = "URL")]
    pub follow_up_url: Option<String>,
    /// Who acts: a signed actor token
    #[arg(
        long,
        global = true,
        value_name = "JWT",
        env = "ZHENGMING_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// The private key with which zm signs a token for each command (development only)
    #[arg(long, global = true, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Who acts, where zm signs the token: ROLE[@UNIT][/DEPARTMENT][=ACTORID]
    #[arg(
        long = "as",
        global = true,
        value_name = "WHO",
        conflicts_with = "token"
    )]
    pub who: Option<Who>,
    /// The request id of a command; the same id and request give the earlier answer [default: drawn]
    #[arg(long, global = true, value_name = "UUID", value_parser = ids::request)]
    pub request_id: Option<Uuid>,
    /// Answer in JSON, for scripts
    #[arg(long, global = true)]
    pub json: bool,
}

/// What every command gets.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where the services are, and the key.
    pub config: Config,
    /// Whether to answer in JSON.
    pub json: bool,
    who: Option<Who>,
    token: Option<String>,
    request_id: Option<Uuid>,
}

impl Context {
    /// The options over what the configuration says.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub fn new(options: Options) -> Result<Self> {
        let here = std::env::current_dir().context("the current folder is gone")?;
        let mut config = Config::find(options.config.as_deref(), &here)?;
        let addresses = [
            ("intake", options.intake_url),
            ("verification", options.verification_url),
            ("clarification", options.clarification_url),
            ("follow_up", options.follow_up_url),
        ];
        for (service, address) in addresses {
            if let Some(address) = address {
                config.services.insert(service.to_owned(), address);
            }
        }
        config.key = options.key.or(config.key);
        Ok(Self {
            config,
            json: options.json,
            who: options.who,
            token: options.token,
            request_id: options.request_id,
        })
    }

    /// For a command that asks no service: without a configuration.
    pub fn bare(json: bool) -> Self {
        Self {
            config: Config::default(),
            json,
            who: None,
            token: None,
            request_id: None,
        }
    }

    /// The services. Within the runtime.
    ///
    /// # Errors
    /// When an address is missing or is none.
    pub fn office(&self) -> Result<Office> {
        Office::at(&self.config.services)
    }

    /// The signer for people.
    ///
    /// # Errors
    /// When no key is named, or it cannot be read.
    pub fn signer(&self) -> Result<Signer> {
        self.config.signer()
    }

    /// Who acts: of `--token`, else of `--as`, else a made-up actor of the role that usually does this.
    ///
    /// # Errors
    /// When there is neither a token nor a key.
    pub fn person(&self, usually: Role) -> Result<Person> {
        self.somebody(&Who::of(usually))
    }

    /// Who acts: of `--token`, else of `--as`, else whoever usually does this.
    ///
    /// # Errors
    /// When there is neither a token nor a key.
    pub fn somebody(&self, usually: &Who) -> Result<Person> {
        match &self.token {
            Some(token) => Person::of_token(token),
            None => self.mint(self.who.as_ref().unwrap_or(usually)),
        }
    }

    /// Whether the command line says who acts.
    pub fn says_who(&self) -> bool {
        self.token.is_some() || self.who.is_some()
    }

    /// Who acts where anybody may: of `--token`, else of `--as`, else the public.
    ///
    /// # Errors
    /// When `--as` is given without a key.
    pub fn anybody(&self) -> Result<Person> {
        match (&self.token, &self.who) {
            (Some(token), _) => Person::of_token(token),
            (None, Some(who)) => self.mint(who),
            (None, None) => Ok(Person::public()),
        }
    }

    /// Who acts where an office's clerk usually does and anybody may: as [`Self::person`], but the public where there is
    /// neither a token nor a key.
    ///
    /// # Errors
    /// When a key cannot be read.
    pub fn person_or_public(&self, usually: Role) -> Result<Person> {
        if self.token.is_none() && self.who.is_none() && self.config.key.is_none() {
            return Ok(Person::public());
        }
        self.person(usually)
    }

    /// Asks intake one thing, as whoever acts.
    ///
    /// # Errors
    /// The refusal, or why it could not be asked.
    pub async fn intake<T>(
        &self,
        usually: Role,
        ask: impl AsyncFnOnce(Intake) -> Result<Response<T>, Status>,
    ) -> Result<T> {
        let office = self.office()?;
        let client = self.person(usually)?.intake(&office);
        Ok(office.ask("intake", ask(client)).await?)
    }

    /// Asks verification one thing, as whoever acts.
    ///
    /// # Errors
    /// The refusal, or why it could not be asked.
    pub async fn verification<T>(
        &self,
        usually: Role,
        ask: impl AsyncFnOnce(Verification) -> Result<Response<T>, Status>,
    ) -> Result<T> {
        let office = self.office()?;
        let client = self.person(usually)?.verification(&office);
        Ok(office.ask("verification", ask(client)).await?)
    }

    /// Asks clarification one thing, as whoever acts.
    ///
    /// # Errors
    /// The refusal, or why it could not be asked.
    pub async fn clarification<T>(
        &self,
        usually: Role,
        ask: impl AsyncFnOnce(Clarification) -> Result<Response<T>, Status>,
    ) -> Result<T> {
        let office = self.office()?;
        let client = self.person(usually)?.clarification(&office);
        Ok(office.ask("clarification", ask(client)).await?)
    }

    /// Asks follow-up one thing, as whoever acts.
    ///
    /// # Errors
    /// The refusal, or why it could not be asked.
    pub async fn follow_up<T>(
        &self,
        usually: Role,
        ask: impl AsyncFnOnce(FollowUp) -> Result<Response<T>, Status>,
    ) -> Result<T> {
        let office = self.office()?;
        let client = self.person(usually)?.follow_up(&office);
        Ok(office.ask("follow_up", ask(client)).await?)
    }

    /// The date that was given, else what day it is for a service's decisions; an ISO date.
    ///
    /// # Errors
    /// The refusal, or why it could not be asked.
    pub async fn date_or_today(
        &self,
        given: Option<String>,
        service: &str,
        usually: Role,
    ) -> Result<String> {
        if let Some(date) = given {
            return Ok(date);
        }
        let office = self.office()?;
        let mut operations = self.person(usually)?.operations(&office, service);
        let answer = operations.read_clock(ReadClockRequest {});
        Ok(office.ask(service, answer).await?.today)
    }

    /// A person with a token that is signed now.
    ///
    /// # Errors
    /// When there is no key.
    pub fn mint(&self, who: &Who) -> Result<Person> {
        minted(&self.signer()?, who.actor(&self.config.unit()))
    }

    /// The request id of this command: the one that was given, or a fresh one.
    pub fn request_id(&self) -> String {
        self.request_id.unwrap_or_else(fresh_request_id).to_string()
    }

    /// The request id of a command whose request came from a file: `--request-id` before the file's own, else a fresh one.
    pub fn request_id_or(&self, own: &str) -> String {
        if self.request_id.is_none() && !own.is_empty() {
            return own.to_owned();
        }
        self.request_id()
    }

    /// Answers: in JSON the value, else the text.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn answer<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        if self.json {
            output::json(value)
        } else {
            output::line(text(value))
        }
    }
}

//! `zm token`: a signed token for development. In production the identity provider signs.

use std::time::Duration;

use anyhow::Result;
use chassis::time::real_now;
use chassis::token::{Audience, LONGEST_LIFETIME};
use clap::{Args, ValueEnum};
use office::{ActorId, Department, Role, UnitCode};
use serde::Serialize;

use crate::who::{self, Who};
use crate::{Context, Usage, output};

/// A signed development token.
#[derive(Debug, Args)]
pub struct Token {
    /// The actor's role, such as supervisor
    #[arg(long, value_parser = who::role)]
    role: Role,
    /// The actor's unit [default: the root of the shipped hierarchy]
    #[arg(long)]
    unit: Option<UnitCode>,
    /// The actor's department
    #[arg(long)]
    department: Option<Department>,
    /// The actor's id [default: the role and a one, such as supervisor-1]
    #[arg(long)]
    id: Option<ActorId>,
    /// What the token is for: a call by gRPC, or a command in a queue
    #[arg(long, value_enum, default_value_t = For::Call)]
    audience: For,
    /// How long it lives, at most 168
    #[arg(long, default_value_t = 8)]
    hours: u64,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum For {
    /// A call by gRPC
    Call,
    /// A command in a queue
    Queue,
}

/// The answer in JSON.
#[derive(Serialize)]
struct Signed {
    token: String,
    actor: office::Actor,
    audience: &'static str,
    expires: jiff::Timestamp,
}

impl Token {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let lifetime = Duration::from_secs(self.hours.saturating_mul(60 * 60));
        if lifetime.is_zero() || lifetime > LONGEST_LIFETIME {
            let longest = LONGEST_LIFETIME.as_secs() / 3600;
            return Err(Usage(format!("a token lives from 1 to {longest} hours")).into());
        }
        let who = Who {
            role: self.role,
            unit: self.unit,
            department: self.department,
            id: self.id,
        };
        let actor = who.actor(&context.config.unit());
        actor.check().map_err(|fault| Usage(fault.to_string()))?;
        let audience = match self.audience {
            For::Call => Audience::Call,
            For::Queue => Audience::Queue,
        };
        let now = real_now();
        let token = context.signer()?.mint(&actor, audience, now, lifetime)?;
        if !context.json {
            return output::line(token);
        }
        output::json(&Signed {
            token,
            actor,
            audience: audience.as_str(),
            expires: now.checked_add(lifetime).unwrap_or(now),
        })
    }
}

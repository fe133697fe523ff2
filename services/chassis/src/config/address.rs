//! An address with a password in it, which must not reach a log.

use std::fmt;

/// The address of a server with who logs in there. `Debug` and `Display` leave the password and all parameters out.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// Takes an address.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The address in full, for the one who connects.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return f.write_str("…");
        };
        // A password may hold a raw `@`, `/` or `?`: what stands before the last `@` is the login.
        let (login, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let place = place.split('?').next().unwrap_or_default();
        match login.split(':').next() {
            None | Some("") => write!(f, "{scheme}://{place}"),
            Some(user) => write!(f, "{scheme}://{user}:…@{place}"),
        }
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        for (url, printed) in [
            (
                "postgres://intake:se:cr@et@db:5432/zm",
                "postgres://intake:…@db:5432/zm",
            ),
            (
                "postgres://intake:se/cr?et@db/zm",
                "postgres://intake:…@db/zm",
            ),
            (
                "postgres://db/zm?user=intake&password=secret",
                "postgres://db/zm",
            ),
            (
                "amqp://intake:secret@mq:5672/%2f",
                "amqp://intake:…@mq:5672/%2f",
            ),
            ("amqp://mq", "amqp://mq"),
            ("secret", "…"),
        ] {
            assert_eq!(SecretUrl::new(url).to_string(), printed);
            assert_eq!(format!("{:?}", SecretUrl::new(url)), printed);
            assert_eq!(SecretUrl::new(url).reveal(), url);
        }
    }
}

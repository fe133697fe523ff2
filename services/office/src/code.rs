//! Validated short texts: codes that people and other systems give (actors, units, departments). Held as their own
//! types, so that one never stands where another belongs and an invalid one does not exist.

/// A text that is no valid code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no valid {what}: expected 1 to {most} of {alphabet}")]
pub struct CodeFault {
    /// What was expected: "actor id", "unit code", "department".
    pub what: &'static str,
    /// The most characters that it may have.
    pub most: usize,
    /// The characters that it may consist of.
    pub alphabet: &'static str,
    /// What was given, at most its first 64 characters.
    pub text: String,
}

/// Defines a code: a newtype over `String` that is checked whenever one is made, from a file, a token or a message.
macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $what:literal, 1..=$most:literal of $alphabet:literal also $also:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks a text and takes it.
            ///
            /// # Errors
            /// When it is empty, too long, or has a character outside its alphabet.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::CodeFault> {
                let text = text.into();
                let fits = |c: u8| c.is_ascii_alphanumeric() || $also.contains(&c);
                if (1..=$most).contains(&text.len()) && text.bytes().all(fits) {
                    return Ok(Self(text));
                }
                Err($crate::CodeFault {
                    what: $what,
                    most: $most,
                    alphabet: $alphabet,
                    text: text.chars().take(64).collect(),
                })
            }

            /// The text of the code.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::CodeFault;

            fn from_str(text: &str) -> Result<Self, $crate::CodeFault> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::CodeFault;

            fn try_from(text: String) -> Result<Self, $crate::CodeFault> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::CodeFault;

            fn try_from(text: &str) -> Result<Self, $crate::CodeFault> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

pub(crate) use code;

//! The languages in which documents are worded, by their BCP 47 codes. Hans and Hant are two texts, not a conversion.

use std::fmt;
use std::str::FromStr;

/// The language of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// 简体中文, `zh-Hans`.
    Hans,
    /// 繁體中文, `zh-Hant`.
    Hant,
    /// English, `en`.
    English,
}

impl Language {
    /// All languages.
    pub const ALL: [Language; 3] = [Language::Hans, Language::Hant, Language::English];

    /// The BCP 47 code.
    pub const fn code(self) -> &'static str {
        match self {
            Language::Hans => "zh-Hans",
            Language::Hant => "zh-Hant",
            Language::English => "en",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// A code that is no language of documents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no language of documents: expected zh-Hans, zh-Hant or en")]
pub struct UnknownLanguage(pub String);

impl FromStr for Language {
    type Err = UnknownLanguage;

    /// Reads a code in any case of letters, as BCP 47 wants it.
    fn from_str(code: &str) -> Result<Self, UnknownLanguage> {
        let language = Language::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(code));
        language.ok_or_else(|| UnknownLanguage(code.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_code_in_any_case() {
        for language in Language::ALL {
            assert_eq!(language.to_string().parse(), Ok(language));
            assert_eq!(language.code().to_uppercase().parse(), Ok(language));
        }
        let unknown = "zh".parse::<Language>().expect_err("neither of the two");
        assert!(unknown.to_string().contains("zh-Hans, zh-Hant or en"));
    }
}

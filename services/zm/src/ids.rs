//! Ids on the command line. What cannot be one is told before any service is asked: what an id looks like, and which
//! command shows those that there are.

use uuid::Uuid;

/// The id of a report.
///
/// # Errors
/// When it is none.
pub fn report(text: &str) -> Result<String, String> {
    id(text, "a report", "`zm report list` shows them")
}

/// The id of a matter.
///
/// # Errors
/// When it is none.
pub fn matter(text: &str) -> Result<String, String> {
    id(
        text,
        "a matter",
        "`zm report list` shows them beside their reports",
    )
}

/// The id of a case, or of its matter.
///
/// # Errors
/// When it is none.
pub fn case(text: &str) -> Result<String, String> {
    id(text, "a case", "`zm case list` shows them")
}

/// The id of a subject, also of one that is not identified.
///
/// # Errors
/// When it is none.
pub fn subject(text: &str) -> Result<String, String> {
    id(
        text,
        "a subject",
        "`zm report show REPORT` shows those that a report is about",
    )
}

/// The id of a text.
///
/// # Errors
/// When it is none.
pub fn text(text: &str) -> Result<String, String> {
    id(
        text,
        "a text",
        "`zm report show REPORT` and `zm case show CASE` show them",
    )
}

/// The id of an allegation.
///
/// # Errors
/// When it is none.
pub fn allegation(text: &str) -> Result<String, String> {
    id(text, "an allegation", "`zm case show CASE` shows them")
}

/// The id of an item of evidence.
///
/// # Errors
/// When it is none.
pub fn evidence(text: &str) -> Result<String, String> {
    id(text, "evidence", "`zm case show CASE` shows them")
}

/// The id of a clarification.
///
/// # Errors
/// When it is none.
pub fn clarification(text: &str) -> Result<String, String> {
    id(
        text,
        "a clarification",
        "`zm clarification list` shows them",
    )
}

/// The id of what has documents: a clarification or a meeting.
///
/// # Errors
/// When it is none.
pub fn documented(text: &str) -> Result<String, String> {
    id(
        text,
        "a clarification or a meeting",
        "`zm clarification list` and `zm clarification meeting list` show them",
    )
}

/// The id of a file, or of the person whose file it is.
///
/// # Errors
/// When it is none.
pub fn file(text: &str) -> Result<String, String> {
    id(text, "a file or a person", "`zm file list` shows them")
}

/// The id of a visit.
///
/// # Errors
/// When it is none.
pub fn visit(text: &str) -> Result<String, String> {
    id(text, "a visit", "`zm file show PERSON` shows them")
}

/// The id of a meeting.
///
/// # Errors
/// When it is none.
pub fn meeting(text: &str) -> Result<String, String> {
    id(
        text,
        "a meeting",
        "`zm clarification meeting list` shows them; `zm clarification show CLARIFICATION` that of another",
    )
}

/// The id of anything that has a history.
///
/// # Errors
/// When it is none.
pub fn any(text: &str) -> Result<Uuid, String> {
    uuid(
        text,
        "a matter, report, case or subject",
        "`zm report list` and `zm case list` show them",
    )
}

/// The id of a request.
///
/// # Errors
/// When it is none.
pub fn request(text: &str) -> Result<Uuid, String> {
    uuid(text, "a request", "left out, one is drawn")
}

fn id(text: &str, of: &str, found: &str) -> Result<String, String> {
    uuid(text, of, found).map(|id| id.to_string())
}

fn uuid(text: &str, of: &str, found: &str) -> Result<Uuid, String> {
    Uuid::parse_str(text).map_err(|_| {
        format!(
            "{text:?} is no id of {of}: an id is a UUID such as 0192f0c4-7b1e-7c3a-9d52-6f2b8a4e1c07; {found}"
        )
    })
}

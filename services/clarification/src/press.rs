//! The press: sets documents as PDF, in the fonts that the office names, beside the runtime's workers.
//!
//! It takes long as machines count, so no worker does it, and not more documents are set at once than leave half of the
//! machine's processors to everything else.

use std::sync::Arc;
use std::thread::available_parallelism;

use chassis::config::Equipment;
use chassis::refusal::{INTERNAL, Refusal};
use documents::{Fault, Language, Typography};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::printing::{Content, FONTS_LACKING, NAME_NOT_PRINTABLE, Printed, Rendering, Words};

/// The fonts, and how many documents may be set at once.
pub(crate) struct Press {
    typography: Arc<Typography>,
    places: Semaphore,
}

impl Equipment for Press {
    const SETTING: &'static str = "fonts";
    const REMEDY: &'static str = "name font files (.ttf, .otf, .ttc) that together have every character that documents print, Chinese ones for Chinese, between colons and the preferred first, such as /usr/share/fonts/truetype/wqy/wqy-zenhei.ttc";

    fn of(text: &str) -> Result<Self, String> {
        let files: Vec<_> = std::env::split_paths(text).collect();
        let typography = Typography::read(&files).map_err(|fault| fault.to_string())?;
        let processors = available_parallelism().map_or(1, usize::from);
        Ok(Self {
            typography: Arc::new(typography),
            places: Semaphore::new((processors / 2).max(1)),
        })
    }
}

impl Press {
    /// Sets all documents of a content with these words.
    ///
    /// # Errors
    /// Why they cannot be made.
    pub(crate) async fn print<C: Content>(
        &self,
        content: C,
        words: Words,
    ) -> Result<Rendering<C>, Refusal> {
        let place = self.places.acquire().await;
        let typography = Arc::clone(&self.typography);
        let set = spawn_blocking(move || set(&typography, content, &words)).await;
        drop(place);
        set.map_err(|error| INTERNAL.with_note(error))?
    }
}

fn set<C: Content>(
    typography: &Typography,
    content: C,
    words: &Words,
) -> Result<Rendering<C>, Refusal> {
    let language: Language = content
        .letterhead()
        .language
        .parse()
        .map_err(|fault| INTERNAL.with_note(fault))?;
    let printed = content.kinds().iter().map(|kind| {
        let document = content.document(*kind, words);
        let rendered = documents::render(typography, &document, language).map_err(refused)?;
        Ok(Printed {
            kind: *kind,
            sha256: Sha256::digest(&rendered.pdf).to_vec(),
            pages: u32::try_from(rendered.pages).unwrap_or(u32::MAX),
            bytes: rendered.pdf.into(),
        })
    });
    let printed = printed.collect::<Result<_, Refusal>>()?;
    Ok(Rendering { content, printed })
}

/// No fault holds a word of the document, so each may be told.
fn refused(fault: Fault) -> Refusal {
    let refusal = match fault {
        Fault::Lacking(_) => FONTS_LACKING,
        Fault::NotText { .. } => NAME_NOT_PRINTABLE,
        Fault::ClearsNobody | Fault::Template { .. } => INTERNAL,
    };
    refusal.with_note(fault)
}

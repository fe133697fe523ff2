//! What one service needs beside what all have, such as the fonts of one that sets documents: made of one setting at
//! start, and at hand wherever facts are gathered.
//!
//! To add one: implement [`Equipment`] in the service, list it in the blueprint, and give the setting its line in the
//! README. A missing or unusable one is told at start with all other faults.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A thing that a service is equipped with at its start.
pub trait Equipment: Send + Sync + Sized + 'static {
    /// The setting that it is made of, such as `fonts` for `ZHENGMING_FONTS`.
    const SETTING: &'static str;
    /// What to give, where the setting is missing or of no use.
    const REMEDY: &'static str;

    /// Makes it of the setting's text.
    ///
    /// # Errors
    /// What is wrong, for whoever starts the service; it never holds what may be a secret.
    fn of(text: &str) -> Result<Self, String>;
}

type Thing = Arc<dyn Any + Send + Sync>;

/// An equipment that a blueprint lists, without its type.
#[derive(Clone, Copy)]
pub(crate) struct WantedEquipment {
    pub(super) setting: &'static str,
    pub(super) remedy: &'static str,
    make: fn(&str) -> Result<Thing, String>,
}

impl WantedEquipment {
    pub(crate) fn of<E: Equipment>() -> Self {
        Self {
            setting: E::SETTING,
            remedy: E::REMEDY,
            make: |text| E::of(text).map(|made| Arc::new(made) as Thing),
        }
    }
}

/// What a service was equipped with.
#[derive(Clone, Default)]
pub struct Equipped(Vec<Thing>);

impl Equipped {
    pub(super) fn take(&mut self, wanted: &WantedEquipment, text: &str) -> Result<(), String> {
        self.0.push((wanted.make)(text)?);
        Ok(())
    }

    /// The equipment of this type, if there is one.
    pub fn get<E: Equipment>(&self) -> Option<Arc<E>> {
        let mut all = self.0.iter();
        all.find_map(|one| Arc::clone(one).downcast().ok())
    }
}

impl fmt::Debug for Equipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Equipped({})", self.0.len())
    }
}

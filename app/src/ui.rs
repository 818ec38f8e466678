//! Parts that more than one page uses.

mod changes;
mod configuration_note;
mod copy_button;
mod digest_chip;
mod flag_card;
mod loaded;
mod palette;
mod repository_name;
mod shell;
mod toast;
mod when;

pub use changes::{Commit, CompareLink, changes, commit};
pub use configuration_note::ConfigurationNote;
pub use copy_button::{CopyButton, Copyable};
pub use digest_chip::{Difference, DigestChip};
pub use flag_card::FlagCard;
pub use loaded::{ErrorNote, Loaded, More, failure};
pub use repository_name::RepositoryName;
pub use shell::{Acting, Shell, SummaryHere, title};
pub use toast::Toasts;
pub use when::{Now, When, WindowWords};

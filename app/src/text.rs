//! Every text of the page that people read. The language is chosen here, when the page is built: a first load holds one.

mod english;

pub use self::english::*;

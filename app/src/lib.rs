//! Tagwarden's page.
//!
//! What needs a browser stands behind the feature `ui`; the rest is pure and tested natively.
#![cfg_attr(feature = "ui", expect(clippy::needless_pass_by_value, reason = "components own their properties"))]

pub mod meaning;
pub mod painter;
pub mod route;
pub mod scenes;
pub mod stream;
pub mod telling;
pub mod text;
pub mod time;
pub mod url;
pub mod ways;
pub mod window;

#[cfg(feature = "ui")]
mod api;
#[cfg(feature = "ui")]
mod browser;
#[cfg(feature = "ui")]
mod effect;
#[cfg(feature = "ui")]
mod held;
#[cfg(feature = "ui")]
mod live;
#[cfg(feature = "ui")]
mod pages;
#[cfg(feature = "ui")]
mod panic;
#[cfg(feature = "ui")]
mod remote;
#[cfg(feature = "ui")]
mod router;
#[cfg(feature = "ui")]
mod timeline;
#[cfg(feature = "ui")]
mod ui;
#[cfg(feature = "ui")]
mod view;

/// Shows the page in the document's body.
#[cfg(feature = "ui")]
pub fn start() {
    panic::install();
    browser::set_language(text::LANG);
    browser::remove_skeleton();
    leptos::mount::mount_to_body(pages::App);
}

#[cfg(test)]
mod tests {
    use tagwarden_model::hue::{HUES, Theme, degrees, lightness_and_chroma};

    /// The stylesheet cannot compute the hues, and `style="…"` is forbidden by the content security policy; so each
    /// hue has a class, and this holds the classes to the rule.
    #[test]
    fn the_stylesheet_has_the_hues_of_the_model() {
        let colour = |theme, hue| {
            let (lightness, chroma) = lightness_and_chroma(theme);
            format!("oklch({lightness} {chroma} {})", degrees(hue))
        };
        let expected: Vec<String> = (0..HUES)
            .map(|hue| {
                let (light, dark) = (colour(Theme::Light, hue), colour(Theme::Dark, hue));
                format!(".hue-{hue} {{ --hue: light-dark({light}, {dark}); }}")
            })
            .collect();
        let sheet = include_str!("../../style/hues.css");
        let found: Vec<&str> = sheet.lines().filter(|line| line.starts_with(".hue-")).collect();
        assert_eq!(found, expected);
    }
}

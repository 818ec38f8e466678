//! Colours of digests: 24 hues of one lightness and one chroma per theme, none near the colours that warn.

use crate::digest::Digest;

/// How many hues there are; one is written as an index below this.
pub const HUES: u8 = 24;

/// The first hue in degrees of OKLCH and the step to the next. The last is 355°: 30° before the red of flags (25°);
/// the first is 32° after the amber of warnings (70°).
const FIRST: u16 = 102;
const STEP: u16 = 11;

/// Light or dark page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark text on light ground; text on a hue is white.
    Light,
    /// Light text on dark ground; text on a hue is black.
    Dark,
}

/// The hues of a digest's swatch, each from a byte of its own. The first one stands for the digest where there is room
/// for one only.
pub fn bars(digest: &Digest) -> [u8; 4] {
    let bytes = digest.bytes();
    [0, 1, 2, 3].map(|at: usize| bytes.get(at).map_or(0, |byte| byte % HUES))
}

/// The hue's angle in OKLCH.
pub fn degrees(hue: u8) -> u16 {
    FIRST + STEP * u16::from(hue % HUES)
}

/// Lightness and chroma that all hues of a theme share, within sRGB at every hue.
pub fn lightness_and_chroma(theme: Theme) -> (f64, f64) {
    match theme {
        Theme::Light => (0.53, 0.089),
        Theme::Dark => (0.75, 0.122),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAG: f64 = 25.0;
    const WARNING: f64 = 70.0;

    /// Linear sRGB of an OKLCH colour (Björn Ottosson, "A perceptual color space for image processing").
    fn linear(lightness: f64, chroma: f64, degrees: f64) -> [f64; 3] {
        let (red_green, blue_yellow) = (chroma * degrees.to_radians().cos(), chroma * degrees.to_radians().sin());
        let cone = |of_red: f64, of_blue: f64| (lightness + of_red * red_green + of_blue * blue_yellow).powi(3);
        let l = cone(0.396_337_777_4, 0.215_803_757_3);
        let m = cone(-0.105_561_345_8, -0.063_854_172_8);
        let s = cone(-0.089_484_177_5, -1.291_485_548_0);
        [
            4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
            -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
            -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
        ]
    }

    fn luminance(rgb: [f64; 3]) -> f64 {
        0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
    }

    fn contrast(one: f64, other: f64) -> f64 {
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn colour(theme: Theme, hue: u8) -> [f64; 3] {
        let (lightness, chroma) = lightness_and_chroma(theme);
        linear(lightness, chroma, f64::from(degrees(hue)))
    }

    /// Luminance of the text on a hue and of the surface under it, as in style/tokens.css.
    fn text_and_surface(theme: Theme) -> (f64, f64) {
        match theme {
            Theme::Light => (1.0, 1.0),
            Theme::Dark => (0.0, 0.010),
        }
    }

    #[test]
    fn no_hue_is_within_30_degrees_of_a_colour_that_warns() {
        for hue in 0..HUES {
            for warns in [FLAG, WARNING] {
                let apart = (f64::from(degrees(hue)) - warns).abs();
                assert!(apart.min(360.0 - apart) >= 30.0, "hue {hue} is {apart} degrees from {warns}");
            }
        }
    }

    #[test]
    fn every_hue_can_be_shown_without_being_changed() {
        for theme in [Theme::Light, Theme::Dark] {
            for hue in 0..HUES {
                let rgb = colour(theme, hue);
                assert!(rgb.iter().all(|part| (-0.001..=1.001).contains(part)), "{theme:?} {hue}: {rgb:?}");
            }
        }
    }

    #[test]
    fn text_on_every_hue_and_the_edge_between_any_two_can_be_seen() {
        for theme in [Theme::Light, Theme::Dark] {
            let (text, surface) = text_and_surface(theme);
            for one in 0..HUES {
                let one = luminance(colour(theme, one));
                assert!(contrast(one, text) >= 4.5, "{theme:?}: text {}", contrast(one, text));
                for other in 0..HUES {
                    // Neighbours are parted by an edge in the surface's colour: it must be seen against both.
                    let other = luminance(colour(theme, other));
                    let edge = contrast(one, surface).min(contrast(other, surface));
                    assert!(edge >= 3.0, "{theme:?}: edge {edge}");
                }
            }
        }
    }

    #[test]
    fn a_swatch_shows_four_bytes_of_the_digest() {
        let digest = Digest::Sha256(std::array::from_fn(|at| at as u8 + 23));
        assert_eq!(bars(&digest), [23, 0, 1, 2]);
    }
}

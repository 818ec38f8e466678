//! A canvas as the painter's surface, in the colours of the stylesheet.

use std::f64::consts::TAU;
use std::ops::Range;
use std::rc::Rc;

use tagwarden_model::hue::HUES;
use wasm_bindgen::JsCast;
use web_sys::{CanvasPattern, CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement};

use crate::painter::{Ink, Surface};

/// Where each ink's colour comes from; the patterns and the hues follow.
const TOKENS: [&str; 9] = ["surface", "raised", "line", "ink", "ink-2", "ink-3", "on-hue", "flag", "accent"];

/// The colours of a theme, on a screen.
pub struct Palette {
    /// Pixels of the screen for each of the page.
    ratio: f64,
    plain: Vec<String>,
    patterns: Vec<CanvasPattern>,
}

impl Palette {
    /// Asks the stylesheet: `probe` is an element that nobody sees. `ratio` is how many pixels of the screen are painted for each
    /// of the page.
    pub fn read(probe: &HtmlElement, ratio: f64) -> Option<Self> {
        // The first are the tokens', then the warning's, then the hues'.
        let tokens = TOKENS.len();
        probe.set_inner_html(&"<i></i>".repeat(tokens + 1 + usize::from(HUES)));
        let (window, entries) = (web_sys::window()?, probe.children());
        let entry = |at: usize| Some(entries.item(at as u32)?.unchecked_into::<HtmlElement>());
        for (at, token) in TOKENS.iter().chain(&["warning"]).enumerate() {
            let _ = entry(at)?.style().set_property("color", &["var(--", token, ")"].concat());
        }
        for hue in 0..HUES {
            entry(tokens + 1 + usize::from(hue))?.set_class_name(&["hue-", &hue.to_string()].concat());
        }
        // All are asked after all are written: the browser works out styles for each question after a change.
        let mut plain = Vec::new();
        while let Some(entry) = entry(plain.len()) {
            plain.push(window.get_computed_style(&entry).ok()??.get_property_value("color").ok()?);
        }
        probe.set_inner_html("");
        let hatch = plain.remove(tokens);
        let quiet = plain.get(5)?.clone();
        let pattern = |size: f64, colour: &str, opacity: f64, draw: &dyn Fn(&CanvasRenderingContext2d)| {
            pattern(size, ratio, colour, opacity, draw)
        };
        // Thin strokes, three times as dark as the ground or as light: each is told from the others and from nothing.
        let patterns = vec![
            pattern(8.0, &quiet, 0.8, &|brush| brush.fill_rect(1.0, 1.0, 1.5, 1.5))?,
            pattern(8.0, &hatch, 0.75, &|brush| diagonal(brush, 8.0, 1.0))?,
            pattern(16.0, &quiet, 0.7, &|brush| {
                brush.stroke_rect(1.5, 1.5, 5.0, 5.0);
                brush.stroke_rect(9.5, 9.5, 5.0, 5.0);
            })?,
        ];
        Some(Self { ratio, plain, patterns })
    }

    /// Whether it is for so many pixels.
    pub fn fits(&self, ratio: f64) -> bool {
        (self.ratio - ratio).abs() < 1e-6
    }
}

/// Stripes from bottom left to top right that meet at the edges.
fn diagonal(brush: &CanvasRenderingContext2d, size: f64, width: f64) {
    brush.set_line_width(width);
    brush.begin_path();
    for shift in [-size, 0.0, size] {
        brush.move_to(shift, size);
        brush.line_to(shift + size, 0.0);
    }
    brush.stroke();
}

/// In the pixels of the screen: what is as large there as it is drawn is sharp, and filled in half the time.
fn pattern(
    size: f64,
    ratio: f64,
    colour: &str,
    opacity: f64,
    draw: &dyn Fn(&CanvasRenderingContext2d),
) -> Option<CanvasPattern> {
    let canvas = web_sys::window()?.document()?.create_element("canvas").ok()?.dyn_into::<HtmlCanvasElement>().ok()?;
    let whole = (size * ratio).round().max(1.0);
    canvas.set_width(whole as u32);
    canvas.set_height(whole as u32);
    let brush = context(&canvas)?;
    let _ = brush.scale(whole / size, whole / size);
    brush.set_global_alpha(opacity);
    brush.set_fill_style_str(colour);
    brush.set_stroke_style_str(colour);
    draw(&brush);
    brush.create_pattern_with_html_canvas_element(&canvas, "repeat").ok()?
}

fn context(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}

/// One canvas, ready to paint on.
pub struct Canvas {
    context: CanvasRenderingContext2d,
    palette: Rc<Palette>,
    top: f64,
}

impl Canvas {
    /// Makes the element as large as a part of the picture, from one height to another, in the pixels of the screen, and
    /// empties it.
    pub fn prepare(element: &HtmlCanvasElement, width: f64, part: &Range<f64>, palette: &Rc<Palette>) -> Option<Self> {
        let height = part.end - part.start;
        let ratio = palette.ratio;
        let (across, down) = ((width * ratio).round() as u32, (height * ratio).round() as u32);
        if element.width() != across || element.height() != down {
            element.set_width(across);
            element.set_height(down);
            let _ = element.style().set_property("height", &[&height.to_string(), "px"].concat());
        }
        let context = context(element)?;
        let _ = context.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
        context.clear_rect(0.0, 0.0, across.into(), down.into());
        context.set_text_baseline("middle");
        context.set_line_join("round");
        context.set_line_cap("round");
        let canvas = Self { context, palette: palette.clone(), top: part.start };
        canvas.measure();
        Some(canvas)
    }

    /// What follows is in pixels of the page.
    fn measure(&self) {
        let ratio = self.palette.ratio;
        let _ = self.context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, -self.top * ratio);
    }

    fn place(ink: Ink) -> Result<usize, usize> {
        Ok(match ink {
            Ink::Surface => 0,
            Ink::Raised => 1,
            Ink::Line => 2,
            Ink::Text => 3,
            Ink::Text2 => 4,
            Ink::Text3 => 5,
            Ink::OnHue => 6,
            Ink::Flag => 7,
            Ink::Accent => 8,
            Ink::Hue(hue) => TOKENS.len() + usize::from(hue),
            Ink::Dots => return Err(0),
            Ink::Hatch => return Err(1),
            Ink::Checks => return Err(2),
        })
    }

    fn colour(&self, ink: Ink) -> &str {
        Self::place(ink).ok().and_then(|at| self.palette.plain.get(at)).map_or("", String::as_str)
    }
}

impl Surface for Canvas {
    fn begin(&mut self) {
        self.context.begin_path();
    }

    fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, radius: f64) {
        if radius > 0.0 {
            let _ = self.context.round_rect_with_f64(x, y, width, height, radius);
        } else {
            self.context.rect(x, y, width, height);
        }
    }

    fn block(&mut self, x: f64, y: f64, width: f64, height: f64) {
        self.context.fill_rect(x, y, width, height);
    }

    fn circle(&mut self, x: f64, y: f64, radius: f64) {
        self.context.move_to(x + radius, y);
        let _ = self.context.arc(x, y, radius, 0.0, TAU);
    }

    fn line(&mut self, points: &[(f64, f64)], closed: bool) {
        for (at, (x, y)) in points.iter().enumerate() {
            if at == 0 {
                self.context.move_to(*x, *y);
            } else {
                self.context.line_to(*x, *y);
            }
        }
        if closed {
            self.context.close_path();
        }
    }

    fn ink(&mut self, ink: Ink) {
        self.context.set_fill_style_str(self.colour(ink));
    }

    fn fill(&mut self, ink: Ink) {
        let pattern = Self::place(ink).err().and_then(|at| self.palette.patterns.get(at));
        if let Some(pattern) = pattern {
            self.context.set_fill_style_canvas_pattern(pattern);
            let _ = self.context.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
            self.context.fill();
            self.measure();
        } else {
            self.ink(ink);
            self.context.fill();
        }
    }

    fn stroke(&mut self, ink: Ink, width: f64, dashed: bool) {
        let dash = js_sys::Array::new();
        if dashed {
            dash.push(&2.5.into());
            dash.push(&2.5.into());
        }
        let _ = self.context.set_line_dash(&dash);
        self.context.set_line_width(width);
        self.context.set_stroke_style_str(self.colour(ink));
        self.context.stroke();
    }

    fn font(&mut self, ink: Ink, strong: bool) {
        let weight = if strong { "600 " } else { "" };
        let family =
            "12px ui-monospace, \"SF Mono\", Menlo, Consolas, \"Cascadia Mono\", \"DejaVu Sans Mono\", monospace";
        self.context.set_font(&[weight, family].concat());
        self.context.set_fill_style_str(self.colour(ink));
        self.context.set_stroke_style_str(self.colour(Ink::Surface));
        self.context.set_line_width(4.0);
        let _ = self.context.set_line_dash(&js_sys::Array::new());
    }

    fn text(&mut self, text: &str, x: f64, y: f64, end: bool, rim: bool) {
        self.context.set_text_align(if end { "right" } else { "left" });
        if rim {
            let _ = self.context.stroke_text(text, x, y);
        }
        let _ = self.context.fill_text(text, x, y);
    }

    fn opacity(&mut self, opacity: f64) {
        self.context.set_global_alpha(opacity);
    }
}

//! Timelines on pages. A small picture ([`TimelineView`]) measures the room, asks the model for the picture and writes it;
//! the timeline of a page ([`Lanes`]) paints what it has of its tiles and asks for the others.

mod board;
mod canvas;
mod card;
mod desk;
mod gestures;
mod handles;
mod lanes;
mod picture;
mod svg;
mod tile_reader;
mod twin;

use leptos::html::Div;
use leptos::prelude::*;
use tagwarden_model::instant::Instant;
use tagwarden_model::timeline::{Frame, Scene, layout};

use crate::browser;
use crate::effect::effect;
use crate::text::timeline::WORDS;
pub use lanes::Lanes;

/// A scene to scale, as wide as there is room.
#[component]
pub fn TimelineView(
    /// What is shown.
    scene: Signal<Scene>,
    /// The left edge.
    from: Signal<Instant>,
    /// What the picture shows, in words.
    label: Signal<String>,
) -> impl IntoView {
    let holder = NodeRef::<Div>::new();
    let width = RwSignal::new(0.0_f64);
    let measure = move || {
        if let Some(holder) = holder.try_get_untracked().flatten() {
            width.try_set(f64::from(holder.client_width()));
        }
    };
    effect(move || {
        holder.track();
        measure();
    });
    let resized = window_event_listener(leptos::ev::resize, move |_| measure());
    on_cleanup(move || resized.remove());
    effect(move || {
        let (now, width) = (browser::now(), width.get());
        let frame = Frame { from: from.get(), now, width, offset: &browser::offset, words: &WORDS };
        if let Some(holder) = holder.get().filter(|_| width > 0.0) {
            svg::write(&holder, &scene.with(|scene| layout(scene, &frame)), &label.get());
        }
    });
    view! { <div class="timeline" node_ref=holder></div> }
}

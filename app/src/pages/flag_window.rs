//! A small picture to scale: the old digest until it was last seen, the new one since it was first seen.

use leptos::prelude::*;
use tagwarden_model::api::FlagDetail;

use crate::held::Held;
use crate::scenes;
use crate::text;
use crate::timeline::TimelineView;
use crate::ui::Now;

/// The picture of the first move and what followed.
#[component]
pub fn FlagWindow(data: Held<FlagDetail>) -> impl IntoView {
    let from = Signal::derive(move || data.with(|data| scenes::window_start(data, Now::get())));
    let scene = Signal::derive(move || data.with(scenes::window));
    let label = Signal::derive(|| text::flag::WINDOW_PICTURE.to_owned());
    view! { <TimelineView scene from label /> }
}

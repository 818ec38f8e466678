//! What people and the machine did with a flag.

use leptos::prelude::*;
use tagwarden_model::api::{FlagDetail, Transition};

use crate::held::Held;
use crate::meaning::visible;
use crate::text::flag as text;
use crate::ui::When;
use crate::view::live;

/// The steps, newest first.
#[component]
pub fn FlagStory(data: Held<FlagDetail>) -> impl IntoView {
    let steps = live(move || {
        let mut steps = data.get().transitions;
        steps.reverse();
        steps.into_iter().map(step).collect_view()
    });
    view! {
        <section class="card">
            <h2>{text::STORY}</h2>
            <ol class="story">{steps}</ol>
        </section>
    }
}

fn step(step: Transition) -> impl IntoView {
    let what = text::step(&step);
    view! {
        <li class="story-step">
            <span class="story-what"><bdi>{visible(&step.actor)}</bdi>" "{what}</span>
            <When at=step.at />
            {step.reason.map(|reason| view! { <p class="story-reason"><bdi>{visible(&reason)}</bdi></p> })}
        </li>
    }
}

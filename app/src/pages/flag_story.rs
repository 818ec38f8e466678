//! What people and the machine did with a flag.

use leptos::prelude::*;
use tagwarden_model::api::{FlagDetail, Transition};
use tagwarden_model::flag::{FlagState, Resolution};

use crate::held::Held;
use crate::phrase;
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
            <h2>"Story"</h2>
            <ol class="story">{steps}</ol>
        </section>
    }
}

fn step(step: Transition) -> impl IntoView {
    let what = match (step.to, step.resolution) {
        (FlagState::Open, _) if step.from.is_none() => "opened the flag",
        (FlagState::Open, _) if step.from == Some(FlagState::Open) => "ranked it anew",
        (FlagState::Open, _) => "opened it again",
        (FlagState::Acknowledged, _) => "acknowledged it",
        (FlagState::Restored, _) => "saw the promised digest again",
        (FlagState::Closed, Some(Resolution::Accepted)) => "closed it: accepted as the new promise",
        (FlagState::Closed, Some(Resolution::NotAnIssue)) => "closed it: not an issue",
        (FlagState::Closed, _) => "closed it: reviewed",
    };
    view! {
        <li class="story-step">
            <span class="story-what"><bdi>{phrase::visible(&step.actor)}</bdi>" "{what}</span>
            <When at=step.at />
            {step.reason.map(|reason| view! { <p class="story-reason"><bdi>{phrase::visible(&reason)}</bdi></p> })}
        </li>
    }
}

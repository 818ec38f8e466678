//! The state of a repository, and what can be done with it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{Check, Repository, RepositoryState, WatchSource};
use tagwarden_model::instant::Millis;

use super::groups::Groups;
use crate::api::{self, ApiError};
use crate::router::{NavigateOptions, use_navigate};
use crate::text::{self, repositories, repository as words};
use crate::ui::{Acting, Now, SummaryHere, When, failure};
use crate::view::{Show, live};
use crate::{browser, meaning, time, url};

/// State and freshness in words, and what can be done.
#[component]
pub fn RepositoryFacts(
    repository: Memo<Repository>,
    on_change: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let chip = live(move || {
        let (word, tone) = repository.with(|of| {
            let standing = meaning::standing(of);
            (repositories::state_word(&standing), meaning::state_tone(&standing))
        });
        view! { <span class=tone.class()>{word}</span> }
    });
    let sentence = live(move || {
        repository
            .with(|of| repositories::state_sentence(&meaning::standing(of)))
            .map(|sentence| view! { <bdi class="facts-note">{meaning::visible(&sentence)}</bdi> })
    });
    let counts = live(move || repository.with(words::counts));
    let unread = live(move || {
        repository
            .with(repositories::unread)
            .map(|unread| view! { <bdi class="facts-note">{meaning::visible(&unread)}</bdi> })
    });
    let passes = live(move || {
        let (last, next) = repository.with(|repository| (repository.last_pass, repository.next_pass));
        view! {
            {last.map(|at| view! { <span>{text::CHECKED} <When at /></span> })}
            {next.map(|at| {
                let wait = at - Now::get();
                if wait >= Millis::seconds(5) {
                    view! { <span>{words::NEXT} <When at /></span> }.into_any()
                } else if wait > Millis(-5_000) {
                    view! { <span>{words::NEXT_SOON}</span> }.into_any()
                } else {
                    view! { <span>{words::NEXT_DUE}</span> }.into_any()
                }
            })}
        }
    });
    let promised = live(move || {
        let promised = repository.with(meaning::promised)?;
        Some(view! { <span>{words::promised_within(&time::length(promised))}</span> })
    });
    let proven = live(move || {
        let (at, every) = repository.with(meaning::proven)?;
        Some(match at {
            Some(at) => view! { <span>{words::PROVEN} <When at /> {words::proven_every(every)}</span> }.into_any(),
            None => view! { <span>{words::not_proven_yet(every)}</span> }.into_any(),
        })
    });
    let groups = live(move || {
        let groups = repository.with(|repository| repository.groups.clone());
        (!groups.is_empty())
            .then(|| view! { <span>{words::IN_GROUPS}<bdi>{meaning::visible(&groups.join(", "))}</bdi></span> })
    });
    view! {
        <div class="facts">
            <p class="facts-words">{chip} {sentence} {unread} <span>{counts}</span> {passes} {promised} {proven} {groups}</p>
            <Acting><Acts repository on_change /></Acting>
        </div>
    }
}

#[component]
fn Acts(repository: Memo<Repository>, on_change: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let SummaryHere(summary) = expect_context();
    // What the file names can only be ended there.
    let of_file = Memo::new(move |_| repository.with(|repository| repository.source == WatchSource::File));
    let busy = RwSignal::new(false);
    let asked = RwSignal::new(false);
    let failed = RwSignal::new(None::<ApiError>);
    let check = move |_| {
        busy.set(true);
        let repository = repository.get_untracked().name;
        spawn_local(async move {
            failed.try_set(api::check(&Check { repository, tags: Vec::new() }).await.err());
            busy.try_set(false);
            on_change();
        });
    };
    let is_paused = move || repository.with(|repository| repository.state == RepositoryState::Paused);
    let pause = move |_| {
        busy.set(true);
        let (name, paused) = (repository.get_untracked().name, is_paused());
        spawn_local(async move {
            failed.try_set(api::pause(name, !paused).await.err());
            busy.try_set(false);
            on_change();
        });
    };
    let navigate = use_navigate();
    let remove = StoredValue::new_local(move || {
        let name = repository.get_untracked().name;
        spawn_local(async move {
            match api::remove_repository(&name).await {
                Ok(()) => {
                    summary.reload();
                    navigate(url::OVERVIEW, NavigateOptions::default());
                }
                Err(error) => drop(failed.try_set(Some(error))),
            }
        });
    });
    // The pressed button is gone afterwards: the focus goes to what took its place.
    let ask = move |ask: bool| {
        asked.set(ask);
        request_animation_frame(move || browser::focus(if ask { "stop-now" } else { "stop" }));
    };
    let question = move || {
        view! {
            <span class="facts-question" role="alert">{words::STOP_QUESTION}</span>
            <button id="stop-now" class="button" type="button" on:click=move |_| remove.with_value(|remove| remove())>
                {words::STOP}
            </button>
            <button class="button button-quiet" type="button" on:click=move |_| ask(false)>{words::KEEP}</button>
        }
    };
    view! {
        <div class="acts">
            {failure(failed)}
            <Show when=move || !of_file.get() fallback=|| view! { <span class="facts-question">{words::OF_FILE}</span> }>
                <Show when=move || asked.get() fallback=move || view! {
                    <button id="stop" class="button button-quiet" type="button" on:click=move |_| ask(true)>
                        {words::STOP_ASK}
                    </button>
                }>{question()}</Show>
            </Show>
            <button id="pause" class="button button-quiet" type="button" disabled=busy on:click=pause>
                {live(move || if is_paused() { words::RESUME } else { words::PAUSE })}
            </button>
            <details class="popover">
                <summary class="button button-quiet">{words::GROUPS}</summary>
                <div class="card"><Groups repository on_change /></div>
            </details>
            <Show when=move || !is_paused()>
                <button class="button" type="button" disabled=busy on:click=check>
                    {live(move || if busy.get() { words::CHECKING } else { words::CHECK })}
                </button>
            </Show>
        </div>
    }
}

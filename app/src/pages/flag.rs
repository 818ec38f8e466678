//! A flag as an incident page: when, what, the way back, the story. It prints on one sheet.

use leptos::prelude::*;
use tagwarden_model::api::{ChangeKind, Flag, FlagDetail};
use tagwarden_model::flag::FlagState;
use tagwarden_model::instant::Instant;

use super::flag_acts::FlagActs;
use super::flag_story::FlagStory;
use super::flag_window::FlagWindow;
use super::way_back::{Of, WayBack};
use crate::held::Held;
use crate::live::Live;
use crate::meaning::{self, Breach};
use crate::remote::Remote;
use crate::router::use_params_map;
use crate::ui::{Acting, Difference, DigestChip, Loaded, Now, WindowWords, changes, title};
use crate::view::{Show, live};
use crate::{api, browser, text, time, url};

/// The page.
#[component]
pub fn FlagPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).unwrap_or_default());
    let detail = Remote::new(move || id.get(), |id| api::flag(&id));
    title(move || {
        let subject = detail.data.with(|data| data.map(|data| meaning::subject(&data.flag)));
        Some(subject.unwrap_or_else(|| text::flag::TITLE.to_owned()))
    });
    Live::here().keep_fresh(detail, move |change| {
        let shown = detail.data.try_with_untracked(|data| data.map(|data| data.flag.repository.clone()));
        let about_this = id.try_get_untracked() == Some(change.reference.to_string());
        match change.kind {
            ChangeKind::Flag => about_this,
            ChangeKind::Events | ChangeKind::Job | ChangeKind::Repository => {
                shown.flatten().is_some_and(|shown| change.repository == Some(shown))
            }
            ChangeKind::Registry => false,
        }
    });
    view! {
        <p class="crumb"><a href="flags">{text::shell::FLAGS}</a> " / " {live(move || id.get())}</p>
        <Loaded remote=detail lines=8 has_heading=true let:data><Body data detail /></Loaded>
    }
}

/// When the release was first known to have its promised digest.
fn released(data: &FlagDetail) -> Option<Instant> {
    let target = data.targets.iter().find(|target| Some(&target.digest) == data.flag.promise.as_ref())?;
    target.since
}

#[component]
fn Body(data: Held<FlagDetail>, detail: Remote<FlagDetail>) -> impl IntoView {
    let flag = Memo::new(move |_| data.get().flag);
    let heading = live(move || {
        let after = data.with(released).map(|released| flag.get().not_after - released);
        flag.with(|flag| text::flag::heading(&meaning::subject(flag), flag, after))
    });
    let chip = live(move || {
        flag.with(|flag| {
            let (word, tone) = (text::flags::word(flag), meaning::flag_tone(flag));
            let age = time::length(Now::get() - flag.opened);
            let is_open = flag.state == FlagState::Open;
            let word = if is_open { text::flag::open_for(word, &age) } else { word.to_owned() };
            view! { <span class=tone.class()>{word}</span> }
        })
    });
    let reference = live(move || {
        flag.with(|flag| {
            let tag = flag.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
            let address = flag.tag.as_ref().map(|tag| url::tag(&flag.repository, tag));
            let address = address.unwrap_or_else(|| url::repository(&flag.repository));
            view! { <a class="mono" href=address>{format!("{}{tag}", flag.repository)}</a> }
        })
    });
    let lowered = live(move || {
        let words = |flag: &Flag| {
            let rule = flag.lowered_by.as_deref()?;
            Some(text::flag::lowered(flag, &meaning::visible(rule)))
        };
        flag.with(words).map(|words| view! { <p class="facts-words quiet"><bdi>{words}</bdi></p> })
    });
    let of = Memo::new(move |_| flag.with(|flag| Of { repository: flag.repository.clone(), tag: flag.tag.clone() }));
    let is_breach = move || flag.with(|flag| matches!(meaning::breach(flag), Breach::Changed | Breach::Removed));
    view! {
        <div class="page-head flag-head">
            <h1>{heading}</h1>
            <div class="facts">
                <p class="facts-words">{chip} {reference}</p>
                {lowered}
                <div class="acts"><button class="button" type="button" on:click=|_| browser::print()>{text::flag::PRINT}</button></div>
            </div>
        </div>
        <div class="columns flag-columns">
            <div class="stack">
                <section class="card flag-when-card">
                    <h2>{text::flag::WHEN}</h2>
                    <FlagWindow data />
                    <p class="flag-when">{live(move || when(&data.get()))}</p>
                </section>
                <Show when=is_breach>
                    <section class="card"><h2>{text::flag::WHAT_CHANGED}</h2><Changed data /></section>
                </Show>
                <Acting><FlagActs flag detail /></Acting>
                <FlagStory data />
            </div>
            <div class="stack">
                <Show when=is_breach>
                    <section class="card flag-way-back">
                        <h2>{text::THE_WAY_BACK}</h2>
                        <WayBack of most=5 targets=Signal::derive(move || data.get().targets) />
                    </section>
                </Show>
            </div>
        </div>
    }
}

/// The window and how long it has been so.
fn when(data: &FlagDetail) -> impl IntoView + use<> {
    let flag = &data.flag;
    let restored = data.transitions.iter().rev().find(|step| step.to == FlagState::Restored).map(|step| step.at);
    let exposed = match (flag.state, restored) {
        (FlagState::Restored, Some(at)) => text::flag::exposed_until_restored(&time::length(at - flag.not_after)),
        (FlagState::Closed, _) => String::new(),
        _ => text::flag::exposed_so_far(&time::length(Now::get() - flag.not_after)),
    };
    let clock = |at: Instant| time::clock_with_date(at, Now::get(), &browser::offset);
    let end = view! { <strong>{clock(flag.not_after)}</strong> };
    let window = match flag.not_before {
        Some(start) => {
            let of = meaning::breach(flag);
            let (seen, found) = (text::flag::window_middle(of), text::flag::window_end(of));
            view! { {text::flag::WINDOW_BETWEEN} <strong>{clock(start)}</strong> {seen} {end} {found} }.into_any()
        }
        None => view! { {text::flag::WINDOW_BEFORE} {end} {text::flag::WINDOW_BEFORE_END} }.into_any(),
    };
    let widened = data.events.iter().any(|event| event.clock_changed);
    view! { {window} {exposed} {widened.then_some(text::flag::WINDOW_WIDENED)} }
}

#[component]
fn Changed(data: Held<FlagDetail>) -> impl IntoView {
    live(move || {
        let FlagDetail { flag, events, differences, revision, .. } = data.get();
        let steps = events.into_iter().filter(|event| event.old_digest.is_some() || event.new_digest.is_some());
        let steps: Vec<_> = steps
            .map(|event| {
                let proof = if event.verified || event.new_digest.is_none() { "" } else { text::CLAIMED };
                view! {
                    <tr>
                        <td><WindowWords not_before=event.not_before not_after=event.not_after /></td>
                        <td><Difference before=event.old_digest after=event.new_digest /></td>
                        <td class="wide quiet">{proof}</td>
                    </tr>
                }
            })
            .collect();
        let words = match (flag.comparing, flag.promise == flag.current, flag.difference) {
            (true, ..) => text::flag::COMPARING.to_owned(),
            (_, true, _) => text::flag::SAME_AGAIN.to_owned(),
            (_, _, Some(difference)) => [&meaning::capital(&meaning::visible(&difference)), "."].concat(),
            (..) => text::flag::PROMISED_AND_NOW.to_owned(),
        };
        let revision = revision.map(|claim| text::flag::claim(&meaning::visible(&claim)));
        let digests = match flag.promise {
            Some(digest) if flag.current.as_ref() == Some(&digest) => view! { <DigestChip digest /> }.into_any(),
            before => view! { <Difference before after=flag.current /> }.into_any(),
        };
        view! {
            <p class="flag-difference">{digests}</p>
            <p class="quiet"><bdi>{words}{revision}</bdi></p>
            {changes(differences)}
            {(steps.len() > 1).then(|| view! { <table class="table table-plain"><tbody>{steps}</tbody></table> })}
        }
    })
}

//! The way back: the best digest to return to, its proof, and what to run.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{FlagDetail, JobState, ProveTargets, Readiness, Target};

use crate::api;
use crate::phrase;
use crate::ui::{Acting, Copyable, DigestChip, When};

/// The card, with the best target in full and the others to choose.
#[component]
pub fn WayBack(data: Signal<FlagDetail>) -> impl IntoView {
    let chosen = RwSignal::new(0_usize);
    let target =
        Memo::new(move |_| data.with(|data| data.targets.get(chosen.get()).or_else(|| data.targets.first()).cloned()));
    let others = move || {
        let targets = data.with(|data| data.targets.clone());
        (targets.len() > 1).then(|| {
            let rows = targets.into_iter().enumerate().map(|(at, target)| {
                let pressed = move || (chosen.get() == at).to_string();
                let tone = phrase::readiness_tone(target.readiness);
                view! {
                    <li>
                        <button class="target" type="button" aria-pressed=pressed on:click=move |_| chosen.set(at)>
                            <span class="target-release">{target.release}</span>
                            <span class="target-because"><bdi>{phrase::visible(&target.because)}</bdi></span>
                            <span class=tone.class()>{target.readiness.word()}</span>
                        </button>
                    </li>
                }
            });
            view! { <ul class="targets screen-only" aria-label="Targets">{rows.collect_view()}</ul> }
        })
    };
    view! {
        <section class="card way-back">
            <h2>"The way back"</h2>
            {others}
            {move || match target.get() {
                Some(target) => view! { <Chosen data target /> }.into_any(),
                None => view! {
                    <p class="quiet">"No digest to go back to is known: the release was never seen in another state."</p>
                }.into_any(),
            }}
        </section>
    }
}

#[component]
fn Chosen(data: Signal<FlagDetail>, target: Target) -> impl IntoView {
    let tone = phrase::readiness_tone(target.readiness);
    let container = data.with_untracked(|data| phrase::split_name(&data.flag.repository).1.to_owned());
    let pinned = target.pinned.clone();
    let line = |text: String| Signal::derive(move || text.clone());
    let kubectl = format!("kubectl set image deployment/{container} {container}={pinned}");
    view! {
        <div class="way-back-head">
            <DigestChip digest=target.digest.clone() />
            <span class=tone.class()>{target.readiness.word()}</span>
            <span>{target.release.clone()}</span>
        </div>
        <p class="quiet">
            <bdi>{phrase::visible(&phrase::capital(&target.because))}</bdi>
            {target.since.map(|at| view! { ", first seen " <When at /> })} ". "
            {target.detail.clone().map(|detail| view! { <bdi>{phrase::visible(&detail)}</bdi>" " })}
            {target.proven.map(|at| view! { "Proven " <When at /> "." })}
        </p>
        <Acting><Prove data target=target.clone() /></Acting>
        <Copyable text=line(pinned.clone()) what="pinned reference" />
        <Copyable text=line(format!("docker pull {pinned}")) what="docker" />
        <Copyable text=line(kubectl) what="kubectl" />
        <p class="form-help">"For another deployment or container put its name in the last line."</p>
    }
}

/// Asks for a proof now.
#[component]
fn Prove(data: Signal<FlagDetail>, target: Target) -> impl IntoView {
    let busy = RwSignal::new(false);
    let said = RwSignal::new(None::<String>);
    let weight = if target.readiness == Readiness::Ready { "button" } else { "button button-primary" };
    let prove = move |_| {
        busy.set(true);
        said.set(None);
        let (repository, tag) = data.with_untracked(|data| (data.flag.repository.clone(), data.flag.tag.clone()));
        let wanted = ProveTargets { repository, digest: Some(target.digest.clone()), tag };
        spawn_local(async move {
            let words = match api::prove(&wanted).await {
                Ok(job) if job.state == JobState::Failed => {
                    Some(job.error.unwrap_or_else(|| "The proof failed.".into()))
                }
                Ok(job) if job.state == JobState::Done => None,
                Ok(_) => Some("Under way; the state changes here when it is done.".into()),
                Err(error) => Some(format!("{} {}", error.message(), error.next_step())),
            };
            said.try_set(words);
            busy.try_set(false);
        });
    };
    view! {
        <p class="way-back-prove screen-only" role="status">
            <button class=weight type="button" disabled=busy on:click=prove>
                {move || if busy.get() { "Proving…" } else { "Prove now" }}
            </button>
            {move || said.get().map(|words| view! { <bdi class="quiet">{words}</bdi> })}
        </p>
    }
}

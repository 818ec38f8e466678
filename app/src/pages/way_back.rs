//! The way back: the best digest to return to, its proof, and what to run.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{JobState, ProveTargets, Readiness, Target};

use crate::ui::{Acting, Copyable, DigestChip, When};
use crate::view::live;
use crate::{api, phrase, url};

/// Which tag is to go back.
#[derive(Clone, PartialEq, Eq)]
pub struct Of {
    /// The repository's canonical name.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
}

/// The best target in full, and the others to choose.
#[component]
pub fn WayBack(
    /// What goes back.
    of: Memo<Of>,
    /// Where to, best first.
    targets: Signal<Vec<Target>>,
    /// How many are offered here; a link leads to the others.
    #[prop(default = usize::MAX)]
    most: usize,
) -> impl IntoView {
    let chosen = RwSignal::new(0_usize);
    let target = Memo::new(move |_| targets.with(|all| all.get(chosen.get()).or_else(|| all.first()).cloned()));
    let others = live(move || {
        let targets = targets.get();
        let more = targets.len().saturating_sub(most);
        (targets.len() > 1).then(|| {
            let rows = targets.into_iter().take(most).enumerate().map(|(at, target)| {
                let tone = phrase::readiness_tone(target.readiness);
                view! {
                    <li>
                        <button
                            class="target"
                            type="button"
                            aria-pressed=move || (chosen.get() == at).to_string()
                            on:click=move |_| chosen.set(at)
                        >
                            <span class="target-release">{target.release}</span>
                            <span class="target-because"><bdi>{phrase::visible(&target.because)}</bdi></span>
                            <span class=tone.class()>{target.readiness.word()}</span>
                        </button>
                    </li>
                }
            });
            let rest = (more > 0).then(|| {
                let address = of.with_untracked(|of| url::targets(&of.repository, of.tag.as_deref()));
                view! { <li><a class="target" href=address>{format!("{more} more")}</a></li> }
            });
            view! { <ul class="targets screen-only" aria-label="Targets">{rows.collect_view()} {rest}</ul> }
        })
    });
    view! {
        <div class="way-back">
            {others}
            <div class="way-back-chosen">
                {live(move || match target.get() {
                    Some(target) => view! { <Chosen of target /> }.into_any(),
                    None => view! {
                        <p class="quiet">"No digest to go back to is known: it was never seen in another state."</p>
                    }.into_any(),
                })}
            </div>
        </div>
    }
}

#[component]
fn Chosen(of: Memo<Of>, target: Target) -> impl IntoView {
    let tone = phrase::readiness_tone(target.readiness);
    let container = of.with_untracked(|of| phrase::split_name(&of.repository).1.to_owned());
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
            {target.detail.clone().map(|detail| view! { <bdi>{phrase::visible(&phrase::capital(&detail))}</bdi>". " })}
            {target.proven.map(|at| view! { "Proven " <When at /> "." })}
        </p>
        <Acting><Prove of target=target.clone() /></Acting>
        <Copyable text=line(pinned.clone()) what="pinned reference" />
        <Copyable text=line(format!("docker pull {pinned}")) what="docker" />
        <Copyable text=line(kubectl) what="kubectl" />
        <p class="form-help">"For another deployment or container put its name in the last line."</p>
    }
}

/// Asks for a proof now.
#[component]
fn Prove(of: Memo<Of>, target: Target) -> impl IntoView {
    let busy = RwSignal::new(false);
    let said = RwSignal::new(None::<String>);
    let weight = if target.readiness == Readiness::Ready { "button" } else { "button button-primary" };
    let prove = move |_| {
        busy.set(true);
        said.set(None);
        let Of { repository, tag } = of.get_untracked();
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
                {live(move || if busy.get() { "Proving…" } else { "Prove now" })}
            </button>
            {live(move || said.get().map(|words| view! { <bdi class="quiet">{words}</bdi> }))}
        </p>
    }
}

//! The way back: the best digest to return to, its proof, and what to run.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{JobState, ProveTargets, Readiness, Target};

use crate::ui::{Acting, Copyable, DigestChip, When};
use crate::view::live;
use crate::{api, meaning, text, url};

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
                let tone = meaning::readiness_tone(target.readiness);
                view! {
                    <li>
                        <button
                            class="target"
                            type="button"
                            aria-pressed=move || (chosen.get() == at).to_string()
                            on:click=move |_| chosen.set(at)
                        >
                            <span class="target-release">{target.release}</span>
                            <span class="target-because"><bdi>{meaning::visible(&target.because)}</bdi></span>
                            <span class=tone.class()>{text::kinds::readiness(target.readiness)}</span>
                        </button>
                    </li>
                }
            });
            let rest = (more > 0).then(|| {
                let address = of.with_untracked(|of| url::targets(&of.repository, of.tag.as_deref()));
                view! { <li><a class="target" href=address>{text::more(more as u64)}</a></li> }
            });
            view! { <ul class="targets screen-only" aria-label=text::targets::TARGETS>{rows.collect_view()} {rest}</ul> }
        })
    });
    view! {
        <div class="way-back">
            {others}
            <div class="way-back-chosen">
                {live(move || match target.get() {
                    Some(target) => view! { <Chosen of target /> }.into_any(),
                    None => view! { <p class="quiet">{text::targets::NONE}</p> }.into_any(),
                })}
            </div>
        </div>
    }
}

#[component]
fn Chosen(of: Memo<Of>, target: Target) -> impl IntoView {
    let tone = meaning::readiness_tone(target.readiness);
    let container = of.with_untracked(|of| meaning::split_name(&of.repository).1.to_owned());
    let pinned = target.pinned.clone();
    let line = |text: String| Signal::derive(move || text.clone());
    let kubectl = format!("kubectl set image deployment/{container} {container}={pinned}");
    view! {
        <div class="way-back-head">
            <DigestChip digest=target.digest.clone() />
            <span class=tone.class()>{text::kinds::readiness(target.readiness)}</span>
            <span>{target.release.clone()}</span>
        </div>
        <p class="quiet">
            <bdi>{meaning::visible(&meaning::capital(&target.because))}</bdi>
            {target.since.map(|at| view! { {text::targets::SINCE} <When at /> })} ". "
            {target.detail.clone().map(|detail| view! { <bdi>{meaning::visible(&meaning::capital(&detail))}</bdi>". " })}
            {target.proven.map(|at| view! { {text::targets::PROVEN} <When at /> "." })}
        </p>
        <Acting><Prove of target=target.clone() /></Acting>
        <Copyable text=line(pinned.clone()) what=text::targets::PINNED />
        <Copyable text=line(format!("docker pull {pinned}")) what="docker" />
        <Copyable text=line(kubectl) what="kubectl" />
        <p class="form-help">{text::targets::KUBECTL_HELP}</p>
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
                Ok(job) if job.state == JobState::Failed => Some(
                    job.error.map_or_else(|| text::targets::PROOF_FAILED.into(), |error| meaning::sentence(&error)),
                ),
                Ok(job) if job.state == JobState::Done => None,
                Ok(_) => Some(text::targets::PROOF_UNDER_WAY.into()),
                Err(error) => Some(error.words()),
            };
            said.try_set(words);
            busy.try_set(false);
        });
    };
    view! {
        <p class="way-back-prove screen-only" role="status">
            <button class=weight type="button" disabled=busy on:click=prove>
                {live(move || if busy.get() { text::targets::PROVING } else { text::targets::PROVE })}
            </button>
            {live(move || said.get().map(|words| view! { <bdi class="quiet">{words}</bdi> }))}
        </p>
    }
}

//! The way back: the best digest to return to, its proof, and what to run.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{JobState, ProveTargets, Readiness, Target};

use crate::effect::effect;
use crate::ui::{Acting, Copyable, DigestChip, When};
use crate::view::{Show, live};
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
    // The pinned reference of the one that is looked at; until somebody chooses, that is the best.
    let chosen = RwSignal::new(None::<String>);
    let target = Memo::new(move |_| {
        let is_chosen = |target: &&Target| chosen.with(|chosen| chosen.as_ref() == Some(&target.pinned));
        targets.with(|all| all.iter().find(is_chosen).or_else(|| all.first()).cloned())
    });
    let proof = Proof { of: RwSignal::new(None), said: RwSignal::new(None) };
    let mut last = None;
    effect(move || {
        let proven = target.with(|target| target.as_ref()?.proven);
        if proven != std::mem::replace(&mut last, proven) {
            proof.said.set(None);
        }
    });
    let others = live(move || {
        let targets = targets.get();
        let more = targets.len().saturating_sub(most);
        (targets.len() > 1).then(|| {
            let rows = targets.into_iter().take(most).map(|row| {
                let tone = meaning::readiness_tone(row.readiness);
                let (pinned, other) = (row.pinned.clone(), row.pinned);
                let choose = move |_| {
                    chosen.set(Some(pinned.clone()));
                    proof.said.set(None);
                };
                view! {
                    <li>
                        <button
                            class="target"
                            type="button"
                            aria-pressed=move || is_of(target, &other).to_string()
                            on:click=choose
                        >
                            <span class="target-release">{row.release}</span>
                            <span class="target-because"><bdi>{meaning::visible(&row.because)}</bdi></span>
                            <span class=tone.class()>{text::kinds::readiness(row.readiness)}</span>
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
    let pinned =
        Signal::derive(move || target.with(|target| target.as_ref().map_or_else(String::new, |of| of.pinned.clone())));
    let pull = Signal::derive(move || {
        let pinned = pinned.get();
        format!("docker pull {pinned}")
    });
    let kubectl = Signal::derive(move || {
        let (container, pinned) = (of.with(|of| meaning::split_name(&of.repository).1.to_owned()), pinned.get());
        format!("kubectl set image deployment/{container} {container}={pinned}")
    });
    view! {
        <div class="way-back">
            {others}
            <div class="way-back-chosen">
                <Show
                    when=move || target.with(Option::is_some)
                    fallback=|| view! { <p class="quiet">{text::targets::NONE}</p> }
                >
                    {live(move || target.get().map(facts))}
                    <Acting><Prove of target chosen proof /></Acting>
                    <Copyable text=pinned what=text::targets::PINNED />
                    <Copyable text=pull what="docker" />
                    <Copyable text=kubectl what="kubectl" />
                    <p class="form-help">{text::targets::KUBECTL_HELP}</p>
                </Show>
            </div>
        </div>
    }
}

/// The proof that was asked for. It is kept here, as its outcome changes the target that it is of.
#[derive(Clone, Copy)]
struct Proof {
    /// The pinned reference of what is being proven.
    of: RwSignal<Option<String>>,
    /// What was said of it, until the target is proven anew.
    said: RwSignal<Option<String>>,
}

fn is_of(target: Memo<Option<Target>>, pinned: &str) -> bool {
    target.with(|target| target.as_ref().is_some_and(|target| target.pinned == pinned))
}

/// What it is and how it is with it.
fn facts(target: Target) -> impl IntoView {
    let tone = meaning::readiness_tone(target.readiness);
    view! {
        <div class="way-back-head">
            <DigestChip digest=target.digest />
            <span class=tone.class()>{text::kinds::readiness(target.readiness)}</span>
            <span>{target.release}</span>
        </div>
        <p class="quiet">
            <bdi>{meaning::visible(&meaning::capital(&target.because))}</bdi>
            {target.since.map(|at| view! { {text::targets::SINCE} <When at /> })} ". "
            {target.detail.map(|detail| view! { <bdi>{meaning::visible(&meaning::capital(&detail))}</bdi>". " })}
            {target.proven.map(|at| view! { {text::targets::PROVEN} <When at /> "." })}
        </p>
    }
}

/// Asks for a proof now.
#[component]
fn Prove(of: Memo<Of>, target: Memo<Option<Target>>, chosen: RwSignal<Option<String>>, proof: Proof) -> impl IntoView {
    let is_busy = move || proof.of.with(Option::is_some);
    let is_this_busy = move || proof.of.with(|of| of.as_ref().is_some_and(|pinned| is_of(target, pinned)));
    let is_ready = move || target.with(|target| target.as_ref().is_some_and(|of| of.readiness == Readiness::Ready));
    let prove = move |_| {
        let Some(target) = target.get_untracked().filter(|_| proof.of.with_untracked(Option::is_none)) else { return };
        // It stays in sight when another one turns out to be better.
        chosen.set(Some(target.pinned.clone()));
        proof.of.set(Some(target.pinned.clone()));
        proof.said.set(None);
        let Of { repository, tag } = of.get_untracked();
        let wanted = ProveTargets { repository, digest: Some(target.digest), tag };
        spawn_local(async move {
            let words = match api::prove(&wanted).await {
                Ok(job) if job.state == JobState::Failed => Some(
                    job.error.map_or_else(|| text::targets::PROOF_FAILED.into(), |error| meaning::sentence(&error)),
                ),
                Ok(job) if job.state == JobState::Done => None,
                Ok(_) => Some(text::targets::PROOF_UNDER_WAY.into()),
                Err(error) => Some(error.words()),
            };
            proof.of.try_set(None);
            if chosen.try_get_untracked() == Some(Some(target.pinned)) {
                proof.said.try_set(words);
            }
        });
    };
    // Disabled it would lose the focus.
    view! {
        <p class="way-back-prove screen-only" role="status">
            <button
                class=move || if is_ready() { "button" } else { "button button-primary" }
                type="button"
                aria-disabled=move || is_busy().to_string()
                on:click=prove
            >
                {live(move || if is_this_busy() { text::targets::PROVING } else { text::targets::PROVE })}
            </button>
            {live(move || proof.said.get().map(|words| view! { <bdi class="quiet">{words}</bdi> }))}
        </p>
    }
}

//! What a person can do with a flag: acknowledge or close it, with a reason.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{Acknowledge, Close, Flag, FlagDetail};
use tagwarden_model::flag::{FlagState, Resolution};
use tagwarden_model::instant::Millis;

use crate::api::{self, ApiError};
use crate::browser;
use crate::effect::effect;
use crate::remote::Remote;
use crate::text::{self, flag as words};
use crate::ui::failure;
use crate::view::{Show, live};

/// Days that an acknowledgement may last; 0 is until something new happens.
const UNTIL: [(i64, &str); 4] =
    [(0, words::UNTIL_SOMETHING_NEW), (1, words::FOR_A_DAY), (7, words::FOR_7_DAYS), (30, words::FOR_30_DAYS)];

/// A decision that can be chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Acknowledge,
    Close(Resolution),
}

impl Decision {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Acknowledge, words::ACKNOWLEDGE, words::ACKNOWLEDGE_HELP),
        (Self::Close(Resolution::Reviewed), words::CLOSE_REVIEWED, words::CLOSE_REVIEWED_HELP),
        (Self::Close(Resolution::Accepted), words::CLOSE_ACCEPT, words::CLOSE_ACCEPT_HELP),
        (Self::Close(Resolution::NotAnIssue), words::CLOSE_NO_ISSUE, words::CLOSE_NO_ISSUE_HELP),
    ];

    /// Whether the server would take it: closing in breach means accepting.
    fn fits(self, flag: &Flag) -> bool {
        match self {
            Self::Acknowledge => flag.state == FlagState::Open,
            Self::Close(Resolution::Accepted) => flag.state != FlagState::Restored,
            Self::Close(_) => flag.state == FlagState::Restored || flag.tag.is_none(),
        }
    }
}

/// The card with the decisions that fit.
#[component]
pub fn FlagActs(flag: Memo<Flag>, detail: Remote<FlagDetail>) -> impl IntoView {
    let chosen = RwSignal::new(None::<Decision>);
    let choices = move || {
        let fitting = Decision::ALL.into_iter().filter(|(decision, ..)| flag.with(|flag| decision.fits(flag)));
        let choice = move |(decision, name, help): (Decision, &'static str, &'static str)| {
            let choose = move |_| chosen.update(|chosen| *chosen = (*chosen != Some(decision)).then_some(decision));
            view! {
                <button class="button" type="button" title=help aria-pressed=move || (chosen.get() == Some(decision)).to_string() on:click=choose>{name}"…"</button>
            }
        };
        fitting.map(choice).collect_view()
    };
    let form = move || chosen.get().map(|decision| view! { <Reason decision flag detail chosen /> });
    view! {
        <Show when=move || flag.with(|flag| flag.state != FlagState::Closed)>
            <section class="card screen-only">
                <h2 id="decide" tabindex="-1">{words::DECIDE}</h2>
                <div class="acts acts-start">{live(choices)}</div>
                {live(form)}
            </section>
        </Show>
    }
}

#[component]
fn Reason(
    decision: Decision,
    flag: Memo<Flag>,
    detail: Remote<FlagDetail>,
    chosen: RwSignal<Option<Decision>>,
) -> impl IntoView {
    let reason = RwSignal::new(String::new());
    let days = RwSignal::new("0".to_owned());
    let busy = RwSignal::new(false);
    let failed = RwSignal::new(None::<ApiError>);
    // The version that was looked at when the decision was chosen, not a newer one that arrived since.
    let (id, version) = flag.with_untracked(|flag| (flag.id, flag.version));
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let reason = reason.get_untracked().trim().to_owned();
        if reason.is_empty() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        let days = days.get_untracked().parse().unwrap_or(0);
        let until = (days > 0).then(|| browser::now() + Millis::days(days));
        spawn_local(async move {
            let answer = match decision {
                Decision::Acknowledge => api::acknowledge(id, &Acknowledge { version, reason, until }).await,
                Decision::Close(resolution) => api::close(id, &Close { version, resolution, reason }).await,
            };
            busy.try_set(false);
            match answer {
                Ok(data) => {
                    chosen.try_set(None);
                    detail.put(data);
                    browser::focus(if decision == Decision::Acknowledge { "decide" } else { "main" });
                }
                Err(error) => {
                    failed.try_set(Some(error));
                    detail.reload();
                }
            }
        });
    };
    effect(|| browser::focus("reason"));
    let cancel = move |_| {
        chosen.set(None);
        browser::focus("decide");
    };
    let (_, name, help) = Decision::ALL.into_iter().find(|(other, ..)| *other == decision).unwrap_or(Decision::ALL[0]);
    view! {
        <form class="form" on:submit=send>
            <label class="form-label" for="reason">{text::WHY}</label>
            <textarea id="reason" class="input" rows="3" maxlength="2000" required aria-describedby="reason-help" bind:value=reason>
            </textarea>
            <p id="reason-help" class="form-help">{help}</p>
            <Show when=move || decision == Decision::Acknowledge>
                <label class="form-label" for="until">{words::LASTS}</label>
                <select id="until" class="input" bind:value=days>
                    {UNTIL.map(|(days, name)| view! { <option value=days.to_string()>{name}</option> }).collect_view()}
                </select>
            </Show>
            {failure(failed)}
            <div class="form-row">
                <button class="button button-primary" type="submit" disabled=busy>{name}</button>
                <button class="button button-quiet" type="button" on:click=cancel>{words::CANCEL}</button>
            </div>
        </form>
    }
}

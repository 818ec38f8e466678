//! Who is told of flags, whether that works, and a message to try it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{DeliveryState, Notifier, Page};

use crate::held::Held;
use crate::live::Live;
use crate::remote::Remote;
use crate::ui::{Acting, Copyable, Loaded, When, title};
use crate::view::{Show, live};
use crate::{api, meaning, text};

/// What a first notifier looks like in the configuration.
const EXAMPLE: &str = "[[notifier]]\nname = \"on-call\"\nkind = \"slack\"\nurl_file = \"/run/secrets/slack\"\n";

/// The page.
#[component]
pub fn NotifiersPage() -> impl IntoView {
    title(|| Some(text::shell::NOTIFIERS.into()));
    let notifiers = Remote::new(|| (), |()| api::notifiers());
    // Flags are what is told of; what became of a message is looked up with the other things that grow old.
    Live::here().keep_fresh(notifiers, |_| true);
    view! {
        <div class="page-head"><h1>{text::shell::NOTIFIERS}</h1></div>
        <Loaded remote=notifiers lines=4 let:page><Body page notifiers /></Loaded>
    }
}

#[component]
fn Body(page: Held<Page<Notifier>>, notifiers: Remote<Page<Notifier>>) -> impl IntoView {
    // Of the whole page: a row is made anew whenever something changes.
    let acting = Acted { said: RwSignal::new(None), busy: RwSignal::new(false) };
    let is_empty = Memo::new(move |_| page.with(|page| page.items.is_empty()));
    let row = move |notifier| view! { <Row notifier notifiers acting /> };
    let rows = move || page.get().items.into_iter().map(row).collect_view();
    view! {
        <p class="lead">{live(move || page.with(|page| text::notifiers::headline(&page.items)))}</p>
        <Show when=move || is_empty.get()>
            <section class="card">
                <h2>{text::notifiers::FIRST}</h2>
                <Copyable text=Signal::derive(|| EXAMPLE.to_owned()) what=text::notifiers::FIRST_WHAT />
                <p class="quiet">{text::notifiers::FIRST_HELP}</p>
            </section>
        </Show>
        <Show when=move || !is_empty.get()>
            <div class="card table-card">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">{text::notifiers::NOTIFIER}</th>
                            <th scope="col">{text::STATE}</th>
                            <th scope="col" class="wide">{text::notifiers::LAST_TOLD}</th>
                            <th scope="col">{text::notifiers::ACTS}</th>
                        </tr>
                    </thead>
                    <tbody>{live(rows)}</tbody>
                </table>
            </div>
            <p class="quiet more" role="status">{live(move || acting.said.get().map(|words| view! { <bdi>{words}</bdi> }))}</p>
        </Show>
    }
}

/// What came of an act.
#[derive(Clone, Copy)]
struct Acted {
    said: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
}

#[component]
fn Row(notifier: Notifier, notifiers: Remote<Page<Notifier>>, acting: Acted) -> impl IntoView {
    let (word, tone) = (text::notifiers::word(&notifier), meaning::notifier_tone(&notifier));
    let told = match notifier.last_success {
        Some(at) => view! { <When at /> }.into_any(),
        None => view! { <span class="quiet">{text::NOT_YET}</span> }.into_any(),
    };
    let trouble = notifier.error.clone().filter(|_| meaning::is_failing(&notifier));
    let trouble = trouble.zip(notifier.last_failure).map(|(words, at)| {
        view! { <p class="row-note"><When at />": "<bdi>{meaning::visible(&words)}</bdi></p> }
    });
    let is_dead = notifier.dead > 0;
    let Acted { said, busy } = acting;
    let name = StoredValue::new(notifier.name.clone());
    let act = move |retry: bool| {
        busy.set(true);
        spawn_local(async move {
            let name = name.get_value();
            let words = if retry {
                api::retry_notifier(&name).await.map(|retried| text::notifiers::retried(retried.messages))
            } else {
                api::test_notifier(&name).await.map(|delivery| match (delivery.state, delivery.error) {
                    (DeliveryState::Delivered, _) => text::notifiers::TEST_DELIVERED.to_owned(),
                    (_, Some(error)) => text::notifiers::not_told(&error),
                    (_, None) => text::notifiers::TEST_UNDER_WAY.to_owned(),
                })
            };
            let words = words.unwrap_or_else(|error| error.words());
            said.try_set(Some(meaning::visible(&text::notifiers::said(&name, &words))));
            busy.try_set(false);
            notifiers.reload();
        });
    };
    view! {
        <tr>
            <td class="grow">
                <strong>{notifier.name}</strong>
                " "
                <span class="quiet">{notifier.kind}{text::notifiers::AT_HOST}<bdi>{meaning::visible(&notifier.host)}</bdi></span>
                {trouble}
            </td>
            <td><span class=tone.class()>{word}</span></td>
            <td class="wide">{told}</td>
            <td>
                <Acting>
                    <div class="acts">
                        {is_dead.then(|| view! {
                            <button class="button" type="button" disabled=busy on:click=move |_| act(true)>{text::notifiers::RETRY}</button>
                        })}
                        <button class="button" type="button" disabled=busy on:click=move |_| act(false)>{text::notifiers::TEST}</button>
                    </div>
                </Acting>
            </td>
        </tr>
    }
}

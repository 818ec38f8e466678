//! Watching many repositories at once: those that a pasted text names.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{CatalogueItem, JobResult, NotUnderstood, PasteFormat, PasteItem, Pasted};

use crate::view::{Show, live};
use crate::{api, meaning, text};

/// Reads what a text names; of a pattern (`ghcr.io/acme/**`) what the registry's catalogue has.
async fn look(text: String) -> Result<Pasted, String> {
    let pattern = text.trim().split_once('/').filter(|(host, rest)| !host.contains('*') && rest.contains('*'));
    let Some((registry, pattern)) = pattern.filter(|_| !text.trim().contains(char::is_whitespace)) else {
        return api::paste(text).await.map_err(|error| error.words());
    };
    let job = api::catalogue(registry.to_owned(), pattern.to_owned()).await.map_err(|error| error.words())?;
    let Some(JobResult::Catalogue(found)) = job.result else {
        let why = job.error.map(|error| meaning::sentence(&error));
        return Err(why.unwrap_or_else(|| text::adding::CATALOGUE_TAKES_LONG.to_owned()));
    };
    let item = |CatalogueItem { name, watched }| PasteItem { name, watched, tags: Vec::new(), places: Vec::new() };
    let reason = found.reason.map(|reason| NotUnderstood { place: registry.to_owned(), text: String::new(), reason });
    Ok(Pasted {
        format: PasteFormat::Names,
        items: found.items.into_iter().map(item).collect(),
        not_understood: reason.into_iter().collect(),
        truncated: found.truncated,
    })
}

/// A text, what it names, and which of that shall be watched.
#[component]
pub fn PasteForm(on_added: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let pasted = RwSignal::new(None::<Pasted>);
    let chosen = RwSignal::new(BTreeSet::<String>::new());
    let words = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let find = move |_| {
        busy.set(true);
        spawn_local(async move {
            match look(text.get_untracked()).await {
                Ok(answer) => {
                    let new = answer.items.iter().filter(|item| !item.watched).map(|item| item.name.clone());
                    chosen.try_update(|chosen| {
                        chosen.clear();
                        chosen.extend(new);
                    });
                    words.try_set(text::adding::pasted(&answer));
                    pasted.try_set(Some(answer));
                }
                Err(error) => drop(words.try_set(error)),
            }
            busy.try_set(false);
        });
    };
    let watch = move |_| {
        busy.set(true);
        spawn_local(async move {
            let (mut added, mut refused) = (0, Vec::new());
            for name in chosen.get_untracked() {
                match api::add_repository(name.clone()).await {
                    Ok(_) => {
                        chosen.try_update(|chosen| chosen.remove(&name));
                        added += 1;
                    }
                    Err(error) => refused.push([&name, ": ", &error.message()].concat()),
                }
                words.try_set(text::adding::added_many(added, &refused.join(" ")));
            }
            busy.try_set(false);
            on_added();
        });
    };
    let list = live(move || {
        let items = pasted.get().map(|pasted| pasted.items).unwrap_or_default();
        let item = move |item: PasteItem| {
            let (name, other) = (item.name.clone(), item.name.clone());
            let toggle = move |_| {
                chosen.update(|chosen| {
                    if !chosen.remove(&name) {
                        chosen.insert(name.clone());
                    }
                });
            };
            let note = if item.watched { text::adding::WATCHED_ALREADY.to_owned() } else { item.places.join(", ") };
            view! {
                <label class="check">
                    <input
                        type="checkbox"
                        disabled=item.watched
                        prop:checked=move || chosen.with(|chosen| chosen.contains(&other))
                        on:change=toggle
                    />
                    <span><bdi>{item.name}</bdi>" "<span class="form-help"><bdi>{meaning::visible(&note)}</bdi></span></span>
                </label>
            }
        };
        items.into_iter().map(item).collect_view()
    });
    let count = move || chosen.with(BTreeSet::len);
    view! {
        <details>
            <summary>{text::adding::PASTE}</summary>
            <div class="form">
                <label class="form-label" for="paste">{text::adding::PASTE_LABEL}</label>
                <textarea id="paste" class="input" rows="6" spellcheck="false" bind:value=text></textarea>
                <button id="paste-find" class="button" type="button" disabled=busy on:click=find>{text::adding::PASTE_FIND}</button>
                <p class="form-help" role="status">{live(move || meaning::visible(&words.get()))}</p>
                {list}
                <Show when=move || count() != 0>
                    <button id="paste-watch" class="button" type="button" disabled=busy on:click=watch>
                        {live(move || text::adding::watch(count()))}
                    </button>
                </Show>
            </div>
        </details>
    }
}

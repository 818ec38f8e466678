//! The groups of a repository: joined, left and made here, unless the configuration file names them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{Group, Repository, WatchSource};

use crate::remote::Remote;
use crate::view::live;
use crate::{api, meaning, text};

/// All groups with a mark at those that the repository is in, and a field for a new one.
#[component]
pub fn Groups(repository: Memo<Repository>, on_change: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let groups = Remote::new(|| (), |()| api::groups());
    let typed = RwSignal::new(String::new());
    let words = RwSignal::new(String::new());
    let put = move |group: String, member: bool| {
        let name = repository.get_untracked().name;
        spawn_local(async move {
            let answer = api::put_into_group(&group, &name, member).await;
            words.try_set(answer.err().map(|error| error.words()).unwrap_or_default());
            groups.reload();
            on_change();
        });
    };
    let make = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let group = typed.get_untracked().trim().to_owned();
        spawn_local(async move {
            match api::make_group(group.clone()).await {
                Ok(()) => {
                    typed.try_set(String::new());
                    put(group, true);
                }
                Err(error) => drop(words.try_set(error.words())),
            }
        });
    };
    let row = move |group: Group| {
        let of_file = group.source == WatchSource::File;
        let member = repository.with(|repository| group.repositories.contains(&repository.name));
        let note = of_file.then(|| view! { " "<span class="form-help">{text::repository::GROUP_OF_FILE}</span> });
        let (shown, name) = (meaning::visible(&group.name), group.name);
        view! {
            <label class="check">
                <input type="checkbox" disabled=of_file prop:checked=member on:change=move |_| put(name.clone(), !member) />
                <span><bdi>{shown}</bdi>{note}</span>
            </label>
        }
    };
    let rows = live(move || groups.data.get().map(|page| page.items.into_iter().map(row).collect_view()));
    view! {
        <form class="form" on:submit=make>
            {rows}
            <div class="form-row">
                <input id="group" class="input" required aria-label=text::repository::NEW_GROUP placeholder=text::repository::NEW_GROUP bind:value=typed />
                <button class="button" type="submit">{text::repository::ADD_GROUP}</button>
            </div>
            <p class="form-help" role="status">{live(move || meaning::visible(&words.get()))}</p>
        </form>
    }
}

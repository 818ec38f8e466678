//! What a repository has, while its name is typed.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{JobResult, RepositoryPreview};

use crate::{api, phrase};

/// A name that stands for so long is typed.
const TYPED: Duration = Duration::from_millis(800);

/// Looks at the repository that is named and says what it has, in a few lines.
#[component]
pub fn Preview(name: RwSignal<String>) -> impl IntoView {
    let found = RwSignal::new(None::<RepositoryPreview>);
    Effect::new(move |last: Option<Option<TimeoutHandle>>| {
        if let Some(handle) = last.flatten() {
            handle.clear();
        }
        let typed = name.get().trim().to_owned();
        found.set(None);
        let look = move || {
            spawn_local(async move {
                let answer = api::preview(typed.clone()).await.ok().and_then(|job| job.result);
                if name.try_get_untracked().is_some_and(|name| name.trim() == typed)
                    && let Some(JobResult::Preview(preview)) = answer
                {
                    found.try_set(Some(preview));
                }
            });
        };
        if name.with_untracked(|name| name.trim().len() < 2) { None } else { set_timeout_with_handle(look, TYPED).ok() }
    });
    let lines = move || found.with(|found| found.as_ref().map(phrase::preview_lines)).unwrap_or_default();
    view! {
        <div id="preview" role="status">
            {move || lines().into_iter().map(|line| view! { <p class="form-help"><bdi>{phrase::visible(&line)}</bdi></p> }).collect_view()}
        </div>
    }
}
